/* swap.c: a swap's way through its states (the essay is in swap.h). */
#include "kernel/sched/swap.h"

#include "kernel/sched/sched_int.h"

enum swap_state { SWAP_DRAINS, SWAP_SAVES, SWAP_RESTORES };

struct swap {
    struct actor *actor;
    /* Set before others see it: */
    struct wait *caller; /* holds a ref to its actor */
    uint64_t generation;
    uint64_t cause;
    uint32_t flags; /* enum swap_flag */
    tn_time deadline;
    struct event late; /* in the wheel of who asked */
    /* home: */
    uint8_t state; /* enum swap_state */
    /* of the owner: */
    struct instance *other; /* that is not in place */
    struct block *saved;    /* what the old one left; NULL: nothing is carried over */
    uint32_t version;       /* its state_version */
    tn_err result;          /* of the swap's turn */
};

/* The one that completes the wait says how it went; at most one does. */
static bool swap_claim(struct swap *swap)
{
    return wait_claim(swap->caller, swap->generation, WAIT_FILLING);
}

static struct turn *swap_tell(struct swap *swap, tn_err result)
{
    struct wait *wait = swap->caller;
    wait->result = result;
    wait_filled(wait, swap->generation);
    return wait->turn;
}

static bool is_wanted(const struct swap *swap)
{
    return wait_is_open(swap->caller, swap->generation);
}

/* Inside the CPU that it was armed on. */
static void swap_late(struct cpu *cpu, struct event *event)
{
    struct swap *swap = CONTAINER_OF(event, struct swap, late);
    if (!swap_claim(swap))
        return;
    turn_wake_inside(cpu, swap_tell(swap, TN_ETIME));
    sched_ask(swap->actor, ASK_LOOK); /* it may have turns that wait, and see nothing of it */
}

static struct swap *swap_make(struct turn *turn, struct actor *actor, struct instance *fresh,
                              uint32_t flags, tn_time deadline)
{
    struct swap *swap = mem_alloc(actor_memory(actor), sizeof(*swap));
    if (swap == NULL)
        return NULL;
    struct wait *wait = turn->wait;
    *swap = (struct swap){.actor = actor,
                          .caller = wait,
                          .generation = wait_generation(wait),
                          .cause = turn->info.cause,
                          .flags = flags,
                          .deadline = deadline,
                          .state = SWAP_DRAINS,
                          .other = fresh};
    wheel_timer_init(&swap->late.timer);
    swap->late.fire = swap_late;
    object_ref(actor_object(wait->actor));
    return swap;
}

/* Outside; no turn of the actor knows of it. */
static void swap_free(struct cpu *cpu, struct swap *swap)
{
    event_cancel(cpu, &swap->late);
    struct untyped *memory = actor_memory(swap->actor);
    struct actor *caller = swap->caller->actor;
    block_free(swap->saved);
    mem_free(memory, swap, sizeof(*swap));
    object_unref(actor_object(caller));
}

tn_err swap_post(struct cpu *cpu, struct turn *turn, struct actor *actor, struct instance *fresh,
                 uint32_t flags, tn_time deadline)
{
    ASSERT(turn->wait != NULL && turn->actor != actor && fresh->actor == actor);
    struct swap *swap = swap_make(turn, actor, fresh, flags, deadline);
    if (swap == NULL)
        return TN_ENOMEM;
    event_arm(cpu, &swap->late, deadline); /* first: afterwards it is the actor's, or gone */
    struct cpu *home = actor_lock(cpu, actor);
    enum actor_life life = actor_life(actor);
    tn_err err = TN_OK;
    if (life >= ACTOR_DYING)
        err = TN_EGONE;
    else if (life == ACTOR_CREATED || actor->instance == NULL)
        err = TN_EAGAIN;
    else if (actor->swap != NULL)
        err = TN_EBUSY;
    if (err == TN_OK) {
        sched_ask(actor, ASK_LOOK); /* it looks when it has its lock back */
        actor->swap = swap;
        actor_set_odd(actor, ODD_SWAP, true);
        actor_set_room(actor);
    }
    actor_unlock(cpu, home);
    if (err != TN_OK)
        swap_free(cpu, swap);
    return err;
}

