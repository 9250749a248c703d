/* buffer.c: store buffers of virtual CPUs: the memory order of x86 (Sewell and others, "x86-TSO",
 * CACM 2010), which is the weakest that the simulator shows.
 *
 * A store that is not SEQ_CST waits in a buffer of its CPU. The CPU that made it reads it from
 * there; all others read memory and find the former value. The buffer drains in order, one store at
 * a time, at steps that the seed chooses: each drain is a decision and enters the trace hash. All
 * of it drains before the CPU changes memory at once: at every read-modify-write, whatever its
 * order, at a store that is SEQ_CST, in machine_unpark (on Linux a swap), in machine_barrier, and
 * when the CPU's entry returns. A SEQ_CST load drains nothing: on x86 it is a plain load.
 * at_fence_light drains nothing either: that is its point.
 *
 * Plain accesses, of what is not atomic, reach memory at once, and nothing is lost by that as long
 * as the program has no data race. Take a plain store by A and a plain access of the same bytes by
 * B. Without a race one of the two happens before the other, through a chain of atomic operations.
 *  - A's store is first: the chain begins with an atomic store or read-modify-write of A that comes
 *    after it in A's program, and B acts when that is in memory. On a real x86 the plain store has
 *    drained by then too, for the buffer is first in, first out. B finds it, early or in time.
 *  - B's access is first: it is over before A's store begins. On a real x86 A's store reaches
 * memory later still. B finds the former value either way. So no B can tell whether plain stores
 * wait, and a schedule that showed it would show a race, which ThreadSanitizer looks for on the
 * real machine. What B can tell is in which order atomic stores come, and that is simulated.
 *
 * One place is left where the two kinds meet: memory that held an atomic and gets another use. The
 * plain stores of its next life would come to memory before a store of the former life that still
 * waits, which no x86 does. Therefore:
 *  - stores to words on a stack of the machine's do not wait: frames come and go without notice;
 *  - at_init drains what this CPU still has for the word, and panics when another CPU has: nobody
 *    begins a life while another ends one without having heard of it;
 *  - freeing memory takes a lock, which is a read-modify-write;
 *  - what slips through is found: a buffered store that drains onto a value which no atomic
 *    operation put there panics.
 *
 * The checks of sim_on_step, which run as nobody, must not see plain stores without the atomic ones
 * that were made before them. To them a word is what its last writer made of it, whether that waits
 * or not; and what they write there, such as a lock that they take and drop, waits in its place.
 *
 * Invariants:
 *  1. Outside of a run no store waits.
 *  2. `under` of a waiting store is what memory holds there, unless `changed`.
 *  3. waiting is the sum of all counts. */
#include <string.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "machine/hosted/memory.h"
#include "machine/sim/sim_int.h"

static bool overlaps(const struct sim_store *store, const volatile void *at, size_t size)
{
    uintptr_t first = (uintptr_t)store->at, other = (uintptr_t)at;
    return first < other + size && other < first + store->size;
}

static struct sim_store *store_of(struct sim_buffer *buffer, uint32_t i)
{
    ASSERT(i < buffer->count);
    return &buffer->stores[(buffer->first + i) % SIM_BUFFER_MAX];
}

/* The youngest store of the buffer to any of these bytes, or NULL. */
static struct sim_store *store_to(struct sim_buffer *buffer, const volatile void *at, size_t size)
{
    for (uint32_t i = buffer->count; i > 0; i--) {
        struct sim_store *store = store_of(buffer, i - 1);
        if (overlaps(store, at, size))
            return store;
    }
    return NULL;
}

static uint64_t memory_read(const void *at, size_t size)
{
    uint64_t bits = 0;
    memcpy(&bits, at, size);
    return bits;
}

/* Calls for each waiting store that the bytes reach, of any CPU. */
static void each_over(const volatile void *at, size_t size, void (*call)(struct sim_store *store))
{
    for (uint32_t cpu = 0, left = sim.waiting; left > 0; cpu++) {
        struct sim_buffer *buffer = &sim.cpus[cpu].buffer;
        left -= buffer->count;
        for (uint32_t i = 0; i < buffer->count; i++)
            if (overlaps(store_of(buffer, i), at, size))
                call(store_of(buffer, i));
    }
}

static void look_again(struct sim_store *store)
{
    store->under = memory_read(store->at, store->size);
}

static void mark_changed(struct sim_store *store)
{
    store->changed = true;
}

static void memory_write(void *at, size_t size, uint64_t bits)
{
    memcpy(at, &bits, size);
    each_over(at, size, look_again);
}

