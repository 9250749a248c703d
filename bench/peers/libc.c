/* libc.c: the same operations with what every system has: threads, mutexes, conditions, sockets,
 * swapcontext; see peer.h. */
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "bench/peers/peer.h"

enum {
    SLOTS = 1024,
    PRODUCERS = 8,
    SMALL_BYTES = 32,
    BULK_BYTES = 64 * 1024,
    STACK_BYTES = 64 * 1024,
    HOUR_S = 3600,
};

static bool one_cpu; /* both threads on it, CPU time; else each its own, wall-clock time */
static bool placed;  /* threads are bound */

static uint64_t now_ns(void)
{
    return one_cpu ? peer_cpu_ns() : peer_wall_ns();
}

static void place(int nth)
{
    if (placed)
        peer_pin(one_cpu ? 0 : nth);
    else
        peer_unpin();
}

static double took(uint64_t begin_ns)
{
    return (double)(now_ns() - begin_ns) / (double)peer_count;
}

/* A bounded queue under a mutex; wakes only whom the change concerns. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    uint32_t head, tail;
    uint64_t slots[SLOTS];
};

static struct queue there = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, {0}};
static struct queue back = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, {0}};

static void put(struct queue *queue, uint64_t number)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->tail - queue->head == SLOTS)
        pthread_cond_wait(&queue->emptied, &queue->lock);
    queue->slots[queue->tail++ % SLOTS] = number;
    bool first = queue->tail - queue->head == 1;
    pthread_mutex_unlock(&queue->lock);
    if (first)
        pthread_cond_signal(&queue->filled);
}

static uint64_t take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->tail == queue->head)
        pthread_cond_wait(&queue->filled, &queue->lock);
    uint64_t number = queue->slots[queue->head++ % SLOTS];
    /* Producers that wait are woken when half is free: once for many messages. */
    bool half = queue->tail - queue->head == SLOTS / 2;
    pthread_mutex_unlock(&queue->lock);
    if (half)
        pthread_cond_broadcast(&queue->emptied);
    return number;
}

static void *echo(void *arg)
{
    (void)arg;
    place(1);
    for (uint64_t i = 0; i < peer_count / 2; i++)
        put(&back, take(&there));
    return NULL;
}

static double message(void)
{
    pthread_t thread;
    place(0);
    PEER_CHECK(pthread_create(&thread, NULL, echo, NULL) == 0);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count / 2; i++) {
        put(&there, i);
        PEER_CHECK(take(&back) == i);
    }
    double value = took(begin_ns) * 2; /* there and back */
    pthread_join(thread, NULL);
    return value;
}

static uint64_t each;

static void *produce(void *arg)
{
    (void)arg;
    place(1);
    for (uint64_t i = 0; i < each; i++)
        put(&there, i);
    return NULL;
}

static double pour(uint32_t producers)
{
    pthread_t threads[PRODUCERS];
    each = peer_count / producers;
    place(0);
    uint64_t begin_ns = now_ns();
    for (uint32_t i = 0; i < producers; i++)
        PEER_CHECK(pthread_create(&threads[i], NULL, produce, NULL) == 0);
    for (uint64_t i = 0; i < each * producers; i++)
        (void)take(&there);
    double value = took(begin_ns);
    for (uint32_t i = 0; i < producers; i++)
        pthread_join(threads[i], NULL);
    return value;
}

static double pour_one(void)
{
    return pour(1);
}

static double pour_eight(void)
{
    return pour(PRODUCERS);
}

/* Threads, timers, contexts */

static void *idle(void *arg)
{
    return arg;
}

/* Made, run to its end, and joined. */
static double make_thread(void)
{
    pthread_t thread;
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        PEER_CHECK(pthread_create(&thread, NULL, idle, NULL) == 0);
        pthread_join(thread, NULL);
    }
    return took(begin_ns);
}

static double timer(void)
{
    const struct itimerspec far = {.it_value = {.tv_sec = HOUR_S}}, never = {.it_value = {0}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    PEER_CHECK(fd >= 0);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        (void)timerfd_settime(fd, 0, &far, NULL);
        (void)timerfd_settime(fd, 0, &never, NULL);
    }
    double value = took(begin_ns);
    close(fd);
    return value;
}

static ucontext_t main_context, other_context;

static void other(void)
{
    for (;;)
        PEER_CHECK(swapcontext(&other_context, &main_context) == 0);
}

static double switch_context(void)
{
    static unsigned char stack[STACK_BYTES];
    PEER_CHECK(getcontext(&other_context) == 0);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = sizeof(stack);
    makecontext(&other_context, other, 0);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count / 2; i++)
        PEER_CHECK(swapcontext(&main_context, &other_context) == 0);
    return took(begin_ns);
}

/* Processes: a pair of Unix sockets; the child lives for one run. */

static int ends[2];
static unsigned char room[BULK_BYTES];

static void transfer(bool out, int fd, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n =
            out ? write(fd, room + done, bytes - done) : read(fd, room + done, bytes - done);
        PEER_CHECK(n > 0);
        done += (size_t)n;
    }
}

static void in_child(size_t bytes, bool answers)
{
    peer_unpin();
    for (uint64_t i = 0; i < peer_count; i++) {
        transfer(false, ends[1], bytes);
        if (answers)
            transfer(true, ends[1], bytes);
    }
    transfer(true, ends[1], 1);
    _exit(EXIT_SUCCESS);
}

static double with_process(size_t bytes, bool answers)
{
    PEER_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    peer_unpin();
    pid_t child = fork();
    PEER_CHECK(child >= 0);
    if (child == 0)
        in_child(bytes, answers);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        transfer(true, ends[0], bytes);
        if (answers)
            transfer(false, ends[0], bytes);
    }
    transfer(false, ends[0], 1);
    double value = took(begin_ns);
    PEER_CHECK(waitpid(child, NULL, 0) == child);
    close(ends[0]);
    close(ends[1]);
    return value;
}

static double channel_round_trip(void)
{
    return with_process(SMALL_BYTES, true);
}

static double channel_message(void)
{
    return with_process(SMALL_BYTES, false);
}

static double channel_bulk(void)
{
    return BULK_BYTES / with_process(BULK_BYTES, false);
}

int main(void)
{
    peer_begin("");
    one_cpu = placed = true;
    place(0);
    peer_figure("message_threads", message);
    peer_figure("message_one_way", pour_one);
    peer_figure("eight_to_one", pour_eight);
    peer_figure("actor_make", make_thread);
    peer_figure("timer", timer);
    peer_figure("fiber_switch", switch_context);
    one_cpu = placed = false;
    peer_figure("message_free", message);
    peer_figure("eight_to_one_free", pour_eight);
    peer_figure("channel_round_trip", channel_round_trip);
    peer_figure("channel_message", channel_message);
    peer_figure("channel_bulk", channel_bulk);
    if (peer_cpus() > 1) {
        placed = true;
        peer_figure("message_across", message);
        peer_figure("message_one_way_across", pour_one);
        peer_figure("eight_to_one_across", pour_eight);
    }
    peer_end();
    return EXIT_SUCCESS;
}
