/* actor.c: making and unmaking actors; waits (the essay is in actor.h). */
#include "kernel/actor/actor.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/mem/limbo.h"

static void actor_destroy(struct object *object)
{
    struct actor *actor = actor_of(object);
    ASSERT(actor->turns == 0 && actor->instance == NULL && actor->pool == NULL);
    ASSERT(actor->swap == NULL);
    /* Who asked it in the last moment has put it on a list of its home, or the home is looking at
     * it: later, then. `kept` is set before `asked` is cleared, and nobody is left to ask. */
    bool asked = at_load(&actor->asked, ACQUIRE) != 0;
    if ((asked || at_load(&actor->kept, ACQUIRE) != 0) && !limbo_drains(object->limbo)) {
        limbo_add(object->limbo, object);
        return;
    }
    struct untyped *memory = actor_memory(actor);
    struct space *space = actor->space;
    struct wait *wait = at_load(&actor->waits, RELAXED);
    while (wait != NULL) {
        struct wait *next = wait->made;
        mem_free(memory, wait, sizeof(*wait));
        wait = next;
    }
    mem_free(memory, actor, sizeof(*actor));
    object_unref(space_object(space));
}

static const struct object_class actor_class = {
    .type = OBJ_ACTOR,
    .name = "actor",
    .orphan = NULL,
    .destroy = actor_destroy,
};

static void stats_init(struct actor_stats *stats)
{
    at_init(&stats->cpu_time_ns, 0);
    at_init(&stats->messages_processed, 0);
    at_init(&stats->calls_answered, 0);
    at_init(&stats->calls_made, 0);
    at_init(&stats->messages_sent, 0);
    at_init(&stats->fuel_used, 0);
    at_init(&stats->errors_encountered, 0);
}

tn_err actor_make(const struct actor_config *config, struct actor **ret_actor)
{
    if (config->mailbox == 0 || config->mailbox > TN_MAILBOX_MAX ||
        config->priority >= TN_PRIORITIES || config->concurrency > TN_TURNS_MAX)
        return TN_EINVAL;
    struct actor *actor = mem_alloc(config->memory, sizeof(*actor));
    if (actor == NULL)
        return TN_ENOMEM;
    object_init(&actor->object, &actor_class, config->memory, config->limbo);
    at_init(&actor->home, config->home);
    at_init(&actor->life, ACTOR_CREATED);
    at_init(&actor->asked, 0);
    at_init(&actor->kept, 0);
    at_init(&actor->applied, NULL);
    at_init(&actor->talker, CPU_NONE);
    at_init(&actor->woken, NULL);
    at_init(&actor->waits, NULL);
    mbox_init(&actor->mbox, config->mailbox);
    wait_queue_init(&actor->senders);
    stats_init(&actor->stats);
    actor->run = ACTOR_IDLE;
    actor->priority = config->priority;
    at_init(&actor->lent, 0);
    list_init(&actor->queue_link);
    actor->concurrency = config->concurrency > 0 ? config->concurrency : 1;
    actor->room = actor->concurrency;
    actor->pinned = config->pinned;
    actor->patient = config->patient;
    actor->exact_time = config->exact_time;
    actor_set_odd(actor, ODD_EXACT, config->exact_time);
    actor_set_instance(actor, NULL);
    /* Added to the time of day it must not wrap. */
    actor->deadline_ns =
        config->deadline_ns < UINT64_MAX / 2 ? config->deadline_ns : UINT64_MAX / 2;
    actor->name = config->name;
    actor->space = config->space;
    object_ref(space_object(config->space));
    (void)at_add(config->alive, 1, RELAXED);
    object_ref(&actor->object); /* dropped at its death */
    *ret_actor = actor;
    return TN_OK;
}

struct object *actor_object(struct actor *actor)
{
    return &actor->object;
}

struct actor *actor_of(struct object *object)
{
    ASSERT(object->class == &actor_class);
    return (struct actor *)object;
}

struct actor_account actor_account(struct actor *actor)
{
    struct actor_stats *stats = &actor->stats;
    /* RELAXED: counts; they hand over nothing. */
    return (struct actor_account){
        .cpu_time_ns = at_load(&stats->cpu_time_ns, RELAXED),
        .messages_processed = at_load(&stats->messages_processed, RELAXED),
        .calls_answered = at_load(&stats->calls_answered, RELAXED),
        .calls_made = at_load(&stats->calls_made, RELAXED),
        .messages_sent = at_load(&stats->messages_sent, RELAXED),
        .fuel_used = at_load(&stats->fuel_used, RELAXED),
        .errors_encountered = at_load(&stats->errors_encountered, RELAXED),
    };
}

void actor_set_instance(struct actor *actor, struct instance *instance)
{
    actor->instance = instance;
    actor_set_odd(actor, ODD_CODE, instance == NULL || instance->domain->event == NULL);
    if (instance != NULL)
        instance->actor = actor;
}

