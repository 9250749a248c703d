/* slow.c: instructions that run out of line: tables, memory as a whole, references.
 *
 * Those that pay by size do the checks first, then as much as the fuel pays for; with some left to
 * do they store in their operands what is left, and stop for fuel. Run again, they do the rest: the
 * checks hold still, for memories and tables never shrink, and the fuel adds up to the same. */
#include "base/assert.h"
#include "base/bits.h"
#include "wasm/exec/exec_int.h"

/* Pays for as many of `n` things as *fuel allows, at `per` a unit; returns how many. */
static uint64_t pay(uint64_t *fuel, uint64_t n, uint64_t per)
{
    uint64_t units = n / per + (n % per != 0);
    if (units <= *fuel) {
        *fuel -= units;
        return n;
    }
    uint64_t done = *fuel * per;
    *fuel = 0;
    ASSERT(done < n);
    return done;
}

static enum stop memory_grow(struct wasm_instance *inst, wasm_value *ops)
{
    ops[0] = wasm_memory_grow(inst, (uint32_t)ops[0]);
    return STOP_NONE;
}

enum stop memory_init(struct wasm_instance *inst, uint32_t data, uint64_t to_at, uint64_t from_at,
                      uint64_t n)
{
    const struct data_segment *s = &inst->module->datas[data];
    uint64_t len = inst->data_dropped[data] ? 0 : s->len;
    if (!range_within(from_at, n, len) || !range_within(to_at, n, inst->memory->bytes))
        return TRAP_MEMORY;
    if (n > 0)
        memcpy(inst->memory->base + to_at, s->bytes + from_at, n);
    return STOP_NONE;
}

/* What is left of (to, from, n), or of (to, value, n), after `done` from the front. */
static enum stop rest(wasm_value *ops, uint64_t done, bool moves_from)
{
    ASSERT(done <= ops[2]);
    ops[0] += done;
    if (moves_from)
        ops[1] += done;
    ops[2] -= done;
    return ops[2] == 0 ? STOP_NONE : STOP_FUEL;
}

static enum stop op_memory_init(struct wasm_instance *inst, wasm_value *ops, uint32_t data,
                                uint64_t *fuel)
{
    uint64_t len = inst->data_dropped[data] ? 0 : inst->module->datas[data].len;
    if (!range_within(ops[1], ops[2], len) || !range_within(ops[0], ops[2], inst->memory->bytes))
        return TRAP_MEMORY;
    uint64_t done = pay(fuel, ops[2], FUEL_BYTES_PER_UNIT);
    enum stop stop = memory_init(inst, data, ops[0], ops[1], done);
    ASSERT(stop == STOP_NONE);
    return rest(ops, done, true);
}

static enum stop op_memory_copy(struct wasm_instance *inst, wasm_value *ops, uint64_t *fuel)
{
    struct memory *m = inst->memory;
    if (!range_within(ops[0], ops[2], m->bytes) || !range_within(ops[1], ops[2], m->bytes))
        return TRAP_MEMORY;
    uint64_t done = pay(fuel, ops[2], FUEL_BYTES_PER_UNIT);
    if (ops[0] <= ops[1]) {
        if (done > 0)
            memmove(m->base + ops[0], m->base + ops[1], done);
        return rest(ops, done, true);
    }
    /* Upwards: from the back, so that no part overwrites what is still to be copied. */
    ops[2] -= done;
    if (done > 0)
        memmove(m->base + ops[0] + ops[2], m->base + ops[1] + ops[2], done);
    return ops[2] == 0 ? STOP_NONE : STOP_FUEL;
}

static enum stop op_memory_fill(struct wasm_instance *inst, wasm_value *ops, uint64_t *fuel)
{
    struct memory *m = inst->memory;
    if (!range_within(ops[0], ops[2], m->bytes))
        return TRAP_MEMORY;
    uint64_t done = pay(fuel, ops[2], FUEL_BYTES_PER_UNIT);
    if (done > 0)
        memset(m->base + ops[0], (int)(ops[1] & 0xff), done);
    return rest(ops, done, false);
}

static bool table_init_fits(const struct wasm_instance *inst, uint32_t elem, const struct table *to,
                            uint64_t to_at, uint64_t from_at, uint64_t n)
{
    uint64_t len = inst->elem_dropped[elem] ? 0 : inst->module->elems[elem].n;
    return range_within(from_at, n, len) && range_within(to_at, n, to->size);
}

enum stop table_init(struct wasm_instance *inst, uint32_t elem, struct table *to, uint64_t to_at,
                     uint64_t from_at, uint64_t n)
{
    if (!table_init_fits(inst, elem, to, to_at, from_at, n))
        return TRAP_TABLE;
    for (uint64_t i = 0; i < n; i++)
        to->elems[to_at + i] = const_value(inst, &inst->module->elems[elem].items[from_at + i]);
    return STOP_NONE;
}

static enum stop op_table_init(struct wasm_instance *inst, wasm_value *ops, uint32_t elem,
                               uint32_t table, uint64_t *fuel)
{
    struct table *to = inst->tables[table];
    if (!table_init_fits(inst, elem, to, ops[0], ops[1], ops[2]))
        return TRAP_TABLE;
    uint64_t done = pay(fuel, ops[2], FUEL_ELEMS_PER_UNIT);
    enum stop stop = table_init(inst, elem, to, ops[0], ops[1], done);
    ASSERT(stop == STOP_NONE);
    return rest(ops, done, true);
}