/* The oldest store of a CPU comes to memory. */
static void drain_one(uint32_t cpu)
{
    struct sim_buffer *buffer = &sim.cpus[cpu].buffer;
    struct sim_store store = *store_of(buffer, 0);
    if (!store.changed && memory_read(store.at, store.size) != store.under)
        machine_panic("a plain store came to a word whose atomic store still waits in the buffer: "
                      "begin its next life with at_init",
                      __FILE__, __LINE__);
    buffer->first = (buffer->first + 1) % SIM_BUFFER_MAX;
    buffer->count--;
    sim.waiting--;
    memory_write(store.at, store.size, store.bits);
    sim.stats.drains++;
    sim_trace(SIM_EVENT_DRAIN, cpu, buffer->count);
}

void sim_drain(uint32_t cpu)
{
    while (sim.cpus[cpu].buffer.count > 0)
        drain_one(cpu);
}

void sim_drain_all(void)
{
    for (uint32_t cpu = 0; sim.waiting > 0; cpu++)
        sim_drain(cpu);
}

void sim_drain_some(void)
{
    if (sim.waiting == 0 || sim_below(sim.drain_one_in) != 0)
        return;
    uint32_t holders[TN_THREADS_MAX], count = 0;
    for (uint32_t cpu = 0; cpu < sim.config.cpus; cpu++)
        if (sim.cpus[cpu].buffer.count > 0)
            holders[count++] = cpu;
    drain_one(holders[sim_below(count)]);
}

/* Where a check finds a word. */
static void *newest(void *memory, size_t size)
{
    struct sim_store *found = NULL;
    for (uint32_t cpu = 0, left = sim.waiting; left > 0; cpu++) {
        struct sim_buffer *buffer = &sim.cpus[cpu].buffer;
        left -= buffer->count;
        struct sim_store *store = store_to(buffer, memory, size);
        if (store != NULL && store->at == memory && store->size == size &&
            (found == NULL || store->age > found->age))
            found = store;
    }
    return found != NULL ? &found->bits : memory; /* little-endian: the low bytes are first */
}

void *race_read(const volatile void *at, size_t size)
{
    void *memory = (void *)(uintptr_t)at;
    if (sim.waiting == 0)
        return memory;
    if (sim.current == SIM_HOST)
        return newest(memory, size);
    struct sim_store *store = store_to(&sim.cpus[sim.current].buffer, at, size);
    if (store == NULL)
        return memory;
    if (store->at == memory && store->size == size)
        return &store->bits;
    sim_drain(sim.current); /* a word read in parts: as real CPUs do */
    return memory;
}

void race_write(volatile void *at, size_t size, uint64_t bits, int order)
{
    ASSERT(size <= sizeof(bits));
    void *memory = (void *)(uintptr_t)at;
    race_point();
    if (sim.current == SIM_HOST) {
        memcpy(newest(memory, size), &bits, size);
        return;
    }
    struct sim_buffer *buffer = &sim.cpus[sim.current].buffer;
    if (order == SEQ_CST || sim.config.stores_at_once || stack_holds((uintptr_t)at)) {
        sim_drain(sim.current);
        memory_write(memory, size, bits);
        return;
    }
    if (buffer->count == SIM_BUFFER_MAX)
        drain_one(sim.current);
    if (size < sizeof(bits))
        bits &= (UINT64_C(1) << (8 * size)) - 1;
    buffer->stores[(buffer->first + buffer->count) % SIM_BUFFER_MAX] =
        (struct sim_store){.at = memory,
                           .bits = bits,
                           .under = memory_read(memory, size),
                           .age = ++sim.age,
                           .size = (uint8_t)size};
    buffer->count++;
    sim.waiting++;
}

void *race_drain(volatile void *at, size_t size)
{
    void *memory = (void *)(uintptr_t)at;
    if (sim.current == SIM_HOST)
        return newest(memory, size);
    sim_drain(sim.current);
    each_over(at, size, mark_changed);
    return memory;
}

void race_begin(volatile void *at, size_t size)
{
    if (sim.current == SIM_HOST || sim.waiting == 0)
        return;
    if (store_to(&sim.cpus[sim.current].buffer, at, size) != NULL)
        sim_drain(sim.current);
    for (uint32_t cpu = 0; cpu < sim.config.cpus; cpu++)
        if (store_to(&sim.cpus[cpu].buffer, at, size) != NULL)
            machine_panic("at_init of a word whose store still waits in another CPU's buffer",
                          __FILE__, __LINE__);
}

void machine_barrier(void)
{
    race_point();
    if (sim.current == SIM_HOST)
        return;
    sim_drain(sim.current);
    /* Each at a moment of its own, in an order of the seed's; what was there at the call goes. */
    uint32_t first = (uint32_t)sim_below(sim.config.cpus);
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        uint32_t cpu = (first + i) % sim.config.cpus;
        if (sim.cpus[cpu].buffer.count == 0)
            continue;
        race_point();
        sim_drain(cpu);
    }
}
