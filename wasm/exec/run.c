/* run.c: the interpreter: runs register code (code.h) with threaded dispatch.
 *
 * Invariants:
 * 1. While code runs, pc, fp, the fuel and the memory's base and size are in local variables; the
 *    thread holds them whenever anything else can look: host calls, stops, the end.
 * 2. A frame's record holds its own fp and function, and the pc where it goes on once the calls
 *    above it have returned. Calls never recurse in C.
 * 3. fp[i] is in the thread's slots for every i below the function's frame_slots: checked once, at
 *    the call.
 * 4. Fuel is taken when a block begins and nothing of it has run. What cannot be paid leaves pc at
 *    the block, `unpaid`, and changes nothing. */
#include "base/assert.h"
#include "wasm/exec/exec_int.h"
#include "wasm/exec/numeric.h"

const union word run_exit[1] = {{.op = OP_EXIT}};
static const union word run_back[1] = {{.op = OP_BACK}};

/* How a register kind is read from and written to a slot, or a slot's copy. */
#define GET_U32(v)   ((uint32_t)(v))
#define GET_U64(v)   (v)
#define GET_F32(v)   (num_float((uint32_t)(v)))
#define GET_F64(v)   (num_double(v))
#define PUT_U32(v)   ((wasm_value)(uint32_t)(v))
#define PUT_U64(v)   ((uint64_t)(v))
#define PUT_F32(v)   (num_canon32(v))
#define PUT_F64(v)   (num_canon64(v))
#define TYPE_U32     uint32_t
#define TYPE_U64     uint64_t
#define TYPE_F32     float
#define TYPE_F64     double
#define IMM_U32(v)   ((uint32_t)(int16_t)(v))
#define IMM_U64(v)   ((uint64_t)(int16_t)(v))
#define IMM32_U32(v) ((uint32_t)(v))
#define IMM32_U64(v) ((uint64_t)(int32_t)(v))
#define UNLIKELY(x)  __builtin_expect((x), 0)
#define GO()         __extension__({ goto *labels[pc->op]; })
#define NEXT(words)  \
    do {             \
        pc += words; \
        GO();        \
    } while (0)
/* Pays for the block at pc and runs it. */
#define ENTER()                                                       \
    do {                                                              \
        if (UNLIKELY(__builtin_sub_overflow(fuel, pc[-1].hi, &fuel))) \
            goto unpaid;                                              \
        GO();                                                         \
    } while (0)
#define BRANCH_WHEN(cond)                \
    do {                                 \
        if (cond)                        \
            pc += 1 + (int32_t)pc[1].lo; \
        else                             \
            pc += 2;                     \
        ENTER();                         \
    } while (0)
#define STOP(why)     \
    do {              \
        stop = why;   \
        goto stopped; \
    } while (0)
/* The instance that the top frame runs in, and its memory. */
#define LOAD_INSTANCE()                                             \
    do {                                                            \
        inst = top->func->instance;                                 \
        mem = inst->memory == NULL ? NULL : inst->memory->base;     \
        mem_bytes = inst->memory == NULL ? 0 : inst->memory->bytes; \
    } while (0)

