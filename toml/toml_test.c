/* toml_test.c: documents as trees, the errors that they make, the limits, the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toml/toml.h"

static uint8_t arena_bytes[1 << 20];
static struct toml_errors errors;

static tn_err parse(const char *text, size_t len, const struct toml_table **ret_root)
{
    struct toml_arena arena = {arena_bytes, sizeof(arena_bytes), 0};
    return toml_parse(&arena, text, len, ret_root, &errors);
}

static const struct toml_table *tree_of(const char *text)
{
    const struct toml_table *root = NULL;
    tn_err err = parse(text, strlen(text), &root);
    if (err != 0)
        fail_msg("%s: %u:%u: %s", text, errors.at[0].at.line, errors.at[0].at.column,
                 errors.at[0].text);
    assert_int_equal(errors.count, 0);
    return root;
}

/* The node at a path of bare keys: "a.b.c". */
static const struct toml_node *node_at(const struct toml_table *table, const char *path)
{
    const struct toml_node *n = NULL;
    for (;;) {
        size_t len = strcspn(path, ".");
        n = toml_get(table, (struct str){path, len});
        if (n == NULL || path[len] == '\0')
            return n;
        assert_int_equal(n->type, TOML_TABLE);
        table = n->table;
        path += len + 1;
    }
}

static void test_tables(void **state)
{
    (void)state;
    const struct toml_table *root = tree_of("title = 't'\n"
                                            "a.b.c = 1\n"
                                            "a.b.d = 2\n"
                                            "'' = 3\n"
                                            "\"q.\\u0000\" . x = 4\n"
                                            "[s.t.u]\n"
                                            "k = 5\n"
                                            "[s]\n"
                                            "t.v = 6\n"
                                            "[a.b.e]\n"
                                            "[[list]]\n"
                                            "n = 1\n"
                                            "[list.sub]\n"
                                            "[[list]]\n"
                                            "n = 2\n"
                                            "sub = {x.y = 1, x.z = 2}\n");
    assert_int_equal(node_at(root, "a.b.d")->integer, 2);
    assert_int_equal(node_at(root, "a.b.e")->type, TOML_TABLE);
    assert_int_equal(toml_get(root, STR(""))->integer, 3);
    const struct toml_node *q = toml_get(root, STR("q.\0"));
    assert_int_equal(toml_get(q->table, STR("x"))->integer, 4);
    assert_int_equal(node_at(root, "s.t.u.k")->integer, 5);
    assert_int_equal(node_at(root, "s.t.v")->integer, 6);
    assert_null(node_at(root, "s.t.w"));
    const struct toml_node *e = toml_array_first(node_at(root, "list")->array);
    assert_int_equal(node_at(e->table, "n")->integer, 1);
    assert_int_equal(node_at(e->table, "sub")->type, TOML_TABLE);
    assert_int_equal(node_at(e->next->table, "sub.x.z")->integer, 2);
    static const char *const order[] = {"title", "a", "", "q.", "s", "list"};
    const struct toml_node *n = toml_table_first(root);
    for (size_t i = 0; i < 6; i++, n = n->next)
        assert_memory_equal(n->key.at, order[i], strlen(order[i]));
    assert_null(n);
    assert_int_equal(toml_table_count(root), 6);
}

static void assert_at(struct toml_pos at, uint32_t line, uint32_t column)
{
    assert_int_equal(at.line, line);
    assert_int_equal(at.column, column);
}

