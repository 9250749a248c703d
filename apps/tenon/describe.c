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

static const char *driver_name(enum wire_kind kind)
{
    switch (kind) {
    case WIRE_FILES:
        return "files";
    case WIRE_CLOCK:
        return "clock";
    case WIRE_RANDOM:
        return "random";
    case WIRE_LOG:
        return "log";
    case WIRE_NONE:
    case WIRE_COMPONENT:
    case WIRE_OBJECT:
        break;
    }
    return "";
}

static void wire_cells(struct table *table, const struct system_spec *spec,
                       const struct component_spec *c, const struct need_spec *need)
{
    table_cell(table, "%.*s.%.*s", (int)c->name.len, c->name.at, (int)need->name.len,
               need->name.at);
    table_cell(table, "->");
    if (need->wire == WIRE_COMPONENT) {
        const struct component_spec *to = &spec->components[need->component];
        struct str name = to->provides[need->provide].name;
        table_cell(table, "%.*s.%.*s%s", (int)to->name.len, to->name.at, (int)name.len, name.at,
                   need->circle ? " (may close a circle)" : "");
    } else if (need->wire == WIRE_OBJECT) {
        const struct component_spec *of = &spec->components[need->component];
        table_cell(table, "kernel: %s%s%.*s", object_kind_name(need->object),
                   of == c ? ", its own" : " of ", of == c ? 0 : (int)of->name.len, of->name.at);
    } else if (need->wire == WIRE_FILES && need->arg > 0) {
        table_cell(table, "files: argument %u%s%.*s", need->arg, need->path.len > 0 ? ", or " : "",
                   (int)need->path.len, need->path.len > 0 ? need->path.at : "");
    } else if (need->wire == WIRE_FILES) {
        table_cell(table, "files: %.*s%s", (int)need->path.len, need->path.at,
                   need->directory ? " (folder)" : "");
    } else {
        table_cell(table, "%s",
                   need->wire == WIRE_NONE ? "nothing (optional)" : driver_name(need->wire));
    }
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
        cell_str(&table, need->interface_name);
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

static json_t *need_json(const struct system_spec *spec, const struct need_spec *need)
{
    json_t *object = must_get(json_object());
    json_put(object, "name", json_str(need->name));
    json_put(object, "interface", json_str(need->interface_name));
    json_put(object, "rights", rights_json(need->rights));
    json_put(object, "optional", json_boolean(need->optional));
    if (spec == NULL || need->wire == WIRE_NONE)
        return object;
    json_t *wire = must_get(json_object());
    if (need->wire == WIRE_COMPONENT) {
        const struct component_spec *to = &spec->components[need->component];
        json_put(wire, "component", json_str(to->name));
        json_put(wire, "provide", json_str(to->provides[need->provide].name));
        json_put(wire, "circle", json_boolean(need->circle));
    } else if (need->wire == WIRE_OBJECT) {
        json_put(wire, "kernel", json_string(object_kind_name(need->object)));
        json_put(wire, "of", json_str(spec->components[need->component].name));
    } else {
        json_put(wire, "driver", json_string(driver_name(need->wire)));
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
