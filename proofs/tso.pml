/* tso.pml: memory as a weak machine shows it: a store buffer for each CPU.
 *
 * A store goes into the buffer of its CPU and reaches memory later, in a step of a process of its
 * own (`memory`); a load looks into the CPU's own buffer first. Which stores may leave the buffer
 * before older ones is what the orders of base/atomic.h say:
 *
 *   RELAXED   (and plain)  overtakes older stores to other words
 *   RELEASE                leaves when all older stores have left
 *   SEQ_CST                as RELEASE; and a SEQ_CST load of the same CPU waits until it has left
 *
 * With RELEASE stores only this is x86 (Owens, Sarkar and Sewell, "A better x86 memory model:
 * x86-TSO", TPHOLs 2009); a RELAXED store is one of AArch64, and SEQ_CST no more than its STLR and
 * LDAR, so another load may pass a SEQ_CST store.
 *
 * A read-modify-write takes effect in memory at once. RELAXED and ACQUIRE ones wait only for older
 * stores of their CPU to the same word, all others for all older stores.
 *
 * What is not modelled: loads run in the order of the program, so ACQUIRE is no more than a name
 * here, and no load passes a read-modify-write of its CPU. A model that is to show what a load that
 * came early does reads early itself.
 *
 * Who includes this defines before it
 *   CPUS   buffers; the process of pid p < CPUS empties the buffer of CPU p
 *   WORDS  words of memory, all 0 in the beginning
 *   DEPTH  entries of a buffer, 2 to 4; a store into a full one waits */

#define RELAXED 0
#define RELEASE 1
#define SEQ_CST 2
#define ACQUIRE 3
#define ACQ_REL 4

typedef store_buffer {
    byte n; /* stores in it, the oldest first; what is behind them is 0 */
    byte word[DEPTH];
    byte value[DEPTH];
    byte order[DEPTH];
}

store_buffer buffer[CPUS];
byte mem[WORDS];
hidden byte tso_i; /* within one step only */

#define IN_BUFFER(cpu, i, w) (buffer[cpu].n > (i) && buffer[cpu].word[i] == (w))
#define WAITS_HERE(cpu, i)   (buffer[cpu].n > (i) && buffer[cpu].order[i] == SEQ_CST)
#if DEPTH == 2
#define HAS(cpu, w)      (IN_BUFFER(cpu, 0, w) || IN_BUFFER(cpu, 1, w))
#define HAS_SEQ_CST(cpu) (WAITS_HERE(cpu, 0) || WAITS_HERE(cpu, 1))
#elif DEPTH == 3
#define HAS(cpu, w) (IN_BUFFER(cpu, 0, w) || IN_BUFFER(cpu, 1, w) || IN_BUFFER(cpu, 2, w))
#define HAS_SEQ_CST(cpu) (WAITS_HERE(cpu, 0) || WAITS_HERE(cpu, 1) || WAITS_HERE(cpu, 2))
#else
#define HAS(cpu, w) (IN_BUFFER(cpu, 0, w) || IN_BUFFER(cpu, 1, w) || IN_BUFFER(cpu, 2, w) || \
                     IN_BUFFER(cpu, 3, w))
#define HAS_SEQ_CST(cpu) (WAITS_HERE(cpu, 0) || WAITS_HERE(cpu, 1) || WAITS_HERE(cpu, 2) || \
                          WAITS_HERE(cpu, 3))
#endif

/* The store at i > 0 may leave: it is RELAXED, and no older one is to the same word. */
#define MAY_OVERTAKE(cpu, i)                                                       \
    (buffer[cpu].n > (i) && buffer[cpu].order[i] == RELAXED &&                     \
     buffer[cpu].word[i] != buffer[cpu].word[0] &&                                 \
     ((i) < 2 || buffer[cpu].word[i] != buffer[cpu].word[1]) &&                    \
     ((i) < 3 || buffer[cpu].word[i] != buffer[cpu].word[((i) < 3 -> 0 : 2)]))

