/* driver.h: how a driver learns what it may touch.
 *
 * A driver is a component that reaches outside: a file, a clock, a device. What it may reach is not
 * its choice: the composition (the system's owner) lists grants, and the `config` pack of load()
 * carries them. A grant says: a call whose turn->badge is `badge` may do `rights` to what `text`
 * names. The composition mints the capability that it wires to a component with that badge, and
 * the kernel sets the badge, so a component reaches its own grants and nothing beside them.
 *
 * Badges of grants are 1 to TN_GRANT_BADGE_MAX. The upper half of the numbers is the driver's own:
 * it mints those for what it opens on behalf of a grant, from its need named "self", which the
 * composition wires to the driver's own endpoint, unbadged, with all rights. Badge 0 (who holds
 * that endpoint as it is) is granted nothing.
 *
 * A driver that waits in system calls says so around them (tn_block_begin, tn_block_end). Where the
 * composition gives it a machine thread of its own, nobody is held up by it meanwhile.
 *
 * Encoding, little-endian: struct tn_grants_head, then `count` records in ascending order of badge,
 * each struct tn_grant_head, its text (UTF-8, no zero byte), zeros up to a multiple of 8. Nothing
 * follows. An empty pack is a list without grants. */
#ifndef TENON_DRIVER_H
#define TENON_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/component.h>

#define TN_GRANTS_VERSION  1u
#define TN_GRANT_BADGE_MAX INT64_MAX

enum {
    TN_GRANT_TEXT_MAX = 4095, /* bytes of a grant's text; a path on Linux */
};

enum tn_grant_kind {
    TN_GRANT_NAME,      /* who calls: text is a component's name (log) */
    TN_GRANT_FILE,      /* one file: text is its path */
    TN_GRANT_DIRECTORY, /* one directory and what is beneath it: text is its path */
    TN_GRANT_KINDS,
};

/* Around system calls that may take long: a read, a sync. Between the two the driver calls no
 * function of component.h; `in`, `out`, its own state and what it has mapped stay good. Not nested,
 * in one turn, native code only. On a thread that others share the two do nothing, and others wait.
 */
void tn_block_begin(void);
void tn_block_end(void);

struct tn_grants_head {
    uint32_t version, count;
};

struct tn_grant_head {
    uint64_t badge;
    uint32_t rights; /* TN_R_READ, TN_R_WRITE */
    uint16_t kind;   /* enum tn_grant_kind */
    uint16_t text_len;
};
_Static_assert(sizeof(struct tn_grant_head) == 16, "one layout on every target");

struct tn_grant {
    uint64_t badge;
    uint32_t rights;
    enum tn_grant_kind kind;
    const char *text; /* in the pack, not terminated */
    uint32_t text_len;
};

/* A list that is being read. */
struct tn_grants {
    const uint8_t *at;
    uint32_t len, left; /* bytes; grants */
    uint64_t badge;     /* of the last one */
};

/* Begins to read a config pack. TN_EARGS: it is none; TN_EVERSION: of another version. */
static inline TN_MUST tn_err tn_grants_open(const struct tn_pack *config, struct tn_grants *ret)
{
    struct tn_grants_head head = {TN_GRANTS_VERSION, 0};
    uint32_t len = config == NULL ? 0 : config->len;
    if (len > TN_ARGS_MAX || (len > 0 && (config->data == NULL || len < sizeof(head))))
        return TN_EARGS;
    if (len > 0)
        __builtin_memcpy(&head, config->data, sizeof(head));
    if (head.version != TN_GRANTS_VERSION)
        return TN_EVERSION;
    uint32_t used = len > 0 ? (uint32_t)sizeof(head) : 0;
    *ret = (struct tn_grants){.len = len - used, .left = head.count};
    if (len > 0)
        ret->at = (const uint8_t *)config->data + used;
    return TN_OK;
}

