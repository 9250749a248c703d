/* value.c: values of every type. Arrays and inline tables are kept on a stack of their own, so that
 * nesting costs none of the caller's. */
#include "base/assert.h"
#include "toml/toml_int.h"

/* What numbers, dates and booleans are made of. */
static bool is_word(int c)
{
    return toml_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '+' || c == '.' || c == ':';
}

/* The word at the cursor; a date goes on after one space when a digit follows. */
static struct str word_here(const struct toml_parser *p)
{
    size_t n = 0;
    while (is_word(toml_peek_at(p, n)))
        n++;
    if (n == 10 && p->at[4] == '-' && toml_peek_at(p, n) == ' ' &&
        toml_is_digit(toml_peek_at(p, n + 1))) {
        n++;
        while (is_word(toml_peek_at(p, n)))
            n++;
    }
    return (struct str){p->at, n};
}

static bool fail_word(struct toml_parser *p, struct str word)
{
    char lower[6] = {0};
    for (size_t i = 0; i < word.len && word.len < sizeof(lower); i++)
        lower[i] = (char)(word.at[i] | 0x20);
    struct str l = {lower, word.len};
    const char *hint = "text goes in quotes";
    if (word.len < sizeof(lower) && (str_eq(l, STR("true")) || str_eq(l, STR("false"))))
        hint = "write true or false, in small letters";
    else if (word.len < sizeof(lower) && (str_eq(l, STR("inf")) || str_eq(l, STR("nan"))))
        hint = "write inf or nan, in small letters";
    else if (word.len < sizeof(lower) && (str_eq(l, STR("yes")) || str_eq(l, STR("no"))))
        hint = "write true or false; text goes in quotes";
    else if (word.at[0] == '.')
        hint = "a number begins with a digit: 0.5";
    return toml_fail(p, toml_here(p), TN_EFORMAT, hint, "expected a value, found %k", &word);
}

/* The cursor stays within the word when it is not a value. */
static bool parse_word(struct toml_parser *p, struct str word, struct toml_node *node)
{
    char c = word.at[0];
    if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        node->type = TOML_BOOLEAN;
        node->boolean = c == 't';
        p->at += word.len;
        return true;
    }
    bool special = str_eq(word, STR("inf")) || str_eq(word, STR("nan"));
    if (!toml_is_digit(c) && c != '+' && c != '-' && !special)
        return fail_word(p, word);
    bool datetime = toml_at_datetime(p);
    if (!(datetime ? toml_read_datetime(p, node) : toml_read_number(p, node)))
        return false;
    if (p->at < word.at + word.len)
        return toml_expected(p, datetime ? "the end of the date or time" : "the end of the number",
                             "text goes in quotes");
    return true;
}

/* A number, a date, a boolean. One that is wrong is stepped over when what follows can only be the
 * end of a value: the rest is then read as if it had been right. */
static bool read_word(struct toml_parser *p, struct toml_node *node)
{
    struct str word = word_here(p);
    if (word.len == 0)
        return toml_expected(p, "a value",
                             "a value is text in quotes, a number, true, false, a date or time, "
                             "[an array] or {a table}");
    if (parse_word(p, word, node))
        return true;
    p->at = word.at + word.len;
    toml_skip_blanks(p);
    int c = toml_peek(p);
    bool ends = c == ',' || c == ']' || c == '}' || c == '#' || toml_newline_bytes(p) > 0;
    return ends && p->opens > 0 && !p->stop;
}

static void push_open(struct toml_parser *p, struct toml_node *node)
{
    ASSERT(p->opens < TOML_MAX_DEPTH);
    p->open[p->opens++] = node;
}

/* Reads a value, or opens an array or inline table. */
static bool begin_value(struct toml_parser *p, struct toml_slot slot)
{
    struct toml_node *node = slot.node;
    node->at = toml_here(p);
    switch (toml_peek(p)) {
    case '"':
    case '\'':
        node->type = TOML_STRING;
        return toml_read_string(p, &node->string);
    case '[':
        if (!toml_make_array(p, node, node->at, false, slot.depth))
            return false;
        p->at++;
        push_open(p, node);
        return true;
    case '{':
        if (!toml_make_table(p, node, node->at, TOML_INLINE, slot.depth))
            return false;
        node->table->section = ++p->sections;
        p->at++;
        push_open(p, node);
        return true;
    default:
        return read_word(p, node);
    }
}

static bool fail_unclosed(struct toml_parser *p, const struct toml_node *node)
{
    bool array = node->type == TOML_ARRAY;
    if (toml_ended(p) || (!array && toml_newline_bytes(p) > 0))
        return toml_fail(p, toml_here(p), TN_EFORMAT,
                         array ? "close it with ]"
                               : "an inline table stands on one line: close it with }, or use a "
                                 "[table]",
                         "%s that opens at line %u, column %u is not closed: found %f",
                         array ? "an array" : "an inline table", node->at.line, node->at.column);
    return toml_expected(p, array ? "',' or ']' after the element" : "',' or '}' after the value",
                         array ? "elements are separated by commas; text goes in quotes"
                               : "keys are separated by commas; text goes in quotes");
}

/* Where the next element goes, or NULL when the array is closed. */
static bool next_element(struct toml_parser *p, struct toml_node *node, struct toml_slot *ret_slot)
{
    struct toml_array *array = node->array;
    if (!toml_skip_lines(p))
        return false;
    if (array->count > 0 && toml_peek(p) == ',') {
        p->at++;
        if (!toml_skip_lines(p))
            return false;
    } else if (array->count > 0 && toml_peek(p) != ']') {
        return fail_unclosed(p, node);
    }
    if (toml_ended(p))
        return fail_unclosed(p, node);
    if (toml_peek(p) == ']') {
        p->at++;
        p->opens--;
        *ret_slot = (struct toml_slot){NULL, 0};
        return true;
    }
    struct toml_node *element = toml_push(p, array);
    *ret_slot = (struct toml_slot){element, array->depth};
    return element != NULL;
}

/* Where the value of the next key goes, or NULL when the inline table is closed. */
static bool next_pair(struct toml_parser *p, struct toml_node *node, struct toml_slot *ret_slot)
{
    struct toml_table *table = node->table;
    toml_skip_blanks(p);
    if (toml_peek(p) == '}') {
        p->at++;
        p->opens--;
        *ret_slot = (struct toml_slot){NULL, 0};
        return true;
    }
    if (table->count > 0) {
        if (toml_peek(p) != ',')
            return fail_unclosed(p, node);
        p->at++;
        toml_skip_blanks(p);
        if (toml_peek(p) == '}')
            return toml_expected(p, "a key after ','", "remove the comma before }");
    }
    if (toml_ended(p) || toml_newline_bytes(p) > 0)
        return fail_unclosed(p, node);
    return toml_read_key(p) && toml_place_value(p, table, ret_slot);
}

bool toml_read_value(struct toml_parser *p, struct toml_slot slot)
{
    ASSERT(slot.node != NULL);
    p->opens = 0;
    for (;;) {
        if (slot.node != NULL && !begin_value(p, slot))
            return false;
        if (p->opens == 0)
            return true;
        struct toml_node *open = p->open[p->opens - 1];
        bool ok =
            open->type == TOML_ARRAY ? next_element(p, open, &slot) : next_pair(p, open, &slot);
        if (!ok)
            return false;
    }
}
