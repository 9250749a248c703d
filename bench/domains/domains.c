/* domains.c: what a call costs between domains: from a native component to another one, to a guest
 * and back, and from a guest to a native component. One CPU, arguments and reply of 8 bytes. And
 * what a channel costs: records of 32 bytes, and of 64 KiB, as they are, from one domain to the
 * other. Between native components nobody copies them, whatever their size, so those of 64 KiB have
 * no rate there; a guest's copies do.
 *
 *   bench_domains PROBE.wasm STREAM.wasm [--json]
 *
 * CPU time of the one worker; medians of five runs after one that warms up. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/conditions.h"
#include "kernel/ipc/ipc.h"
#include "machine/linux/linux.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"

enum { CALLS = 200000, RUNS = 5, CODE_MAX = 1 << 20, MEMORY = 8 << 20 };
enum { M_ECHO = TN_METHOD(900, 1), M_MANY = TN_METHOD(900, 14) };
enum { M_MAKE = TN_METHOD(901, 1), M_FLOOD = TN_METHOD(901, 8), M_SINK = TN_METHOD(901, 9) };
enum { SMALL_BYTES = 32, SMALLS = 400000, LARGE_BYTES = 65536, LARGES = 16384 };

extern const struct tn_component probe_component;
extern const struct tn_component stream_component;

struct actor_set {
    struct actor *actor;
    struct space *space;
    struct need need[6];
    struct needs needs;
};

static struct kernel *kernel;
static struct actor_set driver, native, guest, native_a, native_b, guest_a, guest_b;
static double native_ns, guest_ns, back_ns;
static double record_ns[2][2], bulk_ns[2][2]; /* from native or guest, to native or guest */

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

/* All is done by one worker, whose CPU time others on the machine do not lengthen. */
static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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
        uint64_t before = now_ns();
        for (uint32_t i = 0; i < outer; i++)
            call_once(to, method, inner);
        runs[run] = (double)(now_ns() - before) / ((double)outer * (inner ? (double)inner : 1));
    }
    qsort(runs + 1, RUNS, sizeof(double), compare);
    return runs[1 + RUNS / 2];
}

/* The records of one channel, from its making to the last. */
static double stream_ns(const char *from, const char *to, uint64_t n, uint64_t bytes)
{
    tn_cap producer, consumer;
    uint64_t capacity = bytes > SMALL_BYTES ? 8 * LARGE_BYTES : LARGE_BYTES, got[2];
    uint64_t what[2] = {n, bytes};
    if (tn_need(from, (uint32_t)strlen(from), &producer) != TN_OK ||
        tn_need(to, (uint32_t)strlen(to), &consumer) != TN_OK)
        fatal("not wired");
    struct tn_pack in = {.data = &capacity, .len = sizeof(capacity)};
    struct tn_pack out = {.data = got, .size = sizeof(got), .ncaps = 1};
    uint64_t before = now_ns();
    if (tn_call(producer, M_MAKE, &in, &out, TN_NEVER) != TN_OK)
        fatal("no channel");
    struct tn_pack end = {.ncaps = 1, .move = 1, .caps = {out.caps[0]}};
    in = (struct tn_pack){.data = what, .len = sizeof(what)};
    out.ncaps = 0;
    if (tn_send(producer, M_FLOOD, &in, 0) != TN_OK ||
        tn_call(consumer, M_SINK, &end, &out, TN_NEVER) != TN_OK || got[0] != n)
        fatal("records were lost");
    return (double)(now_ns() - before) / (double)n;
}

static double streams(uint32_t from, uint32_t to, uint64_t n, uint64_t bytes)
{
    static const char *const froms[] = {"native_a", "guest_a"}, *const tos[] = {"native_b",
                                                                                "guest_b"};
    double runs[RUNS + 1];
    for (int run = 0; run <= RUNS; run++)
        runs[run] = stream_ns(froms[from], tos[to], n, bytes);
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
    for (uint32_t i = 0; i < 4; i++) {
        record_ns[i / 2][i % 2] = streams(i / 2, i % 2, SMALLS, SMALL_BYTES);
        bulk_ns[i / 2][i % 2] = streams(i / 2, i % 2, LARGES, LARGE_BYTES);
    }
    kernel_stop(kernel);
    return TN_OK;
}

static const struct tn_component drive_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive};

/* It makes channels of its memory. */
static void give_memory(struct actor_set *set)
{
    tn_cap cap;
    if (cap_insert(set->space, untyped_object(actor_memory(set->actor)), TN_R_WRITE, 0, NULL, 0,
                   &cap) != TN_OK)
        fatal("no capability");
    set->need[set->needs.n++] = (struct need){"memory", 6, cap};
}

