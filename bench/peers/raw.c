/* raw.c: what the machine allows: the same operations without a runtime; see peer.h.
 *
 * A figure here is a bound: no protection, no scheduling, no sleep. Threads that wait for each
 * other spin, so they need CPUs of their own. */
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "bench/peers/peer.h"

enum {
    SLOTS = 1024,
    BATCH = 256,
    PRODUCERS = 8,
    RING = 1000,
    NODES = 1 << 14,
    LINE_BYTES = 64,
    SMALL_BYTES = 32,
    BULK_BYTES = 64 * 1024,
    BULK_SLOTS = 4,
    COPY_BYTES = 64 << 20,
    STACK_BYTES = 64 * 1024,
};

static double took(uint64_t begin_ns, uint64_t end_ns)
{
    return (double)(end_ns - begin_ns) / (double)peer_count;
}

/* A plain ring, one thread: a message is 32 bytes into the ring, and out of it. */

struct small {
    uint64_t words[SMALL_BYTES / sizeof(uint64_t)];
};

struct plain {
    uint32_t head, tail;
    struct small slots[SLOTS];
};

static void plain_push(struct plain *ring, const struct small *message)
{
    ring->slots[ring->tail++ % SLOTS] = *message;
    __asm__ volatile("" : : : "memory");
}

static void plain_pop(struct plain *ring, struct small *ret_message)
{
    *ret_message = ring->slots[ring->head++ % SLOTS];
    __asm__ volatile("" : : : "memory");
}

static double plain(uint32_t rings, uint32_t batch)
{
    static struct plain ring[PRODUCERS];
    struct small message = {{0}};
    uint64_t begin_ns = peer_cpu_ns();
    for (uint64_t i = 0; i < peer_count; i += batch) {
        for (uint32_t j = 0; j < batch; j++)
            plain_push(&ring[j % rings], &message);
        for (uint32_t j = 0; j < batch; j++)
            plain_pop(&ring[j % rings], &message);
    }
    return took(begin_ns, peer_cpu_ns());
}

static double message(void)
{
    return plain(1, 1) * 2; /* there and back */
}

static double message_one_way(void)
{
    return plain(1, BATCH);
}

static double eight_to_one(void)
{
    return plain(PRODUCERS, BATCH);
}

/* A hop moves the message on to the next of 1,000 queues of one slot. */
static double ring(void)
{
    static struct small queues[RING];
    uint64_t begin_ns = peer_cpu_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        queues[(i + 1) % RING] = queues[i % RING];
        __asm__ volatile("" : : : "memory");
    }
    return took(begin_ns, peer_cpu_ns());
}

static uint64_t answer(uint64_t n)
{
    return n + 1;
}

/* A call through a pointer that the compiler cannot see through. */
static double call(void)
{
    uint64_t (*to)(uint64_t) = answer;
    uint64_t begin_ns = peer_cpu_ns(), n = 0;
    for (uint64_t i = 0; i < peer_count; i++) {
        __asm__ volatile("" : "+r"(to));
        n = to(n);
    }
    PEER_CHECK(n == peer_count);
    return took(begin_ns, peer_cpu_ns());
}

/* Rings between two CPUs: one producer, one consumer. Each side's word has a line of its own, and
 * each looks at the other's only when its copy says full or empty. */

struct side {
    _Alignas(LINE_BYTES) atomic_u64 at; /* RELEASE when slots are filled or emptied up to it */
    uint64_t other;
};

struct spsc {
    struct side producer, consumer;
    _Alignas(LINE_BYTES) struct small slots[SLOTS];
};

static void spsc_push(struct spsc *ring, const struct small *message)
{
    uint64_t at = at_load(&ring->producer.at, RELAXED); /* own */
    while (at - ring->producer.other >= SLOTS)
        ring->producer.other = at_load(&ring->consumer.at, ACQUIRE);
    ring->slots[at % SLOTS] = *message;
    at_store(&ring->producer.at, at + 1, RELEASE);
}