static void test_positions(void **state)
{
    (void)state;
    const struct toml_table *root = tree_of("\xef\xbb\xbf"
                                            "k = 1\r\n"
                                            "'\xc3\xa9' = '\xf0\x9f\x98\x80'# \n"
                                            "m = '''\n\n'''\n"
                                            "\tw.\t x= [ 'a', 2 ]\n"
                                            "[p . q]\n"
                                            "[p]\n"
                                            "[[ z]]\n"
                                            "[[z ]]\n");
    assert_at(node_at(root, "k")->key_at, 1, 1);
    assert_at(node_at(root, "k")->at, 1, 5);
    assert_at(node_at(root, "\xc3\xa9")->key_at, 2, 1);
    assert_at(node_at(root, "\xc3\xa9")->at, 2, 7);
    assert_at(node_at(root, "m")->at, 3, 5);
    assert_at(node_at(root, "w")->at, 6, 2);
    assert_at(node_at(root, "w.x")->key_at, 6, 6);
    assert_at(node_at(root, "w.x")->at, 6, 9);
    const struct toml_node *e = toml_array_first(node_at(root, "w.x")->array);
    assert_at(e->at, 6, 11);
    assert_at(e->next->at, 6, 16);
    assert_at(e->key_at, 0, 0);
    assert_at(node_at(root, "p.q")->at, 7, 6);
    assert_at(node_at(root, "p")->key_at, 8, 2);
    assert_at(node_at(root, "z")->at, 9, 4);
    e = toml_array_first(node_at(root, "z")->array);
    assert_at(e->at, 9, 4);
    assert_at(e->next->at, 10, 3);
}

static void test_empty(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "\n", " \t", "# c", "\xef\xbb\xbf", "\r\n# x\r\n"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct toml_table *root = tree_of(cases[i]);
        assert_int_equal(toml_table_count(root), 0);
        assert_null(toml_table_first(root));
        assert_null(toml_get(root, STR("x")));
    }
    const struct toml_table *root = NULL;
    assert_int_equal(parse(NULL, 0, &root), 0);
    assert_non_null(root);
}

