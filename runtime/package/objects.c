/* objects.c: wires to kernel objects: a component's own memory, its own space, its own actor; and,
 * for who is trusted, the actor of another component. */
#include <tenon/interface.h>

#include "base/bits.h"
#include "runtime/package/package_int.h"

static const char *const object_names[] = {"memory", "space", "actor"};
static const char *const object_interfaces[] = {"tenon.kernel.untyped", "tenon.kernel.space",
                                                "tenon.kernel.actor"};
_Static_assert(ARRAY_LEN(object_names) == OBJECT_ACTOR + 1, "one for each kind");

const char *object_kind_name(enum object_kind kind)
{
    return object_names[kind];
}

void object_wire(struct system *system, const struct section *wire, struct need_spec *need)
{
    static const char *const keys[] = {"kernel", "of"};
    uint32_t kind = UINT32_MAX;
    section_choice(wire, "kernel", object_names, ARRAY_LEN(object_names), &kind);
    if (kind == UINT32_MAX)
        return; /* which keys there may be depends on it */
    section_check(wire, keys, kind == OBJECT_ACTOR ? 2 : 1);
    const struct toml_node *of = kind == OBJECT_ACTOR ? section_get(wire, "of", TOML_STRING) : NULL;
    uint32_t component = of != NULL ? system_expect(system, of->at, of->string) : UINT32_MAX;
    if (need == NULL)
        return;
    need->wire = WIRE_OBJECT;
    need->object = (enum object_kind)kind;
    need->component = component;
    if (need->interface != NULL && !str_eq(need->interface_name, str_of(object_interfaces[kind])))
        fault(&system->doc, toml_get(wire->table, STR("kernel"))->at,
              "%s needs %s, but the kernel's %s is %s", wire->label, need->interface->name,
              quote(str_of(object_names[kind])).text, object_interfaces[kind]);
}

/* Where no other component is named it is one's own; another's actor is for who is trusted. */
static void object_check(struct system *system, uint32_t component, uint32_t k)
{
    struct component_spec *c = &system->spec.components[component];
    struct need_spec *need = &c->needs[k];
    if (need->component == UINT32_MAX)
        need->component = component;
    if (need->component == component || c->trusted)
        return;
    const struct component_spec *other = &system->spec.components[need->component];
    fault(&system->doc, system->instances[component].wire_at[k],
          "%s.%s is the actor of %s: only who is trusted may watch or stop others: add %s to "
          "components in [trust]",
          plain(c->name).text, plain(need->name).text, quote(other->name).text,
          quote(c->name).text);
}

void objects_check(struct system *system)
{
    for (uint32_t i = 0; i < system->spec.ncomponents; i++) {
        const struct component_spec *c = &system->spec.components[i];
        for (uint32_t k = 0; k < c->nneeds; k++) {
            if (c->needs[k].wire == WIRE_OBJECT)
                object_check(system, i, k);
        }
    }
}
