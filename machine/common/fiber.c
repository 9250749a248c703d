/* fiber.c: preparing a fiber, the same on every CPU and under every sanitizer. */
#include <stdint.h>

#include "base/assert.h"
#include "machine/common/fiber.h"

void fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                void (*entry)(void *arg), void *arg)
{
    ASSERT(stack != NULL && ((uintptr_t)stack & 15) == 0);
    ASSERT(stack_bytes >= 1024 && (stack_bytes & 15) == 0);
    fiber->stack = stack;
    fiber->stack_bytes = stack_bytes;
    fiber->machine_private[0] = NULL;
    fiber->machine_private[1] = NULL;
    fiber_created(fiber);
    fiber->sp = fiber_prepare((char *)stack + stack_bytes - FIBER_TOP_BYTES, entry, arg);
}

void fiber_start(struct machine_fiber *from, void (*entry)(void *arg), void *arg)
{
    fiber_entered(from);
    entry(arg);
    UNREACHABLE("the entry of a fiber returned");
}