/* The first error of a document, where it is, and a part of its hint: NULL where there is none. */
static const struct {
    const char *text;
    uint32_t line, column;
    const char *want, *hint;
} messages[] = {
    {"a 1", 1, 3, "expected '=' after the key, found '1'", "key = value"},
    {"\na =", 2, 4, "expected a value, found the end of the document", "text in quotes"},
    {"a = \r\n", 1, 5, "expected a value, found the end of the line", "text in quotes"},
    {"a = yes", 1, 5, "expected a value, found 'yes'", "true or false"},
    {"a = False", 1, 5, "expected a value, found 'False'", "small letters"},
    {"\xc3\xa9 = 1", 1, 1, "expected a key, found '\xc3\xa9' (U+00E9)", "quotes"},
    {"a = '\x1b'", 1, 6, "the control character U+001B may not stand in a string in '", "\""},
    {"a = \xe2\x80\xae", 1, 5, "expected a value, found the invisible character U+202E", ""},
    {"a = 1\n\"\\u202Ea\" = 2\n\"\\u202Ea\" = 3", 3, 1,
     "'\\u202Ea' is defined already, at line 2, column 1", "rename"},
    {"a = [1,\n2", 2, 2,
     "an array that opens at line 1, column 5 is not closed: found the end of the document", "]"},
    {"a = {b = 1\n}", 1, 11,
     "an inline table that opens at line 1, column 5 is not closed: found the end of the line",
     "one line"},
    {"a = {b = 1,}", 1, 12, "expected a key after ',', found '}'", "comma"},
    {"a = {}\n[a.b]", 2, 2,
     "'a' is an inline table, defined at line 1, column 5: nothing can be added to it here",
     "braces"},
    {"[a]\n[b]\na.x = 1\n[c.d]\n[c]\nd.x = 1", 6, 1,
     "'d' is a table with a [header] of its own, defined at line 4, column 4: nothing can be "
     "added to it here",
     "where the table is defined"},
    {"[p]\na.b = 1\n[p.a.c]\n[q]\n[p.a]", 5, 4, "'a' is defined already, at line 2, column 1",
     "rename"},
    {"[p.a.c]\n[p]\na.b = 1\n[[p.a.d.e]]\n[p.a.d]\nx = 1\n[p.a.d.e.f]\n[p.a.c]", 8, 6,
     "'c' is defined already, at line 1, column 6", "rename"},
    {"[[a.b]]\n[a]\nb.c = 1", 3, 1,
     "'b' is an array of tables, defined at line 1, column 5: nothing can be added to it here",
     "[[headers]]"},
    {"a = []\n[[a.b]]", 2, 3,
     "'a' is an array, defined at line 1, column 5: nothing can be added to it here", "complete"},
    {"a = 1\na.b = 1", 2, 1,
     "'a' is an integer, defined at line 1, column 5: nothing can be added to it here",
     "only tables"},
    {"# \x01\na = 1", 1, 3, "the control character U+0001 may not stand in a comment", "remove"},
    {"[[a]", 1, 4, "expected ']]' after the key, found ']'", "[[key]]"},
    {"[a", 1, 3, "expected ']' after the key, found the end of the document", "[key]"},
    {"a = [ # \x7f\n1]", 1, 9, "the control character U+007F may not stand in a comment", ""},
    {"a = [1, # \x7f\n1]", 1, 11, "the control character U+007F may not stand in a comment", ""},
    {"a = [1, 2 3]", 1, 11, "expected ',' or ']' after the element, found '3'", "commas"},
    {"a = {b = 1 c = 2}", 1, 12, "expected ',' or '}' after the value, found 'c'", "commas"},
    {"a = [1,", 1, 8,
     "an array that opens at line 1, column 5 is not closed: found the end of the document", "]"},
    {"a = {", 1, 6,
     "an inline table that opens at line 1, column 5 is not closed: found the end of the "
     "document",
     "one line"},
    {"a = 1.", 1, 7, "expected a digit, found the end of the document", "point"},
    {"a = =\na.b = 1\n[a.c]", 1, 5, "expected a value, found '='", ""},
    {"a = \"x", 1, 7,
     "a string in \" that opens at line 1, column 5 is not closed: found the end of the "
     "document",
     "same line"},
    {"a = 2023-02-30", 1, 13, "the day is 30; it goes from 1 to 28", NULL},
    {"a = 012", 1, 5, "a number may not begin with 0", "0o"},
    {"a = '\xff'", 1, 6, "the document is not UTF-8: found the byte 0xFF", "UTF-8"},
    {"\xff\xfe"
     "a",
     1, 1, "the document is not UTF-8: found the byte 0xFF", "UTF-16"},
    {"# \xc3\xa9\n'\xc3\xa9'=\xc3", 2, 5, "the document is not UTF-8: found the byte 0xC3", ""},
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        const struct toml_table *root = NULL;
        assert_int_equal(parse(messages[i].text, strlen(messages[i].text), &root), TN_EFORMAT);
        assert_null(root);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.at[0].text, messages[i].want);
        assert_at(errors.at[0].at, messages[i].line, messages[i].column);
        if (messages[i].hint == NULL)
            assert_null(errors.at[0].hint);
        else
            assert_non_null(strstr(errors.at[0].hint, messages[i].hint));
    }
}

/* Writes `what` that often at `at`, and a NUL; returns where the NUL is. */
static char *repeat(char *at, const char *what, size_t times)
{
    size_t len = strlen(what);
    for (; times > 0; times--, at += len)
        memcpy(at, what, len);
    *at = '\0';
    return at;
}

static void test_long_key_is_cut_in_messages(void **state)
{
    (void)state;
    char text[2048], *end = text;
    for (uint32_t i = 0; i < 2; i++)
        end = repeat(repeat(repeat(end, "'", 1), "\xf0\x9f\x98\x80", 200), "' = 1\n", 1);
    const struct toml_table *root = NULL;
    assert_int_equal(parse(text, strlen(text), &root), TN_EFORMAT);
    size_t len = strlen(errors.at[0].text);
    assert_true(len > 100 && len < TOML_ERROR_TEXT_BYTES);
    /* Cut between characters: all but the quote is whole emoji, or the ASCII after them. */
    for (size_t i = 1; i < len && (errors.at[0].text[i] & 0x80) != 0; i += 4)
        assert_memory_equal(errors.at[0].text + i, "\xf0\x9f\x98\x80", 4);
}

