/* native.c: running native handlers, and the tn_ functions for them.
 *
 * A handler is called on the fiber that its turn was given. The tn_ functions find that fiber by
 * the stack pointer (fiber_self), and through it the turn and the CPU; after a wait the CPU may be
 * another one, so it is fetched again each time.
 *
 * Invariants
 *   1. A call is answered exactly once: by the reply room filled here, or by whoever holds the
 * reply capability after tn_defer.
 *   2. `out` lives in memory of the callee's side until the answer is copied, so a caller that
 * gives up can go at any time.
 *   3. A buffer that a turn has mapped is held until it is unmapped or the turn ends: its memory is
 * not reused, whatever becomes of the capability. */
#include "runtime/kernel/native.h"

#include <tenon/driver.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "kernel/ipc/ipc.h"
#include "kernel/ipc/quick.h"

enum {
    OUT_SMALL = 256, /* bytes of a reply that fit on the stack */
    SAVE_LEAST =
        1024, /* bytes: save is given at least so much room, and TN_ARGS_MAX where it can */
};

struct native {
    struct instance instance;
    const struct tn_component *component;
    const struct needs *needs;
    struct native_more *more; /* NULL: nothing */
    void *self;
    /* the component's, NULL where it has none */
    void (*event)(void *self, const struct tn_turn *turn, const struct tn_pack *in);
};

/* What most linked components do without. */
struct native_more {
    struct tn_pack config;  /* for load, of an instance that takes another's place */
    struct elf_image image; /* that the component is in, if it was loaded */
};

/* What a turn has mapped; on its stack (turn.local). */
struct maps {
    uint32_t n;
    struct {
        tn_cap buf;
        void *at;
        struct object *held; /* a ref */
    } map[TN_MAPS_MAX];
};

static struct native *native_of(struct turn *turn)
{
    return (struct native *)turn->actor->instance;
}

/* A handler of the component, or NULL: absent, or beyond the size that it was compiled with. */
#define HANDLER(component, field)                                                           \
    (offsetof(struct tn_component, field) + sizeof((component)->field) <= (component)->size \
         ? (component)->field                                                               \
         : NULL)

/* Room for what save leaves: as in the other domains, or what memory allows. */
static struct block *save_room(struct actor *actor)
{
    struct block *room = NULL;
    for (uint32_t size = TN_ARGS_MAX; room == NULL && size >= SAVE_LEAST; size /= 2)
        room = block_make(actor_memory(actor), size);
    return room;
}

static void run_save(struct native *native, struct turn *turn)
{
    const struct tn_component *c = native->component;
    if (HANDLER(c, save) == NULL)
        return; /* nothing is carried over */
    struct block *room = save_room(turn->actor);
    if (room == NULL) {
        swap_saved(turn, TN_ENOMEM, 0, NULL);
        return;
    }
    struct tn_pack out = {.data = room->bytes, .size = room->len};
    turn->refuses = TURN_AT_ONCE;
    tn_err err = c->save(native->self, &out);
    swap_saved(turn, err, c->state_version, &out);
    block_free(room);
}

/* What comes after load in an instance that takes another's place. */
static tn_err run_restore(struct native *native, struct turn *turn)
{
    const struct tn_component *c = native->component;
    if (turn->info.cookie == SWAP_NO_STATE)
        return HANDLER(c, start) ? c->start(native->self, &turn->info) : TN_OK;
    if (HANDLER(c, restore) == NULL)
        return TN_EVERSION;
    turn->refuses = TURN_AT_ONCE;
    return c->restore(native->self, (uint32_t)turn->info.cookie, &turn->in);
}

static const struct tn_pack *config_of(const struct native *native)
{
    static const struct tn_pack none;
    return native->more != NULL ? &native->more->config : &none;
}

static tn_err run_life(struct native *native, struct turn *turn)
{
    const struct tn_component *c = native->component;
    switch (turn->info.method) {
    case LIFE_LOAD:
        return HANDLER(c, load) ? c->load(native->self, &turn->info, &turn->in) : TN_OK;
    case LIFE_START:
        return HANDLER(c, start) ? c->start(native->self, &turn->info) : TN_OK;
    case LIFE_SAVE:
        run_save(native, turn);
        return TN_OK;
    case LIFE_RESTORE: {
        tn_err err =
            HANDLER(c, load) ? c->load(native->self, &turn->info, config_of(native)) : TN_OK;
        swap_restored(turn, err == TN_OK ? run_restore(native, turn) : err);
        return TN_OK;
    }
    case LIFE_STOP:
        if (HANDLER(c, stop) != NULL)
            c->stop(native->self, &turn->info);
        return TN_OK;
    default:
        return TN_EMETHOD;
    }
}

