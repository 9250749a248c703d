/* system_parse.c: any bytes as a composition: a system.toml and, behind a line that says "#---" or
 * in the second half, the component.toml of all its packages. It must end without a trap; faults
 * must be in order and fit to be shown; a spec must hold what system.h promises of it. */
#include <stdlib.h>

#include "base/utf8.h"
#include "runtime/package/system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX_BYTES = 8192,
    ARENA_BYTES = 3 * (TOML_ARENA_BYTES(MAX_BYTES)) +
                  3 * SYSTEM_COMPONENTS_MAX * sizeof(struct component_spec),
};

static uint8_t arena[ARENA_BYTES];

static void must(bool holds)
{
    if (!holds)
        abort();
}

static tn_err read_manifest(void *ctx, struct str path, struct str *ret_text)
{
    must(path.len >= 14);
    if (path.at[0] == '!')
        return TN_ENOTFOUND;
    *ret_text = *(struct str *)ctx;
    return TN_OK;
}

static void check_faults(const struct faults *faults)
{
    must(faults->n > 0 && faults->n <= faults->total && faults->n <= SYSTEM_FAULTS_MAX);
    for (uint32_t i = 0; i < faults->n; i++) {
        const struct fault *f = &faults->at[i];
        size_t len = str_length(f->text);
        must(len > 0 && len < sizeof(f->text) && f->file.len > 0);
        must(utf8_valid((const uint8_t *)f->text, len));
        for (size_t k = 0; k < len; k++)
            must((uint8_t)f->text[k] >= 0x20 && f->text[k] != 0x7f);
        must(i == 0 || !str_eq(f->file, f[-1].file) || f->line > f[-1].line ||
             (f->line == f[-1].line && f->column >= f[-1].column));
    }
}

static void check_provider(const struct system_spec *s, const struct need_spec *need,
                           uint32_t component, uint32_t provide)
{
    must(component < s->ncomponents);
    const struct component_spec *to = &s->components[component];
    must(provide < to->nprovides);
    must(to->provides[provide].interface == need->interface);
}

static void check_route(const struct system_spec *s, const struct need_spec *need)
{
    const struct route_spec *route = need->route;
    uint32_t weights = 0;
    must(route->ntargets > 1 && route->ntargets <= TN_TARGETS_MAX && route->rule <= WIRE_PER_CPU);
    for (uint32_t i = 0; i < route->ntargets; i++) {
        check_provider(s, need, route->target[i].component, route->target[i].provide);
        must(route->target[i].weight <= TN_ROUTE_WEIGHT_MAX);
        weights += route->target[i].weight;
    }
    must(weights > 0 && route->hash_at < TN_ARGS_MAX && route->hash_len <= TN_ROUTE_HASH_MAX);
    must((route->rule == WIRE_HASH) == (route->hash_len > 0));
}

/* Each end knows the other. */
static void check_channel(const struct system_spec *s, const struct need_spec *need)
{
    must(need->component < s->ncomponents);
    const struct component_spec *to = &s->components[need->component];
    must(need->provide < to->nneeds);
    const struct need_spec *other = &to->needs[need->provide];
    must(other->wire == WIRE_CHANNEL && other->capacity_bytes == need->capacity_bytes);
    must(need->channel + other->channel == CHANNEL_PRODUCER + CHANNEL_CONSUMER);
    must(&s->components[other->component].needs[other->provide] == need);
    must(need->capacity_bytes >= TN_CHANNEL_MIN && need->capacity_bytes <= TN_CHANNEL_MAX);
}

static void check_need(const struct system_spec *s, const struct component_spec *c,
                       const struct need_spec *need)
{
    must((need->interface != NULL) == (need->channel == CHANNEL_NO));
    must(need->optional || need->wire != WIRE_NONE);
    must(need->wire == WIRE_NONE || (need->wire == WIRE_CHANNEL) == (need->channel != CHANNEL_NO));
    if (need->wire == WIRE_COMPONENT)
        check_provider(s, need, need->component, need->provide);
    if (need->route != NULL)
        check_route(s, need);
    if (need->wire == WIRE_CHANNEL)
        check_channel(s, need);
    if (need->wire == WIRE_OBJECT) {
        must(need->component < s->ncomponents && need->object <= OBJECT_ACTOR);
        must(need->object == OBJECT_ACTOR || c == &s->components[need->component]);
        must(c->trusted || c == &s->components[need->component]);
    }
    if (need->wire == WIRE_FILES) {
        must((need->grant & ~need->rights) == 0 && need->arg <= 9);
        must(need->path.len > 0 || need->arg > 0);
    }
}