static void spsc_pop(struct spsc *ring, struct small *ret_message)
{
    uint64_t at = at_load(&ring->consumer.at, RELAXED); /* own */
    while (at == ring->consumer.other)
        ring->consumer.other = at_load(&ring->producer.at, ACQUIRE);
    *ret_message = ring->slots[at % SLOTS];
    at_store(&ring->consumer.at, at + 1, RELEASE);
}

/* What both sides share, in memory that a child shares too. */
static struct shared {
    struct spsc there, back;
    _Alignas(LINE_BYTES) atomic_u64 line;
    _Alignas(LINE_BYTES) atomic_u32 word;
    _Alignas(LINE_BYTES) unsigned char bulk[BULK_SLOTS][BULK_BYTES];
} * shared;

static void share(void)
{
    if (shared != NULL)
        (void)munmap(shared, sizeof(*shared));
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    PEER_CHECK(shared != MAP_FAILED);
    memset(shared, 0, sizeof(*shared));
}

static void *echo(void *arg)
{
    (void)arg;
    struct small message;
    peer_pin(1);
    for (uint64_t i = 0; i < peer_count; i++) {
        spsc_pop(&shared->there, &message);
        spsc_push(&shared->back, &message);
    }
    return NULL;
}

static void *drain(void *arg)
{
    (void)arg;
    struct small message;
    peer_pin(1);
    for (uint64_t i = 0; i < peer_count; i++)
        spsc_pop(&shared->there, &message);
    spsc_push(&shared->back, &message);
    return NULL;
}

static double round_trip(void)
{
    struct small message = {{0}};
    uint64_t begin_ns = peer_wall_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        spsc_push(&shared->there, &message);
        spsc_pop(&shared->back, &message);
    }
    return took(begin_ns, peer_wall_ns());
}

static double pour(void)
{
    struct small message = {{0}};
    uint64_t begin_ns = peer_wall_ns();
    for (uint64_t i = 0; i < peer_count; i++)
        spsc_push(&shared->there, &message);
    spsc_pop(&shared->back, &message);
    return took(begin_ns, peer_wall_ns());
}

static double with_thread(void *(*other)(void *), double (*self)(void))
{
    pthread_t thread;
    share();
    PEER_CHECK(pthread_create(&thread, NULL, other, NULL) == 0);
    double value = self();
    pthread_join(thread, NULL);
    return value;
}

static double with_process(void *(*other)(void *), double (*self)(void))
{
    share();
    pid_t child = fork();
    PEER_CHECK(child >= 0);
    if (child == 0) {
        (void)other(NULL);
        _exit(EXIT_SUCCESS);
    }
    double value = self();
    PEER_CHECK(waitpid(child, NULL, 0) == child);
    return value;
}

static double message_across(void)
{
    return with_thread(echo, round_trip);
}

static double message_one_way_across(void)
{
    return with_thread(drain, pour);
}

static double channel_round_trip(void)
{
    return with_process(echo, round_trip);
}

static double channel_message(void)
{
    return with_process(drain, pour);
}

/* Bulk: copied into shared memory by one, out of it by the other: two crossings. */

static void *drain_bulk(void *arg)
{
    (void)arg;
    static unsigned char own[BULK_BYTES];
    struct small message = {{0}};
    peer_pin(1);
    for (uint64_t i = 0; i < peer_count; i++) {
        spsc_pop(&shared->there, &message);
        memcpy(own, shared->bulk[i % BULK_SLOTS], BULK_BYTES);
        __asm__ volatile("" : : "r"(own) : "memory");
        spsc_push(&shared->back, &message);
    }
    return NULL;
}

