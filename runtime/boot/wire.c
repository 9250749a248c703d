/* wire.c: parts of a system before they have code: memory, spaces, configuration, actors, and the
 * capabilities between them. */
#include "runtime/boot/boot_int.h"

#include <tenon/config.h>
#include <tenon/driver.h>

#include "base/assert.h"
#include "base/fmt.h"
#include <tenon/interface.h>

static void name_part(struct part *part, struct str name)
{
    size_t len = name.len < TN_NAME_MAX ? name.len : TN_NAME_MAX;
    memcpy(part->name, name.at, len);
    part->name[len] = '\0';
}

static tn_err make_part(struct boot *boot, struct part *part, uint64_t memory_bytes)
{
    struct kernel *kernel = boot->kernel;
    part->boot = boot;
    tn_err err = untyped_make(boot->memory, memory_bytes, &part->memory);
    if (err == TN_OK)
        err = space_make(part->memory, &kernel->caps, &kernel->limbo, PART_SLOTS, &part->space);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "no room for its memory of %llu bytes",
                        (unsigned long long)memory_bytes);
    return TN_OK;
}

/* Components that are wired to each other are brought together on one CPU; returns the group's
 * first component. */
static uint32_t group_of(struct boot *boot, uint32_t i)
{
    while (boot->parts[i].group != i)
        i = boot->parts[i].group;
    return i;
}

static void make_groups(struct boot *boot)
{
    const struct system_spec *spec = boot->input.spec;
    for (uint32_t i = 0; i < boot->nparts; i++)
        boot->parts[i].group = i;
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        for (uint32_t k = 0; k < spec->components[i].nneeds; k++) {
            const struct need_spec *need = &spec->components[i].needs[k];
            if (need->wire != WIRE_COMPONENT || need->route != NULL)
                continue; /* several targets are there to share work, not a CPU */
            uint32_t a = group_of(boot, i), b = group_of(boot, need->component);
            boot->parts[a > b ? a : b].group = a > b ? b : a;
        }
    }
}

/* The i-th target of a wire by CPU lives on the i-th; who is named by two, where the last says. */
static void place_by_cpu(struct boot *boot, const struct need_spec *need)
{
    if (need->route == NULL || need->route->rule != WIRE_PER_CPU)
        return;
    for (uint32_t i = 0; i < need->route->ntargets; i++) {
        struct part *part = boot_component(boot, need->route->target[i].component);
        part->stays = true;
        part->cpu = i;
    }
}

tn_err boot_make_parts(struct boot *boot)
{
    const struct system_spec *spec = boot->input.spec;
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        struct part *part = boot_component(boot, i);
        part->spec = &spec->components[i];
        part->index = i;
        name_part(part, part->spec->name);
        tn_err err = make_part(boot, part, part->spec->resources.memory_bytes);
        if (err != TN_OK)
            return err;
    }
    for (uint32_t i = 0; i < boot->ndrivers; i++) {
        struct part *part = boot_driver(boot, i);
        part->index = i;
        name_part(part, str_of(boot->input.drivers[i].name));
        tn_err err = make_part(boot, part, DRIVER_MEMORY_BYTES);
        if (err != TN_OK)
            return err;
    }
    make_groups(boot);
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        for (uint32_t k = 0; k < spec->components[i].nneeds; k++)
            place_by_cpu(boot, &spec->components[i].needs[k]);
    }
    return TN_OK;
}

/* Configuration */

static tn_err add_value(struct tn_pack *pack, const char *key, uint32_t len,
                        const struct toml_node *node)
{
    int64_t flag = node->type == TOML_BOOLEAN && node->boolean;
    switch (node->type) {
    case TOML_STRING:
        return tn_config_add(pack, TN_CONFIG_TEXT, key, len, node->string.at,
                             (uint32_t)node->string.len);
    case TOML_INTEGER:
        return tn_config_add(pack, TN_CONFIG_INTEGER, key, len, &node->integer, 8);
    case TOML_FLOAT:
        return tn_config_add(pack, TN_CONFIG_FLOAT, key, len, &node->number, 8);
    case TOML_BOOLEAN:
        return tn_config_add(pack, TN_CONFIG_BOOL, key, len, &flag, 8);
    default:
        return TN_ENOSYS;
    }
}

