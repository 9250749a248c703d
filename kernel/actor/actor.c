/* actor.c: making and unmaking actors; waits (the essay is in actor.h). */
#include "kernel/actor/actor.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

static void actor_destroy(struct object *object)
{
    struct actor *actor = actor_of(object);
    ASSERT(actor->turns == 0 && actor->instance == NULL && actor->pool == NULL);
    struct untyped *memory = actor->memory;
    struct space *space = actor->space;
    mem_free(memory, wait_of(actor), sizeof(struct wait));
    mem_free(memory, actor, sizeof(*actor));
    object_unref(space_object(space));
    object_unref(untyped_object(memory));
}

static const struct object_class actor_class = {
    .type = OBJ_ACTOR,
    .name = "actor",
    .orphan = NULL,
    .destroy = actor_destroy,
};

tn_err actor_make(const struct actor_config *config, struct actor **ret_actor)
{
    if (config->mailbox == 0 || config->mailbox > TN_MAILBOX_MAX ||
        config->priority >= TN_PRIORITIES)
        return TN_EINVAL;
    struct actor *actor = mem_alloc(config->memory, sizeof(*actor));
    if (actor == NULL)
        return TN_ENOMEM;
    object_init(&actor->object, &actor_class, config->memory, config->limbo);
    at_init(&actor->run, ACTOR_IDLE);
    at_init(&actor->life, ACTOR_CREATED);
    at_init(&actor->woken, NULL);
    mbox_init(&actor->mbox);
    actor->mailbox_capacity = config->mailbox;
    actor->home = config->home;
    at_add(config->alive, 1, RELAXED);
    actor->priority = config->priority;
    actor->exact_time = config->exact_time;
    actor->deadline_ns = config->deadline_ns;
    actor->name = config->name;
    actor->memory = config->memory;
    object_ref(untyped_object(config->memory));
    actor->space = config->space;
    object_ref(space_object(config->space));
    wait_queue_init(&actor->senders, LOCK_ACTOR);
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

void actor_set_instance(struct actor *actor, struct instance *instance)
{
    actor->instance = instance;
    if (instance != NULL)
        instance->actor = actor;
}

struct wait *actor_wait(struct actor *actor)
{
    struct wait *wait = wait_of(actor);
    if (wait == NULL) {
        wait = mem_alloc(actor->memory, sizeof(*wait));
        if (wait == NULL)
            return NULL;
        at_init(&wait->state, (uint64_t)1 << WAIT_STATE_BITS | WAIT_FREE);
        at_init(&wait->callee, NULL);
        at_init(&wait->room_size, 0);
        wheel_timer_init(&wait->expiry.timer);
        list_init(&wait->link);
        /* SEQ_CST: in one order with the searches for circles (wait_set_callee). */
        at_store(&actor->wait, wait, SEQ_CST);
    }
    return wait;
}

uint64_t wait_open(struct wait *wait, struct turn *turn)
{
    uint64_t state = at_load(&wait->state, RELAXED);
    ASSERT((state & WAIT_STATE_MASK) == WAIT_FREE);
    wait->turn = turn;
    wait->result = TN_OK;
    wait->len = 0;
    wait->ncaps = 0;
    /* RELEASE: whoever claims it sees the fields. */
    at_store(&wait->state, (state & ~(uint64_t)WAIT_STATE_MASK) | WAIT_OPEN, RELEASE);
    return state >> WAIT_STATE_BITS;
}

void wait_queue_init(struct wait_queue *queue, enum lock_rank rank)
{
    lock_init(&queue->lock, rank);
    at_init(&queue->length, 0);
    list_init(&queue->waits);
}

void wait_enqueue(struct wait *wait, struct wait_queue *queue)
{
    ASSERT(wait->queue == NULL && list_empty(&wait->link));
    wait->queue = queue;
    wait->queue_generation = wait_generation(wait);
    list_push_back(&queue->waits, &wait->link);
    /* SEQ_CST: ordered against who hands out and then looks at the length. */
    at_add(&queue->length, 1, SEQ_CST);
}

void wait_unqueue(struct wait *wait)
{
    struct wait_queue *queue = wait->queue;
    ASSERT(queue != NULL);
    wait->queue = NULL;
    if (list_empty(&wait->link))
        return;
    list_remove(&wait->link);
    at_sub(&queue->length, 1, RELAXED);
}

void wait_dequeue(struct wait *wait)
{
    struct wait_queue *queue = wait->queue;
    if (queue == NULL)
        return;
    lock_take(&queue->lock);
    wait_unqueue(wait);
    lock_drop(&queue->lock);
}

struct wait *wait_queue_claim(struct wait_queue *queue)
{
    while (!list_empty(&queue->waits)) {
        struct wait *wait = CONTAINER_OF(list_pop_front(&queue->waits), struct wait, link);
        at_sub(&queue->length, 1, RELAXED);
        if (wait_claim(wait, wait->queue_generation, WAIT_FILLING))
            return wait;
        /* It expired or is cancelled: it is not in need any more. */
    }
    return NULL;
}

void wait_set_callee(struct wait *wait, struct actor *callee, int order)
{
    ASSERT(at_load(&wait->callee, RELAXED) == NULL && callee != NULL);
    /* SEQ_CST: of the calls that close a circle at the same time, the last to publish sees all. */
    if (order == SEQ_CST)
        at_store(&wait->callee, callee, SEQ_CST);
    else
        at_store(&wait->callee, callee, RELEASE);
}

struct actor *actor_waits_for(struct actor *actor)
{
    struct wait *wait = at_load(&actor->wait, SEQ_CST);
    if (wait == NULL)
        return NULL;
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
