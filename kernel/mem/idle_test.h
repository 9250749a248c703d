/* idle_test.h: the rest of a machine, for tests that link the scheduler but never run it: whoever
 * asks for any of it fails the test. Included beside stub_test.h. */
#ifndef KERNEL_MEM_IDLE_TEST_H
#define KERNEL_MEM_IDLE_TEST_H

#include "kernel/mem/stub_test.h"

#define IDLE_MACHINE(name, result, ...)                    \
    __attribute__((noreturn)) result name(__VA_ARGS__)     \
    {                                                      \
        fail_msg("%s is called, but nothing runs", #name); \
        abort();                                           \
    }

IDLE_MACHINE(machine_cpu_count, uint32_t, void)
IDLE_MACHINE(machine_run, void, void (*entry)(void *arg, uint32_t cpu) __attribute__((unused)),
             void *arg __attribute__((unused)))
IDLE_MACHINE(machine_park, void, uint32_t cpu __attribute__((unused)),
             uint64_t until_ns __attribute__((unused)))
IDLE_MACHINE(machine_unpark, void, uint32_t cpu __attribute__((unused)))
IDLE_MACHINE(machine_barrier, void, void)
IDLE_MACHINE(machine_now_ns, uint64_t, void)
IDLE_MACHINE(machine_wall_ns, uint64_t, void)
IDLE_MACHINE(machine_random, void, void *at __attribute__((unused)),
             size_t len __attribute__((unused)))
IDLE_MACHINE(machine_fiber_init, void, struct machine_fiber *fiber __attribute__((unused)),
             void *stack __attribute__((unused)), size_t stack_bytes __attribute__((unused)),
             void (*entry)(void *arg) __attribute__((unused)), void *arg __attribute__((unused)))
IDLE_MACHINE(machine_fiber_switch, void, struct machine_fiber *from __attribute__((unused)),
             struct machine_fiber *to __attribute__((unused)))
IDLE_MACHINE(machine_stack_get, void *, size_t bytes __attribute__((unused)))
IDLE_MACHINE(machine_stack_put, void, void *stack __attribute__((unused)),
             size_t bytes __attribute__((unused)))
IDLE_MACHINE(machine_region, bool, uint32_t i __attribute__((unused)),
             struct machine_region *ret_region __attribute__((unused)))
IDLE_MACHINE(machine_console, void, const char *at __attribute__((unused)),
             size_t len __attribute__((unused)))

#endif
