/* reader.c: see reader.h. */
#include "wasm/decode/reader.h"

#include "base/assert.h"
#include "base/utf8.h"

static size_t put_text(char *to, size_t at, size_t room, const char *text)
{
    for (; *text != '\0' && at + 1 < room; text++)
        to[at++] = *text;
    return at;
}

void error_set(struct wasm_error *ret, tn_err err, uint32_t offset, uint32_t func, const char *text,
               uint64_t number)
{
    ASSERT(err < 0 && text != NULL);
    ret->err = err;
    ret->offset = offset;
    ret->func = func;
    size_t n = put_text(ret->text, 0, sizeof ret->text, text);
    if (number != NO_NUMBER) {
        char digits[24];
        size_t at = sizeof digits - 1;
        digits[at] = '\0';
        do
            digits[--at] = (char)('0' + number % 10);
        while ((number /= 10) > 0);
        digits[--at] = ' ';
        n = put_text(ret->text, n, sizeof ret->text, digits + at);
    }
    ret->text[n] = '\0';
}

void reader_fail_number(struct reader *r, tn_err err, const uint8_t *where, const char *text,
                        uint64_t number)
{
    ASSERT(where >= r->start);
    if (r->err != TN_OK)
        return;
    r->err = err;
    error_set(r->error, err, (uint32_t)(where - r->start), r->func, text, number);
    r->at = r->end;
}

void reader_fail(struct reader *r, tn_err err, const uint8_t *where, const char *text)
{
    reader_fail_number(r, err, where, text, NO_NUMBER);
}

uint8_t read_byte(struct reader *r)
{
    if (r->at == r->end) {
        reader_fail(r, TN_EFORMAT, r->at, "unexpected end");
        return 0;
    }
    return *r->at++;
}

/* A LEB128 number of `bits`; the result is sign-extended when `is_signed`. */
static uint64_t read_leb(struct reader *r, uint32_t bits, bool is_signed)
{
    ASSERT(bits <= 64);
    const uint8_t *from = r->at;
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
        uint8_t byte = read_byte(r);
        if (r->err != TN_OK)
            return 0;
        value |= (uint64_t)(byte & 0x7f) << shift;
        uint32_t left = bits - shift; /* that this byte may use */
        if (left < 7) {
            uint8_t unused = (uint8_t)(0x7f & (0x7f << left));
            uint8_t sign = is_signed && (byte >> (left - 1) & 1) ? unused : 0;
            if ((byte & 0x80) != 0)
                reader_fail(r, TN_EFORMAT, from, "integer representation too long");
            else if ((byte & unused) != sign)
                reader_fail(r, TN_EFORMAT, from, "integer too large");
        }
        if ((byte & 0x80) == 0) {
            if (is_signed && shift + 7 < 64 && (byte & 0x40) != 0)
                value |= ~(uint64_t)0 << (shift + 7);
            return r->err == TN_OK ? value : 0;
        }
        if (r->err != TN_OK)
            return 0;
    }
}

uint32_t read_u32(struct reader *r)
{
    if (r->at < r->end && *r->at < 0x80)
        return *r->at++;
    return (uint32_t)read_leb(r, 32, false);
}

int32_t read_s32(struct reader *r)
{
    return (int32_t)read_leb(r, 32, true);
}

int64_t read_s33(struct reader *r)
{
    return (int64_t)read_leb(r, 33, true);
}

int64_t read_s64(struct reader *r)
{
    return (int64_t)read_leb(r, 64, true);
}

const uint8_t *read_bytes(struct reader *r, size_t len)
{
    if (reader_left(r) < len) {
        reader_fail(r, TN_EFORMAT, r->at, "unexpected end: length out of bounds");
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += len;
    return at;
}

uint32_t read_fixed32(struct reader *r)
{
    uint32_t v = 0;
    const uint8_t *at = read_bytes(r, sizeof v);
    if (at != NULL)
        memcpy(&v, at, sizeof v);
    return v;
}

uint64_t read_fixed64(struct reader *r)
{
    uint64_t v = 0;
    const uint8_t *at = read_bytes(r, sizeof v);
    if (at != NULL)
        memcpy(&v, at, sizeof v);
    return v;
}

struct str read_name(struct reader *r)
{
    uint32_t len = read_u32(r);
    const uint8_t *at = read_bytes(r, len);
    if (at == NULL)
        return (struct str){NULL, 0};
    if (!utf8_valid(at, len))
        reader_fail(r, TN_EFORMAT, at, "malformed UTF-8 encoding");
    return (struct str){(const char *)at, len};
}

uint32_t read_count(struct reader *r, uint32_t limit, const char *limit_name)
{
    const uint8_t *from = r->at;
    uint32_t n = read_u32(r);
    if (n > reader_left(r))
        reader_fail(r, TN_EFORMAT, from, "unexpected end: length out of bounds");
    else if (n > limit)
        reader_fail_number(r, TN_ELIMIT, from, limit_name, limit);
    return r->err == TN_OK ? n : 0;
}
