/* describe.c: components and systems in words: tables that `check` and `inspect` print. */
#include "apps/tenon/describe.h"

#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/table.h"
#include "apps/tenon/term.h"

static void heading(const char *text)
{
    printf("\n%s%s%s\n", term_colour(stdout, TERM_BOLD), text, term_colour(stdout, TERM_PLAIN));
}

static void cell_str(struct table *table, struct str text)
{
    table_cell(table, "%.*s", (int)text.len, text.at);
}

void describe_components(const struct system_spec *spec)
{
    static const char *const heads[] = {"COMPONENT", "VERSION", "KIND",   "RING",
                                        "DOMAIN",    "MEMORY",  "PACKAGE"};
    struct table table;
    if (spec->ncomponents == 0)
        return;
    table_begin(&table, 7, heads, "lllrlrl");
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        cell_str(&table, c->name);
        cell_str(&table, c->version.text);
        table_cell(&table, "%s", component_kind_name(c->kind));
        table_cell(&table, "%u", c->ring);
        table_cell(&table, "%s", component_domain_name(c->domain));
        table_cell(&table, "%s", amount_bytes(c->resources.memory_bytes).text);
        cell_str(&table, c->package);
    }
    (void)fputc('\n', stdout);
    table_print(&table, stdout, 0);
}

/* Components in the sandbox that [trust] lets into the kernel: `--place` can put them there. */
static void describe_may_be_trusted(const struct system_spec *spec)
{
    const char *before = "\nTrusted enough to be placed in the kernel, and in the sandbox now: ";
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        if (c->domain == DOMAIN_KERNEL || !(c->trusted || c->ring <= 1))
            continue;
        printf("%s%.*s", before, (int)c->name.len, c->name.at);
        before = ", ";
    }
    if (before[0] == ',')
        (void)fputc('\n', stdout);
}

void describe_trust(const struct system_spec *spec)
{
    struct table table;
    table_begin(&table, 3, NULL, "lll");
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        if (c->domain != DOMAIN_KERNEL)
            continue;
        cell_str(&table, c->name);
        table_cell(&table, "ring %u", c->ring);
        cell_str(&table, c->native_file);
    }
    if (table.used == 0) {
        heading("Trusted with everything: no component; only this program and its drivers");
    } else {
        heading("Trusted with everything (native code in the kernel domain, not confined):");
        table_print(&table, stdout, 2);
    }
    describe_may_be_trusted(spec);
}

static void provide_name(char *ret, size_t size, const struct system_spec *spec, uint32_t component,
                         uint32_t provide)
{
    const struct component_spec *c = &spec->components[component];
    struct str name = c->provides[provide].name;
    (void)fmt_print(ret, size, "%.*s.%.*s", (int)c->name.len, c->name.at, (int)name.len, name.at);
}

/* "weights: b.job 90, c.job 10": where the targets do not all fit, how many there are. */
static void route_cell(struct table *table, const struct system_spec *spec,
                       const struct route_spec *route, bool circle)
{
    char text[512], name[2 * TN_NAME_MAX + 2];
    size_t len = fmt_print(text, sizeof(text), "%s", wire_rule_name(route->rule));
    if (route->rule == WIRE_HASH)
        len += fmt_print(text + len, sizeof(text) - len, " of %u bytes from %u", route->hash_len,
                         route->hash_at);
    for (uint32_t i = 0; i < route->ntargets && len < sizeof(text); i++) {
        provide_name(name, sizeof(name), spec, route->target[i].component,
                     route->target[i].provide);
        len += fmt_print(text + len, sizeof(text) - len, "%s %s", i == 0 ? ":" : ",", name);
        if (route->rule == WIRE_WEIGHTS && len < sizeof(text))
            len += fmt_print(text + len, sizeof(text) - len, " %u", route->target[i].weight);
    }
    if (len >= sizeof(text))
        (void)fmt_print(text, sizeof(text), "%s: %u targets", wire_rule_name(route->rule),
                        route->ntargets);
    table_cell(table, "%s%s", text, circle ? " (may close a circle)" : "");
}

static void channel_cell(struct table *table, const struct system_spec *spec,
                         const struct need_spec *need)
{
    const struct component_spec *other = &spec->components[need->component];
    struct str name = other->needs[need->provide].name;
    table_cell(table, "channel of %s %s %.*s.%.*s", amount_bytes(need->capacity_bytes).text,
               need->channel == CHANNEL_PRODUCER ? "to" : "from", (int)other->name.len,
               other->name.at, (int)name.len, name.at);
}

