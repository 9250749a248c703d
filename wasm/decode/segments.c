/* segments.c: constant expressions, element segments, data segments. */
#include "base/assert.h"
#include "wasm/decode/loader.h"

/* One instruction of a constant expression; *ret_type is what it leaves. */
static struct const_expr load_const(struct loader *l, uint8_t opcode, const uint8_t *at,
                                    uint8_t *ret_type)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    struct const_expr e = {CONST_VALUE, 0, 0};
    switch (opcode) {
    case WASM_OP_I32_CONST:
        *ret_type = WASM_I32;
        e.value = (uint32_t)read_s32(r);
        break;
    case WASM_OP_I64_CONST:
        *ret_type = WASM_I64;
        e.value = (uint64_t)read_s64(r);
        break;
    case WASM_OP_F32_CONST:
        *ret_type = WASM_F32;
        e.value = read_fixed32(r);
        break;
    case WASM_OP_F64_CONST:
        *ret_type = WASM_F64;
        e.value = read_fixed64(r);
        break;
    case WASM_OP_REF_NULL:
        *ret_type = read_ref_type(r);
        break;
    case WASM_OP_REF_FUNC:
        *ret_type = WASM_FUNCREF;
        e.kind = CONST_FUNC;
        e.index = read_u32(r);
        if (e.index >= m->nfuncs)
            reader_fail_number(r, TN_EFORMAT, at, "unknown function", e.index);
        else
            m->funcs[e.index].referable = true;
        break;
    case WASM_OP_GLOBAL_GET:
        e.kind = CONST_GLOBAL;
        e.index = read_u32(r);
        if (e.index >= m->nimported_globals)
            reader_fail_number(r, TN_EFORMAT, at, "unknown global", e.index);
        else if (m->globals[e.index].mutable)
            reader_fail(r, TN_EFORMAT, at, "constant expression required");
        else
            *ret_type = m->globals[e.index].type;
        break;
    default:
        reader_fail(r, TN_EFORMAT, at,
                    op_info(opcode) == NULL && opcode < 0xfb ? "illegal opcode"
                                                             : "constant expression required");
    }
    return e;
}

struct const_expr load_const_expr(struct loader *l, uint8_t type)
{
    struct reader *r = &l->r;
    struct const_expr result = {CONST_VALUE, 0, 0};
    uint8_t got = 0;
    uint32_t n = 0;
    const uint8_t *from = r->at;
    for (;;) {
        const uint8_t *at = r->at;
        uint8_t opcode = read_byte(r);
        if (r->err != TN_OK)
            return result;
        if (opcode == WASM_OP_END)
            break;
        result = load_const(l, opcode, at, &got);
        n++;
    }
    if (n != 1 || got != type)
        reader_fail(r, TN_EFORMAT, from, "type mismatch: constant expression");
    ASSERT(n > 0 || r->err != TN_OK);
    return result;
}

/* Kinds of element segment: bits of its flags. */
enum { ELEM_NOT_ACTIVE = 1, ELEM_TABLE_OR_DECLARED = 2, ELEM_EXPRESSIONS = 4 };

static void load_elem_head(struct loader *l, struct elem_segment *s, uint32_t flags)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    s->type = WASM_FUNCREF;
    s->offset_at = reader_offset(r);
    if ((flags & ELEM_NOT_ACTIVE) != 0) {
        s->mode = (flags & ELEM_TABLE_OR_DECLARED) != 0 ? SEGMENT_DECLARED : SEGMENT_PASSIVE;
    } else {
        const uint8_t *at = r->at;
        s->mode = SEGMENT_ACTIVE;
        s->table = (flags & ELEM_TABLE_OR_DECLARED) != 0 ? read_u32(r) : 0;
        if (r->err == TN_OK && s->table >= m->ntables)
            reader_fail_number(r, TN_EFORMAT, at, "unknown table", s->table);
        s->at = load_const_expr(l, WASM_I32);
    }
    if ((flags & (ELEM_NOT_ACTIVE | ELEM_TABLE_OR_DECLARED)) == 0)
        return;
    const uint8_t *at = r->at;
    if ((flags & ELEM_EXPRESSIONS) != 0)
        s->type = read_ref_type(r);
    else if (read_byte(r) != 0)
        reader_fail(r, TN_EFORMAT, at, "malformed element kind");
}

