/* machine.h: all that the kernel core asks of the machine it stands on.
 *
 * The kernel owns this header; machine/linux, machine/sim and the bare machines implement it and
 * nothing else. The build picks one; there is no #if. Time, entropy, memory, CPUs and stacks come
 * into the kernel only through here, which is what makes a simulated run repeat byte for byte.
 *
 * Threads: "any" may be called on every CPU at once; "boot" only before machine_run or after it
 * returned; "cpu" only on a CPU that machine_run started. */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CPUs */

/* How many CPUs machine_run will start, 1 to TN_THREADS_MAX. Any.
 *
 * Where CPUs are threads of a system below, some of them may stand for no CPU of the hardware: they
 * are there for code that blocks in that system's calls, or computes for long, beside the others.
 * They are the last ones; whoever set the machine up says to the kernel how many (kernel_config).
 * All that this header says holds for them too. A CPU whose code is blocked in such a call counts
 * as running: it passes barriers, and an unpark is remembered. */
uint32_t machine_cpu_count(void);

/* The NUMA node whose memory the CPU reaches fastest, numbered from 0 without gaps. Any. */
uint32_t machine_node(uint32_t cpu);

/* Starts every CPU; each runs entry(arg, cpu) with cpu = 0 to count - 1 on a boot stack of its own
 * (at least 64 KiB). Returns when all entries have returned. CPU 0 may be the caller's. Boot. */
void machine_run(void (*entry)(void *arg, uint32_t cpu), void *arg);

/* Puts the calling CPU to sleep until machine_unpark(cpu) or until the clock reaches `until_ns`
 * (UINT64_MAX: no end). An unpark that came before is remembered (one, not a count) and makes this
 * return at once; it may return early for no reason. Cpu, with its own number. */
void machine_park(uint32_t cpu, uint64_t until_ns);

/* Wakes a CPU, or makes its next park return at once. Any, and from threads that are no CPU
 * (a driver's thread, a signal handler: it must be async-signal-safe on Linux). Cheap when the CPU
 * is awake: one atomic operation, no system call. What was written before the call is seen by the
 * CPU after the park that the call ended or made return at once. */
void machine_unpark(uint32_t cpu);

/* In every spin loop: a pause on real machines, a switch of virtual CPU in the simulator. Cpu. */
void machine_relax(void);

/* Between its call and its return every other CPU that runs has passed a full memory barrier, and
 * so has the caller, before the first of them and after the last: the heavy half of an asymmetric
 * fence, whose light half is at_fence_light (base/atomic.h). It costs the others an interrupt and
 * the caller microseconds, on an old Linux milliseconds; for what is done seldom. A CPU that sleeps
 * or has not begun passes one before it runs on. Never waits for what another CPU's code does, so
 * it may be called with a lock held. Any. */
void machine_barrier(void);

/* Time and entropy */

/* Nanoseconds since boot, monotonic, the same clock on every CPU; virtual in the simulator. Any. */
uint64_t machine_now_ns(void);

/* Nanoseconds since 1970, UTC. The kernel core does not use it; drivers do. Any. */
uint64_t machine_wall_ns(void);

/* Fills `at` with unpredictable bytes (seeded ones in the simulator). Never fails: a machine
 * without entropy panics. Any. */
void machine_random(void *at, size_t len);

/* Fibers: a stack with a suspended computation on it.
 *
 * Switching saves only the callee-saved registers: fiber code may not change MXCSR, the x87
 * control word or FPCR. A fiber may go on on another CPU than it was suspended on, so nothing of
 * the CPU or the thread may be remembered across a switch. */
struct machine_fiber {
    void *sp;    /* saved stack pointer while suspended */
    void *stack; /* lowest usable byte, for overflow reports */
    size_t stack_bytes;
    void *machine_private[2]; /* sanitizer and simulator bookkeeping */
};

/* Prepares a fiber that will run entry(arg) on the first switch to it. `entry` must never return.
 * `stack` is from machine_stack_get, and any fiber that ran on it is abandoned, not running. The
 * machine keeps the top 16 bytes of it for itself. Any. */
void machine_fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                        void (*entry)(void *arg), void *arg);

/* Suspends the running computation into *from and goes on with *to, which must be suspended or
 * prepared. Returns when somebody switches back to *from, perhaps on another CPU. *from is
 * suspended only when `to` runs: another CPU may be told of it by the side that arrives, never
 * before the switch (the simulator panics on a switch to a fiber that is not suspended). `from`
 * needs no init when it is a CPU's boot stack. Cpu. */
void machine_fiber_switch(struct machine_fiber *from, struct machine_fiber *to);

/* A stack of `bytes` (a multiple of the page; a power of two is aligned to itself) with an
 * inaccessible guard page below; touching the guard page ends the kernel with a message
 * that says so. It may hold what its last user left. NULL
 * when none can be had; a hosted machine gives 16,384 of one size and knows 8 sizes. Any. */
void *machine_stack_get(size_t bytes);
/* Takes a stack back, with the same `bytes`, when no fiber runs on it any more; NULL is ignored. */
void machine_stack_put(void *stack, size_t bytes);

/* Memory */

enum machine_region_kind { MACHINE_AVAILABLE, MACHINE_RESERVED, MACHINE_DEVICE };

struct machine_region {
    void *base;          /* aligned to 2 MiB when available */
    uint64_t size_bytes; /* a multiple of 2 MiB when available */
    enum machine_region_kind kind;
};

/* The i-th region that the machine hands over; false when there is none. Available regions read as
 * zero and cost nothing until touched. The set does not change after boot. Boot. */
bool machine_region(uint32_t i, struct machine_region *ret_region);

/* Gives the pages of [at, at + bytes), whole 2 MiB blocks of an available region, back to the
 * machine: they stay addressable and read as zero from now on. Any. */
void machine_pages_release(void *at, size_t bytes);

/* Memory for loaded code: reserved writable, then sealed: [0, exec_bytes) read and execute, the
 * rest up to `bytes` read only. A seal may be of any pages of what was reserved and may change an
 * earlier one's execute right, never make a page writable again; it also makes new code visible to
 * instruction fetch. The memory starts as zero; after a failed seal
 * it is only good for machine_code_put, which ignores NULL. All sizes are multiples of 4096. NULL
 * or false when it cannot. Any. */
void *machine_code_get(size_t bytes);
bool machine_code_seal(void *at, size_t bytes, size_t exec_bytes);
void machine_code_put(void *at, size_t bytes);

/* Console and end */

/* Writes to the console of last resort: whole, in order, best effort. Any. */
void machine_console(const char *at, size_t len);

/* Says what failed and where, and ends the kernel abnormally. Any. */
__attribute__((noreturn, cold)) void machine_panic(const char *what, const char *file, int line);

#endif