/* One more wait; NULL: no memory. */
static struct wait *wait_make(struct actor *actor)
{
    struct wait *wait = mem_alloc(actor_memory(actor), sizeof(*wait));
    if (wait == NULL)
        return NULL;
    at_init(&wait->state, (uint64_t)1 << WAIT_STATE_BITS | WAIT_FREE);
    at_init(&wait->callee, NULL);
    at_init(&wait->upper, NULL);
    at_init(&wait->upper_generation, 0);
    at_init(&wait->room_size, 0);
    at_init(&wait->lending, 0);
    wheel_timer_init(&wait->expiry.timer);
    list_init(&wait->link);
    wait->actor = actor;
    wait->made = at_load(&actor->waits, RELAXED); /* only the runner changes it */
    /* SEQ_CST: in one order with the searches for circles (wait_set_callee). */
    at_store(&actor->waits, wait, SEQ_CST);
    return wait;
}

struct wait *wait_find(struct actor *actor)
{
    struct wait *wait = at_load(&actor->waits, RELAXED);
    while (wait != NULL && wait->turn != NULL)
        wait = wait->made;
    return wait != NULL ? wait : wait_make(actor);
}

void actor_apply(struct actor *actor, struct wait *wait)
{
    ASSERT(!wait->applied && list_empty(&wait->link));
    wait->applied = true;
    wait->queue_generation = wait_generation(wait);
    struct wait *head = at_load(&actor->applied, RELAXED);
    do {
        wait->applied_link = head;
        /* RELEASE: who takes it sees the link and the generation. */
    } while (!at_cas(&actor->applied, &head, wait, RELEASE, RELAXED));
}

void actor_take_applied(struct actor *actor)
{
    if (at_load(&actor->applied, RELAXED) == NULL)
        return;
    /* ACQUIRE pairs with actor_apply. */
    struct wait *wait = at_swap(&actor->applied, NULL, ACQUIRE), *oldest = NULL;
    while (wait != NULL) {
        struct wait *next = wait->applied_link;
        wait->applied_link = oldest;
        oldest = wait;
        wait = next;
    }
    for (; oldest != NULL; oldest = oldest->applied_link)
        list_push_back(&actor->senders.waits, &oldest->link);
}

void wait_enqueue(struct wait *wait, struct wait_queue *queue)
{
    ASSERT(list_empty(&wait->link));
    wait->queue_generation = wait_generation(wait);
    list_push_back(&queue->waits, &wait->link);
}

void wait_dequeue(struct wait *wait)
{
    if (!list_empty(&wait->link))
        list_remove(&wait->link);
}

struct wait *wait_queue_claim(struct wait_queue *queue)
{
    while (!list_empty(&queue->waits)) {
        struct wait *wait = CONTAINER_OF(list_pop_front(&queue->waits), struct wait, link);
        if (wait_claim(wait, wait->queue_generation, WAIT_FILLING))
            return wait;
        /* It expired or is cancelled: it is not in need any more. */
    }
    return NULL;
}

void wait_set_callee(struct wait *wait, struct actor *callee, int order)
{
    ASSERT(at_load(&wait->callee, RELAXED) == NULL && callee != NULL);
    const struct turn *turn = wait->turn;
    at_store(&wait->upper, turn->caller, RELAXED);
    at_store(&wait->upper_generation, turn->caller != NULL ? turn->generation : 0, RELAXED);
    /* SEQ_CST: of the calls that close a circle at the same time, the last to publish sees all. */
    if (order == SEQ_CST)
        at_store(&wait->callee, callee, SEQ_CST);
    else
        at_store(&wait->callee, callee, RELEASE);
}

struct actor *wait_callee(struct wait *wait)
{
    struct actor *callee = at_load(&wait->callee, SEQ_CST);
    if (callee == NULL)
        return NULL;
    /* A wait that is answered or has expired holds nobody up, though its turn has not gone on yet.
     * ACQUIRE: the second look at the callee comes after; it is the same while the wait is. */
    uint64_t state = at_load(&wait->state, ACQUIRE);
    if ((state & WAIT_STATE_MASK) != WAIT_OPEN || at_load(&wait->callee, SEQ_CST) != callee)
        return NULL;
    return callee;
}

struct wait *wait_of_call(struct actor *actor, uint64_t *ret_generation, struct actor **ret_callee)
{
    struct wait *wait = at_load(&actor->waits, ACQUIRE);
    for (; wait != NULL; wait = wait->made) {
        uint64_t generation = wait_generation(wait);
        struct actor *callee = wait_callee(wait);
        if (callee != NULL) {
            *ret_generation = generation;
            *ret_callee = callee;
            return wait;
        }
    }
    return NULL;
}

/* A search for a circle is depth first over what each waiting turn waits for, with a budget of
 * looks. It is over where it comes to the wait that it began at. */
enum { SEARCH_LOOKS = 4 * TN_DEPTH_MAX };

struct search {
    const struct wait *from;
    uint32_t looks;
};