/* The tables are flattened; one level deep is all that a configuration may nest. */
static tn_err add_table(struct boot *boot, struct part *part, const struct toml_table *table,
                        struct str prefix)
{
    char key[TN_CONFIG_KEY_MAX + 1];
    for (const struct toml_node *n = toml_table_first(table); n != NULL; n = n->next) {
        size_t len = fmt_print(key, sizeof(key), "%.*s%s%.*s", (int)prefix.len, prefix.at,
                               prefix.len > 0 ? "." : "", (int)n->key.len, n->key.at);
        if (len >= sizeof(key))
            return boot_say(boot, TN_ETOOBIG, part->name, "a key of its configuration is too long");
        tn_err err = TN_ENOSYS;
        if (n->type == TOML_TABLE && prefix.len == 0)
            err = add_table(boot, part, n->table, (struct str){key, len});
        else
            err = add_value(&part->config, key, (uint32_t)len, n);
        if (err == TN_ENOSYS)
            return boot_say(boot, TN_EFORMAT, part->name,
                            "its configuration key `%s` is %s: text, numbers and booleans are "
                            "what a configuration holds",
                            key, toml_type_name(n->type));
        if (err != TN_OK)
            return boot->result->text[0] != '\0'
                       ? err
                       : boot_say(boot, err, part->name, "its configuration is too large");
    }
    return TN_OK;
}

static uint32_t driver_find(struct boot *boot, enum wire_kind kind)
{
    for (uint32_t i = 0; i < boot->ndrivers; i++) {
        if (boot->input.drivers[i].kind == kind)
            return i;
    }
    return UINT32_MAX;
}

/* The grant of one wire to a driver, in the driver's configuration; its badge is the number of
 * grants so far. */
static tn_err add_grant(struct boot *boot, struct part *part, const struct need_spec *need)
{
    uint32_t index = driver_find(boot, need->wire);
    if (index == UINT32_MAX)
        return boot_say(boot, TN_ENOSYS, part->name,
                        "its need `%.*s` wants a driver that this "
                        "program does not hold",
                        (int)need->name.len, need->name.at);
    struct part *driver = boot_driver(boot, index);
    struct tn_grant grant = {.badge = ++driver->grants};
    tn_err err = TN_OK;
    struct str path;
    if (need->wire == WIRE_FILES) {
        err = boot->input.path(boot->input.ctx, need, &path);
        if (err != TN_OK)
            return boot_say(boot, err, part->name, "no path for its need `%.*s`",
                            (int)need->name.len, need->name.at);
        grant.kind = need->directory ? TN_GRANT_DIRECTORY : TN_GRANT_FILE;
        grant.rights = need->grant;
        grant.text = path.at;
        grant.text_len = (uint32_t)path.len;
    } else if (need->wire == WIRE_LOG) {
        grant.kind = TN_GRANT_NAME;
        grant.text = part->name;
        grant.text_len = (uint32_t)str_length(part->name);
    } else {
        return TN_OK; /* clock and random make no difference between callers */
    }
    err = tn_grants_add(&driver->config, grant);
    if (err == TN_ETOOBIG)
        return boot_say(boot, err, driver->name, "too many or too long grants");
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "its need `%.*s` cannot be granted",
                        (int)need->name.len, need->name.at);
    return TN_OK;
}

tn_err boot_configure(struct boot *boot)
{
    for (uint32_t i = 0; i < boot->nparts; i++) {
        struct part *part = &boot->parts[i];
        bool wanted = part->spec == NULL || part->spec->config != NULL;
        if (!wanted)
            continue;
        part->config.data = mem_alloc(boot->memory, CONFIG_MAX);
        part->config.size = CONFIG_MAX;
        if (part->config.data == NULL)
            return boot_say(boot, TN_ENOMEM, part->name, "no memory for its configuration");
        tn_err err =
            part->spec == NULL ? TN_OK : add_table(boot, part, part->spec->config, STR(""));
        if (err != TN_OK)
            return err;
    }
    for (uint32_t i = 0; i < boot->input.spec->ncomponents; i++) {
        const struct component_spec *spec = &boot->input.spec->components[i];
        for (uint32_t k = 0; k < spec->nneeds; k++) {
            const struct need_spec *need = &spec->needs[k];
            if (need->wire == WIRE_NONE || need->wire == WIRE_COMPONENT ||
                need->wire == WIRE_CHANNEL || need->wire == WIRE_OBJECT)
                continue;
            tn_err err = add_grant(boot, boot_component(boot, i), need);
            if (err != TN_OK)
                return err;
        }
    }
    return TN_OK;
}

/* Actors and capabilities */

static bool blocks(const struct boot *boot, const struct part *part)
{
    return part->spec != NULL
               ? part->spec->blocking
               : boot->input.spec->driver_blocks[boot->input.drivers[part->index].kind];
}

/* How many parts before this one are like it. */
static uint32_t count_before(const struct boot *boot, const struct part *part, bool blocking)
{
    uint32_t n = 0;
    for (const struct part *p = boot->parts; p != part; p++)
        n += blocking ? blocks(boot, p) : p->spec != NULL && p->spec->compute;
    return n;
}