static void object_cell(struct table *table, const struct system_spec *spec,
                        const struct component_spec *c, const struct need_spec *need)
{
    const struct component_spec *of = &spec->components[need->component];
    table_cell(table, "kernel: %s%s%.*s", object_kind_name(need->object),
               of == c ? ", its own" : " of ", of == c ? 0 : (int)of->name.len, of->name.at);
}

static void component_cell(struct table *table, const struct system_spec *spec,
                           const struct need_spec *need)
{
    char name[2 * TN_NAME_MAX + 2];
    if (need->route != NULL) {
        route_cell(table, spec, need->route, need->circle);
        return;
    }
    provide_name(name, sizeof(name), spec, need->component, need->provide);
    table_cell(table, "%s%s", name, need->circle ? " (may close a circle)" : "");
}

static void wire_cells(struct table *table, const struct system_spec *spec,
                       const struct component_spec *c, const struct need_spec *need)
{
    table_cell(table, "%.*s.%.*s", (int)c->name.len, c->name.at, (int)need->name.len,
               need->name.at);
    table_cell(table, "->");
    if (need->wire == WIRE_COMPONENT)
        component_cell(table, spec, need);
    else if (need->wire == WIRE_CHANNEL)
        channel_cell(table, spec, need);
    else if (need->wire == WIRE_OBJECT)
        object_cell(table, spec, c, need);
    else if (need->wire == WIRE_FILES && need->arg > 0)
        table_cell(table, "files: argument %u%s%.*s", need->arg, need->path.len > 0 ? ", or " : "",
                   (int)need->path.len, need->path.len > 0 ? need->path.at : "");
    else if (need->wire == WIRE_FILES)
        table_cell(table, "files: %.*s%s", (int)need->path.len, need->path.at,
                   need->directory ? " (folder)" : "");
    else
        table_cell(table, "%s",
                   need->wire == WIRE_NONE ? "nothing (optional)" : wire_driver_name(need->wire));
    uint32_t rights = need->wire == WIRE_FILES ? need->grant : need->rights;
    table_cell(table, "%s", need->wire == WIRE_NONE ? "" : amount_rights(rights).text);
}

void describe_wires(const struct system_spec *spec)
{
    struct table table;
    table_begin(&table, 4, NULL, "llll");
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        for (uint32_t j = 0; j < c->nneeds; j++)
            wire_cells(&table, spec, c, &c->needs[j]);
    }
    if (table.used == 0)
        return;
    heading("Wires");
    table_print(&table, stdout, 2);
}

/* What is not as it is where nothing is said: threads beside the CPUs, several turns. */
void describe_threads(const struct system_spec *spec)
{
    struct table table;
    uint32_t pool = system_threads(spec, composition_cpus(spec)).compute;
    table_begin(&table, 2, NULL, "ll");
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        if (c->blocking) {
            cell_str(&table, c->name);
            table_cell(&table, "on a thread of its own");
        }
        if (c->compute) {
            cell_str(&table, c->name);
            table_cell(&table, "in the compute pool of %u thread%s", pool, pool == 1 ? "" : "s");
        }
        if (c->resources.concurrency > 1) {
            cell_str(&table, c->name);
            table_cell(&table, "up to %u turns at a time", c->resources.concurrency);
        }
    }
    for (uint32_t kind = 0; kind < WIRE_KINDS; kind++) {
        if (!spec->driver_blocks[kind])
            continue;
        table_cell(&table, "%s", wire_driver_name((enum wire_kind)kind));
        table_cell(&table, "on a thread of its own");
    }
    if (table.used == 0)
        return;
    heading("Threads and turns");
    table_print(&table, stdout, 2);
}

void describe_memory(const struct system_spec *spec)
{
    printf("\nMemory: %s of %s are given to components, %s are the kernel's own\n",
           amount_bytes(composition_granted_bytes(spec)).text,
           amount_bytes(spec->memory_bytes).text, amount_bytes(SYSTEM_RESERVE_BYTES).text);
}

static void describe_needs(const struct component_spec *c)
{
    struct table table;
    table_begin(&table, 4, NULL, "llll");
    for (uint32_t i = 0; i < c->nneeds; i++) {
        const struct need_spec *need = &c->needs[i];
        cell_str(&table, need->name);
        if (need->channel == CHANNEL_NO)
            cell_str(&table, need->interface_name);
        else
            table_cell(&table, "channel, as its %s", channel_side_name(need->channel));
        table_cell(&table, "%s", amount_rights(need->rights).text);
        table_cell(&table, "%s", need->optional ? "optional" : "");
    }
    if (table.used > 0) {
        heading("Needs");
        table_print(&table, stdout, 2);
    }
}

