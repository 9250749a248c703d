/* queue.c: run queues, wakes from other CPUs, and the events of one CPU's wheel. */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"

void queue_push(struct cpu *cpu, struct actor *actor)
{
    struct run_queue *queue = &cpu->queue[actor->priority];
    actor->queue_link = NULL;
    if (queue->first == NULL)
        queue->first = actor;
    else
        queue->last->queue_link = actor;
    queue->last = actor;
    cpu->queued |= 1u << actor->priority;
}

struct actor *queue_pop(struct cpu *cpu)
{
    if (cpu->queued == 0)
        return NULL;
    uint32_t priority = (uint32_t)__builtin_ctz(cpu->queued);
    struct run_queue *queue = &cpu->queue[priority];
    struct actor *actor = queue->first;
    ASSERT(actor != NULL && actor->priority == priority);
    queue->first = actor->queue_link;
    if (queue->first == NULL)
        cpu->queued &= ~(1u << priority);
    return actor;
}

static void remote_push(struct cpu *home, struct actor *actor)
{
    struct actor *head = at_load(&home->remote, RELAXED);
    do {
        actor->queue_link = head;
        /* RELEASE: the owner that takes the list sees the link. */
    } while (!at_cas(&home->remote, &head, actor, RELEASE, RELAXED));
    machine_unpark(home->id);
}

void queue_take_remote(struct cpu *cpu)
{
    if (at_load(&cpu->remote, RELAXED) == NULL)
        return;
    struct actor *actor = at_swap(&cpu->remote, NULL, ACQUIRE);
    struct actor *oldest = NULL;
    while (actor != NULL) {
        struct actor *next = actor->queue_link;
        actor->queue_link = oldest;
        oldest = actor;
        actor = next;
    }
    while (oldest != NULL) {
        struct actor *next = oldest->queue_link;
        queue_push(cpu, oldest);
        oldest = next;
    }
}

void queue_enter(struct cpu *cpu, struct actor *actor)
{
    if (actor->home == cpu)
        queue_push(cpu, actor);
    else
        remote_push(actor->home, actor);
}

void event_arm(struct cpu *cpu, struct event *event, tn_time at)
{
    lock_take(&cpu->wheel_lock);
    event->cpu = cpu;
    wheel_add(&cpu->wheel, &event->timer, at);
    lock_drop(&cpu->wheel_lock);
}

void event_cancel(struct event *event)
{
    struct cpu *cpu = event->cpu;
    if (cpu == NULL)
        return;
    lock_take(&cpu->wheel_lock);
    wheel_cancel(&cpu->wheel, &event->timer);
    lock_drop(&cpu->wheel_lock);
}

void sched_fire(struct cpu *cpu)
{
    lock_take(&cpu->wheel_lock);
    struct wheel_timer *timer;
    while ((timer = wheel_pop_due(&cpu->wheel, cpu->now)) != NULL) {
        struct event *event = CONTAINER_OF(timer, struct event, timer);
        event->fire(cpu, event);
    }
    lock_drop(&cpu->wheel_lock);
}
