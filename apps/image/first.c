/* first.c: the first program on a bare machine: a kernel, two actors on different CPUs that call
 * each other, a timer, and a component in WebAssembly. The exit code is 0 when all did what they
 * should.
 */
#include <tenon/component.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "interfaces/tenon_job.h"
#include "kernel/ipc/ipc.h"
#include "machine/bare/bare.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"

enum {
    CALLS = 100,
    TIMER_NS = 2000000,
    TEXT_BYTES = 256,
    NEEDS = 4,
    SLOTS = 64,
    MAILBOX = 16,
    GUEST_BYTES = 4 << 20,
    GUEST_STACK_BYTES = 64 << 10,
    GUEST_FUEL = 10000000,
    NEXT = TN_METHOD(1, 1),
    EXIT_FAILED = 1,
};

/* The component sdk/templates/hello, as wasm; guest.S holds its bytes. */
extern const uint8_t image_guest[], image_guest_end[];

struct part {
    struct actor *actor;
    struct space *space;
    struct need need[NEEDS];
    struct needs needs;
};

static struct {
    struct kernel *kernel;
    struct part asker, answerer, guest;
    tn_time first_ns, set_ns, fired_ns;
    uint64_t answered;
    uint32_t answerer_cpu;
    tn_err err; /* the first */
    uint32_t greeting_len;
    char greeting[TEXT_BYTES];
} first;

static void say(const char *format, ...) FMT_LIKE(1, 2);
static void say(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    size_t len = fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    machine_console(text, len < sizeof(text) ? len : sizeof(text) - 1);
}

static tn_err answer(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                     struct tn_pack *out)
{
    (void)self;
    (void)turn;
    uint64_t value;
    if (in->len != sizeof(value) || out->size < sizeof(value))
        return TN_EARGS;
    memcpy(&value, in->data, sizeof(value));
    value++;
    memcpy(out->data, &value, sizeof(value));
    out->len = sizeof(value);
    first.answerer_cpu = fiber_self()->cpu->id;
    return TN_OK;
}

static tn_err need(const char *name, tn_cap *ret_cap)
{
    return tn_need(name, (uint32_t)str_length(name), ret_cap);
}

static tn_err ask_all(void)
{
    tn_cap to;
    uint64_t value = 0;
    tn_err err = need("answerer", &to);
    for (uint32_t i = 0; i < CALLS && err == TN_OK; i++) {
        uint64_t reply = 0;
        struct tn_pack in = {.data = &value, .len = sizeof(value)};
        struct tn_pack out = {.data = &reply, .size = sizeof(reply)};
        err = tn_call(to, NEXT, &in, &out, TN_NEVER);
        value = reply;
        if (i == 0)
            first.first_ns = machine_now_ns();
    }
    first.answered = value;
    return err;
}

/* Has the guest do its job; it runs in the sandbox. */
static tn_err greet(void)
{
    tn_cap to;
    uint64_t args[TEXT_BYTES / 8], room[TEXT_BYTES / 4];
    uint32_t used = 0;
    struct tenon_job_run_reply reply;
    tn_err err = need("guest", &to);
    if (err == TN_OK)
        err = tn_texts_add(args, sizeof(args), &used, TN_TEXT("Ada"));
    if (err == TN_OK)
        err =
            tenon_job_run(to, (struct tn_texts){args, used}, &reply, room, sizeof(room), TN_NEVER);
    if (err != TN_OK)
        return err;
    if (reply.exit_code != 0 || reply.summary.len > sizeof(first.greeting))
        return TN_ETOOBIG;
    first.greeting_len = reply.summary.len;
    memcpy(first.greeting, reply.summary.at, reply.summary.len);
    return TN_OK;
}

static tn_err start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    tn_cap timer;
    tn_err err = ask_all();
    if (err == TN_OK)
        err = greet();
    if (err == TN_OK)
        err = need("timer", &timer);
    first.set_ns = machine_now_ns();
    if (err == TN_OK)
        err = tn_timer_set(timer, first.set_ns + TIMER_NS, 1);
    first.err = err;
    if (err != TN_OK)
        kernel_stop(first.kernel);
    return TN_OK;
}

static void fired(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    first.fired_ns = machine_now_ns();
    kernel_stop(first.kernel);
}

static const struct tn_component asker = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = start, .timer = fired};
static const struct tn_component answerer = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .call = answer};

