/* place.c: which domain each component runs in, and who may be in the kernel's.
 *
 * Who runs the system has the last word, then [components.NAME] domain or [place], then the
 * architecture. All architectures put a component into wasm, but mono and hybrid those into the
 * kernel that say ring 0 or 1 of themselves and that the system's owner trusts: a manifest alone
 * moves nothing there. */
#include "base/bits.h"
#include "runtime/package/package_int.h"

void trust_parse(struct system *system)
{
    static const char *const keys[] = {"components"};
    struct section root, s;
    section_init(&root, &system->doc, system->root, (struct toml_pos){0, 0}, "the file");
    if (!section_table(&root, "trust", &s))
        return;
    section_check(&s, keys, 1);
    const struct toml_node *list = section_get(&s, "components", TOML_ARRAY);
    if (list == NULL)
        return;
    const struct toml_node *item = toml_array_first(list->array);
    for (; item != NULL; item = item->next) {
        if (item->type != TOML_STRING) {
            fault(s.doc, item->at, "an item of components in [trust]: expected a string, found %s",
                  toml_type_name(item->type));
            continue;
        }
        uint32_t component = system_expect(system, item->at, item->string);
        if (component != UINT32_MAX)
            system->spec.components[component].trusted = true;
    }
}

/* One line of [place]. */
static void place_one(struct system *system, const struct section *s, const struct toml_node *node)
{
    uint32_t component = system_expect(system, node->key_at, node->key);
    uint32_t domain = UINT32_MAX;
    if (component == UINT32_MAX)
        return;
    if (node->type != TOML_STRING) {
        fault(s->doc, node->at, "%s in %s: expected a string, found %s", plain(node->key).text,
              s->label, toml_type_name(node->type));
        return;
    }
    for (uint32_t i = 0; i < 3; i++)
        if (str_eq(node->string, str_of(domain_names[i])))
            domain = i;
    if (domain == UINT32_MAX) {
        struct message m = {.len = 0};
        near_add(&m, node->string, domain_names, 3);
        fault(s->doc, node->at, "unknown domain %s in %s%s", quote(node->string).text, s->label,
              m.text);
        return;
    }
    struct component_spec *c = &system->spec.components[component];
    struct instance *instance = &system->instances[component];
    if (instance->placed && c->domain != (enum component_domain)domain) {
        fault(s->doc, node->at, "%s is placed in %s here and in %s on line %u: write it once",
              quote(c->name).text, domain_names[domain], domain_names[c->domain],
              instance->placed_at.line);
        return;
    }
    if (!instance->placed)
        instance->placed_at = node->at;
    instance->placed = true;
    c->domain = (enum component_domain)domain;
}

/* What is wrong with where a component was put: at its line, or with the option that did it. */
static void place_fault(struct system *system, const struct component_spec *c,
                        const struct instance *instance, struct toml_pos at, const char *text)
{
    if (instance->asked_for)
        fault(&system->doc, (struct toml_pos){0, 0}, "%s %s=%s: %s", system->input->places_by,
              plain(c->name).text, domain_names[c->domain], text);
    else
        fault(&system->doc, at, "%s", text);
}

/* May it be where it was put? */
static void placed_check(struct system *system, const struct component_spec *c,
                         const struct instance *instance)
{
    struct message m = {.len = 0};
    if (c->domain == DOMAIN_PROCESS)
        message_add(&m, "domain \"process\" is not available yet: write \"wasm\" for %s",
                    quote(c->name).text);
    else if (c->domain == DOMAIN_KERNEL && c->ring > 1 && !c->trusted && instance->known)
        message_add(&m,
                    "%s is of ring %u and may not be in the kernel: write \"wasm\", or add it to "
                    "components in [trust]",
                    quote(c->name).text, c->ring);
    if (m.len > 0)
        place_fault(system, c, instance, instance->placed_at, m.text);
}

/* A guest keeps its one turn as data. */
static void turns_check(struct system *system, const struct component_spec *c,
                        const struct instance *instance)
{
    if (c->domain != DOMAIN_WASM || c->resources.concurrency <= 1)
        return;
    struct message m = {.len = 0};
    message_add(&m,
                "%s runs in wasm, where a component has one turn at a time, and asks for "
                "concurrency = %u: write concurrency = 1 in [components.%s.limits], or place it in "
                "the kernel",
                quote(c->name).text, c->resources.concurrency, plain(c->name).text);
    place_fault(system, c, instance, instance->placed ? instance->placed_at : instance->package_at,
                m.text);
}

static void code_check(struct system *system, const struct component_spec *c,
                       const struct instance *instance)
{
    struct str file = c->domain == DOMAIN_KERNEL ? c->native_file : c->wasm_file;
    if (system->input->probe == NULL || !instance->sound || c->domain == DOMAIN_PROCESS)
        return;
    if (system->input->probe(system->input->read_ctx, file) == TN_OK)
        return;
    struct message m = {.len = 0};
    message_add(&m, "%s runs in %s, but there is no %s: build it", quote(c->name).text,
                domain_names[c->domain], quote(file).text);
    place_fault(system, c, instance, instance->package_at, m.text);
}

/* What who runs the system asks for; of several for one component the last counts. */
static void place_asked_for(struct system *system)
{
    for (uint32_t i = 0; i < system->input->nplaces; i++) {
        const struct system_place *place = &system->input->places[i];
        uint32_t component = system_find(system, place->component);
        if (component == UINT32_MAX)
            continue;
        struct instance *instance = &system->instances[component];
        instance->placed = instance->asked_for = true;
        system->spec.components[component].domain = place->domain;
    }
}

void place_parse(struct system *system)
{
    struct section root, s;
    section_init(&root, &system->doc, system->root, (struct toml_pos){0, 0}, "the file");
    if (section_table(&root, "place", &s)) {
        const struct toml_node *node = toml_table_first(s.table);
        for (; node != NULL; node = node->next)
            place_one(system, &s, node);
    }
    place_asked_for(system);
    bool keeps_in = str_eq(system->spec.architecture, STR("mono")) ||
                    str_eq(system->spec.architecture, STR("hybrid"));
    for (uint32_t i = 0; i < system->spec.ncomponents; i++) {
        struct component_spec *c = &system->spec.components[i];
        const struct instance *instance = &system->instances[i];
        if (instance->placed)
            placed_check(system, c, instance);
        else
            c->domain = keeps_in && c->ring <= 1 && c->trusted ? DOMAIN_KERNEL : DOMAIN_WASM;
        if (c->domain == DOMAIN_KERNEL)
            c->resources.fuel_per_call = 0; /* native code is not metered */
        turns_check(system, c, instance);
        code_check(system, c, instance);
    }
}
