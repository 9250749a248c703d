/* wait.c: beginning a wait, and its deadline. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bits.h"

struct cell *actor_cell(struct actor *actor)
{
    if (__builtin_expect(actor->pool == NULL, 0)) {
        struct cpu *home = at_load(&actor->home, RELAXED); /* it runs there */
        if (cell_pool_make(actor_memory(actor), home, &actor->pool) != TN_OK)
            return NULL;
    }
    return cell_take(actor->pool);
}

/* Inside the CPU that it was armed on. */
static void expire(struct cpu *cpu, struct event *event)
{
    struct wait *wait = CONTAINER_OF(event, struct wait, expiry);
    if (!wait_claim(wait, wait->expiry_generation, WAIT_FILLING))
        return;
    wait->result = TN_ETIME;
    wait_filled(wait, wait->expiry_generation);
    turn_wake_inside(cpu, wait->turn);
}

void wait_tell_at(struct cpu *cpu, struct wait *wait, tn_time at,
                  void (*tell)(struct cpu *cpu, struct event *event))
{
    wait->expiry.fire = tell;
    wait->expires = true;
    wait->expiry_generation = wait_generation(wait);
    event_arm(cpu, &wait->expiry, at);
}

void wait_expire_at(struct cpu *cpu, struct wait *wait, tn_time deadline)
{
    if (deadline != TN_NEVER)
        wait_tell_at(cpu, wait, deadline, expire);
}

tn_err yield_begin(struct cpu *cpu, struct turn *turn)
{
    tn_err err = turn_may_wait(cpu, turn);
    if (err != TN_OK)
        return err;
    turn_wake(cpu, turn);
    return IPC_PENDING;
}

int32_t turn_cancelled(struct turn *turn)
{
    if (turn->refuses == TURN_CANCELLED)
        return 1;
    return turn->caller != NULL && !wait_is_open(turn->caller, turn->generation);
}

uint32_t turn_room_size(struct turn *turn)
{
    struct wait *wait = turn->caller;
    if (wait == NULL)
        return 0;
    /* ACQUIRE, before the look at the wait: a size of a later call comes with a later generation.
     */
    uint32_t size = at_load(&wait->room_size, ACQUIRE);
    if (!wait_is_open(wait, turn->generation))
        return 0;
    return size < TN_ARGS_MAX ? size : TN_ARGS_MAX;
}