static double pour_bulk(void)
{
    static unsigned char own[BULK_BYTES];
    struct small message = {{0}};
    uint64_t begin_ns = peer_wall_ns();
    for (uint64_t i = 0; i < peer_count + BULK_SLOTS; i++) {
        if (i >= BULK_SLOTS)
            spsc_pop(&shared->back, &message);
        if (i >= peer_count)
            continue;
        memcpy(shared->bulk[i % BULK_SLOTS], own, BULK_BYTES);
        spsc_push(&shared->there, &message);
    }
    return BULK_BYTES / took(begin_ns, peer_wall_ns());
}

static double channel_bulk(void)
{
    return with_process(drain_bulk, pour_bulk);
}

/* Eight lists of messages to one consumer: producers swap the head of a list that the consumer
 * takes as a whole. One thread plays the producers, for eight that spin would need eight CPUs. */

struct node {
    struct node *next;
    struct small message;
};
static atomic_of(struct node *) inbox;

static void *drain_inbox(void *arg)
{
    (void)arg;
    peer_pin(1);
    for (uint64_t taken = 0; taken < peer_count;) {
        struct node *all = at_swap(&inbox, NULL, ACQUIRE); /* sees what producers wrote */
        if (all == NULL)
            continue;
        for (; all != NULL; all = all->next)
            taken++;
        at_store(&shared->line, taken, RELEASE); /* their nodes may be used again */
    }
    return NULL;
}

static double pour_inbox(void)
{
    static struct node nodes[NODES];
    uint64_t begin_ns = peer_wall_ns(), taken = 0;
    for (uint64_t i = 0; i < peer_count; i++) {
        while (i - taken == NODES)
            taken = at_load(&shared->line, ACQUIRE);
        struct node *node = &nodes[i % NODES], *head = at_load(&inbox, RELAXED); /* the CAS tells */
        do
            node->next = head;
        while (!at_cas(&inbox, &head, node, RELEASE, RELAXED));
    }
    while (at_load(&shared->line, ACQUIRE) != peer_count)
        continue;
    return took(begin_ns, peer_wall_ns());
}

static double eight_to_one_across(void)
{
    return with_thread(drain_inbox, pour_inbox);
}

/* A fiber switch that saves what the ABI says must live: switch_*.S. */

void raw_switch(void **save_sp, void *to_sp);
void *raw_stack(void *top, void (*entry)(void));

static void *main_sp, *fiber_sp;

static void fiber(void)
{
    for (;;)
        raw_switch(&fiber_sp, main_sp);
}

static double fiber_switch(void)
{
    static unsigned char stack[STACK_BYTES] __attribute__((aligned(LINE_BYTES)));
    fiber_sp = raw_stack(stack + sizeof(stack), fiber);
    uint64_t begin_ns = peer_cpu_ns();
    for (uint64_t i = 0; i < peer_count / 2; i++)
        raw_switch(&main_sp, fiber_sp);
    return took(begin_ns, peer_cpu_ns());
}

/* The machine itself */

static void *line_echo(void *arg)
{
    (void)arg;
    peer_pin(1);
    for (uint64_t i = 0; i < peer_count; i++) {
        while (at_load(&shared->line, ACQUIRE) != 2 * i + 1)
            continue;
        at_store(&shared->line, 2 * i + 2, RELEASE);
    }
    return NULL;
}

static double line_ask(void)
{
    uint64_t begin_ns = peer_wall_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        at_store(&shared->line, 2 * i + 1, RELEASE);
        while (at_load(&shared->line, ACQUIRE) != 2 * i + 2)
            continue;
    }
    return took(begin_ns, peer_wall_ns());
}

static double cache_line(void)
{
    return with_thread(line_echo, line_ask);
}

/* The same with a sleep at both ends: each side waits until the word is what it waits for. */

