/* semver.c: Semantic Versioning 2.0.0: versions, their precedence, and requirements of them. */
#include "runtime/package/package_int.h"

/* A cursor over a version or requirement. */
struct cursor {
    const char *at, *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool take(struct cursor *c, char what)
{
    if (c->at == c->end || *c->at != what)
        return false;
    c->at++;
    return true;
}

/* No sign, no leading zero, at most 2^32 - 1. */
static bool take_number(struct cursor *c, uint32_t *ret)
{
    const char *first = c->at;
    uint64_t value = 0;
    for (; c->at < c->end && is_digit(*c->at); c->at++) {
        value = value * 10 + (uint64_t)(*c->at - '0');
        if (value > UINT32_MAX)
            return false;
    }
    if (c->at == first || (*first == '0' && c->at - first > 1))
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* One identifier of a pre-release or a build. */
static struct str take_word(struct cursor *c)
{
    const char *first = c->at;
    while (c->at < c->end && is_word(*c->at))
        c->at++;
    return (struct str){first, (size_t)(c->at - first)};
}

static bool is_numeric(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!is_digit(word.at[i]))
            return false;
    return true;
}

/* Identifiers joined by dots, none empty; of a pre-release numbers have no leading zero. */
static bool take_words(struct cursor *c, bool pre, struct str *ret)
{
    const char *first = c->at;
    do {
        struct str word = take_word(c);
        if (word.len == 0 || (pre && word.len > 1 && word.at[0] == '0' && is_numeric(word)))
            return false;
    } while (take(c, '.'));
    *ret = (struct str){first, (size_t)(c->at - first)};
    return true;
}

/* What follows the three numbers. */
static bool take_tail(struct cursor *c, struct str *ret_pre)
{
    struct str build;
    *ret_pre = STR("");
    if (take(c, '-') && !take_words(c, true, ret_pre))
        return false;
    return !take(c, '+') || take_words(c, false, &build);
}

bool version_parse(struct str text, struct version *ret)
{
    struct cursor c = {text.at, text.at + text.len};
    struct version v = {.text = text};
    if (!take_number(&c, &v.major) || !take(&c, '.') || !take_number(&c, &v.minor) ||
        !take(&c, '.') || !take_number(&c, &v.patch) || !take_tail(&c, &v.pre) || c.at != c.end)
        return false;
    *ret = v;
    return true;
}

static int32_t compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int32_t compare_bytes(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int32_t order = n == 0 ? 0 : memcmp(a.at, b.at, n);
    return order != 0 ? order : compare_numbers(a.len, b.len);
}

static int32_t compare_words(struct str a, struct str b)
{
    bool a_numeric = is_numeric(a), b_numeric = is_numeric(b);
    if (a_numeric != b_numeric)
        return a_numeric ? -1 : 1; /* numbers come before words */
    if (a_numeric && a.len != b.len)
        return compare_numbers(a.len, b.len); /* no leading zeros: longer is more */
    return compare_bytes(a, b);
}

static int32_t compare_pre(struct str a, struct str b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0); /* a release comes after its pre-releases */
    struct cursor ca = {a.at, a.at + a.len}, cb = {b.at, b.at + b.len};
    for (;;) {
        int32_t order = compare_words(take_word(&ca), take_word(&cb));
        if (order != 0)
            return order;
        bool more_a = take(&ca, '.'), more_b = take(&cb, '.');
        if (!more_a || !more_b)
            return more_a - more_b; /* of two equal ones the longer is more */
    }
}

int32_t version_compare(const struct version *a, const struct version *b)
{
    int32_t order = compare_numbers(a->major, b->major);
    if (order == 0)
        order = compare_numbers(a->minor, b->minor);
    if (order == 0)
        order = compare_numbers(a->patch, b->patch);
    return order != 0 ? order : compare_pre(a->pre, b->pre);
}

enum range_op { OP_CARET, OP_TILDE, OP_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL };

struct range {
    enum range_op op;
    struct version from;
    uint32_t given; /* 1: major, 2: minor too, 3: all */
};

static bool take_op(struct cursor *c, enum range_op *ret)
{
    if (take(c, '^'))
        *ret = OP_CARET;
    else if (take(c, '~'))
        *ret = OP_TILDE;
    else if (take(c, '='))
        *ret = OP_EQUAL;
    else if (take(c, '<'))
        *ret = take(c, '=') ? OP_LESS_EQUAL : OP_LESS;
    else if (take(c, '>'))
        *ret = take(c, '=') ? OP_MORE_EQUAL : OP_MORE;
    else
        return false;
    return true;
}

static void skip_blanks(struct cursor *c)
{
    while (take(c, ' ')) {
    }
}

static bool take_range(struct cursor *c, struct range *ret)
{
    struct range r = {.given = 1};
    if (!take_op(c, &r.op))
        return false;
    skip_blanks(c);
    if (!take_number(c, &r.from.major))
        return false;
    if (take(c, '.')) {
        if (!take_number(c, &r.from.minor))
            return false;
        r.given = 2;
    }
    if (r.given == 2 && take(c, '.')) {
        if (!take_number(c, &r.from.patch) || !take_tail(c, &r.from.pre))
            return false;
        r.given = 3;
    }
    *ret = r;
    return true;
}

/* Are the first n numbers of both the same? */
static bool same_numbers(const struct version *a, const struct version *b, uint32_t n)
{
    return (n < 1 || a->major == b->major) && (n < 2 || a->minor == b->minor) &&
           (n < 3 || a->patch == b->patch);
}

/* How many numbers must stay for a version to be compatible: up to the first that is not 0. */
static uint32_t caret_fixed(const struct range *r)
{
    if (r->from.major > 0 || r->given == 1)
        return 1;
    return r->from.minor > 0 || r->given == 2 ? 2 : 3;
}

static bool range_holds(const struct range *r, const struct version *v)
{
    int32_t order = version_compare(v, &r->from);
    /* What a partial version leaves open is equal to anything. */
    bool equal = r->given == 3 ? order == 0 : same_numbers(v, &r->from, r->given);
    switch (r->op) {
    case OP_CARET:
        return order >= 0 && same_numbers(v, &r->from, caret_fixed(r));
    case OP_TILDE:
        return order >= 0 && same_numbers(v, &r->from, r->given == 1 ? 1 : 2);
    case OP_EQUAL:
        return equal;
    case OP_LESS:
        return order < 0 && !equal;
    case OP_LESS_EQUAL:
        return order < 0 || equal;
    case OP_MORE:
        return order > 0 && !equal;
    case OP_MORE_EQUAL:
        return order > 0 || equal;
    }
    return false;
}

bool version_meets(const struct version *version, struct str requirement, bool *ret_meets)
{
    struct cursor c = {requirement.at, requirement.at + requirement.len};
    bool meets = true;
    bool pre_named = version->pre.len == 0;
    skip_blanks(&c);
    do {
        struct range r;
        if (!take_range(&c, &r))
            return false;
        meets = meets && range_holds(&r, version);
        pre_named = pre_named || (r.from.pre.len > 0 && same_numbers(version, &r.from, 3));
        const char *end = c.at;
        skip_blanks(&c);
        bool comma = take(&c, ',');
        skip_blanks(&c);
        if (comma ? c.at == c.end : c.at == end && c.at != c.end)
            return false;
    } while (c.at != c.end);
    *ret_meets = meets && pre_named;
    return true;
}
