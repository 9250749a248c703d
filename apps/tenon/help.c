/* help.c: `tenon help` and `tenon version`. */
#include <stdio.h>

#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/table.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "wasm/wasm.h"
#include <tenon/component.h>

void help_flags(const struct verb *verb)
{
    struct table table;
    table_begin(&table, 2, NULL, "ll");
    for (uint32_t id = 0; id < FLAGS; id++) {
        const struct flag *flag = &flags[id];
        if ((verb->takes & (1u << id)) == 0)
            continue;
        if (flag->letter != 0)
            table_cell(&table, "-%c, --%s", flag->letter, flag->name);
        else
            table_cell(&table, "--%s%s%s", flag->name, flag->value != NULL ? " " : "",
                       flag->value != NULL ? flag->value : "");
        table_cell(&table, "%s", flag->help);
    }
    table_print(&table, stdout, 2);
}

static json_t *verb_json(const struct verb *verb)
{
    json_t *object = must_get(json_object());
    json_t *options = must_get(json_array());
    json_put(object, "name", json_string(verb->name));
    json_put(object, "synopsis", json_string(verb->synopsis));
    json_put(object, "purpose", json_string(verb->purpose));
    json_put(object, "text", json_string(verb->text));
    for (uint32_t id = 0; id < FLAGS; id++) {
        if ((verb->takes & (1u << id)) == 0)
            continue;
        json_t *option = must_get(json_object());
        json_put(option, "name", json_string(flags[id].name));
        if (flags[id].value != NULL)
            json_put(option, "value", json_string(flags[id].value));
        json_put(option, "help", json_string(flags[id].help));
        json_add(options, option);
    }
    json_put(object, "options", options);
    return object;
}

/* All verbs, or that one. */
static void help_json(const struct verb *only)
{
    json_t *object = must_get(json_object()), *list = must_get(json_array());
    for (uint32_t i = 0; i < verbs_count; i++) {
        if (only == NULL || only == &verbs[i])
            json_add(list, verb_json(&verbs[i]));
    }
    json_put(object, "verbs", list);
    json_print(object);
}

void help_verb(const struct verb *verb)
{
    if (json_wanted) {
        help_json(verb);
        return;
    }
    printf("tenon %s %s\n\n%s\nOptions:\n", verb->name, verb->synopsis, verb->text);
    help_flags(verb);
    printf("\nSee also: man tenon\n");
}

void help_all(void)
{
    struct table table;
    if (json_wanted) {
        help_json(NULL);
        return;
    }
    printf("Tenon runs systems made of components, each with only what it was granted.\n\n"
           "Usage: tenon VERB [ARGUMENT ...]\n\n");
    table_begin(&table, 2, NULL, "ll");
    for (uint32_t i = 0; i < verbs_count; i++) {
        table_cell(&table, "%s %s", verbs[i].name, verbs[i].synopsis);
        table_cell(&table, "%s", verbs[i].purpose);
    }
    table_print(&table, stdout, 2);
    printf("\n'tenon help VERB' tells all about one.\n");
}

int verb_help(const struct args *args)
{
    const struct verb *verb = args->nfiles > 0 ? verb_find(args->files[0]) : NULL;
    if (args->nfiles > 0 && verb == NULL)
        return verb_unknown(args->files[0]);
    if (verb != NULL)
        help_verb(verb);
    else
        help_all();
    return EXIT_OK;
}

int verb_version(const struct args *args)
{
    (void)args;
    if (!json_wanted) {
        printf("tenon %s (component interface %u)\n", TENON_VERSION, TN_ABI);
        return EXIT_OK;
    }
    json_t *object = must_get(json_object());
    json_put(object, "name", json_string("tenon"));
    json_put(object, "version", json_string(TENON_VERSION));
    json_put(object, "abi", json_integer(TN_ABI));
    json_put(object, "fuel_table", json_integer(WASM_FUEL_TABLE_VERSION));
    json_print(object);
    return EXIT_OK;
}