/* One mistake a line; what follows from an earlier one is not said again. */
static void test_several_errors(void **state)
{
    (void)state;
    const struct toml_table *root = NULL;
    static const char text[] = "a = \n"
                               "b = 'x' y\n"
                               "c = 1\n"
                               "c = [1, 0x, 2]\n"
                               "[a.x]\n"
                               "k = 1\n"
                               "[c]\n"
                               "k = 1\n"
                               "ok = [1, 2\n"
                               "never = = read\n";
    assert_int_equal(parse(text, sizeof(text) - 1, &root), TN_EFORMAT);
    static const struct toml_pos want[] = {{1, 5}, {2, 9}, {4, 1}, {4, 11}, {7, 2}, {10, 1}};
    assert_int_equal(errors.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_at(errors.at[i].at, want[i].line, want[i].column);
}

static void test_error_limit(void **state)
{
    (void)state;
    char text[64];
    const struct toml_table *root = NULL;
    for (uint32_t i = 1; i <= TOML_MAX_ERRORS + 1; i++) {
        repeat(text, "=\n", i);
        assert_int_equal(parse(text, strlen(text), &root), TN_EFORMAT);
        assert_int_equal(errors.count, i < TOML_MAX_ERRORS ? i : TOML_MAX_ERRORS);
    }
    assert_int_equal(errors.at[TOML_MAX_ERRORS - 1].at.line, TOML_MAX_ERRORS);
}

static void expect(const char *text, tn_err want)
{
    const struct toml_table *root = NULL;
    assert_int_equal(parse(text, strlen(text), &root), want);
    if (want != 0)
        assert_int_equal(errors.at[0].err, want);
}

static void test_depth_limit(void **state)
{
    (void)state;
    char text[1024];
    for (uint32_t over = 0; over < 2; over++) {
        tn_err want = over == 0 ? TN_OK : TN_ELIMIT;
        size_t depth = TOML_MAX_DEPTH + over;
        char *at = repeat(text, "a=", 1); /* arrays */
        repeat(repeat(at, "[", depth), "]", depth);
        expect(text, want);
        at = repeat(text, "a=", 1); /* inline tables */
        at = repeat(repeat(at, "{a=", depth), "1", 1);
        repeat(at, "}", depth);
        expect(text, want);
        at = repeat(text, "a.", depth); /* dotted keys: the last part is no table */
        repeat(at, "a=1", 1);
        expect(text, want);
        at = repeat(text, "[", 1); /* headers */
        repeat(repeat(at, "a.", depth - 1), "a]", 1);
        expect(text, want);
        at = repeat(text, "[[", 1); /* arrays of tables: the array and its table */
        repeat(repeat(at, "a.", depth - 2), "a]]\n[[a.b]]\n", 1);
        expect(text, want);
        at = repeat(text, "[a.b]\n", 1); /* all together */
        at = repeat(at, "c.d=[{e=", 1);
        repeat(repeat(repeat(at, "[", depth - 5), "]", depth - 5), "}]", 1);
        expect(text, want);
    }
}

static void test_key_limit(void **state)
{
    (void)state;
    static char text[2 * TOML_MAX_KEY_BYTES];
    repeat(repeat(text, "k", TOML_MAX_KEY_BYTES), "=1", 1);
    expect(text, TN_OK);
    repeat(repeat(text, "k", TOML_MAX_KEY_BYTES + 1), "=1", 1);
    expect(text, TN_ELIMIT);
    assert_non_null(strstr(errors.at[0].text, "TOML_MAX_KEY_BYTES"));
    repeat(repeat(repeat(text, "['", 1), "\xc3\xa9", TOML_MAX_KEY_BYTES / 2), "']", 1);
    expect(text, TN_OK);
    repeat(repeat(repeat(text, "['", 1), "\xc3\xa9", TOML_MAX_KEY_BYTES / 2), "k']", 1);
    expect(text, TN_ELIMIT);
}

static void test_document_limit(void **state)
{
    (void)state;
    size_t len = TOML_MAX_DOCUMENT_BYTES;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, ' ', len + 1);
    memcpy(text + len - 3, "a=1", 3);
    const struct toml_table *root = NULL;
    assert_int_equal(parse(text, len, &root), TN_OK);
    assert_at(node_at(root, "a")->at, 1, (uint32_t)len);
    root = NULL;
    assert_int_equal(parse(text, len + 1, &root), TN_ETOOBIG);
    assert_null(root);
    assert_int_equal(errors.at[0].err, TN_ETOOBIG);
    free(text);
}

