/* endpoint.c: endpoints: where the messages that a capability sends go.
 *
 * An endpoint has 1 to TN_TARGETS_MAX targets. With one, which is nearly all, sending reads a
 * pointer. With more, a routing rule picks one for each message: one mechanism for canaries
 * (weights), queue groups (equal weights), sharded services (hash) and services with an actor on
 * each CPU. Only targets that are READY are picked, so one that died or is not started yet takes
 * nothing while another can. The targets do not change.
 *
 * By weight and by hash the target is the one with the highest draw (rendezvous hashing: Thaler and
 * Ravishankar, "Using name-based mappings to increase hit rates", ToN 1998; with weights:
 * Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005, in integers). So when
 * a target goes, only its own share moves. A draw by weight comes from a counter of the CPU: the
 * same run draws the same. */
#include "kernel/ipc/ipc_int.h"

#include "base/bits.h"

/* The targets of an endpoint with more than one. */
struct route {
    enum endpoint_rule rule;
    uint32_t ntargets, hash_at, hash_len;
    struct {
        struct actor *actor; /* holds a ref */
        uint32_t weight;
    } target[TN_TARGETS_MAX];
};

static void route_free(struct untyped *home, struct route *route)
{
    for (uint32_t i = 0; i < route->ntargets; i++)
        object_unref(actor_object(route->target[i].actor));
    mem_free(home, route, sizeof(*route));
}

static void endpoint_destroy(struct object *object)
{
    struct endpoint *endpoint = endpoint_of(object);
    struct untyped *home = object->home;
    struct actor *target = endpoint->target;
    if (endpoint->route != NULL)
        route_free(home, endpoint->route);
    mem_free(home, endpoint, sizeof(*endpoint));
    if (target != NULL)
        object_unref(actor_object(target));
}

const struct object_class endpoint_class = {
    .type = OBJ_ENDPOINT, .name = "endpoint", .destroy = endpoint_destroy};

struct object *endpoint_object(struct endpoint *endpoint)
{
    return &endpoint->object;
}

static struct endpoint *make(struct untyped *mem, struct limbo *limbo, uint16_t interface)
{
    struct endpoint *endpoint = mem_alloc(mem, sizeof(*endpoint));
    if (endpoint == NULL)
        return NULL;
    object_init(&endpoint->object, &endpoint_class, mem, limbo);
    endpoint->interface = interface;
    return endpoint;
}

tn_err endpoint_make(struct untyped *mem, struct limbo *limbo, struct actor *target,
                     uint16_t interface, struct endpoint **ret_endpoint)
{
    struct endpoint *endpoint = make(mem, limbo, interface);
    if (endpoint == NULL)
        return TN_ENOMEM;
    object_ref(actor_object(target));
    endpoint->target = target;
    *ret_endpoint = endpoint;
    return TN_OK;
}

static bool config_is_valid(const struct endpoint_route *config)
{
    if (config->ntargets == 0 || config->ntargets > TN_TARGETS_MAX ||
        config->rule > ROUTE_PER_CPU || config->hash_len > TN_ROUTE_HASH_MAX)
        return false;
    uint32_t weights = 0;
    for (uint32_t i = 0; i < config->ntargets; i++) {
        if (config->weight[i] > TN_ROUTE_WEIGHT_MAX)
            return false;
        weights += config->weight[i];
    }
    return config->rule != ROUTE_WEIGHTS || weights > 0;
}

tn_err endpoint_make_routed(struct untyped *mem, struct limbo *limbo,
                            const struct endpoint_route *config, uint16_t interface,
                            struct endpoint **ret_endpoint)
{
    if (!config_is_valid(config))
        return TN_EINVAL;
    struct route *route = mem_alloc(mem, sizeof(*route));
    if (route == NULL)
        return TN_ENOMEM;
    struct endpoint *endpoint = make(mem, limbo, interface);
    if (endpoint == NULL) {
        mem_free(mem, route, sizeof(*route));
        return TN_ENOMEM;
    }
    route->rule = config->rule;
    route->ntargets = config->ntargets;
    route->hash_at = config->hash_at;
    route->hash_len = config->hash_len;
    for (uint32_t i = 0; i < config->ntargets; i++) {
        object_ref(actor_object(config->target[i]));
        route->target[i].actor = config->target[i];
        route->target[i].weight = config->rule == ROUTE_WEIGHTS ? config->weight[i] : 1;
    }
    endpoint->route = route;
    *ret_endpoint = endpoint;
    return TN_OK;
}

