/* check.c: `tenon check`: all faults of a system, or what it is and whom it trusts. */
#include <stdio.h>

#include "apps/tenon/composition.h"
#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"

static void print_valid(const struct composition *composition)
{
    const struct system_spec *spec = &composition->spec;
    printf("%s%s%s: system %.*s is valid: %u component%s, architecture %.*s\n",
           term_colour(stdout, TERM_GREEN), show_z(composition->file).text,
           term_colour(stdout, TERM_PLAIN), (int)spec->name.len, spec->name.at, spec->ncomponents,
           spec->ncomponents == 1 ? "" : "s", (int)spec->architecture.len, spec->architecture.at);
    describe_components(spec);
    describe_trust(spec);
    describe_wires(spec);
    describe_threads(spec);
    describe_memory(spec);
}

int verb_check(const struct args *args)
{
    struct composition composition;
    int status = EXIT_OK;
    tn_err err = composition_read(&composition, args->files[0], NULL, 0);
    if (err != TN_OK) {
        status = faults_report(&composition, err);
    } else if (json_wanted) {
        json_t *object = system_json(&composition.spec);
        json_put(object, "ok", json_true());
        json_put(object, "faults", json_array());
        json_print(object);
    } else {
        print_valid(&composition);
    }
    composition_free(&composition);
    return status;
}
