/* domains.c: what a call costs between domains: from a native component to another one, to a guest
 * and back, and from a guest to a native component. One CPU, arguments and reply of 8 bytes.
 *
 *   bench_domains PROBE.wasm [--json]
 *
 * Medians of five runs after one that warms up. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conditions.h"
#include "kernel/ipc/ipc.h"
#include "machine/linux/linux.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"

enum { CALLS = 200000, RUNS = 5, CODE_MAX = 1 << 20, MEMORY = 4 << 20 };
enum { M_ECHO = TN_METHOD(900, 1), M_MANY = TN_METHOD(900, 14) };

extern const struct tn_component probe_component;

struct actor_set {
    struct actor *actor;
    struct space *space;
    struct need need[2];
    struct needs needs;
};

static struct kernel *kernel;
static struct actor_set driver, native, guest;
static double native_ns, guest_ns, back_ns;

__attribute__((noreturn)) static void fatal(const char *what)
{
    fprintf(stderr, "bench_domains: %s\n", what);
    exit(1);
}

static void make_actor(struct actor_set *set, const char *name)
{
    struct untyped *memory;
    if (untyped_make(kernel->root, MEMORY, &memory) != TN_OK ||
        space_make(memory, &kernel->caps, &kernel->limbo, 64, &set->space) != TN_OK)
        fatal("no memory");
    struct actor_config config = {.name = name,
                                  .memory = memory,
                                  .space = set->space,
                                  .mailbox = 64,
                                  .priority = TN_PRIORITY_DEFAULT,
                                  .home = kernel->cpu[0],
                                  .limbo = &kernel->limbo,
                                  .alive = &kernel->alive};
    if (actor_make(&config, &set->actor) != TN_OK)
        fatal("no actor");
    set->needs.at = set->need;
}

static void wire(struct actor_set *from, const char *need, struct actor_set *to)
{
    struct endpoint *endpoint;
    tn_cap cap;
    if (endpoint_make(kernel->root, &kernel->limbo, to->actor, 0, &endpoint) != TN_OK ||
        cap_insert(from->space, endpoint_object(endpoint), TN_R_CALL, 1, NULL, 0, &cap) != TN_OK)
        fatal("no endpoint");
    from->need[from->needs.n++] = (struct need){need, (uint32_t)strlen(need), cap};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* One call that makes `count` more inside of the callee where the method does so. */
static void call_once(tn_cap to, uint32_t method, uint64_t value)
{
    uint64_t back;
    struct tn_pack in = {.data = &value, .len = sizeof(value)};
    struct tn_pack out = {.data = &back, .size = sizeof(back)};
    if (tn_call(to, method, &in, &out, TN_NEVER) != TN_OK)
        fatal("a call failed");
}

static double measure(const char *need, uint32_t method, uint32_t outer, uint64_t inner)
{
    tn_cap to;
    double runs[RUNS + 1];
    if (tn_need(need, (uint32_t)strlen(need), &to) != TN_OK)
        fatal("not wired");
    for (int run = 0; run <= RUNS; run++) {
        uint64_t before = machine_now_ns();
        for (uint32_t i = 0; i < outer; i++)
            call_once(to, method, inner);
        runs[run] =
            (double)(machine_now_ns() - before) / ((double)outer * (inner ? (double)inner : 1));
    }
    qsort(runs + 1, RUNS, sizeof(double), compare);
    return runs[1 + RUNS / 2];
}

static tn_err drive(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    native_ns = measure("native", M_ECHO, CALLS, 0);
    guest_ns = measure("guest", M_ECHO, CALLS, 0);
    back_ns = measure("guest", M_MANY, 200, 1000);
    kernel_stop(kernel);
    return TN_OK;
}

static const struct tn_component drive_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive};

static void load_guest(const char *file_name)
{
    uint8_t *code = malloc(CODE_MAX);
    FILE *file = fopen(file_name, "rb");
    if (code == NULL || file == NULL)
        fatal("cannot read the guest");
    size_t len = fread(code, 1, CODE_MAX, file);
    fclose(file);
    struct guest_config config = {
        .needs = guest.needs, .fuel_per_call = UINT64_MAX / 2, .stack_bytes = 64 << 10};
    struct wasm_error error;
    if (guest_make(guest.actor, code, len, &config, &error) != TN_OK)
        fatal(error.text);
    free(code);
}

static void begin(struct conditions *conditions, json_t *root)
{
    char method[128];
    snprintf(method, sizeof(method),
             "wall-clock time of call and reply of 8 bytes, one CPU, median of %d runs", RUNS);
    conditions_begin(conditions, root, "domains", method);
}

static void report(struct conditions *conditions, json_t *root)
{
    const struct {
        const char *key, *text;
        double ns;
    } figures[] = {
        {"kernel_kernel_ns", "kernel domain to kernel domain", native_ns},
        {"kernel_wasm_ns", "kernel domain to wasm", guest_ns},
        {"wasm_kernel_ns", "wasm to kernel domain", back_ns},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        json_object_set_new(root, figures[i].key, json_real(figures[i].ns));
        if (conditions->root == NULL)
            printf("%s%-34s %8.1f ns\n", i == 0 ? "\n" : "", figures[i].text, figures[i].ns);
    }
    if (conditions->root == NULL)
        printf("\n");
    (void)conditions_end(conditions); /* it has no floors */
    if (conditions->root != NULL)
        json_dumpf(root, stdout, JSON_INDENT(2));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        fatal("usage: bench_domains PROBE.wasm [--json]");
    bool json = argc > 2 && strcmp(argv[2], "--json") == 0;
    json_t *root = json_object();
    struct conditions conditions;
    begin(&conditions, json ? root : NULL);
    struct linux_machine machine = {.cpus = 1, .memory_bytes = 64 << 20};
    struct kernel_config config = {.spin = 0};
    if (linux_machine_init(&machine) != 0 || kernel_boot(&config, &kernel) != TN_OK)
        fatal("no machine");
    make_actor(&driver, "driver");
    make_actor(&native, "native");
    make_actor(&guest, "guest");
    wire(&driver, "native", &native);
    wire(&driver, "guest", &guest);
    wire(&guest, "next", &native);
    if (native_make(driver.actor, &drive_component, &driver.needs) != TN_OK ||
        native_make(native.actor, &probe_component, &native.needs) != TN_OK)
        fatal("no memory");
    load_guest(argv[1]);
    if (!actor_ready(driver.actor) || !actor_ready(native.actor) || !actor_ready(guest.actor))
        fatal("not ready");
    kernel_begin(kernel, driver.actor);
    kernel_run(kernel);
    kernel_destroy(kernel);
    linux_machine_destroy();
    report(&conditions, root);
    json_decref(root);
    return 0;
}