/* A well mixed number of `x` (the finalizer of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* FNV-1a over the bytes of the arguments that the rule names; those that are not there are none. */
static uint64_t hash_of(const struct route *route, const struct tn_pack *in)
{
    const uint8_t *bytes = in->data;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = route->hash_at; i < in->len && i - route->hash_at < route->hash_len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* A target's draw for `seed`: smaller is better, and a target of weight w is the smallest with a
 * chance that is proportional to w. An exponential variable of rate w is -ln(u) / w; of the
 * logarithm the leading bits are enough: log2 by its integer part and a linear fraction. */
static uint64_t draw(uint64_t seed, uint32_t i, uint32_t weight)
{
    uint64_t u = mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15)) | 1;
    uint32_t whole = log2_floor(u);
    uint64_t fraction = whole >= 24 ? u >> (whole - 24) : u << (24 - whole); /* 1.xx, 24 bits */
    uint64_t log2_u = ((uint64_t)whole << 24) + (fraction - (UINT64_C(1) << 24));
    return ((UINT64_C(64) << 24) - log2_u) * TN_ROUTE_WEIGHT_MAX / weight;
}

static bool can_serve(const struct route *route, uint32_t i)
{
    return route->target[i].weight > 0 && actor_life(route->target[i].actor) == ACTOR_READY;
}

static struct actor *lowest_draw(const struct route *route, uint64_t seed)
{
    struct actor *best = NULL;
    uint64_t best_draw = UINT64_MAX;
    for (uint32_t i = 0; i < route->ntargets; i++) {
        if (!can_serve(route, i))
            continue;
        uint64_t own = draw(seed, i, route->target[i].weight);
        if (own < best_draw) {
            best_draw = own;
            best = route->target[i].actor;
        }
    }
    return best;
}

/* From `first` on, the next that can serve. */
static struct actor *next_from(const struct route *route, uint32_t first)
{
    for (uint32_t k = 0; k < route->ntargets; k++) {
        uint32_t i = (first + k) % route->ntargets;
        if (can_serve(route, i))
            return route->target[i].actor;
    }
    return NULL;
}

struct actor *endpoint_route(struct cpu *cpu, struct endpoint *endpoint, const struct tn_pack *in)
{
    const struct route *route = endpoint->route;
    struct actor *target = NULL;
    switch (route->rule) {
    case ROUTE_WEIGHTS:
        target = lowest_draw(route, mix(++cpu->routed) + cpu->id);
        break;
    case ROUTE_HASH:
        target = lowest_draw(route, hash_of(route, in));
        break;
    case ROUTE_PER_CPU:
        target = next_from(route, cpu->id);
        break;
    case ROUTE_SINGLE:
        target = next_from(route, 0);
        break;
    }
    return target != NULL ? target : route->target[0].actor;
}

bool endpoint_has(const struct endpoint *endpoint, const struct actor *actor)
{
    if (endpoint->route == NULL)
        return endpoint->target == actor;
    for (uint32_t i = 0; i < endpoint->route->ntargets; i++) {
        if (endpoint->route->target[i].actor == actor)
            return true;
    }
    return false;
}

enum endpoint_rule endpoint_look(const struct endpoint *endpoint, uint32_t *ret_targets,
                                 uint32_t *ret_ready)
{
    const struct route *route = endpoint->route;
    if (route == NULL) {
        *ret_targets = 1;
        *ret_ready = actor_life(endpoint->target) == ACTOR_READY;
        return ROUTE_SINGLE;
    }
    uint32_t ready = 0;
    for (uint32_t i = 0; i < route->ntargets; i++)
        ready += can_serve(route, i);
    *ret_targets = route->ntargets;
    *ret_ready = ready;
    return route->rule;
}