static void line_set(uint32_t value)
{
    at_store(&shared->word, value, SEQ_CST); /* before the system call looks for waiters */
    (void)syscall(SYS_futex, &shared->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void line_await(uint32_t value)
{
    for (;;) {
        uint32_t now = at_load(&shared->word, ACQUIRE);
        if (now == value)
            return;
        (void)syscall(SYS_futex, &shared->word, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    }
}

static void *futex_echo(void *arg)
{
    (void)arg;
    peer_pin(1);
    for (uint32_t i = 0; i < peer_count; i++) {
        line_await(2 * i + 1);
        line_set(2 * i + 2);
    }
    return NULL;
}

static double futex_ask(void)
{
    uint64_t begin_ns = peer_wall_ns();
    for (uint32_t i = 0; i < peer_count; i++) {
        line_set(2 * i + 1);
        line_await(2 * i + 2);
    }
    return took(begin_ns, peer_wall_ns()) / 2;
}

static double futex_wake(void)
{
    return with_thread(futex_echo, futex_ask);
}

static double copy(size_t bytes)
{
    static unsigned char *from, *to;
    if (from == NULL) {
        from = malloc(COPY_BYTES);
        to = malloc(COPY_BYTES);
        PEER_CHECK(from != NULL && to != NULL);
        memset(from, 1, COPY_BYTES);
        memset(to, 2, COPY_BYTES);
    }
    uint64_t copies = peer_count * LINE_BYTES / bytes + 1;
    uint64_t begin_ns = peer_cpu_ns();
    for (uint64_t i = 0; i < copies; i++) {
        memcpy(to, from, bytes);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return (double)(copies * bytes) / (double)(peer_cpu_ns() - begin_ns);
}

static double copy_memory(void)
{
    return copy(COPY_BYTES);
}

static double copy_cache(void)
{
    return copy(BULK_BYTES);
}

/* As many bytes as an idle actor with an empty space takes (actor_space_bytes in the table),
 * written in memory that nobody has touched: what the machine takes for that before anything is
 * made. More than its caches hold, so that the system below does not give the same pages again,
 * still warm. */
static double actor_make_touch(void)
{
    enum { ACTOR_BYTES = 496 };
    uint64_t took_ns = 0, made = 0;
    while (made < peer_count) {
        unsigned char *at =
            mmap(NULL, COPY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        PEER_CHECK(at != MAP_FAILED);
        uint64_t begin_ns = peer_cpu_ns();
        for (size_t end = ACTOR_BYTES; end <= COPY_BYTES && made < peer_count; made++) {
            memset(at + end - ACTOR_BYTES, 1, ACTOR_BYTES);
            end += ACTOR_BYTES;
        }
        took_ns += peer_cpu_ns() - begin_ns;
        (void)munmap(at, COPY_BYTES);
    }
    return (double)took_ns / (double)made;
}

static double clock_read(void)
{
    uint64_t begin_ns = peer_cpu_ns();
    for (uint64_t i = 0; i < peer_count; i++)
        (void)peer_wall_ns();
    return took(begin_ns, peer_cpu_ns());
}

int main(void)
{
    peer_begin("");
    peer_pin(0);
    peer_figure("message", message);
    peer_figure("message_one_way", message_one_way);
    peer_figure("eight_to_one", eight_to_one);
    peer_figure("ring", ring);
    peer_figure("call", call);
    peer_figure("fiber_switch", fiber_switch);
    peer_figure("actor_make_touch", actor_make_touch);
    peer_figure("copy_memory", copy_memory);
    peer_figure("copy_cache", copy_cache);
    peer_figure("clock_read", clock_read);
    if (peer_cpus() > 1) {
        peer_figure("message_across", message_across);
        peer_figure("message_one_way_across", message_one_way_across);
        peer_figure("eight_to_one_across", eight_to_one_across);
        peer_figure("channel_round_trip", channel_round_trip);
        peer_figure("channel_message", channel_message);
        peer_figure("channel_bulk", channel_bulk);
        peer_figure("cache_line", cache_line);
        peer_figure("futex_wake", futex_wake);
    }
    peer_end();
    return EXIT_SUCCESS;
}
