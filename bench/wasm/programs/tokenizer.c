/* tokenizer.c: branches: a hand-written lexer over n KiB of generated program text. */
#include "bench/wasm/programs/program.h"

enum { TEXT_BYTES = 65536, KIB_PER_TEXT = TEXT_BYTES / 1024 };

enum token { TOKEN_END, TOKEN_NAME, TOKEN_KEYWORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_OPERATOR };

static char text[TEXT_BYTES];

static const char *const pieces[] = {
    "if ",     "while ",    "return ", "count", "x",       "total_bytes", " = ", " + ",
    "12",      "0x7f",      "3.14159", "(",     ")",       "{\n    ",     "}\n", ";\n    ",
    "\"a b\"", "\"q\\\"\"", " <= ",    "->",    "// so\n", "[i]",         ", ",  "else ",
};

static const char *const keywords[] = {"if", "else", "while", "return"};

static void generate(uint32_t *seed)
{
    uint32_t at = 0;
    while (at < TEXT_BYTES - 32) {
        const char *piece = pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];
        while (*piece != '\0')
            text[at++] = *piece++;
    }
    while (at < TEXT_BYTES)
        text[at++] = '\0';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_keyword(const char *at, uint32_t len)
{
    for (uint32_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        const char *k = keywords[i];
        uint32_t same = 0;
        while (same < len && k[same] == at[same])
            same++;
        if (same == len && k[len] == '\0')
            return 1;
    }
    return 0;
}

static const char *skip_space(const char *at)
{
    for (;;) {
        while (*at == ' ' || *at == '\n' || *at == '\t')
            at++;
        if (at[0] != '/' || at[1] != '/')
            return at;
        while (*at != '\n' && *at != '\0')
            at++;
    }
}

/* The token at *at, which moves behind it; *ret_hash is of its characters. */
static enum token next_token(const char **at, uint32_t *ret_hash)
{
    const char *start = skip_space(*at), *end = start;
    enum token kind = TOKEN_OPERATOR;
    if (*end == '\0') {
        kind = TOKEN_END;
    } else if (is_letter(*end)) {
        while (is_letter(*end) || is_digit(*end))
            end++;
        kind = is_keyword(start, (uint32_t)(end - start)) ? TOKEN_KEYWORD : TOKEN_NAME;
    } else if (is_digit(*end)) {
        while (is_letter(*end) || is_digit(*end) || *end == '.')
            end++;
        kind = TOKEN_NUMBER;
    } else if (*end == '"') {
        for (end++; *end != '"' && *end != '\0'; end++)
            end += end[0] == '\\' && end[1] != '\0';
        end += *end == '"';
        kind = TOKEN_STRING;
    } else {
        char first = *end++;
        if ((first == '<' && *end == '=') || (first == '-' && *end == '>'))
            end++;
    }
    uint32_t hash = 2166136261u;
    for (const char *c = start; c < end; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    *ret_hash = hash;
    *at = end;
    return kind;
}

uint32_t run(uint32_t n)
{
    uint32_t seed = 2463534242u, sum = 0;
    for (uint32_t i = 0; i < n; i += KIB_PER_TEXT) {
        generate(&seed);
        const char *at = text;
        uint32_t hash;
        enum token kind;
        while ((kind = next_token(&at, &hash)) != TOKEN_END)
            sum = sum * 31 + (hash ^ (uint32_t)kind);
    }
    return sum;
}
