/* routes.c: a wire to several targets, and the rule by which one of them is picked for each
 * message.
 *
 *   { to = ["b.job", "c.job"], route = "weights", weights = [9, 1] }
 *
 * `route` must be said: that the second stands by for the first, or shares the work with it, is
 * nothing to be guessed. */
#include "runtime/package/package_int.h"

static const char *const rule_names[] = {"single", "weights", "hash", "per-cpu"};
enum { RULES = 4 };

const char *wire_rule_name(enum wire_rule rule)
{
    return rule_names[rule];
}

static void targets_parse(struct system *system, const struct section *wire,
                          const struct toml_node *to, const struct need_spec *need,
                          struct route_spec *route)
{
    const struct toml_node *item = toml_array_first(to->array);
    for (; item != NULL; item = item->next) {
        uint32_t component = 0, provide = 0;
        if (item->type != TOML_STRING) {
            fault(wire->doc, item->at, "an item of to in %s: expected a string, found %s",
                  wire->label, toml_type_name(item->type));
            continue;
        }
        if (!provider_parse(system, wire, item->at, item->string, need, &component, &provide))
            continue;
        bool twice = false;
        for (uint32_t i = 0; i < route->ntargets; i++)
            twice = twice || (route->target[i].component == component &&
                              route->target[i].provide == provide);
        if (twice)
            fault(wire->doc, item->at, "%s in %s is there twice: write it once%s",
                  quote(item->string).text, wire->label,
                  route->rule == WIRE_WEIGHTS ? ", with the sum of its weights" : "");
        route->target[route->ntargets].component = component;
        route->target[route->ntargets].provide = provide;
        route->target[route->ntargets++].weight = 1;
    }
}

/* One for each of the n targets; at least one is not 0. */
static void weights_parse(const struct section *wire, uint32_t n, struct route_spec *route)
{
    const struct toml_node *list = section_get(wire, "weights", TOML_ARRAY);
    if (list == NULL)
        return;
    uint32_t count = toml_array_count(list->array), i = 0;
    int64_t sum = 0;
    if (count != n) {
        fault(wire->doc, list->at, "weights in %s has %u items for %u targets: write one for each",
              wire->label, count, n);
        return;
    }
    for (const struct toml_node *item = toml_array_first(list->array); item != NULL;
         item = item->next, i++) {
        if (item->type != TOML_INTEGER) {
            fault(wire->doc, item->at, "an item of weights in %s: expected an integer, found %s",
                  wire->label, toml_type_name(item->type));
            return;
        }
        if (item->integer < 0 || item->integer > TN_ROUTE_WEIGHT_MAX) {
            fault(wire->doc, item->at,
                  "an item of weights in %s: %lld is out of range, expected 0 to %u", wire->label,
                  (long long)item->integer, TN_ROUTE_WEIGHT_MAX);
            return;
        }
        sum += item->integer;
        route->target[i].weight = (uint32_t)item->integer;
    }
    if (sum == 0)
        fault(wire->doc, list->at, "weights in %s are all 0: nobody would get anything",
              wire->label);
}

static void hash_parse(const struct section *wire, struct route_spec *route)
{
    static const char *const keys[] = {"at", "len"};
    const struct toml_node *node = toml_get(wire->table, STR("hash"));
    struct section s;
    if (node == NULL)
        (void)section_need(wire, "hash", TOML_TABLE,
                           "hash = { at = 0, len = 8 }: the bytes of the arguments that choose");
    else if ((node = section_get(wire, "hash", TOML_TABLE)) != NULL) {
        section_init(&s, wire->doc, node->table, node->at, "hash of %s", wire->label);
        section_check(&s, keys, 2);
        section_uint32(&s, "at", 0, TN_ARGS_MAX - 1, &route->hash_at);
        if (toml_get(s.table, STR("len")) == NULL)
            (void)section_need(&s, "len", TOML_INTEGER, "len = 8, of bytes");
        section_uint32(&s, "len", 1, TN_ROUTE_HASH_MAX, &route->hash_len);
    }
}

/* The keys that go with a rule, and no others. */
static void rule_keys(const struct section *wire, enum wire_rule rule)
{
    static const struct {
        const char *key;
        enum wire_rule rule;
    } of[] = {{"weights", WIRE_WEIGHTS}, {"hash", WIRE_HASH}};
    for (size_t i = 0; i < 2; i++) {
        const struct toml_node *node = toml_get(wire->table, str_of(of[i].key));
        if (node != NULL && of[i].rule != rule)
            fault(wire->doc, node->key_at, "%s in %s goes with route = \"%s\" alone", of[i].key,
                  wire->label, rule_names[of[i].rule]);
    }
}

void route_wire(struct system *system, const struct section *wire, const struct toml_node *to,
                struct need_spec *need)
{
    uint32_t n = toml_array_count(to->array), rule = UINT32_MAX;
    uint32_t before = wire->doc->reading->faults->total;
    if (n == 0 || n > TN_TARGETS_MAX) {
        fault(wire->doc, to->at, "to in %s has %u targets, expected 1 to %u (TN_TARGETS_MAX)",
              wire->label, n, TN_TARGETS_MAX);
        return;
    }
    struct route_spec *route = arena_get(wire->doc->reading, sizeof(*route));
    if (route == NULL)
        return;
    if (n > 1 && toml_get(wire->table, STR("route")) == NULL)
        (void)section_need(wire, "route", TOML_STRING,
                           "route = \"single\" (the others stand by), \"weights\", \"hash\" or "
                           "\"per-cpu\"");
    section_choice(wire, "route", rule_names, RULES, &rule);
    route->rule = rule == UINT32_MAX ? WIRE_SINGLE : (enum wire_rule)rule;
    targets_parse(system, wire, to, need, route);
    if (rule != UINT32_MAX) {
        rule_keys(wire, route->rule);
        if (route->rule == WIRE_WEIGHTS)
            weights_parse(wire, n, route);
        if (route->rule == WIRE_HASH)
            hash_parse(wire, route);
    }
    if (need == NULL || wire->doc->reading->faults->total != before)
        return;
    need->wire = WIRE_COMPONENT;
    need->component = route->target[0].component;
    need->provide = route->target[0].provide;
    need->route = n > 1 ? route : NULL;
}
