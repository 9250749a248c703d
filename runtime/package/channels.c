/* channels.c: a wire that is a channel: one line joins the producer's need and the consumer's.
 *
 *   "reader.rows" = { channel = "report.rows", capacity = "64 KiB" }
 *
 * The key is the producer, whose memory the ring is charged to. */
#include <tenon/interface.h>

#include "base/assert.h"
#include "base/bits.h"
#include "runtime/package/package_int.h"

const char *const channel_names[] = {"producer", "consumer"};

const char *channel_side_name(enum channel_side side)
{
    ASSERT(side != CHANNEL_NO);
    return channel_names[side - CHANNEL_PRODUCER];
}

bool channel_fits(const struct section *wire, const struct toml_node *node,
                  const struct need_spec *need)
{
    bool asked = node->type == TOML_TABLE && toml_get(node->table, STR("channel")) != NULL;
    if (need == NULL)
        return true;
    if (need->channel != CHANNEL_NO && !asked) {
        fault(wire->doc, node->at,
              "%s: the need is the %s's end of a channel: write \"PRODUCER.NEED\" = { channel = "
              "\"CONSUMER.NEED\", capacity = \"64 KiB\" }",
              wire->label, channel_side_name(need->channel));
        return false;
    }
    if (need->channel == CHANNEL_NO && asked) {
        if (need->interface != NULL)
            fault(wire->doc, node->at,
                  "%s needs %s, not an end of a channel: its component.toml would say channel = "
                  "\"producer\"",
                  wire->label, need->interface->name);
        return false;
    }
    return true;
}

void channel_unwired(struct system *system, uint32_t component, const struct need_spec *need)
{
    const struct component_spec *c = &system->spec.components[component];
    bool produces = need->channel == CHANNEL_PRODUCER;
    struct message own = {.len = 0};
    message_add(&own, "%s.%s", plain(c->name).text, plain(need->name).text);
    fault(&system->doc, system->instances[component].node->key_at,
          "%s needs %s (a channel, as its %s), which is not wired: write \"%s\" = { channel = "
          "\"%s\", capacity = \"64 KiB\" } in [wires]",
          plain(c->name).text, plain(need->name).text, channel_side_name(need->channel),
          produces ? own.text : "PRODUCER.NEED", produces ? "CONSUMER.NEED" : own.text);
}

/* The consumer's need, which is wired from here on; NULL and a fault where it cannot be. */
static struct need_spec *consumer_find(struct system *system, const struct section *wire,
                                       const struct toml_node *to, uint32_t *ret_component,
                                       uint32_t *ret_need)
{
    struct str of, name;
    if (!dotted(to->string, &of, &name)) {
        fault(wire->doc, to->at, "channel in %s: %s is not of the form \"component.need\"",
              wire->label, quote(to->string).text);
        return NULL;
    }
    uint32_t component = system_expect(system, to->at, of);
    if (component == UINT32_MAX || !system->instances[component].known)
        return NULL;
    struct instance *instance = &system->instances[component];
    uint32_t i = need_find(&system->spec.components[component], name);
    if (i == UINT32_MAX) {
        unknown_need(system, to->at, component, name);
        return NULL;
    }
    struct need_spec *need = &system->spec.components[component].needs[i];
    if (instance->wire_at[i].line != 0) {
        fault(wire->doc, to->at, "%s is wired already: see line %u", quote(to->string).text,
              instance->wire_at[i].line);
        return NULL;
    }
    instance->wire_at[i] = to->at;
    if (need->channel != CHANNEL_CONSUMER) {
        if (need->channel == CHANNEL_PRODUCER)
            fault(wire->doc, to->at, "channel in %s: %s is a producer too: name a consumer's need",
                  wire->label, quote(to->string).text);
        else if (need->interface != NULL)
            fault(wire->doc, to->at, "channel in %s: %s needs %s, not an end of a channel",
                  wire->label, quote(to->string).text, need->interface->name);
        return NULL;
    }
    *ret_component = component;
    *ret_need = i;
    return need;
}

/* The least capacity that is none too small. */
static uint64_t capacity_near(uint64_t bytes)
{
    uint64_t at = TN_CHANNEL_MIN;
    while (at < bytes && at < TN_CHANNEL_MAX)
        at *= 2;
    return at;
}

/* 0 and a fault where it is none. `producer` may be NULL. */
static uint64_t capacity_parse(const struct section *wire, const struct component_spec *producer)
{
    const struct toml_node *node = toml_get(wire->table, STR("capacity"));
    uint64_t bytes = 0;
    if (node == NULL)
        (void)section_need(wire, "capacity", TOML_STRING, "capacity = \"64 KiB\"");
    section_size(wire, "capacity", &bytes);
    if (node == NULL || bytes == 0)
        return 0;
    if (!is_pow2(bytes) || bytes < TN_CHANNEL_MIN || bytes > TN_CHANNEL_MAX) {
        fault(wire->doc, node->at,
              "capacity in %s: %s is no power of two from %s to %s: write \"%s\"", wire->label,
              size_text(bytes).text, size_text(TN_CHANNEL_MIN).text, size_text(TN_CHANNEL_MAX).text,
              size_text(capacity_near(bytes)).text);
        return 0;
    }
    if (producer != NULL && bytes >= producer->resources.memory_bytes) {
        fault(wire->doc, node->at,
              "capacity in %s: the ring is charged to %s, which has %s of memory in all: write "
              "less, or more memory in its component.toml",
              wire->label, quote(producer->name).text,
              size_text(producer->resources.memory_bytes).text);
        return 0;
    }
    return bytes;
}

void channel_wire(struct system *system, const struct section *wire, uint32_t component,
                  struct need_spec *need)
{
    static const char *const keys[] = {"channel", "capacity"};
    section_check(wire, keys, 2);
    const struct component_spec *own = need == NULL ? NULL : &system->spec.components[component];
    if (need != NULL && need->channel == CHANNEL_CONSUMER) {
        fault(wire->doc, wire->at,
              "%s is a consumer: the line begins with the producer: write \"PRODUCER.NEED\" = { "
              "channel = \"%s.%s\", ... }",
              wire->label, plain(own->name).text, plain(need->name).text);
        return;
    }
    uint64_t capacity = capacity_parse(wire, own);
    const struct toml_node *to = section_get(wire, "channel", TOML_STRING);
    uint32_t other = 0, i = 0;
    struct need_spec *consumer = to == NULL ? NULL : consumer_find(system, wire, to, &other, &i);
    if (need == NULL || consumer == NULL || capacity == 0)
        return;
    need->wire = consumer->wire = WIRE_CHANNEL;
    need->capacity_bytes = consumer->capacity_bytes = capacity;
    need->component = other;
    need->provide = i;
    consumer->component = component;
    consumer->provide = (uint32_t)(need - own->needs);
}