/* An actor that lives on that CPU and nowhere else. */
static tn_err make(struct part *part, const char *name, struct untyped *memory, uint32_t cpu)
{
    struct kernel *kernel = first.kernel;
    tn_err err = space_make(memory, &kernel->caps, &kernel->limbo, SLOTS, &part->space);
    if (err != TN_OK)
        return err;
    const struct actor_config config = {.name = name,
                                        .memory = memory,
                                        .space = part->space,
                                        .mailbox = MAILBOX,
                                        .priority = TN_PRIORITY_DEFAULT,
                                        .pinned = true,
                                        .home = kernel_worker(kernel, cpu),
                                        .limbo = &kernel->limbo,
                                        .alive = &kernel->alive};
    part->needs.at = part->need;
    return actor_make(&config, &part->actor);
}

/* The object becomes the part's need of that name. */
static tn_err give(struct part *part, const char *name, struct object *object, uint32_t rights)
{
    tn_cap cap = 0;
    tn_err err = cap_insert(part->space, object, rights, 0, NULL, 0, &cap);
    object_unref(object);
    if (err == TN_OK)
        part->need[part->needs.n++] = (struct need){name, (uint32_t)str_length(name), cap};
    return err;
}

static tn_err wire(struct part *from, const char *name, struct part *to)
{
    struct kernel *kernel = first.kernel;
    struct endpoint *endpoint = NULL;
    tn_err err = endpoint_make(kernel->root, &kernel->limbo, to->actor, 0, &endpoint);
    return err != TN_OK ? err : give(from, name, endpoint_object(endpoint), TN_R_CALL);
}

static tn_err make_guest(void)
{
    struct untyped *memory = NULL;
    tn_err err = untyped_make(first.kernel->root, GUEST_BYTES, &memory);
    if (err == TN_OK)
        err = make(&first.guest, "guest", memory, 0);
    if (err != TN_OK)
        return err;
    const struct guest_config config = {
        .needs = first.guest.needs, .fuel_per_call = GUEST_FUEL, .stack_bytes = GUEST_STACK_BYTES};
    struct wasm_error error = {0};
    err = guest_make(first.guest.actor, image_guest, (size_t)(image_guest_end - image_guest),
                     &config, &error);
    if (err != TN_OK)
        say("first: the guest does not load: %s\n", error.text);
    return err;
}

static tn_err make_all(void)
{
    struct kernel *kernel = first.kernel;
    struct timer *timer = NULL;
    tn_err err = make(&first.asker, "asker", kernel->root, 0);
    if (err == TN_OK)
        err = make(&first.answerer, "answerer", kernel->root, kernel->workers.n - 1);
    if (err == TN_OK)
        err = make_guest();
    if (err == TN_OK)
        err = wire(&first.asker, "answerer", &first.answerer);
    if (err == TN_OK)
        err = wire(&first.asker, "guest", &first.guest);
    if (err == TN_OK)
        err = timer_make(kernel->root, &kernel->limbo, first.asker.actor, &timer);
    if (err == TN_OK)
        err = give(&first.asker, "timer", timer_object(timer), TN_R_ALL);
    if (err == TN_OK)
        err = native_make(first.asker.actor, &asker, &first.asker.needs);
    if (err == TN_OK)
        err = native_make(first.answerer.actor, &answerer, &first.answerer.needs);
    if (err == TN_OK && !(actor_ready(first.asker.actor) && actor_ready(first.answerer.actor) &&
                          actor_ready(first.guest.actor)))
        err = TN_EAGAIN;
    return err;
}

uint32_t bare_main(const char *cmdline)
{
    (void)cmdline;
    tn_time began_ns = machine_now_ns();
    tn_err err = kernel_boot(&(struct kernel_config){.spin = 0}, &first.kernel);
    if (err == TN_OK)
        err = make_all();
    if (err != TN_OK) {
        say("first: the kernel does not boot: error %d\n", err);
        return EXIT_FAILED;
    }
    kernel_begin(first.kernel, first.asker.actor);
    kernel_run(first.kernel);
    if (first.err != TN_OK) {
        say("first: failed: error %d\n", first.err);
        return EXIT_FAILED;
    }
    say("first: %u CPUs, %llu calls answered on CPU %u\n", machine_cpu_count(),
        (unsigned long long)first.answered, first.answerer_cpu);
    say("first: the guest says: %.*s\n", (int)first.greeting_len, first.greeting);
    say("first: boot to kernel %llu us, to first answer %llu us\n",
        (unsigned long long)began_ns / 1000, (unsigned long long)first.first_ns / 1000);
    bool early = first.fired_ns < first.set_ns + TIMER_NS;
    say("first: the timer %s\n", early ? "came too early" : "came");
    return early || first.answered != CALLS || first.answerer_cpu != machine_cpu_count() - 1
               ? EXIT_FAILED
               : 0;
}