static void describe_provides(const struct component_spec *c)
{
    struct table table;
    table_begin(&table, 2, NULL, "ll");
    for (uint32_t i = 0; i < c->nprovides; i++) {
        cell_str(&table, c->provides[i].name);
        cell_str(&table, c->provides[i].interface_name);
    }
    if (table.used > 0) {
        heading("Provides");
        table_print(&table, stdout, 2);
    }
}

void describe_component(const struct component_spec *c)
{
    struct table table;
    describe_provides(c);
    describe_needs(c);
    heading("Resources");
    table_begin(&table, 2, NULL, "ll");
    table_cell(&table, "memory");
    table_cell(&table, "%s", amount_bytes(c->resources.memory_bytes).text);
    table_cell(&table, "fuel per call");
    table_cell(&table, "%s",
               c->resources.fuel_per_call == 0 ? "not limited"
                                               : amount_count(c->resources.fuel_per_call).text);
    table_cell(&table, "mailbox");
    table_cell(&table, "%u messages", c->resources.mailbox);
    table_cell(&table, "turns at a time");
    table_cell(&table, "%u", c->resources.concurrency);
    table_cell(&table, "runs on");
    table_cell(&table, "%s",
               c->blocking  ? "a thread of its own"
               : c->compute ? "the compute pool"
                            : "the CPUs");
    table_cell(&table, "deadline");
    table_cell(&table, "%s", amount_ns(c->resources.deadline_ns).text);
    table_cell(&table, "stack in wasm");
    table_cell(&table, "%s", amount_bytes(c->resources.stack_bytes).text);
    table_print(&table, stdout, 2);
    heading("Code");
    table_begin(&table, 2, NULL, "ll");
    table_cell(&table, "wasm");
    cell_str(&table, c->wasm_file);
    table_cell(&table, "native");
    cell_str(&table, c->native_file);
    table_print(&table, stdout, 2);
}

static json_t *rights_json(uint32_t rights)
{
    static const char *const names[] = {"read", "write", "call", "grant", "control"};
    json_t *array = must_get(json_array());
    for (uint32_t i = 0; i < 5; i++) {
        if ((rights & (1u << i)) != 0)
            json_add(array, json_string(names[i]));
    }
    return array;
}

static json_t *targets_json(const struct system_spec *spec, const struct route_spec *route)
{
    json_t *targets = must_get(json_array());
    for (uint32_t i = 0; i < route->ntargets; i++) {
        const struct component_spec *to = &spec->components[route->target[i].component];
        json_t *target = must_get(json_object());
        json_put(target, "component", json_str(to->name));
        json_put(target, "provide", json_str(to->provides[route->target[i].provide].name));
        json_put(target, "weight", json_integer(route->target[i].weight));
        json_add(targets, target);
    }
    return targets;
}

/* A wire to one component, or to several by a rule. */
static void put_provider(json_t *wire, const struct system_spec *spec, const struct need_spec *need)
{
    const struct component_spec *to = &spec->components[need->component];
    if (need->route == NULL) {
        json_put(wire, "component", json_str(to->name));
        json_put(wire, "provide", json_str(to->provides[need->provide].name));
    } else {
        json_put(wire, "route", json_string(wire_rule_name(need->route->rule)));
        json_put(wire, "targets", targets_json(spec, need->route));
        if (need->route->rule == WIRE_HASH) {
            json_put(wire, "hash_at", json_integer(need->route->hash_at));
            json_put(wire, "hash_len", json_integer(need->route->hash_len));
        }
    }
    json_put(wire, "circle", json_boolean(need->circle));
}

static void put_channel(json_t *wire, const struct system_spec *spec, const struct need_spec *need)
{
    const struct component_spec *other = &spec->components[need->component];
    json_put(wire, "channel", json_str(other->name));
    json_put(wire, "need", json_str(other->needs[need->provide].name));
    json_put(wire, "capacity_bytes", json_integer((json_int_t)need->capacity_bytes));
}

