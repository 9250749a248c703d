/* wires.c: what is wired to each need: [wires], in all its forms.
 *
 * A wire's key is "component.need", in quotes or as a dotted key. Its value is a provider,
 * "component.provided", or a table: { to = PROVIDER, circle = ... }, several of them (routes.c), a
 * driver (drivers.c), an object of the kernel's (objects.c), or a channel to another need
 * (channels.c). */
#include <tenon/interface.h>

#include "base/bits.h"
#include "runtime/package/package_int.h"

bool dotted(struct str text, struct str *ret_component, struct str *ret_name)
{
    size_t dot = 0, dots = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '.') {
            dot = i;
            dots++;
        }
    }
    *ret_component = (struct str){text.at, dot};
    *ret_name = dots == 1 ? (struct str){text.at + dot + 1, text.len - dot - 1} : STR("");
    return dots == 1;
}

void unknown_need(struct system *system, struct toml_pos at, uint32_t component, struct str name)
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

bool provider_parse(struct system *system, const struct section *wire, struct toml_pos at,
                    struct str target, const struct need_spec *need, uint32_t *ret_component,
                    uint32_t *ret_provide)
{
    struct message what = {.len = 0};
    message_add(&what, "%s:", wire->label);
    if (!target_parse(system, at, what.text, target, ret_component, ret_provide))
        return false;
    const struct provide *p = &system->spec.components[*ret_component].provides[*ret_provide];
    if (p->interface == NULL || need == NULL || need->interface == NULL ||
        p->interface == need->interface)
        return true;
    fault(&system->doc, at, "%s needs %s, but %s provides %s", wire->label, need->interface->name,
          quote(target).text, p->interface->name);
    return false;
}

/* A wire to one provider. */
static void provider_wire(struct system *system, const struct section *wire, struct toml_pos at,
                          struct str target, struct need_spec *need)
{
    uint32_t component = 0, provide = 0;
    if (!provider_parse(system, wire, at, target, need, &component, &provide) || need == NULL)
        return;
    need->wire = WIRE_COMPONENT;
    need->component = component;
    need->provide = provide;
}

/* { to = ..., ... }: one provider, or a list of them. */
static void to_wire(struct system *system, const struct section *wire, struct need_spec *need)
{
    static const char *const keys[] = {"to", "circle", "route", "weights", "hash"};
    bool circle = false;
    section_check(wire, keys, 5);
    section_bool(wire, "circle", &circle);
    if (need != NULL)
        need->circle = circle;
    const struct toml_node *to = toml_get(wire->table, STR("to"));
    if (to != NULL && to->type == TOML_ARRAY) {
        route_wire(system, wire, to, need);
        return;
    }
    to = section_need(wire, "to", TOML_STRING,
                      "to = \"component.provided\", or driver = \"files\" or another one");
    for (size_t i = 2; i < 5; i++) {
        const struct toml_node *node = toml_get(wire->table, str_of(keys[i]));
        if (node != NULL && to != NULL)
            fault(&system->doc, node->key_at,
                  "%s in %s is for several targets: write to = [%s, \"...\"]", keys[i], wire->label,
                  quote(to->string).text);
    }
    if (to != NULL)
        provider_wire(system, wire, to->at, to->string, need);
}

static void table_wire(struct system *system, const struct section *wire, uint32_t component,
                       struct need_spec *need)
{
    if (toml_get(wire->table, STR("driver")) != NULL)
        driver_wire(system, wire, need);
    else if (toml_get(wire->table, STR("kernel")) != NULL)
        object_wire(system, wire, need);
    else if (toml_get(wire->table, STR("channel")) != NULL)
        channel_wire(system, wire, component, need);
    else
        to_wire(system, wire, need);
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
    if (!channel_fits(&wire, node, need))
        return;
    if (node->type == TOML_TABLE)
        table_wire(system, &wire, component, need);
    else if (node->type == TOML_STRING)
        provider_wire(system, &wire, node->at, node->string, need);
    else
        fault(&system->doc, node->at, "%s: expected a string or a table, found %s", wire.label,
              toml_type_name(node->type));
}

/* A key in quotes holds both names; one without a dot is a component, its needs are below it. */
static void wire_entry(struct system *system, const struct toml_node *node)
{
    struct str component, need;
    if (dotted(node->key, &component, &need)) {
        wire_one(system, node, component, need);
    } else if (component.len == 0 && node->type == TOML_TABLE) {
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
            if (need->optional || instance->wire_at[k].line != 0 ||
                (need->interface == NULL && need->channel == CHANNEL_NO))
                continue;
            struct message m = {.len = 0};
            if (need->channel != CHANNEL_NO) {
                channel_unwired(system, i, need);
                continue;
            }
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