static void check_component(const struct system_spec *s, const struct component_spec *c)
{
    must(c->name.len > 0 && c->name.len <= TN_NAME_MAX && c->package.len > 0);
    must(c->domain == DOMAIN_WASM || (c->domain == DOMAIN_KERNEL && (c->ring <= 1 || c->trusted)));
    must(c->nprovides <= SYSTEM_PROVIDES_MAX && c->nneeds <= SYSTEM_NEEDS_MAX);
    must(c->resources.memory_bytes > 0 && c->resources.memory_bytes < s->memory_bytes);
    must(c->resources.mailbox > 0 && c->resources.mailbox <= TN_MAILBOX_MAX);
    must(c->priority < TN_PRIORITIES && c->ring <= 3 && !(c->blocking && c->compute));
    must(c->resources.concurrency >= 1 && c->resources.concurrency <= TN_TURNS_MAX);
    must(c->domain != DOMAIN_WASM || c->resources.concurrency == 1);
    for (uint32_t i = 0; i < c->nneeds; i++)
        check_need(s, c, &c->needs[i]);
}

static void check_order(const struct system_spec *s)
{
    static bool done[SYSTEM_COMPONENTS_MAX];
    memset(done, 0, sizeof(done));
    for (uint32_t i = 0; i < s->ncomponents; i++) {
        must(s->order[i] < s->ncomponents && !done[s->order[i]]);
        const struct component_spec *c = &s->components[s->order[i]];
        for (uint32_t k = 0; k < c->nneeds; k++)
            for (uint32_t t = 0; t < need_ntargets(&c->needs[k]); t++)
                must(c->needs[k].circle || done[need_target(&c->needs[k], t)]);
        done[s->order[i]] = true;
    }
}

static void check_spec(const struct system_spec *s)
{
    must(s->name.len > 0 && s->architecture.len > 0);
    must(s->ncomponents <= SYSTEM_COMPONENTS_MAX);
    for (uint32_t i = 0; i < s->ncomponents; i++)
        check_component(s, &s->components[i]);
    check_order(s);
    struct system_threads threads = system_threads(s, 4);
    must(threads.compute <= TN_COMPUTE_MAX && threads.blocking <= TN_BLOCKING_MAX);
    if (!s->job.given)
        return;
    must(s->job.component < s->ncomponents && s->job.nargs <= SYSTEM_JOB_ARGS_MAX);
    must(s->job.provide < s->components[s->job.component].nprovides);
}

/* Where the system.toml ends. */
static size_t split(const char *text, size_t size, size_t *ret_next)
{
    static const char mark[] = "\n#---\n";
    const size_t n = sizeof(mark) - 1;
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(text + i, mark, n) == 0) {
            *ret_next = i + n;
            return i + 1;
        }
    }
    *ret_next = size / 2;
    return size / 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct faults faults;
    if (size > MAX_BYTES)
        return 0;
    const char *text = (const char *)data;
    size_t next = 0;
    size_t end = split(text, size, &next);
    struct str manifest = {text + next, size - next};
    struct system_input input = {.file = STR("system.toml"),
                                 .text = {text, end},
                                 .read = read_manifest,
                                 .read_ctx = &manifest,
                                 .machine_cpus = 4,
                                 .arena = arena,
                                 .arena_bytes = sizeof(arena)};
    struct system_spec spec;
    tn_err e = system_parse(&input, &spec, &faults);
    must(e == TN_OK || e == TN_EFORMAT);
    if (e == TN_OK) {
        must(faults.total == 0);
        check_spec(&spec);
    } else {
        check_faults(&faults);
    }
    /* A smaller arena: the same, or too small. */
    uint32_t total = faults.total;
    input.arena_bytes = size * 40;
    tn_err again = system_parse(&input, &spec, &faults);
    must(again == TN_ENOMEM || (again == e && faults.total == total));

    struct component_spec component;
    e = component_parse(STR("c"), manifest, arena, sizeof(arena), &component, &faults);
    must(e == TN_OK || e == TN_EFORMAT);
    if (e == TN_EFORMAT)
        check_faults(&faults);
    return 0;
}