/* The call handler with room for its reply; answers. */
static void run_call(struct native *native, struct turn *turn)
{
    const struct tn_component *c = native->component;
    _Alignas(16) uint8_t small[OUT_SMALL];
    struct block *block = NULL;
    struct tn_pack out = {.data = small, .size = turn_room_size(turn)};
    tn_err err = TN_EMETHOD;
    if (HANDLER(c, call) == NULL) {
        turn_drop_caps(turn);
        goto answer;
    }
    if (out.size > sizeof(small)) {
        block = block_make(actor_memory(turn->actor), out.size);
        if (block == NULL) {
            turn_drop_caps(turn);
            err = TN_ENOMEM;
            goto answer;
        }
        out.data = block->bytes;
    }
    uint32_t size = out.size;
    err = c->call(native->self, &turn->info, &turn->in, &out);
    if (turn->deferred)
        goto done;
    if (err == TN_DEFERRED)
        err = TN_EINTERNAL; /* said so, but did not take the reply capability */
    else if (out.len > size || out.ncaps > TN_PACK_CAPS)
        err = TN_EINTERNAL;
answer:
    turn_answer_or_drop(fiber_self()->cpu, turn, err, err == TN_OK ? &out : NULL);
done:
    block_free(block);
    if (err < 0)
        at_count(&turn->actor->stats.errors_encountered, 1);
}

static void unmap(struct maps *maps, uint32_t i)
{
    struct object *held = maps->map[i].held;
    maps->map[i] = maps->map[--maps->n];
    object_unref(held);
}

static __attribute__((noinline)) void unmap_all(struct maps *maps)
{
    while (maps->n > 0)
        unmap(maps, maps->n - 1);
}

/* Neither a call nor a message of somebody's. */
static void run_other(struct native *native, struct turn *turn)
{
    const struct tn_component *c = native->component;
    if (turn->info.cls == MSG_MODULE_LOAD) {
        tn_err err = run_life(native, turn);
        (void)turn_answer(fiber_self()->cpu, turn, err, NULL);
    } else if (turn->info.cls != MSG_TIMER_EXPIRED) {
        turn_drop_caps(turn);
    } else if (HANDLER(c, timer) != NULL) {
        c->timer(native->self, &turn->info);
    }
}

static enum turn_end native_run(struct cpu *cpu, struct turn *turn)
{
    struct native *native = native_of(turn);
    uint32_t cls = turn->info.cls;
    struct maps maps;
    maps.n = 0; /* the rest is written before it is read */
    turn->local = &maps;
    (void)cpu;
    if (__builtin_expect(cls == MSG_MODULE_LOAD || cls == MSG_TIMER_EXPIRED, 0))
        run_other(native, turn);
    else if (turn->caller != NULL)
        run_call(native, turn);
    else if (HANDLER(native->component, event) != NULL)
        native->event(native->self, &turn->info, &turn->in);
    else
        run_other(native, turn);
    if (__builtin_expect(maps.n > 0, 0))
        unmap_all(&maps);
    turn->local = NULL; /* this frame goes */
    return TURN_DONE;
}

static void native_event(struct instance *instance, struct turn *turn)
{
    struct native *native = (struct native *)instance;
    struct maps maps;
    maps.n = 0;
    turn->local = &maps;
    native->event(native->self, &turn->info, &turn->in);
    if (__builtin_expect(maps.n > 0, 0))
        unmap_all(&maps);
}

/* Of a component that takes no events. */
static void no_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
}

/* Also of one that is half made. */
static void native_destroy(struct instance *instance)
{
    struct native *native = (struct native *)instance;
    struct untyped *memory = actor_memory(instance->actor);
    if (native->self != NULL)
        mem_free(memory, native->self, native->component->state_size);
    if (native->more != NULL) {
        elf_unload(&native->more->image);
        mem_free(memory, native->more, sizeof(*native->more));
    }
    mem_free(memory, native, sizeof(*native));
}

static void native_forget(struct instance *instance)
{
    needs_forget(((struct native *)instance)->needs, instance->actor->space);
}

