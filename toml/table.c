/* table.c: the tree: tables, arrays and the arena they are made in. */
#include "base/assert.h"
#include "base/bits.h"
#include "toml/toml_int.h"

void *toml_alloc(struct toml_parser *p, size_t bytes)
{
    struct toml_arena *a = p->arena;
    size_t pad = (size_t)(-((uintptr_t)a->at + a->used) % _Alignof(struct toml_member));
    if (pad > a->bytes - a->used || bytes > a->bytes - a->used - pad) {
        toml_fail(p, toml_here(p), TN_ENOMEM, "give the reader more memory",
                  "the memory for reading the document is used up here");
        p->stop = true;
        return NULL;
    }
    void *at = a->at + a->used + pad;
    a->used += pad + bytes;
    return at;
}

bool toml_append(struct toml_parser *p, const char *at, size_t n)
{
    struct toml_arena *a = p->arena;
    if (n > a->bytes - a->used) {
        toml_fail(p, toml_here(p), TN_ENOMEM, "give the reader more memory",
                  "the memory for reading the document is used up here");
        p->stop = true;
        return false;
    }
    if (n > 0)
        memcpy(a->at + a->used, at, n);
    a->used += n;
    return true;
}

struct toml_table *toml_new_table(struct toml_parser *p, enum toml_origin origin, uint32_t depth)
{
    ASSERT(depth <= TOML_MAX_DEPTH);
    struct toml_table *table = toml_alloc(p, sizeof(*table));
    if (table != NULL)
        *table = (struct toml_table){.origin = (uint8_t)origin, .depth = (uint8_t)depth};
    return table;
}

static bool too_deep(struct toml_parser *p, struct toml_pos at, uint32_t outer)
{
    if (outer < TOML_MAX_DEPTH)
        return false;
    toml_fail(p, at, TN_ELIMIT, "nest less deeply",
              "tables and arrays are nested more than %u deep (TOML_MAX_DEPTH)",
              (uint32_t)TOML_MAX_DEPTH);
    return true;
}

bool toml_make_table(struct toml_parser *p, struct toml_node *node, struct toml_pos at,
                     enum toml_origin origin, uint32_t outer)
{
    if (too_deep(p, at, outer))
        return false;
    struct toml_table *table = toml_new_table(p, origin, outer + 1);
    if (table == NULL)
        return false;
    node->at = at;
    node->type = TOML_TABLE;
    node->table = table;
    return true;
}

bool toml_make_array(struct toml_parser *p, struct toml_node *node, struct toml_pos at,
                     bool of_headers, uint32_t outer)
{
    if (too_deep(p, at, outer))
        return false;
    struct toml_array *array = toml_alloc(p, sizeof(*array));
    if (array == NULL)
        return false;
    *array = (struct toml_array){.depth = (uint8_t)(outer + 1), .of_headers = of_headers};
    node->at = at;
    node->type = TOML_ARRAY;
    node->array = array;
    return true;
}

/* A key as a row of bits, from 1: nine for each byte, of which the first says that there is one.
 * Bits after the end are 0, so that no key is the beginning of another. */
static uint32_t key_bit(struct str key, uint32_t bit)
{
    size_t byte = (bit - 1) / 9;
    uint32_t n = (bit - 1) % 9;
    return byte < key.len ? (0x100u | (uint8_t)key.at[byte]) >> (8 - n) & 1 : 0;
}

/* The first bit in which two keys that are not equal differ. */
static uint32_t first_difference(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    while (i < least && a.at[i] == b.at[i])
        i++;
    if (i == least)
        return (uint32_t)(9 * i + 1);
    return (uint32_t)(9 * i + 1) + 8 - log2_floor((uint8_t)(a.at[i] ^ b.at[i]));
}

/* The only member that can have the key. */
static struct toml_member *candidate(const struct toml_table *table, struct str key)
{
    struct toml_member *from = table->first;
    struct toml_member *m = from->child[0];
    while (m->bit > from->bit) {
        from = m;
        m = m->child[key_bit(key, m->bit)];
    }
    return m;
}

struct toml_member *toml_find(const struct toml_table *table, struct str key)
{
    if (table->first == NULL)
        return NULL;
    struct toml_member *m = candidate(table, key);
    return str_eq(m->node.key, key) ? m : NULL;
}

static void link_member(struct toml_table *table, struct toml_member *new, struct str key)
{
    struct str other = candidate(table, key)->node.key;
    ASSERT(!str_eq(other, key));
    new->bit = first_difference(other, key);
    struct toml_member *from = table->first;
    struct toml_member **link = &from->child[0];
    while ((*link)->bit > from->bit && (*link)->bit < new->bit) {
        from = *link;
        link = &from->child[key_bit(key, from->bit)];
    }
    uint32_t side = key_bit(key, new->bit);
    new->child[side] = new;
    new->child[1 - side] = *link;
    *link = new;
}

struct toml_node *toml_add(struct toml_parser *p, struct toml_table *table,
                           const struct toml_part *part)
{
    struct toml_member *m = toml_alloc(p, sizeof(*m));
    if (m == NULL)
        return NULL;
    *m = (struct toml_member){
        .node = {.key = part->key, .key_at = part->at, .at = part->at, .type = TOML_UNREAD}};
    if (table->first == NULL) {
        m->child[0] = m;
        table->first = m;
    } else {
        link_member(table, m, part->key);
        table->last->node.next = &m->node;
    }
    table->last = m;
    table->count++;
    return &m->node;
}

struct toml_node *toml_push(struct toml_parser *p, struct toml_array *array)
{
    struct toml_node *node = toml_alloc(p, sizeof(*node));
    if (node == NULL)
        return NULL;
    *node = (struct toml_node){.at = toml_here(p), .type = TOML_UNREAD};
    if (array->first == NULL)
        array->first = node;
    else
        array->last->next = node;
    array->last = node;
    array->count++;
    return node;
}

const struct toml_node *toml_get(const struct toml_table *table, struct str key)
{
    const struct toml_member *m = toml_find(table, key);
    return m == NULL ? NULL : &m->node;
}

const struct toml_node *toml_table_first(const struct toml_table *table)
{
    return table->first == NULL ? NULL : &table->first->node;
}

const struct toml_node *toml_array_first(const struct toml_array *array)
{
    return array->first;
}

uint32_t toml_table_count(const struct toml_table *table)
{
    return table->count;
}

uint32_t toml_array_count(const struct toml_array *array)
{
    return array->count;
}

const char *toml_type_name(enum toml_type type)
{
    static const char *const names[] = {
        [TOML_TABLE] = "a table",
        [TOML_ARRAY] = "an array",
        [TOML_STRING] = "a string",
        [TOML_INTEGER] = "an integer",
        [TOML_FLOAT] = "a float",
        [TOML_BOOLEAN] = "a boolean",
        [TOML_OFFSET_DATETIME] = "a date and time with an offset",
        [TOML_LOCAL_DATETIME] = "a local date and time",
        [TOML_LOCAL_DATE] = "a local date",
        [TOML_LOCAL_TIME] = "a local time",
    };
    ASSERT((size_t)type < ARRAY_LEN(names));
    return names[type];
}
