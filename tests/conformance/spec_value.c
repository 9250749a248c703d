/* spec_value.c: the values of the specification tests: parsed, compared, printed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tests/conformance/wasm_spec.h"

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

uint8_t spec_value_type(const json_t *json)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"i32", WASM_I32}, {"i64", WASM_I64},         {"f32", WASM_F32},
        {"f64", WASM_F64}, {"funcref", WASM_FUNCREF}, {"externref", WASM_EXTERNREF},
    };
    const char *name = member(json, "type");
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(types); i++) {
        if (strcmp(name, types[i].name) == 0)
            return types[i].type;
    }
    return 0;
}

static bool is_ref(uint8_t type)
{
    return type == WASM_FUNCREF || type == WASM_EXTERNREF;
}

bool spec_value_parse(const json_t *json, wasm_value *ret_value)
{
    uint8_t type = spec_value_type(json);
    const char *text = member(json, "value");
    if (type == 0 || text == NULL)
        return false;
    if (is_ref(type) && strcmp(text, "null") == 0) {
        *ret_value = 0;
        return true;
    }
    if (type == WASM_FUNCREF)
        return false;
    char *end = NULL;
    uint64_t bits = strtoull(text, &end, 10);
    if (end == text || *end != '\0')
        return false;
    if ((type == WASM_I32 || type == WASM_F32) && bits > UINT32_MAX)
        return false;
    *ret_value = type == WASM_EXTERNREF ? bits + 1 : bits;
    return true;
}

/* The arithmetic NaNs are all those whose quiet bit is set; the two canonical ones have no other
 * payload. */
static bool nan_matches(const char *which, uint8_t type, wasm_value got)
{
    uint64_t quiet = type == WASM_F32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
    uint64_t sign = type == WASM_F32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    if (type == WASM_F32 && got > UINT32_MAX)
        return false;
    if (strcmp(which, "nan:canonical") == 0)
        return (got & ~sign) == quiet;
    return strcmp(which, "nan:arithmetic") == 0 && (got & quiet) == quiet;
}

bool spec_value_matches(const json_t *json, wasm_value got)
{
    uint8_t type = spec_value_type(json);
    const char *text = member(json, "value");
    if (type == 0)
        return false;
    if (text == NULL)
        return is_ref(type) && got != 0;
    if (strncmp(text, "nan:", 4) == 0)
        return (type == WASM_F32 || type == WASM_F64) && nan_matches(text, type, got);
    wasm_value want = 0;
    return spec_value_parse(json, &want) && got == want;
}

void spec_value_print(uint8_t type, wasm_value value, char *ret_text, size_t room)
{
    switch (type) {
    case WASM_I32:
        snprintf(ret_text, room, "i32:%08" PRIx64, value);
        break;
    case WASM_I64:
        snprintf(ret_text, room, "i64:%016" PRIx64, value);
        break;
    case WASM_F32:
        snprintf(ret_text, room, "f32:%08" PRIx64, value);
        break;
    case WASM_F64:
        snprintf(ret_text, room, "f64:%016" PRIx64, value);
        break;
    default:
        snprintf(ret_text, room, "%s:%s", type == WASM_FUNCREF ? "funcref" : "externref",
                 value == 0 ? "null" : "some");
        break;
    }
}
