/* wires.c: what is wired to each need: [wires], in all its forms.
 *
 * A wire's key is "component.need", in quotes or as a dotted key. Its value is a provider,
 * "component.provided", or a table: { to = PROVIDER, circle = ... }, a driver (drivers.c) or an
 * object of the kernel's (objects.c). */
#include <tenon/interface.h>

#include "base/bits.h"
#include "runtime/package/package_int.h"

/* The component has no such need. */
static void unknown_need(struct system *system, struct toml_pos at, uint32_t component,
                         struct str name)
{
    const struct component_spec *c = &system->spec.components[component];
    struct near near = near_to(name);
    struct message m = {.len = 0};
    if (!system->instances[component].complete)
        return;
    for (uint32_t i = 0; i < c->nneeds; i++)
        near_try(&near, c->needs[i].name);
    if (near_found(&near)) {
        message_add(&m, "did you mean %s?", quote(near.best).text);
    } else if (c->nneeds == 0) {
        message_add(&m, "it needs nothing");
    } else {
        message_add(&m, "it needs ");
        for (uint32_t i = 0; i < c->nneeds; i++)
            list_add(&m, i, c->nneeds, c->needs[i].name);
    }
    fault(&system->doc, at, "%s does not need %s: %s", quote(c->name).text, quote(name).text,
          m.text);
}

/* A wire to a provider. `need` may be NULL: then only the provider is looked at. */
static void provider_wire(struct system *system, const struct section *wire, struct toml_pos at,
                          struct str target, struct need_spec *need)
{
    uint32_t component = 0, provide = 0;
    struct message what = {.len = 0};
    message_add(&what, "%s:", wire->label);
    if (!target_parse(system, at, what.text, target, &component, &provide) || need == NULL)
        return;
    need->wire = WIRE_COMPONENT;
    need->component = component;
    need->provide = provide;
    const struct provide *p = &system->spec.components[component].provides[provide];
    if (p->interface != NULL && need->interface != NULL && p->interface != need->interface)
        fault(&system->doc, at, "%s needs %s, but %s provides %s", wire->label,
              need->interface->name, quote(target).text, p->interface->name);
}

static void table_wire(struct system *system, struct section *wire, struct need_spec *need)
{
    static const char *const keys[] = {"to", "circle"};
    bool circle = false;
    if (toml_get(wire->table, STR("driver")) != NULL) {
        driver_wire(system, wire, need);
        return;
    }
    if (toml_get(wire->table, STR("kernel")) != NULL) {
        object_wire(system, wire, need);
        return;
    }
    section_check(wire, keys, 2);
    const struct toml_node *to =
        section_need(wire, "to", TOML_STRING,
                     "to = \"component.provided\", or driver = \"files\" or another one");
    section_bool(wire, "circle", &circle);
    if (need != NULL)
        need->circle = circle;
    if (to != NULL)
        provider_wire(system, wire, to->at, to->string, need);
}

static void wire_one(struct system *system, const struct toml_node *node, struct str component_name,
                     struct str need_name)
{
    struct section wire;
    struct need_spec *need = NULL;
    uint32_t component = system_expect(system, node->key_at, component_name);
    section_init(&wire, &system->doc, node->type == TOML_TABLE ? node->table : NULL, node->at,
                 "wire %s.%s", plain(component_name).text, plain(need_name).text);
    if (component != UINT32_MAX && system->instances[component].known) {
        struct component_spec *c = &system->spec.components[component];
        uint32_t i = need_find(c, need_name);
        if (i == UINT32_MAX) {
            unknown_need(system, node->key_at, component, need_name);
        } else if (system->instances[component].wire_at[i].line != 0) {
            fault(&system->doc, node->key_at, "%s is there twice: see line %u", wire.label,
                  system->instances[component].wire_at[i].line);
        } else {
            need = &c->needs[i];
            system->instances[component].wire_at[i] = node->key_at;
        }
    }
    if (node->type == TOML_TABLE)
        table_wire(system, &wire, need);
    else if (node->type == TOML_STRING)
        provider_wire(system, &wire, node->at, node->string, need);
    else
        fault(&system->doc, node->at, "%s: expected a string or a table, found %s", wire.label,
              toml_type_name(node->type));
}

/* A key in quotes holds both names; one without a dot is a component, its needs are below it. */
static void wire_entry(struct system *system, const struct toml_node *node)
{
    size_t dot = 0, dots = 0;
    for (size_t i = 0; i < node->key.len; i++) {
        if (node->key.at[i] == '.') {
            dot = i;
            dots++;
        }
    }
    if (dots == 1) {
        wire_one(system, node, (struct str){node->key.at, dot},
                 (struct str){node->key.at + dot + 1, node->key.len - dot - 1});
    } else if (dots == 0 && node->type == TOML_TABLE) {
        const struct toml_node *inner = toml_table_first(node->table);
        for (; inner != NULL; inner = inner->next)
            wire_one(system, inner, node->key, inner->key);
    } else {
        fault(&system->doc, node->key_at, "%s in [wires] is not of the form \"component.need\"",
              quote(node->key).text);
    }
}

/* Adds what could be wired to a need: a component of this system, or a driver. */
static void suggest(struct message *m, const struct system *system, uint32_t component,
                    const struct need_spec *need)
{
    static const char *const drivers[][2] = {
        {"tenon.file", "{ driver = \"files\", path = \"...\" }"},
        {"tenon.clock", "{ driver = \"clock\" }"},
        {"tenon.random", "{ driver = \"random\" }"},
        {"tenon.log", "{ driver = \"log\" }"},
        {"tenon.kernel.untyped", "{ kernel = \"memory\" }"},
        {"tenon.kernel.space", "{ kernel = \"space\" }"},
        {"tenon.kernel.actor", "{ kernel = \"actor\" }"},
    };
    for (uint32_t i = 0; i < system->spec.ncomponents; i++) {
        const struct component_spec *c = &system->spec.components[i];
        for (uint32_t p = 0; p < c->nprovides && i != component; p++) {
            if (c->provides[p].interface != need->interface)
                continue;
            message_add(m, "\"%s.%s\"", plain(c->name).text, plain(c->provides[p].name).text);
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (!str_eq(need->interface_name, str_of(drivers[i][0])))
            continue;
        message_add(m, "%s", drivers[i][1]);
        return;
    }
    message_add(m, "\"COMPONENT.PROVIDED\"");
}

static void unwired_check(struct system *system)
{
    for (uint32_t i = 0; i < system->spec.ncomponents; i++) {
        const struct component_spec *c = &system->spec.components[i];
        const struct instance *instance = &system->instances[i];
        for (uint32_t k = 0; k < c->nneeds && instance->known; k++) {
            const struct need_spec *need = &c->needs[k];
            if (need->optional || instance->wire_at[k].line != 0 || need->interface == NULL)
                continue;
            struct message m = {.len = 0};
            suggest(&m, system, i, need);
            fault(&system->doc, instance->node->key_at,
                  "%s needs %s (%s), which is not wired: write \"%s.%s\" = %s in [wires]",
                  plain(c->name).text, plain(need->name).text, need->interface->name,
                  plain(c->name).text, plain(need->name).text, m.text);
        }
    }
}

void wires_parse(struct system *system)
{
    struct section root, s;
    section_init(&root, &system->doc, system->root, (struct toml_pos){0, 0}, "the file");
    if (section_table(&root, "wires", &s)) {
        const struct toml_node *node = toml_table_first(s.table);
        for (; node != NULL; node = node->next)
            wire_entry(system, node);
    }
    objects_check(system);
    unwired_check(system);
}