/* The CPU that the part begins to live on; NULL: it asks for a thread that is not there. */
static struct cpu *home_of(struct boot *boot, const struct part *part)
{
    struct kernel *kernel = boot->kernel;
    if (blocks(boot, part)) {
        uint32_t i = count_before(boot, part, true);
        return i < kernel->config.blocking ? kernel_blocker(kernel, i) : NULL;
    }
    if (part->spec == NULL)
        return kernel_worker(kernel, 0);
    if (part->spec->compute)
        return kernel->compute.n == 0 ? NULL
                                      : kernel_computer(kernel, count_before(boot, part, false));
    return kernel_worker(kernel, part->stays ? part->cpu : group_of(boot, part->index));
}

static tn_err make_actor(struct boot *boot, struct part *part)
{
    struct kernel *kernel = boot->kernel;
    const struct component_spec *spec = part->spec;
    const struct boot_driver *driver = spec == NULL ? &boot->input.drivers[part->index] : NULL;
    struct cpu *home = home_of(boot, part);
    if (home == NULL)
        return boot_say(boot, TN_ELIMIT, part->name,
                        "it is to have a thread beside the CPUs, and this kernel has none left");
    struct actor_config config = {
        .name = part->name,
        .memory = part->memory,
        .space = part->space,
        .mailbox = spec == NULL ? DRIVER_MAILBOX : spec->resources.mailbox,
        .priority = spec == NULL ? TN_PRIORITY_DEFAULT : spec->priority,
        .concurrency = spec == NULL ? 1 : (uint8_t)spec->resources.concurrency,
        .pinned = part->stays && home->team == &kernel->workers,
        .home = home,
        .limbo = &kernel->limbo,
        .alive = &kernel->alive,
        .deadline_ns = spec == NULL ? 0 : spec->resources.deadline_ns,
        .exact_time = boot->input.exact_time,
    };
    tn_err err = actor_make(&config, &part->actor);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "no actor can be made in its memory");
    uint32_t n = spec == NULL ? 1 : spec->nprovides;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t interface =
            spec == NULL ? driver_interface(driver->kind)->id : spec->provides[i].interface->id;
        err =
            endpoint_make(part->memory, &kernel->limbo, part->actor, interface, &part->provides[i]);
        if (err != TN_OK)
            return boot_say(boot, err, part->name, "no endpoint can be made in its memory");
    }
    return TN_OK;
}

static tn_err give(struct boot *boot, struct part *part, const char *name, uint32_t len,
                   struct object *object, uint32_t rights, uint64_t badge)
{
    ASSERT(part->needed.n < sizeof(part->needs) / sizeof(part->needs[0]));
    tn_cap cap;
    tn_err err = cap_insert(part->space, object, rights, badge, NULL, 0, &cap);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "its capability space has no room for `%.*s`",
                        (int)len, name);
    part->needs[part->needed.n++] = (struct need){name, len, cap};
    return TN_OK;
}

/* What every component has without asking: its own memory, to make objects of, and a timer. */
static tn_err give_own(struct boot *boot, struct part *part)
{
    struct timer *timer;
    tn_err err = timer_make(part->memory, &boot->kernel->limbo, part->actor, &timer);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "no timer can be made in its memory");
    err = give(boot, part, "timer", 5, timer_object(timer), TN_R_CALL | TN_R_READ | TN_R_WRITE, 0);
    object_unref(timer_object(timer));
    if (err == TN_OK)
        err = give(boot, part, "memory", 6, untyped_object(part->memory),
                   TN_R_CALL | TN_R_READ | TN_R_WRITE, 0);
    return err;
}

_Static_assert((int)ROUTE_SINGLE == WIRE_SINGLE && (int)ROUTE_WEIGHTS == WIRE_WEIGHTS &&
                   (int)ROUTE_HASH == WIRE_HASH && (int)ROUTE_PER_CPU == WIRE_PER_CPU,
               "the same rules");

/* A need with several targets: an endpoint of its own, charged to who needs it. */
static tn_err wire_route(struct boot *boot, struct part *part, const struct need_spec *need)
{
    const struct route_spec *spec = need->route;
    struct endpoint_route route = {.rule = (enum endpoint_rule)spec->rule,
                                   .ntargets = spec->ntargets,
                                   .hash_at = spec->hash_at,
                                   .hash_len = spec->hash_len};
    for (uint32_t i = 0; i < spec->ntargets; i++) {
        route.target[i] = boot_component(boot, spec->target[i].component)->actor;
        route.weight[i] = spec->target[i].weight;
    }
    struct endpoint *to;
    tn_err err =
        endpoint_make_routed(part->memory, &boot->kernel->limbo, &route, need->interface->id, &to);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "no endpoint can be made in its memory");
    err = give(boot, part, need->name.at, (uint32_t)need->name.len, endpoint_object(to),
               need->rights, part->index + 1);
    object_unref(endpoint_object(to));
    return err;
}