static json_t *need_json(const struct system_spec *spec, const struct need_spec *need)
{
    json_t *object = must_get(json_object());
    json_put(object, "name", json_str(need->name));
    if (need->channel == CHANNEL_NO)
        json_put(object, "interface", json_str(need->interface_name));
    else
        json_put(object, "channel", json_string(channel_side_name(need->channel)));
    json_put(object, "rights", rights_json(need->rights));
    json_put(object, "optional", json_boolean(need->optional));
    if (spec == NULL || need->wire == WIRE_NONE)
        return object;
    json_t *wire = must_get(json_object());
    if (need->wire == WIRE_COMPONENT) {
        put_provider(wire, spec, need);
    } else if (need->wire == WIRE_CHANNEL) {
        put_channel(wire, spec, need);
    } else if (need->wire == WIRE_OBJECT) {
        json_put(wire, "kernel", json_string(object_kind_name(need->object)));
        json_put(wire, "of", json_str(spec->components[need->component].name));
    } else {
        json_put(wire, "driver", json_string(wire_driver_name(need->wire)));
    }
    if (need->wire == WIRE_FILES) {
        json_put(wire, "path", json_str(need->path));
        json_put(wire, "argument", json_integer(need->arg));
        json_put(wire, "directory", json_boolean(need->directory));
        json_put(wire, "rights", rights_json(need->grant));
    }
    json_put(object, "wire", wire);
    return object;
}

json_t *component_json(const struct system_spec *spec, const struct component_spec *c)
{
    json_t *object = must_get(json_object());
    json_t *provides = must_get(json_array()), *needs = must_get(json_array());
    json_put(object, "name", json_str(c->name));
    json_put(object, "version", json_str(c->version.text));
    json_put(object, "kind", json_string(component_kind_name(c->kind)));
    json_put(object, "ring", json_integer(c->ring));
    if (spec != NULL) {
        json_put(object, "domain", json_string(component_domain_name(c->domain)));
        json_put(object, "package", json_str(c->package));
        json_put(object, "trusted", json_boolean(c->domain == DOMAIN_KERNEL));
    }
    json_put(object, "description", json_str(c->description));
    for (uint32_t i = 0; i < c->nprovides; i++) {
        json_t *provide = must_get(json_object());
        json_put(provide, "name", json_str(c->provides[i].name));
        json_put(provide, "interface", json_str(c->provides[i].interface_name));
        json_add(provides, provide);
    }
    for (uint32_t i = 0; i < c->nneeds; i++)
        json_add(needs, need_json(spec, &c->needs[i]));
    json_put(object, "provides", provides);
    json_put(object, "needs", needs);
    json_put(object, "memory_bytes", json_integer((json_int_t)c->resources.memory_bytes));
    json_put(object, "fuel_per_call", json_integer((json_int_t)c->resources.fuel_per_call));
    json_put(object, "mailbox", json_integer(c->resources.mailbox));
    json_put(object, "concurrency", json_integer(c->resources.concurrency));
    json_put(object, "blocking", json_boolean(c->blocking));
    json_put(object, "compute", json_boolean(c->compute));
    json_put(object, "deadline_ns", json_integer((json_int_t)c->resources.deadline_ns));
    json_put(object, "wasm", json_str(c->wasm_file));
    json_put(object, "native", json_str(c->native_file));
    return object;
}

json_t *system_json(const struct system_spec *spec)
{
    json_t *object = must_get(json_object());
    json_t *components = must_get(json_array()), *order = must_get(json_array());
    json_put(object, "system", json_str(spec->name));
    json_put(object, "architecture", json_str(spec->architecture));
    json_put(object, "memory_bytes", json_integer((json_int_t)spec->memory_bytes));
    json_put(object, "memory_granted_bytes",
             json_integer((json_int_t)composition_granted_bytes(spec)));
    json_put(object, "memory_kernel_bytes", json_integer(SYSTEM_RESERVE_BYTES));
    json_put(object, "cpus", json_integer(spec->cpus));
    struct system_threads threads = system_threads(spec, composition_cpus(spec));
    json_put(object, "compute_threads", json_integer(threads.compute));
    json_put(object, "blocking_threads", json_integer(threads.blocking));
    json_t *blocking = must_get(json_array());
    for (uint32_t kind = 0; kind < WIRE_KINDS; kind++) {
        if (spec->driver_blocks[kind])
            json_add(blocking, json_string(wire_driver_name((enum wire_kind)kind)));
    }
    json_put(object, "blocking_drivers", blocking);
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        json_add(components, component_json(spec, &spec->components[i]));
        json_add(order, json_str(spec->components[spec->order[i]].name));
    }
    json_put(object, "components", components);
    json_put(object, "order", order);
    if (spec->job.given)
        json_put(object, "job", json_str(spec->components[spec->job.component].name));
    return object;
}