/* A part of a step: the store at `i` reaches memory. */
inline leave_buffer(cpu, i) {
    mem[buffer[cpu].word[i]] = buffer[cpu].value[i];
    tso_i = i + 1;
    do
    :: tso_i < buffer[cpu].n ->
        buffer[cpu].word[tso_i - 1] = buffer[cpu].word[tso_i];
        buffer[cpu].value[tso_i - 1] = buffer[cpu].value[tso_i];
        buffer[cpu].order[tso_i - 1] = buffer[cpu].order[tso_i];
        tso_i++
    :: else -> break
    od;
    buffer[cpu].n--;
    buffer[cpu].word[buffer[cpu].n] = 0;
    buffer[cpu].value[buffer[cpu].n] = 0;
    buffer[cpu].order[buffer[cpu].n] = 0;
    tso_i = 0
}

active [CPUS] proctype memory()
{
end:
    do
    :: d_step { buffer[_pid].n > 0 -> leave_buffer(_pid, 0) }
    :: d_step { MAY_OVERTAKE(_pid, 1) -> leave_buffer(_pid, 1) }
#if DEPTH > 2
    :: d_step { MAY_OVERTAKE(_pid, 2) -> leave_buffer(_pid, 2) }
#endif
#if DEPTH > 3
    :: d_step { MAY_OVERTAKE(_pid, 3) -> leave_buffer(_pid, 3) }
#endif
    od
}

/* at_store, and a plain store as a RELAXED one. */
inline store(cpu, w, v, how) {
    d_step {
        buffer[cpu].n < DEPTH ->
        buffer[cpu].word[buffer[cpu].n] = w;
        buffer[cpu].value[buffer[cpu].n] = v;
        buffer[cpu].order[buffer[cpu].n] = how;
        buffer[cpu].n++
    }
}

/* A part of a step: what a load of `w` finds. */
inline look(cpu, w, ret) {
    ret = mem[w];
    tso_i = 0;
    do
    :: tso_i < buffer[cpu].n ->
        if
        :: buffer[cpu].word[tso_i] == (w) -> ret = buffer[cpu].value[tso_i]
        :: else
        fi;
        tso_i++
    :: else -> break
    od;
    tso_i = 0
}

/* at_load: `how` is SEQ_CST, or anything else. */
inline load(cpu, w, ret, how) {
    d_step {
        (how != SEQ_CST || !HAS_SEQ_CST(cpu)) ->
        look(cpu, w, ret)
    }
}

/* When a read-modify-write may take place; a step begins with it, and then uses mem[w]. */
#define RMW(cpu, w, how) \
    (((how) == RELAXED || (how) == ACQUIRE) -> !HAS(cpu, w) : buffer[cpu].n == 0)

inline swap(cpu, w, v, ret, how) {
    d_step {
        RMW(cpu, w, how) ->
        ret = mem[w];
        mem[w] = v
    }
}

/* at_cas: `ret` is what was there; it went well if that was `expected`. A failed one is only a
 * load, but waits as if it had gone well. */
inline cas(cpu, w, expected, v, ret, how) {
    d_step {
        RMW(cpu, w, how) ->
        ret = mem[w];
        if
        :: ret == (expected) -> mem[w] = v
        :: else
        fi
    }
}

/* A loop of loads until the word, which this CPU does not write meanwhile, has the value: it waits,
 * so that who waits for ever is stuck, which the verifier reports. */
#define FINDS(cpu, w, v) (!HAS(cpu, w) && mem[w] == (v))

/* kernel/mem/lock.h: a word that is 1 while somebody has the lock. */
inline lock_take(cpu, w) {
    d_step { FINDS(cpu, w, 0) -> mem[w] = 1 } /* swap, ACQUIRE */
}
inline lock_drop(cpu, w) {
    store(cpu, w, 0, RELEASE)
}
