/* words.c: numbers, times and errors for people. */
#include "base/bits.h"
#include "components/report/report_int.h"
#include "sdk/fmt.h"
#include "sdk/math.h"

void number_text(double x, char ret_text[NUMBER_TEXT])
{
    double size = sdk_fabs(x);
    if (size != 0 && (size >= 1e9 || size < 0.001)) {
        char all[SDK_F64_MAX];
        (void)sdk_f64_text(x, all);
        (void)fmt_print(ret_text, NUMBER_TEXT, "%s", all);
        return;
    }
    uint32_t decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 || size == 0 ? 2 : 4;
    (void)sdk_f64_fixed(x, decimals, ret_text, NUMBER_TEXT);
}

void count_text(uint64_t n, char ret_text[NUMBER_TEXT])
{
    char digits[24];
    size_t len = fmt_print(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            ret_text[at++] = ',';
        ret_text[at++] = digits[i];
    }
    ret_text[at] = '\0';
}

/* Hinnant 2013, civil_from_days. */
void time_text(int64_t ms, char ret_text[TIME_TEXT])
{
    int64_t minutes = ms / 60000 - (ms % 60000 < 0), days = minutes / 1440 - (minutes % 1440 < 0);
    uint32_t minute = (uint32_t)(minutes - days * 1440);
    int64_t z = days + 719468, era = z / 146097 - (z % 146097 < 0);
    uint32_t doe = (uint32_t)(z - era * 146097);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint32_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = (int64_t)yoe + era * 400 + (month <= 2);
    (void)fmt_print(ret_text, TIME_TEXT, "%04lld-%02u-%02u %02u:%02u", (long long)year, month,
                    doy - (153 * mp + 2) / 5 + 1, minute / 60, minute % 60);
}

#define ERROR_NAME(name, number, text) \
    case (number):                     \
        return #name;
#define ERROR_MEANING(name, number, text) \
    case (number):                        \
        return text;

const char *error_name(tn_err err)
{
    switch (err) {
        TN_ERRORS(ERROR_NAME)
    default:
        return err > 0 ? "an error of its own" : "an unknown error";
    }
}

const char *error_meaning(tn_err err)
{
    switch (err) {
        TN_ERRORS(ERROR_MEANING)
    default:
        return "see its interface";
    }
}

const char *direction_word(uint8_t direction)
{
    return direction == DEMO_DETECT_LOW ? "low" : "high";
}

void span_text(int64_t ms, char ret_text[NUMBER_TEXT])
{
    static const struct {
        int64_t ms;
        char word[8];
    } units[] = {{86400000, " days"}, {3600000, " h"}, {60000, " min"}, {1000, " s"}, {1, " ms"}};
    uint32_t i = ms >= 2 * units[0].ms ? 0 : 1;
    while (i + 1 < ARRAY_LEN(units) && ms < units[i].ms)
        i++;
    size_t len = sdk_f64_fixed((double)ms / (double)units[i].ms, ms % units[i].ms != 0, ret_text,
                               NUMBER_TEXT);
    if (len < NUMBER_TEXT)
        (void)fmt_print(ret_text + len, NUMBER_TEXT - len, "%s", units[i].word);
}

const char *kind_word(uint8_t kind)
{
    static const char words[][8] = {"?", "spike", "run", "shift", "range"};
    return kind < ARRAY_LEN(words) ? words[kind] : words[0];
}
