/* fiber_tsan.c: switching stacks under ThreadSanitizer, which keeps a shadow of every flow of
 * calls and must be told which one goes on.
 *
 * machine_private[0] is the sanitizer's fiber. The one made for a stack is also kept in the top
 * bytes of that stack: a stack that is used again gets a new one (the old shadow still holds the
 * abandoned frames), and there is no other moment at which to destroy the old. */
#include <assert.h>
#include <sanitizer/tsan_interface.h>
#include <stdint.h>

#include "machine/common/fiber.h"

static const uint64_t top_magic = 0x6e6f6e65745f6d63;

struct fiber_top {
    uint64_t magic;
    void *tsan_fiber;
};
static_assert(sizeof(struct fiber_top) == FIBER_TOP_BYTES, "the handle has its room");

static struct fiber_top *fiber_top(void *stack, size_t stack_bytes)
{
    return (struct fiber_top *)(void *)((char *)stack + stack_bytes - FIBER_TOP_BYTES);
}

void fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    from->machine_private[0] = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->machine_private[0], 0);
    (void)fiber_swap(from, to);
}

void fiber_created(struct machine_fiber *fiber)
{
    fiber_stack_unused(fiber->stack, fiber->stack_bytes);
    struct fiber_top *top = fiber_top(fiber->stack, fiber->stack_bytes);
    top->magic = top_magic;
    top->tsan_fiber = __tsan_create_fiber(0);
    fiber->machine_private[0] = top->tsan_fiber;
}

void fiber_entered(struct machine_fiber *from)
{
    (void)from;
}

void fiber_stack_unused(void *stack, size_t stack_bytes)
{
    struct fiber_top *top = fiber_top(stack, stack_bytes);
    if (top->magic != top_magic)
        return;
    top->magic = 0;
    __tsan_destroy_fiber(top->tsan_fiber);
}
