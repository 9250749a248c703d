/* fence_light.h under ThreadSanitizer. It sees neither compiler barriers nor what machine_barrier
 * makes other threads pass, so the order that the pair gives is said to it with two words: a light
 * half publishes in `light` and then looks at `heavy`; a heavy half publishes in `heavy` and then
 * looks at `light`. Of two halves that meet at least one sees the other, so an edge is there
 * exactly where C11 has one between two seq_cst fences. Light halves publish without looking, for
 * they order nothing between each other: a race among them is still found. machine_linux holds the
 * words. */
#ifndef FENCE_LIGHT_H
#define FENCE_LIGHT_H

extern struct race_fence {
    atomic_u32 light, heavy;
} race_fence;

static inline void at_fence_light(void)
{
    (void)at_add(&race_fence.light, 0, RELEASE);
    (void)at_load(&race_fence.heavy, ACQUIRE);
}

static inline void race_heavy_begin(void)
{
    (void)at_add(&race_fence.heavy, 0, RELEASE);
}

static inline void race_heavy_end(void)
{
    (void)at_add(&race_fence.light, 0, ACQUIRE);
}

#endif
