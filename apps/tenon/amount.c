/* amount.c: numbers and errors as people write them. */
#include "apps/tenon/describe.h"
#include "base/fmt.h"

static struct amount with_unit(uint64_t n, const uint64_t *factors, const char *const *units)
{
    struct amount amount;
    uint32_t i = 0;
    while (factors[i] > 1 && (n < factors[i] || n % factors[i] != 0))
        i++;
    (void)fmt_print(amount.text, sizeof(amount.text), "%llu %s",
                    (unsigned long long)(n / factors[i]), units[i]);
    return amount;
}

struct amount amount_bytes(uint64_t bytes)
{
    static const uint64_t factors[] = {1 << 30, 1 << 20, 1 << 10, 1};
    static const char *const units[] = {"GiB", "MiB", "KiB", "B"};
    return with_unit(bytes, factors, units);
}

struct amount amount_ns(uint64_t ns)
{
    static const uint64_t factors[] = {
        UINT64_C(3600000000000), UINT64_C(60000000000), 1000000000, 1000000, 1000, 1};
    static const char *const units[] = {"h", "min", "s", "ms", "us", "ns"};
    return ns == 0 ? (struct amount){"none"} : with_unit(ns, factors, units);
}

struct amount amount_took(uint64_t ns)
{
    struct amount amount;
    uint64_t us = ns / 1000;
    bool seconds = us >= 1000000;
    uint64_t shown = seconds ? us / 1000 : us;
    (void)fmt_print(amount.text, sizeof(amount.text), "%llu.%03llu %s",
                    (unsigned long long)(shown / 1000), (unsigned long long)(shown % 1000),
                    seconds ? "s" : "ms");
    return amount;
}

struct amount amount_count(uint64_t count)
{
    struct amount digits, amount;
    size_t n = fmt_print(digits.text, sizeof(digits.text), "%llu", (unsigned long long)count);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            amount.text[used++] = ',';
        amount.text[used++] = digits.text[i];
    }
    amount.text[used] = '\0';
    return amount;
}

struct amount amount_rights(uint32_t rights)
{
    static const char *const names[] = {"read", "write", "call", "grant", "control"};
    struct amount amount = {""};
    size_t used = 0;
    for (uint32_t i = 0; i < 5; i++) {
        if ((rights & (1u << i)) != 0)
            used = fmt_add(amount.text, sizeof(amount.text), used, "%s%s", used > 0 ? "," : "",
                           names[i]);
    }
    return used > 0 ? amount : (struct amount){"none"};
}

const char *error_name(tn_err err)
{
    switch (err) {
#define CASE(name, number, text) \
    case name:                   \
        return #name;
        TN_ERRORS(CASE)
#undef CASE
    default:
        return err > 0 ? "an error of its interface" : "an unknown error";
    }
}

const char *error_text(tn_err err)
{
    switch (err) {
#define CASE(name, number, text) \
    case name:                   \
        return text;
        TN_ERRORS(CASE)
#undef CASE
    default:
        return err > 0 ? "an error that its interface names" : "an unknown error";
    }
}
