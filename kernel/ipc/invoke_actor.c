/* invoke_actor.c: what an actor answers: what it does and has done, and being paused and killed. */
#include "kernel/ipc/invoke_int.h"

#include "base/bits.h"

static struct actor *called(struct invocation *call)
{
    return actor_of(call->view.object);
}

/* Under the lock of its home. */
static uint32_t state_of(struct actor *actor)
{
    switch (actor_life(actor)) {
    case ACTOR_CREATED:
        return TN_STATE_CREATED;
    case ACTOR_FAILED:
        return TN_STATE_FAILED;
    case ACTOR_DYING:
        return TN_STATE_DYING;
    case ACTOR_DEAD:
        return TN_STATE_DEAD;
    case ACTOR_READY:
        break;
    }
    if (actor->run == ACTOR_RUNNING)
        return TN_STATE_RUNNING;
    if (actor->room == 0)
        return TN_STATE_PAUSED;
    return actor->turns > 0 && actor->ready == NULL ? TN_STATE_WAITING : TN_STATE_READY;
}

static tn_err state(struct invocation *call)
{
    struct actor *actor = called(call);
    struct cpu *home = actor_lock(call->cpu, actor);
    call->reply.actor_state = (struct tn_actor_state){.state = state_of(actor),
                                                      .priority = actor->priority,
                                                      .lent_priority = actor_priority(actor),
                                                      .turns = actor->turns};
    actor_unlock(call->cpu, home);
    return TN_OK;
}

static tn_err stats(struct invocation *call)
{
    struct actor *actor = called(call);
    struct actor_account shown = actor_account(actor);
    uint64_t memory_bytes = mem_stats(actor_memory(actor)).used_bytes;
    call->reply.actor_stats =
        (struct tn_actor_stats){.cpu_time_used = shown.cpu_time_ns,
                                .memory_allocated = memory_bytes,
                                .messages_processed = shown.messages_processed,
                                .errors_encountered = shown.errors_encountered,
                                .calls_answered = shown.calls_answered,
                                .calls_made = shown.calls_made,
                                .messages_sent = shown.messages_sent,
                                .fuel_used = shown.fuel_used};
    return TN_OK;
}

static tn_err limits(struct invocation *call)
{
    struct actor *actor = called(call);
    call->reply.actor_limits = (struct tn_actor_limits){
        .max_memory = mem_stats(actor_memory(actor)).size_bytes,
        .max_cpu_time = actor->deadline_ns,
        .max_capabilities = space_stats(actor->space).slots_max,
        .max_turns = actor->concurrency,
    };
    return TN_OK;
}

/* Does something to an actor that is not dying, holding it: it may lose its last holder meanwhile.
 */
static tn_err with_actor(struct invocation *call, void (*act)(struct cpu *cpu, struct actor *actor))
{
    struct actor *actor = called(call);
    if (actor_life(actor) >= ACTOR_DYING || !object_try_ref(actor_object(actor)))
        return TN_EGONE;
    act(call->cpu, actor);
    object_unref(actor_object(actor));
    return TN_OK;
}

static tn_err pause(struct invocation *call)
{
    return with_actor(call, actor_pause);
}

static tn_err resume(struct invocation *call)
{
    return with_actor(call, actor_resume);
}

static tn_err kill(struct invocation *call)
{
    (void)with_actor(call, actor_kill); /* what is dying already dies */
    return TN_OK;
}

static const struct invoke_method actor_methods[] = {
    {state, TN_R_READ, sizeof(struct tn_actor_state), 0, PRICE_NONE},
    {stats, TN_R_READ, sizeof(struct tn_actor_stats), 0, PRICE_NONE},
    {limits, TN_R_READ, sizeof(struct tn_actor_limits), 0, PRICE_NONE},
    {pause, TN_R_CONTROL, 0, 0, PRICE_NONE},
    {resume, TN_R_CONTROL, 0, 0, PRICE_NONE},
    {kill, TN_R_CONTROL, 0, 0, PRICE_NONE},
};
const struct invoke_interface invoke_actor = {TN_ACTOR, 1, ARRAY_LEN(actor_methods), actor_methods};
