/* exec_int.h: what the interpreter's files share. */
#ifndef WASM_EXEC_EXEC_INT_H
#define WASM_EXEC_EXEC_INT_H

#include "wasm/wasm_int.h"

/* Why execution stops in front of an instruction. */
enum stop {
    STOP_NONE,
    STOP_FUEL, /* not a trap */
    TRAP_UNREACHABLE,
    TRAP_DIVIDE,
    TRAP_OVERFLOW,
    TRAP_CONVERSION,
    TRAP_MEMORY,
    TRAP_TABLE,
    TRAP_UNDEFINED,
    TRAP_UNINITIALIZED,
    TRAP_SIGNATURE,
    TRAP_STACK,
    STOP_COUNT,
};

/* run.c: goes on at the thread's top frame until the computation ends or stops. */
enum wasm_status run_thread(struct thread *t);
/* The code of the frame under the first call. */
extern const union word run_exit[1];

/* thread.c: calls a host function for `inst`, whose code called it (or that began with it).
 * Arguments and results stand at `slots`. The thread's fuel is in the thread meanwhile. */
enum wasm_status host_call(struct thread *t, struct wasm_func *f, struct wasm_instance *inst,
                           wasm_value *slots);

/* slow.c: an instruction that runs out of line; its operands at `ops`, where its result goes. May
 * take from *fuel, and with STOP_FUEL changes `ops` so that running it again does the rest. */
enum stop slow_op(struct wasm_instance *inst, uint32_t opcode, wasm_value *ops, uint32_t imm1,
                  uint32_t imm2, uint64_t *fuel);
/* The least fuel with which it gets on, after STOP_FUEL. */
uint64_t slow_wants(uint32_t opcode, const wasm_value *ops);
/* [at, at + n) of a segment into a table or memory, all checked before the first is written. */
enum stop table_init(struct wasm_instance *inst, uint32_t elem, struct table *to, uint64_t to_at,
                     uint64_t from_at, uint64_t n);
enum stop memory_init(struct wasm_instance *inst, uint32_t data, uint64_t to_at, uint64_t from_at,
                      uint64_t n);

/* thread.c */
const char *stop_text(enum stop stop);
void thread_trap(struct thread *t, const char *text);

/* instance.c */
wasm_value const_value(const struct wasm_instance *inst, const struct const_expr *e);

#endif