bool swap_has_turn(const struct actor *actor)
{
    return actor->swap != NULL && actor->swap->state != SWAP_DRAINS;
}

static bool has_untold(const struct actor *actor)
{
    for (const struct turn *turn = actor->waiting; turn != NULL; turn = turn->waits_link) {
        if (turn->refuses != TURN_CANCELLED)
            return true;
    }
    for (const struct turn *turn = actor->ready; turn != NULL; turn = turn->link) {
        if (turn->refuses != TURN_CANCELLED)
            return true;
    }
    return false;
}

bool swap_may_go_on(struct actor *actor)
{
    struct swap *swap = actor->swap;
    if (actor->turns == 0)
        return true;
    if (swap->state != SWAP_DRAINS)
        return false; /* its own turn is to end */
    return !is_wanted(swap) || ((swap->flags & SWAP_CANCEL) != 0 && has_untold(actor));
}

/* Fills the turn of a save or restore. */
static void fill_turn(const struct cpu *cpu, struct swap *swap, uint32_t method, struct turn *turn)
{
    const struct block *saved = swap->saved;
    turn_begin(turn, swap->actor, NULL);
    turn->local = NULL;
    turn->info = (struct tn_turn){.cause = swap->cause,
                                  .deadline = method == LIFE_SAVE ? TN_NEVER : swap->deadline,
                                  .now = cpu->now,
                                  .method = method,
                                  .cls = MSG_MODULE_LOAD,
                                  .flags = TN_TURN_ONEWAY,
                                  .cookie = saved != NULL ? swap->version : SWAP_NO_STATE};
    turn->in = (struct tn_pack){.len = 0};
    if (saved == NULL)
        return;
    turn->in.data = (void *)(uintptr_t)saved->bytes;
    turn->in.len = saved->len;
    turn->in.ncaps = saved->ncaps;
    memcpy(turn->in.caps, saved->caps, saved->ncaps * sizeof(tn_cap));
}

/* Runs it in the instance that is in place. Inside before and after. */
static struct cpu *run_turn(struct cpu *cpu, struct swap *swap, uint32_t method, bool *ret_mine)
{
    struct actor *actor = swap->actor;
    const struct domain *domain = actor->instance->domain;
    struct fiber *fiber = fiber_self();
    struct turn *turn = domain->on_fiber ? &fiber->turn : domain->turn_room(actor->instance);
    actor->turns++;
    actor_set_room(actor);
    cpu_leave(cpu);
    turn->fiber = domain->on_fiber ? fiber : NULL;
    fill_turn(cpu, swap, method, turn);
    sched_meter(cpu, actor);
    if (domain->on_fiber) {
        enum turn_end end = domain->run(cpu, turn);
        ASSERT(end == TURN_DONE);
        cpu = fiber->cpu; /* it may have waited and gone on elsewhere */
        cpu_enter(cpu);
        turn_finish(cpu, turn);
        return cpu;
    }
    enum turn_end end = domain->run(cpu, turn);
    cpu_enter(cpu);
    *ret_mine = end == TURN_DONE;
    if (end == TURN_DONE)
        turn_finish(cpu, turn);
    else
        turn_park(cpu, turn);
    return cpu;
}

static struct cpu *begin_save(struct cpu *cpu, struct swap *swap, bool *ret_mine)
{
    swap->state = SWAP_SAVES;
    swap->result = TN_OK;
    return run_turn(cpu, swap, LIFE_SAVE, ret_mine);
}

static void exchange(struct swap *swap)
{
    struct instance *instance = swap->actor->instance;
    actor_set_instance(swap->actor, swap->other);
    swap->other = instance;
}

static struct cpu *begin_restore(struct cpu *cpu, struct swap *swap, bool *ret_mine)
{
    cpu_leave(cpu);
    space_mark(swap->actor->space);
    cpu_enter(cpu);
    swap->state = SWAP_RESTORES;
    swap->result = TN_EINTERNAL; /* of a domain that says nothing */
    exchange(swap);
    return run_turn(cpu, swap, LIFE_RESTORE, ret_mine);
}

