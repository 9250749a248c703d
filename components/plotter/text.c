/* text.c: text that grows in a bounded place. */
#include "components/plotter/plotter_int.h"
#include "sdk/math.h"

void text_put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool room = t->len < t->size;
    t->len += fmt_vprint(room ? t->at + t->len : NULL, room ? t->size - t->len : 0, format, args);
    va_end(args);
}

void text_put_tenths(struct text *t, double x)
{
    bool negative = x < 0;
    uint32_t tenths = (uint32_t)(sdk_fabs(x) * 10 + 0.5);
    const char *sign = negative && tenths > 0 ? "-" : "";
    if (tenths % 10 == 0)
        text_put(t, "%s%u", sign, tenths / 10);
    else
        text_put(t, "%s%u.%u", sign, tenths / 10, tenths % 10);
}

void text_put_escaped(struct text *t, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (at[i]) {
        case '&':
            text_put(t, "&amp;");
            break;
        case '<':
            text_put(t, "&lt;");
            break;
        case '>':
            text_put(t, "&gt;");
            break;
        case '"':
            text_put(t, "&quot;");
            break;
        default:
            text_put(t, "%c", (uint8_t)at[i] < ' ' ? ' ' : at[i]);
            break;
        }
    }
}
