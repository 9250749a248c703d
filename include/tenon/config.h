/* config.h: how a component reads its configuration: the [components.NAME.config] table of the
 * composition, handed to load() as a list of keys and values.
 *
 * Encoding, little-endian: records in the order of the file, each struct tn_config_head, the key
 * (UTF-8, tables flattened with dots: "window.hours"), the value, zeros up to a multiple of 8. Text
 * is UTF-8 bytes; integers, floats and booleans are 8 bytes (int64_t, double, 0 or 1). */
#ifndef TENON_CONFIG_H
#define TENON_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <tenon/component.h>

enum tn_config_type { TN_CONFIG_TEXT, TN_CONFIG_INTEGER, TN_CONFIG_FLOAT, TN_CONFIG_BOOL };

enum { TN_CONFIG_KEY_MAX = 255 };

struct tn_config_head {
    uint16_t key_len;
    uint16_t type; /* enum tn_config_type */
    uint32_t value_len;
};
_Static_assert(sizeof(struct tn_config_head) == 8, "one layout on every target");

struct tn_config_item {
    const char *key; /* in the pack, not terminated */
    uint32_t key_len;
    enum tn_config_type type;
    const char *text; /* TN_CONFIG_TEXT: in the pack */
    uint32_t text_len;
    int64_t integer; /* TN_CONFIG_INTEGER, and 0 or 1 of TN_CONFIG_BOOL */
    double number;   /* TN_CONFIG_FLOAT, and the value of an integer */
};

/* Takes the item at *at (0 at first) and moves *at behind it; its pointers are into the pack.
 * TN_ENOTFOUND: there is none left; TN_EARGS: malformed. On failure nothing is changed. */
static inline TN_MUST tn_err tn_config_next(const struct tn_pack *config, uint32_t *at,
                                            struct tn_config_item *ret)
{
    struct tn_config_head head;
    uint32_t left = config->len - *at;
    if (*at >= config->len)
        return TN_ENOTFOUND;
    if (left < sizeof(head))
        return TN_EARGS;
    const char *from = (const char *)config->data + *at;
    __builtin_memcpy(&head, from, sizeof(head));
    uint64_t bytes = sizeof(head) + (uint64_t)head.key_len + head.value_len;
    uint64_t padded = (bytes + 7) & ~(uint64_t)7;
    if (head.type > TN_CONFIG_BOOL || padded > left ||
        (head.type != TN_CONFIG_TEXT && head.value_len != 8))
        return TN_EARGS;
    const char *value = from + sizeof(head) + head.key_len;
    *ret = (struct tn_config_item){.key = from + sizeof(head),
                                   .key_len = head.key_len,
                                   .type = (enum tn_config_type)head.type};
    if (head.type == TN_CONFIG_TEXT) {
        ret->text = value;
        ret->text_len = head.value_len;
    } else if (head.type == TN_CONFIG_FLOAT) {
        __builtin_memcpy(&ret->number, value, 8);
    } else {
        __builtin_memcpy(&ret->integer, value, 8);
        ret->number = (double)ret->integer;
    }
    *at += (uint32_t)padded;
    return TN_OK;
}

/* Appends an item to a pack that has room (data, size). TN_ETOOBIG: no room, nothing added. */
static inline TN_MUST tn_err tn_config_add(struct tn_pack *config, enum tn_config_type type,
                                           const char *key, uint32_t key_len, const void *value,
                                           uint32_t value_len)
{
    struct tn_config_head head = {(uint16_t)key_len, (uint16_t)type, value_len};
    uint64_t bytes = sizeof(head) + (uint64_t)key_len + value_len;
    uint64_t padded = (bytes + 7) & ~(uint64_t)7;
    if (key_len > TN_CONFIG_KEY_MAX || config->len > config->size ||
        padded > config->size - config->len)
        return TN_ETOOBIG;
    char *to = (char *)config->data + config->len;
    __builtin_memset(to, 0, (size_t)padded);
    __builtin_memcpy(to, &head, sizeof(head));
    __builtin_memcpy(to + sizeof(head), key, key_len);
    if (value_len > 0)
        __builtin_memcpy(to + sizeof(head) + key_len, value, value_len);
    config->len += (uint32_t)padded;
    return TN_OK;
}

#endif