/* Both ends of a channel, from its producer's need. */
static tn_err wire_channel(struct boot *boot, struct part *part, const struct need_spec *need)
{
    struct part *other = boot_component(boot, need->component);
    const struct need_spec *consumer = &other->spec->needs[need->provide];
    struct channel_end *out, *in;
    tn_err err = channel_make(part->memory, &boot->kernel->limbo, need->capacity_bytes, &out, &in);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "no channel of %llu bytes can be made in its memory",
                        (unsigned long long)need->capacity_bytes);
    err = give(boot, part, need->name.at, (uint32_t)need->name.len, channel_end_object(out),
               need->rights, 0);
    if (err == TN_OK)
        err = give(boot, other, consumer->name.at, (uint32_t)consumer->name.len,
                   channel_end_object(in), consumer->rights, 0);
    object_unref(channel_end_object(out));
    object_unref(channel_end_object(in));
    return err;
}

/* One that leads to a single endpoint. */
static tn_err wire_plain(struct boot *boot, struct part *part, const struct need_spec *need,
                         uint64_t *next_badge)
{
    struct endpoint *to;
    uint64_t badge = part->index + 1;
    if (need->wire == WIRE_COMPONENT) {
        to = boot_component(boot, need->component)->provides[need->provide];
    } else {
        uint32_t driver = driver_find(boot, need->wire);
        to = boot_driver(boot, driver)->provides[0];
        badge = ++next_badge[driver];
    }
    return give(boot, part, need->name.at, (uint32_t)need->name.len, endpoint_object(to),
                need->rights, badge);
}

static struct object *wired_object(struct boot *boot, const struct need_spec *need)
{
    struct part *part = boot_component(boot, need->component);
    switch (need->object) {
    case OBJECT_MEMORY:
        return untyped_object(part->memory);
    case OBJECT_SPACE:
        return space_object(part->space);
    case OBJECT_ACTOR:
        return actor_object(part->actor);
    }
    UNREACHABLE("an object that no wire names");
}

static tn_err wire_part(struct boot *boot, struct part *part, uint64_t *next_badge)
{
    ASSERT(part->spec != NULL);
    for (uint32_t k = 0; k < part->spec->nneeds; k++) {
        const struct need_spec *need = &part->spec->needs[k];
        tn_err err = TN_OK;
        if (need->wire == WIRE_CHANNEL)
            err = need->channel == CHANNEL_PRODUCER ? wire_channel(boot, part, need) : TN_OK;
        else if (need->wire == WIRE_OBJECT) /* badge 0: nobody is told of it */
            err = give(boot, part, need->name.at, (uint32_t)need->name.len,
                       wired_object(boot, need), need->rights, 0);
        else if (need->route != NULL)
            err = wire_route(boot, part, need);
        else if (need->wire != WIRE_NONE)
            err = wire_plain(boot, part, need, next_badge);
        if (err != TN_OK)
            return err;
    }
    return TN_OK;
}

tn_err boot_wire(struct boot *boot)
{
    uint64_t next_badge[BOOT_DRIVERS_MAX] = {0};
    for (uint32_t i = 0; i < boot->nparts; i++) {
        struct part *part = &boot->parts[i];
        part->needed.at = part->needs;
        tn_err err = make_actor(boot, part);
        if (err == TN_OK)
            err = give_own(boot, part);
        if (err == TN_OK && part->spec == NULL)
            err = give(boot, part, "self", 4, endpoint_object(part->provides[0]), TN_R_ALL, 0);
        if (err != TN_OK)
            return err;
    }
    for (uint32_t i = 0; i < boot->input.spec->ncomponents; i++) {
        tn_err err = wire_part(boot, boot_component(boot, i), next_badge);
        if (err != TN_OK)
            return err;
    }
    return TN_OK;
}

void boot_drop_parts(struct boot *boot)
{
    for (uint32_t i = 0; i < boot->nparts; i++) {
        struct part *part = &boot->parts[i];
        for (uint32_t k = 0; k < SYSTEM_PROVIDES_MAX; k++) {
            if (part->provides[k] != NULL)
                object_unref(endpoint_object(part->provides[k]));
        }
        mem_free(boot->memory, part->config.data, CONFIG_MAX);
    }
}