static const char sample[] = "a.b.c = 'text'\n"
                             "list = [1, [2.5, 1979-05-27], {x = \"\\u00e9\"}]\n"
                             "[t.u]\n"
                             "'k e y' = true\n"
                             "[[t.v]]\n"
                             "[[t.v]]\n";

static void test_memory_runs_out(void **state)
{
    (void)state;
    size_t bytes = 0;
    for (;; bytes++) {
        /* At its own place in the heap, so that a sanitizer sees a byte written too far. */
        uint8_t *block = malloc(bytes + 8);
        assert_non_null(block);
        struct toml_arena arena = {block + bytes % 8, bytes, 0};
        const struct toml_table *root = NULL;
        tn_err err = toml_parse(&arena, sample, sizeof(sample) - 1, &root, &errors);
        if (err != TN_OK) {
            assert_int_equal(err, TN_ENOMEM);
            assert_int_equal(errors.count, 1);
            assert_null(root);
            assert_int_equal(arena.used, 0);
        } else {
            assert_true(str_eq(node_at(root, "a.b.c")->string, STR("text")));
            assert_true(arena.used <= bytes);
        }
        free(block);
        if (err == TN_OK)
            break;
    }
    assert_true(bytes > 1000 && bytes < TOML_ARENA_BYTES(sizeof(sample)) / 2);
    struct toml_arena none = {NULL, 0, 0};
    const struct toml_table *root = NULL;
    assert_int_equal(toml_parse(&none, sample, sizeof(sample) - 1, &root, &errors), TN_ENOMEM);
}

static void test_two_documents_in_one_arena(void **state)
{
    (void)state;
    struct toml_arena arena = {arena_bytes, sizeof(arena_bytes), 0};
    char text[] = "a = 'one'";
    const struct toml_table *one = NULL, *two = NULL, *three = NULL;
    assert_int_equal(toml_parse(&arena, text, strlen(text), &one, &errors), 0);
    memcpy(text + 5, "two", 3);
    assert_int_equal(toml_parse(&arena, text, strlen(text), &two, &errors), 0);
    size_t used = arena.used;
    text[8] = '\n';
    assert_int_equal(toml_parse(&arena, text, strlen(text), &three, &errors), TN_EFORMAT);
    assert_int_equal(arena.used, used);
    memset(text, 'x', sizeof(text));
    assert_true(str_eq(node_at(one, "a")->string, STR("one")));
    assert_true(str_eq(node_at(two, "a")->string, STR("two")));
}

/* The documents that need most memory for their size fit in what TOML_ARENA_BYTES promises: `row`
 * with each letter for its *, between `begin` and `end`. */
static void test_arena_bound(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *row, *end;
    } kinds[] = {
        {"", "*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*=1\n", ""},
        {"", "[*]\n", ""},
        {"", "[[*]]\n[[*]]\n", ""},
        {"", "[*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*]\n", ""},
        {"a=[", "[],[[]],", "]"},
        {"a=[", "{},{*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*={}},", "]"},
        {"a=[", "1,", "1]"},
        {"a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "", "!"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        static char text[1 << 12];
        char *at = repeat(text, kinds[i].begin, 1);
        for (char c = 'a'; c <= 'z'; c++) {
            for (const char *r = kinds[i].row; *r != '\0'; r++)
                *at++ = *r == '*' ? c : *r;
        }
        size_t len = (size_t)(repeat(at, kinds[i].end, 1) - text);
        struct toml_arena arena = {arena_bytes + 1, TOML_ARENA_BYTES(len), 0};
        assert_true(arena.bytes < sizeof(arena_bytes));
        const struct toml_table *root = NULL;
        tn_err err = toml_parse(&arena, text, len, &root, &errors);
        assert_int_equal(err, kinds[i].end[0] == '!' ? TN_EFORMAT : TN_OK);
    }
}

