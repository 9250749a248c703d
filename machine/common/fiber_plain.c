/* fiber_plain.c: switching stacks when no sanitizer needs to know. */
#include "machine/common/fiber.h"

void fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    (void)fiber_swap(from, to);
}

void fiber_created(struct machine_fiber *fiber)
{
    (void)fiber;
}

void fiber_entered(struct machine_fiber *from)
{
    (void)from;
}

void fiber_stack_unused(void *stack, size_t stack_bytes)
{
    (void)stack;
    (void)stack_bytes;
}