static const struct domain native_domain = {
    .name = "kernel",
    .on_fiber = true,
    .run = native_run,
    .event = native_event,
    .destroy = native_destroy,
    .forget = native_forget,
};

tn_err native_new(struct actor *actor, const struct native_config *config,
                  struct instance **ret_instance)
{
    const struct tn_component *component = config->component;
    if (component->abi != TN_ABI)
        return TN_EVERSION;
    if (component->size < offsetof(struct tn_component, load))
        return TN_EINVAL;
    struct untyped *memory = actor_memory(actor);
    struct native *native = mem_alloc(memory, sizeof(*native));
    if (native == NULL)
        return TN_ENOMEM;
    native->instance = (struct instance){.domain = &native_domain, .actor = actor};
    native->component = component;
    native->event = HANDLER(component, event) ? HANDLER(component, event) : no_event;
    native->needs = config->needs;
    bool whole = true;
    if (component->state_size > 0) {
        native->self = mem_alloc(memory, component->state_size);
        whole = native->self != NULL;
    }
    if (whole && (config->image != NULL || config->config.len > 0)) {
        native->more = mem_alloc(memory, sizeof(*native->more));
        whole = native->more != NULL;
    }
    if (!whole) {
        native_destroy(&native->instance);
        return TN_ENOMEM;
    }
    if (native->more != NULL)
        native->more->config = config->config;
    if (config->image != NULL)
        native->more->image = *config->image;
    *ret_instance = &native->instance;
    return TN_OK;
}

tn_err native_make(struct actor *actor, const struct tn_component *component,
                   const struct needs *needs)
{
    const struct native_config config = {.component = component, .needs = needs};
    struct instance *instance;
    tn_err err = native_new(actor, &config, &instance);
    if (err == TN_OK)
        actor_set_instance(actor, instance);
    return err;
}

/* The functions of component.h */

static struct turn *turn_here(struct cpu **ret_cpu)
{
    struct fiber *fiber = fiber_self();
    *ret_cpu = fiber->cpu;
    return &fiber->turn;
}

static const struct tn_pack nothing;

tn_err tn_call(tn_cap to, uint32_t method, const struct tn_pack *in, struct tn_pack *ret_out,
               tn_time deadline)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    tn_err err = call_begin(cpu, turn, to, method, in != NULL ? in : &nothing, ret_out, deadline);
    if (err == IPC_PENDING)
        cpu = turn_wait(cpu, turn);
    else if (err != TN_OK)
        return err;
    return call_end(cpu, turn, ret_out);
}

static __attribute__((noinline)) tn_err send_slowly(tn_cap to, uint32_t method,
                                                    const struct tn_pack *in, uint32_t flags)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    if (in == NULL)
        in = &nothing;
    tn_err err = send_begin(cpu, turn, to, method, in, flags);
    if (err != IPC_PENDING)
        return err;
    cpu = turn_wait(cpu, turn);
    return send_end(cpu, turn, to, method, in);
}

tn_err tn_send(tn_cap to, uint32_t method, const struct tn_pack *in, uint32_t flags)
{
    struct fiber *fiber = fiber_self();
    if (in != NULL && send_quick(fiber->cpu, &fiber->turn, to, method, in))
        return TN_OK;
    return send_slowly(to, method, in, flags);
}

tn_err tn_defer(tn_cap *ret_reply)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return defer(cpu, turn, ret_reply);
}

tn_err tn_reply(tn_cap cap, tn_err result, const struct tn_pack *out)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return reply(cpu, turn, cap, result, out);
}

int32_t tn_cancelled(void)
{
    struct cpu *cpu;
    return turn_cancelled(turn_here(&cpu));
}

tn_err tn_yield(void)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    tn_err err = yield_begin(cpu, turn);
    if (err != IPC_PENDING)
        return err;
    turn_wait(cpu, turn);
    return turn->refuses == TURN_CANCELLED ? TN_ECANCELLED : TN_OK;
}

tn_err tn_signal(tn_cap note, uint64_t bits)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return note_signal(cpu, turn, note, bits);
}

tn_err tn_wait(tn_cap note, tn_time deadline, uint64_t *ret_bits)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    tn_err err = note_wait_begin(cpu, turn, note, deadline, ret_bits);
    if (err != IPC_PENDING)
        return err;
    cpu = turn_wait(cpu, turn);
    return note_wait_end(cpu, turn, ret_bits);
}