static bool wait_held_up(struct search *search, struct wait *wait, uint32_t depth);

/* The wait of the callee's turn that is to answer `wait`; NULL: there is none, or it does not wait
 * for anybody. */
static struct wait *wait_below(struct actor *callee, const struct wait *wait, uint64_t generation)
{
    struct wait *below = at_load(&callee->waits, SEQ_CST);
    for (; below != NULL; below = below->made) {
        /* RELAXED: stored before the callee, which wait_callee loads; and what is not of this
         * generation of `below` is found out at last (wait_held_up). */
        if (wait_callee(below) != NULL && at_load(&below->upper, RELAXED) == wait &&
            at_load(&below->upper_generation, RELAXED) == generation)
            return below;
    }
    return NULL;
}

/* An actor with a turn to spare, or with one that waits for nobody, is held up by nobody. */
static bool actor_held_up(struct search *search, struct actor *actor, uint32_t depth)
{
    uint32_t turns = 0;
    struct wait *wait = at_load(&actor->waits, SEQ_CST);
    for (; wait != NULL; wait = wait->made) {
        if (wait_callee(wait) == NULL)
            continue;
        if (!wait_held_up(search, wait, depth))
            return false;
        turns++;
    }
    return turns >= actor->concurrency;
}

static bool wait_held_up(struct search *search, struct wait *wait, uint32_t depth)
{
    if (wait == search->from)
        return true;
    uint64_t generation = wait_generation(wait);
    struct actor *callee = wait_callee(wait);
    if (callee == NULL || search->looks == 0 || depth == 0)
        return false;
    search->looks--;
    struct wait *below = wait_below(callee, wait, generation);
    bool held = below != NULL ? wait_held_up(search, below, depth - 1)
                              : actor_held_up(search, callee, depth - 1);
    /* It has not been answered meanwhile: so all of the circle was there at one moment, when the
     * search had come round. */
    return held && wait_is_open(wait, generation);
}

bool wait_comes_round(struct wait *wait, enum wait_need need)
{
    struct search search = {.from = wait, .looks = SEARCH_LOOKS};
    struct actor *callee = at_load(&wait->callee, RELAXED);
    ASSERT(callee != NULL);
    if (need == NEEDS_A_TURN)
        return actor_held_up(&search, callee, TN_DEPTH_MAX - 1);
    bool held = false;
    wait = at_load(&callee->waits, SEQ_CST);
    for (; wait != NULL && !held; wait = wait->made)
        held = wait_callee(wait) != NULL && wait_held_up(&search, wait, TN_DEPTH_MAX - 1);
    return held;
}

/* Adds to or takes from the count of one priority; false when it is full. */
static bool lent_change(struct actor *actor, uint32_t priority, int32_t by)
{
    uint64_t lent = at_load(&actor->lent, RELAXED), now;
    uint32_t shift = priority * 8;
    do {
        uint64_t count = lent >> shift & 0xff;
        if (by > 0 && count == TN_LENDERS_MAX)
            return false;
        ASSERT(by > 0 || count > 0);
        now = by > 0 ? lent + (UINT64_C(1) << shift) : lent - (UINT64_C(1) << shift);
        /* RELAXED: a count; what it stands for is handed over by nobody. */
    } while (!at_cas(&actor->lent, &lent, now, RELAXED, RELAXED));
    return true;
}

bool wait_lend(struct wait *wait, uint64_t generation, struct actor *callee, uint32_t priority)
{
    ASSERT(priority < TN_PRIORITIES);
    if (priority >= callee->priority)
        return false;
    uint64_t lending = at_load(&wait->lending, RELAXED);
    if (lending >> 8 != generation || ((lending & 0xff) != 0 && (lending & 0xff) <= priority + 1))
        return false;
    /* Counted first: who takes it back finds it counted. */
    if (!lent_change(callee, priority, 1))
        return false;
    uint32_t before = (uint32_t)lending & 0xff;
    if (!at_cas(&wait->lending, &lending, generation << 8 | (priority + 1), ACQ_REL, RELAXED)) {
        lent_change(callee, priority, -1); /* the wait is over, or lends otherwise by now */
        return false;
    }
    if (before != 0)
        lent_change(callee, before - 1, -1);
    return true;
}

void wait_lend_end(struct wait *wait, struct actor *callee)
{
    uint32_t lends = (uint32_t)at_swap(&wait->lending, 0, ACQ_REL) & 0xff;
    if (lends != 0)
        lent_change(callee, lends - 1, -1);
}

static bool life_change(struct actor *actor, uint32_t from, uint32_t to)
{
    return at_cas(&actor->life, &from, to, SEQ_CST, RELAXED);
}

bool actor_ready(struct actor *actor)
{
    return life_change(actor, ACTOR_CREATED, ACTOR_READY) ||
           life_change(actor, ACTOR_FAILED, ACTOR_READY);
}

bool actor_fail(struct actor *actor)
{
    return life_change(actor, ACTOR_READY, ACTOR_FAILED);
}