static void load_elem(struct loader *l, struct elem_segment *s)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    const uint8_t *at = r->at;
    uint32_t flags = read_u32(r);
    if (flags > 7)
        reader_fail(r, TN_EFORMAT, at, "malformed elements segment kind");
    load_elem_head(l, s, flags);
    if (r->err == TN_OK && s->mode == SEGMENT_ACTIVE && m->tables[s->table].type != s->type)
        reader_fail(r, TN_EFORMAT, at, "type mismatch: element segment and table");
    s->n =
        read_count(r, WASM_MAX_TABLE_ELEMS, "element segment too large: WASM_MAX_TABLE_ELEMS is");
    s->items = loader_take(l, s->n, sizeof *s->items);
    for (uint32_t i = 0; i < s->n && r->err == TN_OK; i++) {
        at = r->at;
        if ((flags & ELEM_EXPRESSIONS) != 0) {
            s->items[i] = load_const_expr(l, s->type);
            continue;
        }
        uint32_t func = read_u32(r);
        if (r->err == TN_OK && func >= m->nfuncs)
            reader_fail_number(r, TN_EFORMAT, at, "unknown function", func);
        if (r->err == TN_OK)
            m->funcs[func].referable = true;
        s->items[i] = (struct const_expr){CONST_FUNC, func, 0};
    }
}

void load_elems(struct loader *l)
{
    struct wasm_module *m = l->module;
    uint32_t n = read_count(&l->r, WASM_MAX_SEGMENTS, "too many segments: WASM_MAX_SEGMENTS is");
    m->elems = loader_take(l, n, sizeof *m->elems);
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        load_elem(l, &m->elems[i]);
        m->nelems = i + 1;
    }
}

void load_data_count(struct loader *l)
{
    uint32_t n = read_u32(&l->r);
    if (l->r.err == TN_OK)
        l->ndatas_declared = n;
}

static void load_data(struct loader *l, struct data_segment *s)
{
    struct reader *r = &l->r;
    const uint8_t *at = r->at;
    uint32_t flags = read_u32(r);
    if (flags > 2)
        reader_fail(r, TN_EFORMAT, at, "malformed data segment kind");
    s->offset_at = reader_offset(r);
    s->mode = flags == 1 ? SEGMENT_PASSIVE : SEGMENT_ACTIVE;
    if (s->mode == SEGMENT_ACTIVE) {
        at = r->at;
        uint32_t memory = flags == 2 ? read_u32(r) : 0;
        if (r->err == TN_OK && memory >= l->module->nmemories)
            reader_fail_number(r, TN_EFORMAT, at, "unknown memory", memory);
        s->at = load_const_expr(l, WASM_I32);
    }
    s->len = read_u32(r);
    const uint8_t *bytes = read_bytes(r, s->len);
    if (bytes != NULL)
        s->bytes = (const uint8_t *)loader_keep(l, (struct str){(const char *)bytes, s->len}).at;
}

void load_datas(struct loader *l)
{
    struct wasm_module *m = l->module;
    const uint8_t *from = l->r.at;
    uint32_t n = read_count(&l->r, WASM_MAX_SEGMENTS, "too many segments: WASM_MAX_SEGMENTS is");
    if (l->r.err == TN_OK && l->ndatas_declared != NO_INDEX && l->ndatas_declared != n)
        reader_fail(&l->r, TN_EFORMAT, from,
                    "data count and data section have inconsistent lengths");
    m->datas = loader_take(l, n, sizeof *m->datas);
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        load_data(l, &m->datas[i]);
        m->ndatas = i + 1;
    }
}
