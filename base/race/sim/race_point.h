/* race_point.h for machine/sim, which defines these functions: before every atomic operation the
 * seed may switch to another virtual CPU, and stores may wait (machine/sim/buffer.c). */
#ifndef RACE_POINT_H
#define RACE_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A step. */
void race_point(void);

/* Where this CPU reads the `size` bytes at `at`: its own youngest store that waits, or memory. */
void *race_read(const volatile void *at, size_t size);

/* A step, then a store of the low `size` bytes of `bits`, which may wait unless `order` is SEQ_CST.
 */
void race_write(volatile void *at, size_t size, uint64_t bits, int order);

/* This CPU is about to read and change memory at once: its stores wait no longer. Where it is to do
 * so. */
void *race_drain(volatile void *at, size_t size);

/* What was there is over: no store of this CPU may come to it later. */
void race_begin(volatile void *at, size_t size);

/* The seed lets this allocation of the kernel fail (sim.h, SIM_FAULT_MEMORY). */
bool race_out_of_memory(void);

/* `p` is evaluated more than once. */
#define race_place(p)           ((__typeof__(p))race_read((p), sizeof(*(p))))
#define race_store(p, v, order) race_write((p), sizeof(*(p)), (uint64_t)(uintptr_t)(v), (order))
#define race_change(p)          ((__typeof__(p))race_drain((p), sizeof(*(p))))
#define race_init(p)            race_begin((p), sizeof(*(p)))

#endif
