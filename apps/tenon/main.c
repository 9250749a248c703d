/* main.c: `tenon`, the command: a composition root on Linux.
 *
 * Purpose: what a person does with a system: run it, check it, look into its files. The command
 * reads words and files, puts the parts together (machine, kernel, drivers, composition) and
 * reports; what the parts do is theirs.
 *
 * Invariants:
 * 1. Standard output is for results, standard error for talk; with --json exactly one JSON object
 * is on standard output, whether the verb went well, failed, or was not understood.
 * 2. The exit status is 0; 1 when what was asked failed; 2 for words or a configuration that are
 *    wrong. `run` passes on what its job returned. Results that cannot be written are a failure.
 * 3. Files are opened close-on-exec, must be regular, and are read up to a limit; opening one never
 *    waits.
 * 4. Text that comes from a file or a guest is escaped before a terminal sees it.
 * 5. No word of the command line holds a secret. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "base/near.h"

const struct verb verbs[] = {
    {"run", "SYSTEM.toml [options] [-- ARGUMENT ...]",
     "run a system: its job, or until it is stopped",
     "Reads and checks SYSTEM.toml, boots its components and runs its job; without a\n"
     "job the system serves until SIGINT or SIGTERM. Another one ends it at once.\n"
     "What follows -- is handed to the job instead of the arguments in SYSTEM.toml, and\n"
     "names the files that the system asks for as $1 to $9.\n"
     "\n"
     "The job's summary is printed on standard output, all else on standard error. The\n"
     "exit status is the job's; 1 when the boot or the job failed; 2 when the words or\n"
     "the configuration are wrong.\n",
     1u << FLAG_HELP | 1u << FLAG_JSON | 1u << FLAG_VERBOSE | 1u << FLAG_QUIET | 1u << FLAG_STATS |
         1u << FLAG_PLACE,
     1, 1, true, verb_run},
    {"check", "SYSTEM.toml [options]", "find all faults of a system without running it",
     "Reads SYSTEM.toml and the component.toml of each component, and looks for their\n"
     "code. Without a fault it prints the components and where they run, what is trusted,\n"
     "the wires and the memory. Each fault is printed as file:line:column with its line.\n"
     "\n"
     "The exit status is 0 without a fault and 2 with one.\n",
     1u << FLAG_HELP | 1u << FLAG_JSON, 1, 1, false, verb_check},
    {"inspect", "FILE [options]", "show what is in a component or a system",
     "FILE is a WebAssembly module, a native component (NAME.tn.so), a component.toml or a\n"
     "SYSTEM.toml; which one it is, is seen from its content. Prints what it imports,\n"
     "exports, needs and provides, and its sizes. Nothing of it is run.\n",
     1u << FLAG_HELP | 1u << FLAG_JSON, 1, 1, false, verb_inspect},
    {"version", "[options]", "print the version (also --version)",
     "Prints the versions of the command and of the component interface.\n",
     1u << FLAG_HELP | 1u << FLAG_JSON, 0, 0, false, verb_version},
    {"help", "[VERB]", "print this list, or the help of a verb (also --help)",
     "Prints the list of verbs, or all about one.\n", 1u << FLAG_HELP | 1u << FLAG_JSON, 0, 1,
     false, verb_help},
};
const uint32_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);

const struct verb *verb_find(const char *name)
{
    for (uint32_t i = 0; i < verbs_count; i++) {
        if (str_eq(str_of(verbs[i].name), str_of(name)))
            return &verbs[i];
    }
    return NULL;
}

int verb_unknown(const char *name)
{
    struct near near = near_to(str_of(name));
    for (uint32_t i = 0; i < verbs_count; i++)
        near_try(&near, str_of(verbs[i].name));
    if (near_found(&near))
        return refuse("there is no verb '%s': did you mean 'tenon %.*s'?", show_z(name).text,
                      (int)near.best.len, near.best.at);
    return refuse("there is no verb '%s': 'tenon help' lists them", show_z(name).text);
}

/* Flags before a verb: those that stand for one. */
static const char *verb_of_flag(const char *word)
{
    static const char *const names[][2] = {
        {"--version", "version"}, {"-V", "version"}, {"--help", "help"}, {"-h", "help"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq(str_of(word), str_of(names[i][0])))
            return names[i][1];
    }
    return word;
}

/* Known before the words are read: what is wrong with them is said in JSON too. */
static bool json_asked(int argc, char *const *argv)
{
    for (int i = 1; i < argc && !str_eq(str_of(argv[i]), STR("--")); i++) {
        if (str_eq(str_of(argv[i]), STR("--json")))
            return true;
    }
    return false;
}

static int dispatch(int argc, char *const *argv)
{
    struct args args;
    json_wanted = json_asked(argc, argv);
    if (argc < 2)
        return refuse("what shall be done? 'tenon help' lists the verbs");
    const struct verb *verb = verb_find(verb_of_flag(argv[1]));
    if (verb == NULL && argv[1][0] == '-')
        return refuse("a verb comes first, then options: 'tenon help' lists the verbs");
    if (verb == NULL)
        return verb_unknown(argv[1]);
    if (!args_parse(verb, argc - 2, argv + 2, &args))
        return EXIT_USAGE;
    json_wanted = args_has(&args, FLAG_JSON);
    if (args_has(&args, FLAG_HELP) && verb->run != verb_help) {
        help_verb(verb);
        return EXIT_OK;
    }
    return verb->run(&args);
}

int main(int argc, char **argv)
{
    /* A reader that goes away is an error of the write, not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    term_init();
    int status = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        say("standard output cannot be written: is the disk full, or its reader gone?");
        return status == EXIT_OK ? EXIT_FAILED : status;
    }
    return status;
}
