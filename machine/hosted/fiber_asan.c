/* fiber_asan.c: switching stacks under AddressSanitizer, which must know the bounds of the stack
 * that runs, or it takes every frame of a fiber for an overflow.
 *
 * machine_private[0] is the fake stack of a suspended fiber. The bounds of a boot stack are not
 * known before the first switch away from it; the sanitizer tells them to the side that arrives. */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include "machine/common/fiber.h"

static void fiber_arrived(void *fake_stack, struct machine_fiber *from)
{
    const void *bottom = NULL;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    from->stack = (void *)(uintptr_t)bottom;
    from->stack_bytes = size;
}

void fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    __sanitizer_start_switch_fiber(&from->machine_private[0], to->stack, to->stack_bytes);
    struct machine_fiber *came_from = fiber_swap(from, to);
    fiber_arrived(from->machine_private[0], came_from);
}

void fiber_created(struct machine_fiber *fiber)
{
    /* The last user was abandoned in the middle of its frames, red zones and all. */
    __asan_unpoison_memory_region(fiber->stack, fiber->stack_bytes);
}

void fiber_entered(struct machine_fiber *from)
{
    fiber_arrived(NULL, from);
}

void fiber_stack_unused(void *stack, size_t stack_bytes)
{
    __asan_unpoison_memory_region(stack, stack_bytes);
}
