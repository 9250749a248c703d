/* order.c: circles of calls, and an order in which who provides starts before who needs.
 *
 * A call to a component that waits for the caller fails (TN_EDEADLK), so wires that lead back to
 * where they start are a mistake unless one of them says circle = true. Those are left out; what
 * is left must have no circle, and then it has an order. */
#include "runtime/package/package_int.h"

enum colour { UNSEEN, OPEN, DONE };

/* A walk in depth: the path that is open, and for each component on it the need that it left by. */
struct walk {
    struct system *system;
    uint8_t *colour;
    uint32_t *path;
    uint32_t *need;
    uint32_t *target; /* and by which of its targets */
    uint32_t depth;
};

static bool leads_on(const struct need_spec *need)
{
    return need->wire == WIRE_COMPONENT && !need->circle;
}

/* The path from its `first`-th component on comes back to where it starts. */
static void circle_fault(const struct walk *w, uint32_t first)
{
    const struct component_spec *components = w->system->spec.components;
    struct message m = {.len = 0};
    for (uint32_t i = first; i <= w->depth; i++) {
        uint32_t at = i == w->depth ? first : i;
        const struct component_spec *c = &components[w->path[at]];
        message_add(&m, "%s%s.%s", i == first ? "" : " -> ", plain(c->name).text,
                    plain(c->needs[w->need[at]].name).text);
    }
    uint32_t last = w->depth - 1;
    fault(&w->system->doc, w->system->instances[w->path[last]].wire_at[w->need[last]],
          "a circle of calls, for which one wire must say circle = true: %s", m.text);
}

/* On to the next wire of the i-th component on the path, or the next target of the same one. */
static void next_edge(struct walk *w, uint32_t i)
{
    const struct component_spec *c = &w->system->spec.components[w->path[i]];
    if (++w->target[i] < need_ntargets(&c->needs[w->need[i]]))
        return;
    w->target[i] = 0;
    w->need[i]++;
}

/* One step from the component at the end of the path: along its next need, or back. */
static void step(struct walk *w)
{
    uint32_t top = w->depth - 1;
    const struct component_spec *c = &w->system->spec.components[w->path[top]];
    uint32_t need = w->need[top];
    if (need == c->nneeds) {
        w->colour[w->path[top]] = DONE;
        w->depth--;
        if (top > 0)
            next_edge(w, top - 1);
        return;
    }
    bool leads = leads_on(&c->needs[need]);
    uint32_t to = leads ? need_target(&c->needs[need], w->target[top]) : 0;
    if (leads && w->colour[to] == UNSEEN) {
        w->colour[to] = OPEN;
        w->path[w->depth] = to;
        w->target[w->depth] = 0;
        w->need[w->depth++] = 0;
        return;
    }
    if (leads && w->colour[to] == OPEN) {
        uint32_t first = top;
        while (w->path[first] != to)
            first--;
        circle_fault(w, first);
    }
    next_edge(w, top);
}

static void circles_find(struct system *system)
{
    uint32_t n = system->spec.ncomponents;
    struct reading *reading = system->doc.reading;
    struct walk w = {.system = system,
                     .colour = arena_get(reading, n),
                     .path = arena_get(reading, n * sizeof(uint32_t)),
                     .need = arena_get(reading, n * sizeof(uint32_t)),
                     .target = arena_get(reading, n * sizeof(uint32_t))};
    for (uint32_t i = 0; i < n && !reading->full; i++) {
        if (w.colour[i] != UNSEEN)
            continue;
        w.colour[i] = OPEN;
        w.path[0] = i;
        w.need[0] = w.target[0] = 0;
        w.depth = 1;
        while (w.depth > 0)
            step(&w);
    }
}

/* Are all that component i needs in the order already? */
static bool is_ready(const struct component_spec *c, const bool *placed)
{
    for (uint32_t k = 0; k < c->nneeds; k++) {
        uint32_t n = leads_on(&c->needs[k]) ? need_ntargets(&c->needs[k]) : 0;
        for (uint32_t i = 0; i < n; i++)
            if (!placed[need_target(&c->needs[k], i)])
                return false;
    }
    return true;
}

void order_make(struct system *system)
{
    struct reading *reading = system->doc.reading;
    uint32_t n = system->spec.ncomponents;
    circles_find(system);
    system->spec.order = arena_get(reading, n * sizeof(uint32_t));
    bool *placed = arena_get(reading, n * sizeof(bool));
    if (reading->full || reading->faults->total > 0)
        return;
    for (uint32_t done = 0; done < n; done++) {
        uint32_t i = 0; /* the first that can go: without a circle there is one */
        while (placed[i] || !is_ready(&system->spec.components[i], placed))
            i++;
        placed[i] = true;
        system->spec.order[done] = i;
    }
}