/* Has a badge, rights and a kind that there are. */
static inline bool tn_grant_valid(const struct tn_grant *grant)
{
    const uint32_t rights = TN_R_READ | TN_R_WRITE;
    return grant->badge > 0 && grant->badge <= TN_GRANT_BADGE_MAX &&
           (uint32_t)grant->kind < TN_GRANT_KINDS && (grant->rights & ~rights) == 0;
}

/* Takes the next grant. TN_ENOTFOUND: there is none, and the list was whole; TN_EARGS: it is
 * malformed. */
static inline TN_MUST tn_err tn_grants_next(struct tn_grants *grants, struct tn_grant *ret)
{
    struct tn_grant_head head;
    if (grants->left == 0)
        return grants->len == 0 ? TN_ENOTFOUND : TN_EARGS;
    if (grants->len < sizeof(head))
        return TN_EARGS;
    __builtin_memcpy(&head, grants->at, sizeof(head));
    uint32_t padded = (head.text_len + 7u) & ~7u;
    if (padded > grants->len - sizeof(head) || head.text_len > TN_GRANT_TEXT_MAX)
        return TN_EARGS;
    const uint8_t *text = grants->at + sizeof(head);
    struct tn_grant grant = {.badge = head.badge,
                             .rights = head.rights,
                             .kind = (enum tn_grant_kind)head.kind,
                             .text = (const char *)text,
                             .text_len = head.text_len};
    if (grant.badge <= grants->badge || !tn_grant_valid(&grant))
        return TN_EARGS;
    for (uint32_t i = 0; i < padded; i++) {
        if ((text[i] == 0) != (i >= head.text_len))
            return TN_EARGS;
    }
    grants->at = text + padded;
    grants->len -= (uint32_t)sizeof(head) + padded;
    grants->left--;
    grants->badge = head.badge;
    *ret = grant;
    return TN_OK;
}

/* Appends a grant to a pack that has room (data, size) and is empty (len 0) or was made by this.
 * TN_EARGS: tn_grants_next would not take it (badges must ascend), or the pack is no list;
 * TN_EVERSION: it is one of another version; TN_ETOOBIG: no room. The pack is then as it was. */
static inline TN_MUST tn_err tn_grants_add(struct tn_pack *config, struct tn_grant grant)
{
    struct tn_grants_head list = {TN_GRANTS_VERSION, 0};
    struct tn_grants before;
    struct tn_grant last;
    tn_err err = tn_grants_open(config, &before);
    while (err == TN_OK)
        err = tn_grants_next(&before, &last);
    if (err != TN_ENOTFOUND)
        return err;
    uint8_t *base = config->data;
    uint32_t at = config->len > 0 ? config->len : (uint32_t)sizeof(list);
    uint32_t padded = (grant.text_len + 7u) & ~7u;
    uint32_t size = config->size < TN_ARGS_MAX ? config->size : (uint32_t)TN_ARGS_MAX;
    struct tn_grant_head head = {.badge = grant.badge,
                                 .rights = grant.rights,
                                 .kind = (uint16_t)grant.kind,
                                 .text_len = (uint16_t)grant.text_len};
    if (grant.text_len > TN_GRANT_TEXT_MAX || at + sizeof(head) + padded > size)
        return TN_ETOOBIG;
    if (grant.badge <= before.badge || !tn_grant_valid(&grant))
        return TN_EARGS;
    for (uint32_t i = 0; i < grant.text_len; i++) {
        if (grant.text[i] == 0)
            return TN_EARGS;
    }
    if (config->len > 0)
        __builtin_memcpy(&list, base, sizeof(list));
    list.count++;
    __builtin_memcpy(base, &list, sizeof(list));
    __builtin_memcpy(base + at, &head, sizeof(head));
    __builtin_memset(base + at + sizeof(head), 0, padded);
    if (grant.text_len > 0)
        __builtin_memcpy(base + at + sizeof(head), grant.text, grant.text_len);
    config->len = at + (uint32_t)sizeof(head) + padded;
    return TN_OK;
}

#endif
