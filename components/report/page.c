/* page.c: the page on its way to the file, a piece at a time. */
#include "components/report/report_int.h"
#include "interfaces/tenon_file.h"
#include "sdk/mem.h"

void page_begin(struct page *p, tn_cap out, uint64_t offset)
{
    p->out = out;
    p->offset = offset;
    p->len = 0;
    p->err = TN_OK;
}

tn_err page_flush(struct page *p)
{
    if (p->err == TN_OK && p->len > 0)
        p->err =
            tenon_file_write(p->out, p->offset, p->at, p->len, p->room, sizeof(p->room), TN_NEVER);
    p->offset += p->len;
    p->len = 0;
    return p->err;
}

void page_raw(struct page *p, const void *at, uint32_t len)
{
    const char *from = at;
    while (len > 0 && p->err == TN_OK) {
        uint32_t n = PAGE_BYTES - p->len < len ? PAGE_BYTES - p->len : len;
        memcpy(p->at + p->len, from, n);
        p->len += n;
        from += n;
        len -= n;
        if (p->len == PAGE_BYTES)
            (void)page_flush(p);
    }
}

void page_put(struct page *p, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    size_t n = fmt_vprint(line, sizeof(line), format, args);
    va_end(args);
    if (n >= sizeof(line) && p->err == TN_OK)
        p->err = TN_ETOOBIG;
    else
        page_raw(p, line, (uint32_t)n);
}

void page_text(struct page *p, const char *at)
{
    for (; *at != '\0'; at++) {
        if (*at == '&')
            page_put(p, "&amp;");
        else if (*at == '<')
            page_put(p, "&lt;");
        else if (*at == '>')
            page_put(p, "&gt;");
        else if (*at == '"')
            page_put(p, "&quot;");
        else
            page_raw(p, at, 1);
    }
}

void page_number(struct page *p, double x)
{
    char text[NUMBER_TEXT];
    number_text(x, text);
    page_put(p, "%s", text);
}

void page_time(struct page *p, int64_t ms)
{
    char text[TIME_TEXT];
    time_text(ms, text);
    page_put(p, "%s", text);
}

void page_pad(struct page *p, uint64_t from, uint64_t bytes)
{
    uint64_t written = p->offset + p->len - from;
    if (written > bytes && p->err == TN_OK)
        p->err = TN_ETOOBIG;
    for (; written < bytes && p->err == TN_OK; written++)
        page_raw(p, written + 1 == bytes ? "\n" : " ", 1);
}
