/* args.c: the words behind a verb: flags anywhere before "--", as --name, --name=value, --name
 * value or -v; several letters may share a dash. No flag takes a secret: words show in lists of
 * processes. */
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "base/assert.h"
#include "base/near.h"

const struct flag flags[FLAGS] = {
    [FLAG_HELP] = {"help", 'h', NULL, "print the help of the verb"},
    [FLAG_JSON] = {"json", 0, NULL, "print one JSON object on standard output instead of text"},
    [FLAG_VERBOSE] = {"verbose", 'v', NULL, "print each of the eight phases of the boot"},
    [FLAG_QUIET] = {"quiet", 'q', NULL, "print no news and no log, only results and errors"},
    [FLAG_STATS] = {"stats", 0, NULL, "print what each component did, at the end"},
    [FLAG_PLACE] = {"place", 0, "NAME=DOMAIN",
                    "run component NAME in kernel or wasm, whatever SYSTEM.toml says"},
};

/* The words while they are read. */
struct words {
    const struct verb *verb;
    int argc, at; /* at: the next one */
    char *const *argv;
    struct args *args;
};

static bool is_dash_dash(const char *word)
{
    return str_eq(str_of(word), STR("--"));
}

/* "--" or an option: no value. */
static bool is_long(const char *word)
{
    return word[0] == '-' && word[1] == '-';
}

static bool unknown_flag(const struct verb *verb, const char *word, struct str name)
{
    struct near near = near_to(name);
    for (uint32_t id = 0; id < FLAGS; id++) {
        if ((verb->takes & (1u << id)) != 0)
            near_try(&near, str_of(flags[id].name));
    }
    if (near_found(&near))
        (void)refuse("%s has no option %s: did you mean --%.*s?", verb->name, show_z(word).text,
                     (int)near.best.len, near.best.at);
    else
        (void)refuse("%s has no option %s: 'tenon help %s' lists its options", verb->name,
                     show_z(word).text, verb->name);
    return false;
}

/* A flag, with the value that stood behind '=' (at NULL: none). */
static bool take_flag(struct words *words, uint32_t id, struct str value)
{
    const struct flag *flag = &flags[id];
    struct args *args = words->args;
    args->given |= 1u << id;
    if (flag->value == NULL) {
        if (value.at == NULL)
            return true;
        (void)refuse("--%s takes no value: write --%s alone", flag->name, flag->name);
        return false;
    }
    const char *text = value.at;
    if (text == NULL && words->at < words->argc && !is_long(words->argv[words->at]))
        text = words->argv[words->at++];
    if (text == NULL) {
        (void)refuse("--%s needs a value: --%s %s", flag->name, flag->name, flag->value);
        return false;
    }
    if (args->nvalues == ARGS_VALUES_MAX) {
        (void)refuse("--%s is given more than %d times", flag->name, ARGS_VALUES_MAX);
        return false;
    }
    args->values[args->nvalues++] = text;
    return true;
}

static bool take_long(struct words *words, const char *word)
{
    struct str name = str_of(word + 2), value = {NULL, 0};
    for (size_t i = 0; i < name.len && value.at == NULL; i++) {
        if (name.at[i] == '=') {
            value = (struct str){name.at + i + 1, name.len - i - 1};
            name.len = i;
        }
    }
    for (uint32_t id = 0; id < FLAGS; id++) {
        if ((words->verb->takes & (1u << id)) != 0 && str_eq(name, str_of(flags[id].name)))
            return take_flag(words, id, value);
    }
    return unknown_flag(words->verb, word, name);
}

static bool take_letters(struct words *words, const char *word)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        uint32_t id = 0;
        while (id < FLAGS &&
               ((words->verb->takes & (1u << id)) == 0 || flags[id].letter != *letter))
            id++;
        if (id == FLAGS)
            return unknown_flag(words->verb, word, str_of(word + 1));
        ASSERT(flags[id].value == NULL);
        words->args->given |= 1u << id;
    }
    return true;
}

static bool take_word(struct words *words, const char *word)
{
    struct args *args = words->args;
    if (is_long(word))
        return take_long(words, word);
    if (word[0] == '-' && word[1] != '\0')
        return take_letters(words, word);
    if (args->nfiles == words->verb->files_most) {
        if (words->verb->files_most == 0)
            (void)refuse("%s takes no arguments: '%s' is one too many", words->verb->name,
                         show_z(word).text);
        else
            (void)refuse("%s takes %u argument%s at most: '%s' is one too many%s",
                         words->verb->name, words->verb->files_most,
                         words->verb->files_most == 1 ? "" : "s", show_z(word).text,
                         words->verb->rest ? " (arguments of the job stand behind --)" : "");
        return false;
    }
    args->files[args->nfiles++] = word;
    return true;
}

bool args_parse(const struct verb *verb, int argc, char *const *argv, struct args *ret_args)
{
    struct words words = {.verb = verb, .argc = argc, .argv = argv, .args = ret_args};
    *ret_args = (struct args){0};
    ASSERT(verb->files_most <= ARGS_FILES_MAX);
    while (words.at < argc) {
        const char *word = argv[words.at++];
        if (is_dash_dash(word)) {
            ret_args->rest = (const char *const *)&argv[words.at];
            ret_args->nrest = (uint32_t)(argc - words.at);
            break;
        }
        if (!take_word(&words, word))
            return false;
    }
    if (args_has(ret_args, FLAG_HELP))
        return true;
    if (ret_args->nrest > 0 && !verb->rest) {
        (void)refuse("%s takes nothing behind --", verb->name);
        return false;
    }
    if (ret_args->nfiles < verb->files_least) {
        (void)refuse("%s needs a file: tenon %s %s", verb->name, verb->name, verb->synopsis);
        return false;
    }
    return true;
}