/* The instance that is in place stays, the other one goes. Outside. */
static void swap_over(struct cpu *cpu, struct swap *swap, bool claimed, tn_err result)
{
    struct actor *actor = swap->actor;
    swap->other->domain->destroy(swap->other);
    swap->other = NULL;
    cpu_enter(cpu);
    actor->swap = NULL;
    actor_set_odd(actor, ODD_SWAP, false);
    actor_set_room(actor);
    cpu_leave(cpu);
    if (claimed)
        turn_wake(cpu, swap_tell(swap, result));
    swap_free(cpu, swap);
}

/* Inside before and after. */
static void roll_back(struct cpu *cpu, struct swap *swap, tn_err result)
{
    bool began = swap->state == SWAP_RESTORES;
    ASSERT(result != TN_OK || !is_wanted(swap));
    if (began)
        exchange(swap);
    cpu_leave(cpu);
    if (began)
        space_clear_unmarked(swap->actor->space);
    swap_over(cpu, swap, swap_claim(swap), result);
    cpu_enter(cpu);
}

/* The wait is claimed. Inside before and after. */
static void commit(struct cpu *cpu, struct swap *swap)
{
    struct actor *actor = swap->actor;
    const struct domain *domain = actor->instance->domain;
    cpu_leave(cpu);
    if (swap->saved == NULL && domain->forget != NULL)
        domain->forget(actor->instance);
    (void)actor_ready(actor); /* one that had failed serves again */
    swap_over(cpu, swap, true, TN_OK);
    cpu_enter(cpu);
}

struct cpu *swap_run(struct cpu *cpu, struct actor *actor, bool *ret_mine)
{
    struct swap *swap = actor->swap;
    ASSERT(actor->run == ACTOR_RUNNING && actor->room == 0);
    *ret_mine = true;
    bool afresh = (swap->flags & SWAP_FRESH) != 0 || actor_life(actor) == ACTOR_FAILED;
    if (swap->state == SWAP_RESTORES) {
        ASSERT(actor->turns == 0);
        if (swap->result == TN_OK && swap_claim(swap))
            commit(cpu, swap);
        else
            roll_back(cpu, swap, swap->result);
    } else if (!is_wanted(swap)) {
        roll_back(cpu, swap, TN_ETIME);
    } else if (actor->turns > 0) {
        turns_cancel(cpu, actor);
    } else if (swap->state == SWAP_SAVES && swap->result != TN_OK) {
        roll_back(cpu, swap, swap->result);
    } else if (swap->state == SWAP_SAVES || afresh) {
        cpu = begin_restore(cpu, swap, ret_mine);
    } else {
        cpu = begin_save(cpu, swap, ret_mine);
    }
    return cpu;
}

void swap_abandon(struct cpu *cpu, struct actor *actor)
{
    if (actor->swap != NULL)
        swap_over(cpu, actor->swap, swap_claim(actor->swap), TN_EGONE);
}

/* What a component may say is its own, or one of the errors that there are. */
static tn_err clean(tn_err err)
{
    return err < TN_ERRORS_LAST || err == TN_DEFERRED ? TN_EINTERNAL : err;
}

void swap_saved(struct turn *turn, tn_err err, uint32_t state_version, const struct tn_pack *out)
{
    struct swap *swap = turn->actor->swap;
    ASSERT(swap != NULL && swap->state == SWAP_SAVES && swap->saved == NULL);
    if (err == TN_OK && out->len > TN_ARGS_MAX)
        err = TN_ETOOBIG;
    if (err == TN_OK && out->ncaps > TN_PACK_CAPS)
        err = TN_EINVAL;
    swap->result = clean(err);
    if (err != TN_OK)
        return;
    struct block *block = block_make(actor_memory(turn->actor), out->len);
    if (block == NULL) {
        swap->result = TN_ENOMEM;
        return;
    }
    if (out->len > 0)
        memcpy(block->bytes, out->data, out->len);
    block->ncaps = out->ncaps;
    memcpy(block->caps, out->caps, out->ncaps * sizeof(tn_cap));
    swap->version = state_version;
    swap->saved = block;
}

void swap_restored(struct turn *turn, tn_err err)
{
    struct swap *swap = turn->actor->swap;
    ASSERT(swap != NULL && swap->state == SWAP_RESTORES && turn->info.method == LIFE_RESTORE);
    swap->result = clean(err);
}