static void load_guest(struct actor_set *set, const char *file_name)
{
    uint8_t *code = malloc(CODE_MAX);
    FILE *file = fopen(file_name, "rb");
    if (code == NULL || file == NULL)
        fatal("cannot read the guest");
    size_t len = fread(code, 1, CODE_MAX, file);
    fclose(file);
    struct guest_config config = {
        .needs = set->needs, .fuel_per_call = UINT64_MAX / 2, .stack_bytes = 64 << 10};
    struct wasm_error error;
    if (guest_make(set->actor, code, len, &config, &error) != TN_OK)
        fatal(error.text);
    free(code);
}

static void begin(struct conditions *conditions, json_t *root)
{
    char method[128];
    snprintf(method, sizeof(method),
             "CPU time of the one worker; calls and replies of 8 bytes; medians of %d runs, warm",
             RUNS);
    conditions_begin(conditions, root, "domains", method);
}

static void report(struct conditions *conditions, json_t *root)
{
    const struct {
        const char *key, *text;
        double figure;
        const char *unit;
    } figures[] = {
        {"kernel_kernel_ns", "kernel domain to kernel domain", native_ns, "ns"},
        {"kernel_wasm_ns", "kernel domain to wasm", guest_ns, "ns"},
        {"wasm_kernel_ns", "wasm to kernel domain", back_ns, "ns"},
        {"channel_kernel_kernel_ns", "channel, 32 bytes, kernel to kernel", record_ns[0][0], "ns"},
        {"channel_kernel_wasm_ns", "channel, 32 bytes, kernel to wasm", record_ns[0][1], "ns"},
        {"channel_wasm_kernel_ns", "channel, 32 bytes, wasm to kernel", record_ns[1][0], "ns"},
        {"channel_wasm_wasm_ns", "channel, 32 bytes, wasm to wasm", record_ns[1][1], "ns"},
        {"channel_kernel_kernel_large_ns", "channel, 64 KiB in place, kernel to kernel",
         bulk_ns[0][0], "ns"},
        {"channel_kernel_wasm_gbps", "channel, 64 KiB, kernel to wasm", LARGE_BYTES / bulk_ns[0][1],
         "GB/s"},
        {"channel_wasm_kernel_gbps", "channel, 64 KiB, wasm to kernel", LARGE_BYTES / bulk_ns[1][0],
         "GB/s"},
        {"channel_wasm_wasm_gbps", "channel, 64 KiB, wasm to wasm", LARGE_BYTES / bulk_ns[1][1],
         "GB/s"},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        json_object_set_new(root, figures[i].key, json_real(figures[i].figure));
        if (conditions->root == NULL)
            printf("%s%-42s %8.1f %s\n", i == 0 ? "\n" : "", figures[i].text, figures[i].figure,
                   figures[i].unit);
    }
    if (conditions->root == NULL)
        printf("\n");
    (void)conditions_end(conditions); /* it has no floors */
    if (conditions->root != NULL)
        json_dumpf(root, stdout, JSON_INDENT(2));
}

static void set_up_streams(const char *file_name)
{
    static struct {
        struct actor_set *set;
        const char *name;
        bool guest;
    } all[] = {{&native_a, "native_a", false},
               {&native_b, "native_b", false},
               {&guest_a, "guest_a", true},
               {&guest_b, "guest_b", true}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        make_actor(all[i].set, all[i].name);
        give_memory(all[i].set);
        wire(&driver, all[i].name, all[i].set);
        if (all[i].guest)
            load_guest(all[i].set, file_name);
        else if (native_make(all[i].set->actor, &stream_component, &all[i].set->needs) != TN_OK)
            fatal("no memory");
        if (!actor_ready(all[i].set->actor))
            fatal("not ready");
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fatal("usage: bench_domains PROBE.wasm STREAM.wasm [--json]");
    bool json = argc > 3 && strcmp(argv[3], "--json") == 0;
    json_t *root = json_object();
    struct conditions conditions;
    begin(&conditions, json ? root : NULL);
    struct linux_machine machine = {.cpus = 1, .memory_bytes = 128 << 20};
    struct kernel_config config = {.spin = 0};
    if (linux_machine_init(&machine) != 0 || kernel_boot(&config, &kernel) != TN_OK)
        fatal("no machine");
    make_actor(&driver, "driver");
    make_actor(&native, "native");
    make_actor(&guest, "guest");
    wire(&driver, "native", &native);
    wire(&driver, "guest", &guest);
    wire(&guest, "next", &native);
    set_up_streams(argv[2]);
    if (native_make(driver.actor, &drive_component, &driver.needs) != TN_OK ||
        native_make(native.actor, &probe_component, &native.needs) != TN_OK)
        fatal("no memory");
    load_guest(&guest, argv[1]);
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
