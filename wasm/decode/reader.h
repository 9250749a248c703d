/* reader.h: reads the binary format's values. The first error sticks: what is read after it is 0,
 * and the bytes left are none, so callers check `err` where it matters and loops end. */
#ifndef WASM_DECODE_READER_H
#define WASM_DECODE_READER_H

#include "base/bytes.h"
#include "wasm/wasm.h"

struct reader {
    const uint8_t *start; /* of the module */
    const uint8_t *at, *end;
    uint32_t func; /* that is being read, or UINT32_MAX */
    tn_err err;
    struct wasm_error *error; /* of the first error */
};

/* Fills *ret: `text`, and a number after it unless it is NO_NUMBER. */
#define NO_NUMBER UINT64_MAX
void error_set(struct wasm_error *ret, tn_err err, uint32_t offset, uint32_t func, const char *text,
               uint64_t number);

/* Reports an error at `where`, unless there is one already. `text` must live on. */
void reader_fail(struct reader *r, tn_err err, const uint8_t *where, const char *text);
void reader_fail_number(struct reader *r, tn_err err, const uint8_t *where, const char *text,
                        uint64_t number);

static inline uint32_t reader_offset(const struct reader *r)
{
    return (uint32_t)(r->at - r->start);
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

uint8_t read_byte(struct reader *r);
uint32_t read_u32(struct reader *r);
int32_t read_s32(struct reader *r);
int64_t read_s33(struct reader *r);
int64_t read_s64(struct reader *r);
uint32_t read_fixed32(struct reader *r);
uint64_t read_fixed64(struct reader *r);
/* `len` bytes, or NULL. */
const uint8_t *read_bytes(struct reader *r, size_t len);
/* UTF-8, by length. */
struct str read_name(struct reader *r);
/* The length of a vector whose elements have a byte or more each. Past `limit` it is TN_ELIMIT with
 * the limit's name. */
uint32_t read_count(struct reader *r, uint32_t limit, const char *limit_name);

#endif