#define LABEL(id, ...)     [OP_##id] = &&L_##id,
#define LABEL_IMM(id, ...) [OP_##id] = &&L_##id, [OP_##id##_I] = &&L_##id##_I,
#define LABEL_ACCESS(id, ...) \
    [OP_##id] = &&L_##id, [OP_##id##_SUM] = &&L_##id##_SUM, [OP_##id##_INDEX] = &&L_##id##_INDEX,
#define LABEL_BINARY(id, ...) \
    [OP_##id] = &&L_##id, [OP_##id##_I] = &&L_##id##_I, [OP_##id##_K] = &&L_##id##_K,
#define LABEL_BINARY_F(id, ...) [OP_##id] = &&L_##id, [OP_##id##_K] = &&L_##id##_K,
#define LABEL_COMPARE(id, ...)                                                        \
    [OP_##id] = &&L_##id, [OP_##id##_I] = &&L_##id##_I, [OP_##id##_K] = &&L_##id##_K, \
    [OP_BR_##id] = &&L_BR_##id, [OP_BR_##id##_I] = &&L_BR_##id##_I,
#define LABEL_COMPARE_F(id, ...) \
    [OP_##id] = &&L_##id, [OP_BR_##id] = &&L_BR_##id, [OP_BRN_##id] = &&L_BRN_##id,

#define LOAD(mem_type, as, address)               \
    {                                             \
        uint64_t at = (address);                  \
        mem_type v;                               \
        if (UNLIKELY(at + sizeof v > mem_bytes))  \
            STOP(TRAP_MEMORY);                    \
        __builtin_memcpy(&v, mem + at, sizeof v); \
        fp[pc->a] = (wasm_value)(as)v;            \
        NEXT(1);                                  \
    }
#define STORE(mem_type, address)                  \
    {                                             \
        uint64_t at = (address);                  \
        mem_type v = (mem_type)fp[pc->b];         \
        if (UNLIKELY(at + sizeof v > mem_bytes))  \
            STOP(TRAP_MEMORY);                    \
        __builtin_memcpy(mem + at, &v, sizeof v); \
        NEXT(1);                                  \
    }
#define DO_LOAD(id, code, text, type, mem_type, as, log2)                         \
    L_##id : LOAD(mem_type, as, fp[pc->b] + pc->c) L_##id##_SUM                   \
        : LOAD(mem_type, as, (uint32_t)fp[pc->b] + IMM_U32(pc->c)) L_##id##_INDEX \
        : LOAD(mem_type, as, (uint32_t)(fp[pc->b] + fp[pc->c]))
#define DO_STORE(id, code, text, type, mem_type, log2)                         \
    L_##id : STORE(mem_type, fp[pc->a] + pc->c) L_##id##_SUM                   \
        : STORE(mem_type, (uint32_t)fp[pc->a] + IMM_U32(pc->c)) L_##id##_INDEX \
        : STORE(mem_type, (uint32_t)(fp[pc->a] + fp[pc->c]))
#define SLOTS_XY(reg, i, j)     TYPE_##reg x = GET_##reg(fp[pc->i]), y = GET_##reg(fp[pc->j])
#define SLOT_IMM(reg, i, j)     TYPE_##reg x = GET_##reg(fp[pc->i]), y = IMM_##reg(pc->j)
#define SLOT_WIDE(reg, i)       TYPE_##reg x = GET_##reg(fp[pc->i]), y = GET_##reg(pc[1].bits)
#define SLOT_HALF(reg, i, half) TYPE_##reg x = GET_##reg(fp[pc->i]), y = IMM32_##reg(half)
#define DO_COMPARE(id, code, text, type, reg, swap, negated, expr) \
    L_##id:                                                        \
    {                                                              \
        SLOTS_XY(reg, b, c);                                       \
        fp[pc->a] = (expr);                                        \
        NEXT(1);                                                   \
    }                                                              \
    L_##id##_I:                                                    \
    {                                                              \
        SLOT_IMM(reg, b, c);                                       \
        fp[pc->a] = (expr);                                        \
        NEXT(1);                                                   \
    }                                                              \
    L_##id##_K:                                                    \
    {                                                              \
        SLOT_HALF(reg, b, pc[1].lo);                               \
        fp[pc->a] = (expr);                                        \
        NEXT(2);                                                   \
    }                                                              \
    L_BR_##id:                                                     \
    {                                                              \
        SLOTS_XY(reg, a, b);                                       \
        BRANCH_WHEN(expr);                                         \
    }                                                              \
    L_BR_##id##_I:                                                 \
    {                                                              \
        SLOT_HALF(reg, a, pc->hi);                                 \
        BRANCH_WHEN(expr);                                         \
    }
#define DO_COMPARE_F(id, code, text, type, reg, expr) \
    L_##id:                                           \
    {                                                 \
        SLOTS_XY(reg, b, c);                          \
        fp[pc->a] = (expr);                           \
        NEXT(1);                                      \
    }                                                 \
    L_BR_##id:                                        \
    {                                                 \
        SLOTS_XY(reg, a, b);                          \
        BRANCH_WHEN(expr);                            \
    }                                                 \
    L_BRN_##id:                                       \
    {                                                 \
        SLOTS_XY(reg, a, b);                          \
        BRANCH_WHEN(!(expr));                         \
    }
#define DO_BINARY(id, code, text, type, reg, swap, expr) \
    L_##id:                                              \
    {                                                    \
        SLOTS_XY(reg, b, c);                             \
        fp[pc->a] = PUT_##reg(expr);                     \
        NEXT(1);                                         \
    }                                                    \
    L_##id##_I:                                          \
    {                                                    \
        SLOT_IMM(reg, b, c);                             \
        fp[pc->a] = PUT_##reg(expr);                     \
        NEXT(1);                                         \
    }                                                    \
    L_##id##_K:                                          \
    {                                                    \
        SLOT_WIDE(reg, b);                               \
        fp[pc->a] = PUT_##reg(expr);                     \
        NEXT(2);                                         \
    }
#define DIVIDE(reg, overflows, expr) \
    do {                             \
        if (UNLIKELY(y == 0))        \
            STOP(TRAP_DIVIDE);       \
        if (UNLIKELY(overflows))     \
            STOP(TRAP_OVERFLOW);     \
        fp[pc->a] = PUT_##reg(expr); \
        NEXT(1);                     \
    } while (0)
#define DO_DIVIDE(id, code, text, type, reg, overflows, expr) \
    L_##id:                                                   \
    {                                                         \
        SLOTS_XY(reg, b, c);                                  \
        DIVIDE(reg, overflows, expr);                         \
    }                                                         \
    L_##id##_I:                                               \
    {                                                         \
        SLOT_IMM(reg, b, c);                                  \
        DIVIDE(reg, overflows, expr);                         \
    }
#define DO_BINARY_F(id, code, text, type, reg, cost, swap, expr) \
    L_##id:                                                      \
    {                                                            \
        SLOTS_XY(reg, b, c);                                     \
        fp[pc->a] = PUT_##reg(expr);                             \
        NEXT(1);                                                 \
    }                                                            \
    L_##id##_K:                                                  \
    {                                                            \
        SLOT_WIDE(reg, b);                                       \
        fp[pc->a] = PUT_##reg(expr);                             \
        NEXT(2);                                                 \
    }
#define Z_IMM(reg)  ((TYPE_##reg)pc[1].lo)
#define Z_SLOT(reg) (GET_##reg(fp[pc[1].lo]))
#define DO_PAIR(id, first, second, reg, z_kind, expr) \
    L_##id:                                           \
    {                                                 \
        SLOTS_XY(reg, b, c);                          \
        TYPE_##reg z = Z_##z_kind(reg);               \
        fp[pc->a] = PUT_##reg(expr);                  \
        NEXT(2);                                      \
    }
#define DO_UNARY(id, code, text, in, out, rin, rout, cost, expr) \
    L_##id:                                                      \
    {                                                            \
        TYPE_##rin x = GET_##rin(fp[pc->b]);                     \
        fp[pc->a] = PUT_##rout(expr);                            \
        NEXT(1);                                                 \
    }
#define DO_TRUNCATE(id, code, text, in, out, rin, rout, in_range, expr) \
    L_##id:                                                             \
    {                                                                   \
        TYPE_##rin x = GET_##rin(fp[pc->b]);                            \
        if (UNLIKELY(x != x))                                           \
            STOP(TRAP_CONVERSION);                                      \
        if (UNLIKELY(!(in_range)))                                      \
            STOP(TRAP_OVERFLOW);                                        \
        fp[pc->a] = PUT_##rout(expr);                                   \
        NEXT(1);                                                        \
    }

/* Only the frame of run_exit has no function, and its code asks for nothing of an instance, which
 * the analyzer cannot know. */
/* NOLINTBEGIN(clang-analyzer-core.NullDereference) */
/* Finds what call_indirect calls. */
static enum stop indirect(const struct wasm_instance *inst, union word imm, wasm_value index,
                          struct wasm_func **ret_func)
{
    const struct table *t = inst->tables[imm.hi];
    if ((uint32_t)index >= t->size)
        return TRAP_UNDEFINED;
    struct wasm_func *f = (struct wasm_func *)(uintptr_t)t->elems[(uint32_t)index];
    if (f == NULL)
        return TRAP_UNINITIALIZED;
    if (!functype_eq(f->type, &inst->module->types[imm.lo]))
        return TRAP_SIGNATURE;
    *ret_func = f;
    return STOP_NONE;
}

enum wasm_status run_thread(struct thread *t)
{
    __extension__ static const void *const labels[OP_COUNT] = {
        [OP_NONE] = &&L_NONE,
        CODE_SPECIAL(LABEL) WASM_LOADS(LABEL_ACCESS) WASM_STORES(LABEL_ACCESS)
            WASM_INT_COMPARES(LABEL_COMPARE) WASM_FLOAT_COMPARES(LABEL_COMPARE_F)
                WASM_INT_BINARY(LABEL_BINARY) WASM_INT_DIVIDE(LABEL_IMM)
                    WASM_FLOAT_BINARY(LABEL_BINARY_F) WASM_UNARY(LABEL) WASM_TRUNCATE(LABEL)
                        CODE_PAIRS(LABEL)};
    struct frame *top = t->top;
    const union word *pc = top->pc;
    wasm_value *fp = top->fp;
    uint64_t fuel = t->fuel;
    struct wasm_instance *inst = NULL;
    uint8_t *mem = NULL;
    uint64_t mem_bytes = 0;
    enum stop stop = STOP_NONE;
    struct wasm_func *callee = NULL;

    ASSERT(t->state == THREAD_RUNNING);
    ASSERT(top >= t->frames && top < t->frames_end);
    if (top->func != NULL)
        LOAD_INSTANCE();
    if (t->unpaid) {
        t->unpaid = false;
        ENTER();
    }
    GO();

    WASM_LOADS(DO_LOAD)
    WASM_STORES(DO_STORE)
    WASM_INT_COMPARES(DO_COMPARE)
    WASM_FLOAT_COMPARES(DO_COMPARE_F)
    WASM_INT_BINARY(DO_BINARY)
    WASM_INT_DIVIDE(DO_DIVIDE)
    WASM_FLOAT_BINARY(DO_BINARY_F)
    WASM_UNARY(DO_UNARY)
    WASM_TRUNCATE(DO_TRUNCATE)
    CODE_PAIRS(DO_PAIR)

L_FUEL:
    pc++;
    ENTER();
L_COPY:
    fp[pc->a] = fp[pc->b];
    NEXT(1);
L_COPY_2:
    fp[pc->a] = fp[pc->b];
    fp[pc->c] = fp[pc[1].lo];
    NEXT(2);
L_SUM_AND:
    fp[pc->a] = ((uint32_t)fp[pc->b] + IMM_U32(pc->c)) & pc[1].lo;
    NEXT(2);
L_COPY_N:
    for (uint32_t i = 0; i < pc->c; i++)
        fp[pc->a + i] = fp[pc->b + i];
    NEXT(1);
L_CONST:
    fp[pc->a] = pc->hi;
    NEXT(1);
L_CONST_WIDE:
    fp[pc->a] = pc[1].bits;
    NEXT(2);
L_ADDRESS:
    fp[pc->a] = fp[pc->b] + pc[1].bits;
    NEXT(2);
L_SELECT : {
    wasm_value x = fp[pc->b], y = fp[pc->c];
    fp[pc->a] = (uint32_t)fp[pc[1].lo] != 0 ? x : y;
    NEXT(2);
}
L_JUMP:
    pc += (int32_t)pc->hi;
    ENTER();
L_JUMP_TABLE : {
    uint32_t i = (uint32_t)fp[pc->a];
    pc += 1 + (i < pc->hi ? i : pc->hi);
    pc += (int32_t)pc->lo;
    ENTER();
}
L_GLOBAL_GET:
    fp[pc->a] = inst->globals[pc->b]->value;
    NEXT(1);
L_GLOBAL_SET:
    inst->globals[pc->b]->value = fp[pc->a];
    NEXT(1);
L_SLOW:
    t->fuel = fuel; /* a variable whose address is taken would not be kept in a register */
    stop = slow_op(inst, pc->hi, fp + pc->a, pc[1].lo, pc[1].hi, &t->fuel);
    fuel = t->fuel;
    if (UNLIKELY(stop != STOP_NONE)) {
        t->fuel_wanted = slow_wants(pc->hi, fp + pc->a);
        goto stopped;
    }
    mem_bytes = inst->memory == NULL ? 0 : inst->memory->bytes; /* it may have grown */
    NEXT(2);

L_CALL:
    callee = &inst->own_funcs[pc->hi];
    if (UNLIKELY(top + 1 == t->frames_end ||
                 (size_t)(t->slots_end - fp) < (size_t)pc->a + callee->frame_slots))
        STOP(TRAP_STACK);
    top->pc = pc + 1;
    fp += pc->a;
enter_callee:
    top++;
    top->fp = fp;
    top->func = callee;
    pc = callee->code;
    for (uint32_t i = callee->nparams; i < callee->nlocals; i++)
        fp[i] = 0;
    ENTER();
L_CALL_INDIRECT:
    stop = indirect(inst, pc[1], fp[pc->b], &callee);
    if (UNLIKELY(stop != STOP_NONE))
        goto stopped;
    top->pc = pc + 2;
    goto call_any;
L_CALL_IMPORT:
    callee = inst->funcs[pc->hi];
    top->pc = pc + 1;
call_any:
    if (callee->code == NULL) {
        t->top = top;
        t->fuel = fuel;
        enum wasm_status status = host_call(t, callee, inst, fp + pc->a);
        fuel = t->fuel;
        if (status == WASM_DONE) {
            mem_bytes = inst->memory == NULL ? 0 : inst->memory->bytes; /* the host may grow it */
            pc = top->pc;
            GO();
        }
        if (status == WASM_TRAP)
            top->pc = pc;
        return status;
    }
    if (UNLIKELY(t->frames_end - top <= (callee->instance == inst ? 1 : 2) ||
                 (size_t)(t->slots_end - fp) < (size_t)pc->a + callee->frame_slots))
        STOP(TRAP_STACK);
    fp += pc->a;
    if (callee->instance != inst) {
        top++;
        *top = (struct frame){run_back, fp, NULL};
        top[1].func = callee;
        top++;
        LOAD_INSTANCE();
        top--;
    }
    goto enter_callee;

L_RETURN_ONE:
    fp[0] = fp[pc->a];
L_RETURN:
    top--;
    pc = top->pc;
    fp = top->fp;
    GO();
L_RETURN_N:
    for (uint32_t i = 0; i < pc->b; i++)
        fp[i] = fp[pc->a + i];
    goto L_RETURN;
L_BACK:
    top--;
    pc = top->pc;
    fp = top->fp;
    LOAD_INSTANCE();
    GO();
L_EXIT:
    ASSERT(top == t->frames);
    t->top = top;
    t->fuel = fuel;
    t->state = THREAD_IDLE;
    return WASM_DONE;
L_TRAP:
    STOP(TRAP_UNREACHABLE);
L_NONE:
    UNREACHABLE("code that was never emitted");

unpaid:
    fuel += pc[-1].hi;
    t->fuel_wanted = pc[-1].hi;
    t->unpaid = true;
    stop = STOP_FUEL;
stopped:
    top->pc = pc;
    t->top = top;
    t->fuel = fuel;
    if (stop == STOP_FUEL) {
        t->state = THREAD_READY;
        return WASM_FUEL;
    }
    thread_trap(t, stop_text(stop));
    return WASM_TRAP;
}
/* NOLINTEND(clang-analyzer-core.NullDereference) */