static enum stop op_table_copy(struct wasm_instance *inst, wasm_value *ops, uint32_t to_table,
                               uint32_t from_table, uint64_t *fuel)
{
    struct table *to = inst->tables[to_table], *from = inst->tables[from_table];
    if (!range_within(ops[0], ops[2], to->size) || !range_within(ops[1], ops[2], from->size))
        return TRAP_TABLE;
    uint64_t done = pay(fuel, ops[2], FUEL_ELEMS_PER_UNIT);
    bool up = ops[0] > ops[1];
    if (up)
        ops[2] -= done;
    uint64_t skip = up ? ops[2] : 0;
    if (done > 0)
        memmove(to->elems + ops[0] + skip, from->elems + ops[1] + skip, done * sizeof *to->elems);
    if (up)
        return ops[2] == 0 ? STOP_NONE : STOP_FUEL;
    return rest(ops, done, true);
}

static enum stop op_table_fill(struct wasm_instance *inst, wasm_value *ops, uint32_t table,
                               uint64_t *fuel)
{
    struct table *t = inst->tables[table];
    if (!range_within(ops[0], ops[2], t->size))
        return TRAP_TABLE;
    uint64_t done = pay(fuel, ops[2], FUEL_ELEMS_PER_UNIT);
    for (uint64_t i = 0; i < done; i++)
        t->elems[ops[0] + i] = ops[1];
    return rest(ops, done, false);
}

/* Pays for all of it or nothing: a table that has half grown would be seen. */
static enum stop op_table_grow(struct wasm_instance *inst, wasm_value *ops, uint32_t table,
                               uint64_t *fuel)
{
    struct table *t = inst->tables[table];
    uint64_t more = ops[1], max = t->limits.max;
    if (max > WASM_MAX_TABLE_ELEMS)
        max = WASM_MAX_TABLE_ELEMS;
    wasm_value fill = ops[0];
    ASSERT(t->size <= t->cap);
    ops[0] = UINT32_MAX;
    if (more > max - t->size)
        return STOP_NONE;
    uint64_t units = (more + FUEL_ELEMS_PER_UNIT - 1) / FUEL_ELEMS_PER_UNIT;
    if (units > *fuel) {
        ops[0] = fill;
        return STOP_FUEL;
    }
    if (!heap_grow(t->heap, (void **)&t->elems, &t->cap, t->size + more, sizeof *t->elems))
        return STOP_NONE;
    *fuel -= units;
    for (uint64_t i = 0; i < more; i++)
        t->elems[t->size + i] = fill;
    ops[0] = t->size;
    t->size += (uint32_t)more;
    return STOP_NONE;
}

uint64_t slow_wants(uint32_t opcode, const wasm_value *ops)
{
    if (opcode != WASM_OP_TABLE_GROW)
        return 1;
    return (ops[1] + FUEL_ELEMS_PER_UNIT - 1) / FUEL_ELEMS_PER_UNIT;
}

static enum stop op_table_one(struct wasm_instance *inst, uint32_t opcode, wasm_value *ops,
                              uint32_t table)
{
    struct table *t = inst->tables[table];
    ASSERT(t->size <= t->cap);
    if (opcode == WASM_OP_TABLE_SIZE)
        ops[0] = t->size;
    else if (ops[0] >= t->size)
        return TRAP_TABLE;
    else if (opcode == WASM_OP_TABLE_GET)
        ops[0] = t->elems[ops[0]];
    else
        t->elems[ops[0]] = ops[1];
    return STOP_NONE;
}

enum stop slow_op(struct wasm_instance *inst, uint32_t opcode, wasm_value *ops, uint32_t imm1,
                  uint32_t imm2, uint64_t *fuel)
{
    switch (opcode) {
    case WASM_OP_MEMORY_SIZE:
        ops[0] = inst->memory->bytes / WASM_PAGE_BYTES;
        return STOP_NONE;
    case WASM_OP_MEMORY_GROW:
        return memory_grow(inst, ops);
    case WASM_OP_MEMORY_INIT:
        return op_memory_init(inst, ops, imm1, fuel);
    case WASM_OP_MEMORY_COPY:
        return op_memory_copy(inst, ops, fuel);
    case WASM_OP_MEMORY_FILL:
        return op_memory_fill(inst, ops, fuel);
    case WASM_OP_DATA_DROP:
        inst->data_dropped[imm1] = true;
        return STOP_NONE;
    case WASM_OP_ELEM_DROP:
        inst->elem_dropped[imm1] = true;
        return STOP_NONE;
    case WASM_OP_TABLE_INIT:
        return op_table_init(inst, ops, imm1, imm2, fuel);
    case WASM_OP_TABLE_COPY:
        return op_table_copy(inst, ops, imm1, imm2, fuel);
    case WASM_OP_TABLE_FILL:
        return op_table_fill(inst, ops, imm1, fuel);
    case WASM_OP_TABLE_GROW:
        return op_table_grow(inst, ops, imm1, fuel);
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET:
    case WASM_OP_TABLE_SIZE:
        return op_table_one(inst, opcode, ops, imm1);
    case WASM_OP_REF_FUNC:
        ops[0] = (uintptr_t)inst->funcs[imm1];
        return STOP_NONE;
    default:
        UNREACHABLE("no such slow instruction");
    }
}