tn_err tn_timer_set(tn_cap timer, tn_time at, uint64_t cookie)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return timer_set(cpu, turn, timer, at, cookie);
}

tn_err tn_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    struct cpu *cpu;
    return needs_find(native_of(turn_here(&cpu))->needs, name, len, ret_cap);
}

tn_err tn_cap_mint(tn_cap from, uint32_t rights, uint64_t badge, tn_cap *ret_cap)
{
    struct cpu *cpu;
    struct space *space = turn_here(&cpu)->actor->space;
    return cap_mint(space, from, space, rights, badge, ret_cap);
}

tn_err tn_cap_drop(tn_cap cap)
{
    struct cpu *cpu;
    return cap_delete(turn_here(&cpu)->actor->space, cap);
}

tn_err tn_cap_revoke(tn_cap cap)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    tn_err err = revoke_begin(cpu, turn, cap);
    while (err == IPC_PENDING) {
        cpu = turn_wait(cpu, turn);
        err = revoke_end(cpu, turn, cap);
    }
    return err;
}

tn_err tn_buf_new(tn_cap memory, uint64_t size_bytes, tn_cap *ret_buf)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return buf_new(cpu, turn, memory, size_bytes, ret_buf);
}

tn_err tn_buf_slice(tn_cap buf, uint64_t off, uint64_t len, uint32_t rights, tn_cap *ret_buf)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return buf_slice(cpu, turn, buf, off, len, rights, ret_buf);
}

tn_err tn_buf_map(tn_cap buf, uint64_t off, uint32_t len, uint32_t how, void **ret_at)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    struct maps *maps = turn->local;
    void *at;
    struct object *held;
    tn_err err = buf_hold(turn, buf, off, len, how, &at, &held);
    if (err != TN_OK)
        return err;
    if (maps->n == TN_MAPS_MAX) {
        object_unref(held);
        return TN_ENOMEM;
    }
    maps->map[maps->n].buf = buf;
    maps->map[maps->n].at = at;
    maps->map[maps->n].held = held;
    maps->n++;
    *ret_at = at;
    return TN_OK;
}

tn_err tn_buf_unmap(tn_cap buf, void *at)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    struct maps *maps = turn->local;
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, buf, OBJ_BUFFER, 0, &view);
    for (uint32_t i = 0; i < maps->n; i++) {
        if (maps->map[i].buf == buf && maps->map[i].at == at) {
            unmap(maps, i);
            return err;
        }
    }
    return err != TN_OK ? err : TN_EINVAL;
}

tn_err tn_chan_new(tn_cap memory, uint64_t capacity, tn_cap *ret_producer, tn_cap *ret_consumer)
{
    struct cpu *cpu;
    struct turn *turn = turn_here(&cpu);
    return chan_new(cpu, turn, memory, capacity, ret_producer, ret_consumer);
}

tn_err tn_chan_map(tn_cap end, void **ret_at, uint64_t *ret_size_bytes)
{
    struct cpu *cpu;
    struct chan_view view;
    tn_err err = chan_view(turn_here(&cpu), end, &view);
    if (err != TN_OK)
        return err;
    *ret_at = view.at;
    *ret_size_bytes = view.size_bytes;
    return TN_OK;
}

void tn_block_begin(void)
{
    cpu_blocks_begin(fiber_self()->cpu);
}

void tn_block_end(void)
{
    cpu_blocks_end(fiber_self()->cpu);
}

#define IMPORT(name)                  \
    {                                 \
#name, (void (*)(void))(name) \
    }
const struct elf_import native_imports[] = {
    IMPORT(tn_call),       IMPORT(tn_send),     IMPORT(tn_defer),     IMPORT(tn_reply),
    IMPORT(tn_cancelled),  IMPORT(tn_yield),    IMPORT(tn_signal),    IMPORT(tn_wait),
    IMPORT(tn_timer_set),  IMPORT(tn_need),     IMPORT(tn_cap_mint),  IMPORT(tn_cap_drop),
    IMPORT(tn_cap_revoke), IMPORT(tn_buf_new),  IMPORT(tn_buf_slice), IMPORT(tn_buf_map),
    IMPORT(tn_buf_unmap),  IMPORT(tn_chan_new), IMPORT(tn_chan_map),
};
const uint32_t native_nimports = sizeof(native_imports) / sizeof(native_imports[0]);
