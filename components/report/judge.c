/* judge.c: findings against labels. The labels file has lines `series,start,end` with times as
 * 2014-03-07 03:41; the first line may be a header. A finding that overlaps a window is a hit, any
 * other is a false alarm; a window that no finding overlaps was missed. */
#include "components/report/report_int.h"
#include "interfaces/tenon_file.h"
#include "sdk/mem.h"

/* The number of `digits` digits at `at`; -1 when there is none. */
static int32_t number_at(const char *at, uint32_t digits)
{
    int32_t x = 0;
    for (uint32_t i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        x = x * 10 + (at[i] - '0');
    }
    return x;
}

/* 2014-03-07 03:41, and what follows; false when it is none. */
static bool label_time(struct str s, int64_t *ret_ms)
{
    if (s.len < 16 || s.at[4] != '-' || s.at[7] != '-' || s.at[13] != ':')
        return false;
    int32_t year = number_at(s.at, 4), month = number_at(s.at + 5, 2), day = number_at(s.at + 8, 2);
    int32_t hour = number_at(s.at + 11, 2), minute = number_at(s.at + 14, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59)
        return false;
    int32_t y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
    int32_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = (int64_t)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    *ret_ms = ((days * 24 + hour) * 60 + minute) * 60000;
    return true;
}

/* Takes text up to `mark` off `rest`. */
static struct str take_until(struct str *rest, char mark)
{
    struct str s = {rest->at, 0};
    while (s.len < rest->len && rest->at[s.len] != mark)
        s.len++;
    size_t step = s.len < rest->len ? s.len + 1 : s.len;
    *rest = (struct str){rest->at + step, rest->len - step};
    return s;
}

/* A line taken apart; false when it is no label. */
static bool take_label(struct str line, struct str *ret_who, struct window *ret_window)
{
    *ret_who = take_until(&line, ',');
    struct str start = take_until(&line, ',');
    return label_time(start, &ret_window->start_ms) && label_time(line, &ret_window->end_ms) &&
           ret_window->start_ms <= ret_window->end_ms;
}

static tn_err labels_check(struct report *r)
{
    struct str text = {r->labels_text, r->labels_len};
    for (uint32_t number = 1; text.len > 0; number++) {
        struct str line = take_until(&text, '\n'), who;
        struct window w;
        bool blank = line.len == 0 || line.at[0] == '\r';
        if (blank || take_label(line, &who, &w) || number == 1)
            continue;
        (void)fmt_print(r->problem, PROBLEM_MAX,
                        "labels: line %u is not series,start,end with times as 2014-03-07 03:41",
                        number);
        return TN_EFORMAT;
    }
    return TN_OK;
}

tn_err labels_read(struct report *r)
{
    r->labels_len = 0;
    r->labelled = r->labels != 0;
    while (r->labelled) {
        struct tenon_file_read_reply reply;
        tn_err err = tenon_file_read(r->labels, r->labels_len, LABELS_BYTES, &reply, r->room,
                                     sizeof(r->room), TN_NEVER);
        if (err != TN_OK)
            return problem(r, "labels", "cannot be read", err);
        if (reply.data.len == 0)
            break;
        if (reply.data.len > LABELS_BYTES - r->labels_len)
            return problem(r, "labels", "are too long", TN_ETOOBIG);
        memcpy(r->labels_text + r->labels_len, reply.data.at, reply.data.len);
        r->labels_len += reply.data.len;
    }
    return labels_check(r);
}

static void take_windows(struct report *r, struct series *s)
{
    struct str text = {r->labels_text, r->labels_len}, who;
    s->nwindows = 0;
    while (text.len > 0 && s->nwindows < WINDOWS_MAX) {
        struct window *w = &s->windows[s->nwindows];
        w->hit = false;
        if (take_label(take_until(&text, '\n'), &who, w) && str_eq(who, str_of(s->name)))
            s->nwindows++;
    }
}

void series_judge(struct report *r, struct series *s)
{
    take_windows(r, s);
    s->alarms = s->windows_hit = 0;
    for (uint32_t i = 0; i < s->nfindings; i++) {
        struct finding *f = &s->findings[i];
        f->hit = false;
        for (uint32_t k = 0; k < s->nwindows; k++) {
            struct window *w = &s->windows[k];
            if (f->start_ms > w->end_ms || f->end_ms < w->start_ms)
                continue;
            f->hit = true;
            s->windows_hit += !w->hit;
            w->hit = true;
        }
        s->alarms += r->labelled && !f->hit;
    }
}