/* Keys that share long beginnings, and many of them: a table that took time in proportion to its
 * size for each key would take hours. */
static void test_many_keys(void **state)
{
    (void)state;
    enum { KEYS = 300000, KEY_BYTES = 24 };
    size_t room = (size_t)KEYS * (KEY_BYTES + 16);
    char *text = malloc(room);
    uint8_t *memory = malloc((size_t)KEYS * 160);
    assert_true(text != NULL && memory != NULL);
    size_t len = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        len += (size_t)snprintf(text + len, room - len, "a-long-prefix-%010u=%u\n", i, i);
    struct toml_arena arena = {memory, (size_t)KEYS * 160, 0};
    const struct toml_table *root = NULL;
    assert_int_equal(toml_parse(&arena, text, len, &root, &errors), 0);
    assert_int_equal(toml_table_count(root), KEYS);
    uint32_t i = 0;
    for (const struct toml_node *n = toml_table_first(root); n != NULL; n = n->next, i++)
        assert_true(n->integer == i && toml_get(root, n->key) == n);
    assert_null(toml_get(root, STR("a-long-prefix-")));
    assert_null(toml_get(root, STR("a-long-prefix-00000000000")));
    /* The same on one line: columns are not counted from its beginning each time. */
    len = (size_t)snprintf(text, room, "a=[0");
    for (i = 1; i < KEYS; i++)
        len += (size_t)snprintf(text + len, room - len, ",%u", i);
    text[len++] = ']';
    arena.used = 0;
    assert_int_equal(toml_parse(&arena, text, len, &root, &errors), 0);
    assert_int_equal(toml_array_count(node_at(root, "a")->array), KEYS);
    free(memory);
    free(text);
}

/* Every key of up to three of four bytes, NUL and the highest among them, in and out of a table. */
static void test_lookup(void **state)
{
    (void)state;
    static const char bytes[] = {'\0', 'a', 'b', '\x7f'};
    static const char *const shown[] = {"\\u0000", "a", "b", "\\u007F"};
    char keys[85][3], text[8192], *end = text;
    size_t lens[85], count = 0;
    for (size_t len = 0; len <= 3; len++) {
        size_t all = (size_t)1 << (2 * len);
        for (size_t k = 0; k < all; k++, count++) {
            lens[count] = len;
            end = repeat(end, "\"", 1);
            for (size_t i = 0; i < len; i++) {
                keys[count][i] = bytes[k >> (2 * i) & 3];
                end = repeat(end, shown[k >> (2 * i) & 3], 1);
            }
            end = repeat(end, "\"=1\n", 1);
        }
    }
    assert_int_equal(count, 85);
    const struct toml_table *root = tree_of(text);
    assert_int_equal(toml_table_count(root), 85);
    const struct toml_node *n = toml_table_first(root);
    for (size_t i = 0; i < count; i++, n = n->next)
        assert_ptr_equal(toml_get(root, (struct str){keys[i], lens[i]}), n);
    assert_null(toml_get(root, STR("aaaa")));
    assert_null(toml_get(root, STR("\0\0\0\0")));
    assert_null(toml_get(root, STR("c")));
}

static void test_type_names(void **state)
{
    (void)state;
    assert_string_equal(toml_type_name(TOML_INTEGER), "an integer");
    assert_string_equal(toml_type_name(TOML_LOCAL_TIME), "a local time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long_key_is_cut_in_messages),
        cmocka_unit_test(test_several_errors),
        cmocka_unit_test(test_error_limit),
        cmocka_unit_test(test_depth_limit),
        cmocka_unit_test(test_key_limit),
        cmocka_unit_test(test_document_limit),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_two_documents_in_one_arena),
        cmocka_unit_test(test_arena_bound),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_type_names),
    };
    return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
