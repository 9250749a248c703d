/* guest.c: instances of guests, and their turns (the essay is in guest.h).
 *
 * A turn goes through stages: a fresh instance takes load and start first, then the message. Each
 * stage is one function of the guest, run in slices:
 *
 *   guest_run -> stage_begin -> slice loop -> stage done -> next stage ... -> answered, TURN_DONE
 *                                  |  ^
 *                                  v  | guest_resume (import finished, or next slice)
 *                               TURN_WAITS
 *
 * A guest whose actor is swapped (sched/swap.h) runs save as a stage of its own. One that takes
 * another's place runs load, then restore, or start where there is nothing to restore; if it falls
 * before that is over it is no fault of the actor's, whose instance it never was.
 *
 * Invariants
 *   1. fuel_left + what the engine holds = what the turn may still spend.
 *   2. Between turns no buffer is mapped and the engine holds no computation.
 *   3. After a fault the engine's instance is destroyed before the turn ends; by the swap after
 *      it, where it was to take another's place.
 *   4. What it had deferred is answered, by TN_EGONE, when a fault ends it.
 *   5. Only functions of i32 alone are begun: a number is never taken for a reference. */
#include "runtime/wasm/guest_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/fmt.h"

enum {
    GUEST_FRAMES = 16, /* of a backtrace that is reported */
    OUT_STRUCTS = 256, /* bytes for turn and packs at the head of the window */
    MEMORY_TRIES = 12, /* sizes tried for the linear memory */
};

static struct guest *guest_of(struct instance *instance)
{
    return (struct guest *)instance;
}

/* Memory */

static void *guest_alloc(void *ctx, size_t bytes)
{
    return mem_alloc(ctx, bytes);
}

static void guest_free(void *ctx, void *at, size_t bytes)
{
    mem_free(ctx, at, bytes);
}

static tn_err refuse(struct wasm_error *ret_error, const char *text)
{
    *ret_error = (struct wasm_error){.err = TN_EFORMAT, .func = UINT32_MAX};
    fmt_print(ret_error->text, sizeof(ret_error->text), "%s", text);
    return TN_EFORMAT;
}

/* The value of an exported immutable i32 global. */
static bool exported_u32(struct guest *guest, const char *name, uint32_t *ret)
{
    struct wasm_export_info info;
    wasm_value value;
    if (!wasm_find_export(guest->module, name, str_length(name), &info) ||
        info.kind != WASM_EXT_GLOBAL || info.type != WASM_I32 ||
        wasm_global_get(guest->wasm, info.index, &value) != TN_OK)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* Places the window above the module's own data. */
static tn_err place_window(struct guest *guest, struct wasm_error *ret_error)
{
    uint32_t base;
    if (!exported_u32(guest, "__heap_base", &base))
        return refuse(ret_error, "it exports no __heap_base");
    uint64_t at = align_up(base, 16);
    uint64_t self = at + OUT_STRUCTS;
    uint64_t data = align_up(self + guest->component.state_size, 16);
    uint64_t end = data + 2 * (uint64_t)GUEST_WINDOW;
    uint64_t have;
    (void)wasm_memory(guest->wasm, &have);
    if (end > have) {
        uint64_t pages = (end - have + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
        if (pages > UINT16_MAX || wasm_memory_grow(guest->wasm, (uint32_t)pages) == UINT32_MAX) {
            refuse(ret_error, "its memory has no room for its state and arguments");
            ret_error->err = TN_ENOMEM;
            return TN_ENOMEM;
        }
    }
    guest->window = (struct guest_window){.turn = (uint32_t)at,
                                          .in = (uint32_t)at + 64,
                                          .out = (uint32_t)at + 128,
                                          .self = (uint32_t)self,
                                          .in_data = (uint32_t)data,
                                          .out_data = (uint32_t)data + GUEST_WINDOW};
    return TN_OK;
}

static tn_err read_component(struct guest *guest, struct wasm_error *ret_error)
{
    uint32_t at;
    if (!exported_u32(guest, "tn_component", &at))
        return refuse(ret_error, "it exports no tn_component");
    struct guest_component c = {.abi = 0};
    const uint8_t *head = guest_at(guest, at, 16);
    if (head == NULL)
        return refuse(ret_error, "its tn_component lies outside of its memory");
    memcpy(&c, head, 16);
    if (c.abi != TN_ABI)
        return refuse(ret_error, "it was made for another version of the component ABI");
    uint32_t size = c.size < sizeof(c) ? c.size : (uint32_t)sizeof(c);
    const uint8_t *whole = guest_at(guest, at, size);
    if (size < 16 || whole == NULL)
        return refuse(ret_error, "its tn_component has a size that cannot be");
    memcpy(&c, whole, size);
    if (c.state_size > GUEST_STATE_MAX)
        return refuse(ret_error, "its state_size is over GUEST_STATE_MAX");
    guest->component = c;
    return TN_OK;
}

static const uint8_t handler_types[4] = {WASM_I32, WASM_I32, WASM_I32, WASM_I32};

/* Each handler that is named must be there, and take and give what it is called with. */
static tn_err check_handlers(struct guest *guest, struct wasm_error *ret_error)
{
    const struct guest_component *c = &guest->component;
    const struct {
        const char *name;
        uint32_t elem, nparams, nresults;
    } handlers[] = {
        {"load", c->load, 3, 1},       {"start", c->start, 2, 1}, {"call", c->call, 4, 1},
        {"event", c->event, 3, 0},     {"timer", c->timer, 2, 0}, {"save", c->save, 2, 1},
        {"restore", c->restore, 3, 1}, {"stop", c->stop, 2, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        struct wasm_functype type = {handlers[i].nparams, handlers[i].nresults, handler_types,
                                     handler_types};
        if (handlers[i].elem == 0 ||
            wasm_elem_check(guest->wasm, 0, handlers[i].elem, &type) == TN_OK)
            continue;
        *ret_error = (struct wasm_error){.err = TN_EFORMAT, .func = UINT32_MAX};
        fmt_print(ret_error->text, sizeof(ret_error->text),
                  "its handler `%s`, element %u of its table, is no function of %u i32 to %s",
                  handlers[i].name, handlers[i].elem, handlers[i].nparams,
                  handlers[i].nresults == 0 ? "nothing" : "i32");
        return TN_EFORMAT;
    }
    if (wasm_start(guest->wasm) != TN_ENOTFOUND)
        return refuse(ret_error, "it has a start function: a component begins with its load");
    return TN_OK;
}

/* A linear memory as large as the actor's memory still allows, three quarters of it at first. */
static tn_err instantiate(struct guest *guest, struct wasm_error *ret_error)
{
    struct actor *actor = guest->instance.actor;
    uint64_t pages = mem_stats(actor_memory(actor)).free_bytes / WASM_PAGE_BYTES * 3 / 4;
    tn_err err = TN_ENOMEM;
    for (uint32_t i = 0; i < MEMORY_TRIES && err == TN_ENOMEM && pages > 0; i++) {
        struct wasm_config config = {
            .bindings = guest->bindings,
            .nbindings = guest->nbindings,
            .memory_max_pages = (uint32_t)(pages < 65536 ? pages : 65536),
            .stack_slots = (uint32_t)(guest->config.stack_bytes / sizeof(wasm_value)),
            .call_depth_max = GUEST_CALL_DEPTH,
            .fuel = guest->config.fuel_per_call,
        };
        err = wasm_instantiate(guest->module, &guest->alloc, &config, &guest->wasm, ret_error);
        pages = pages * 3 / 4;
    }
    if (err != TN_OK)
        return err;
    memset(guest->maps, 0, sizeof(guest->maps));
    memset(guest->chans, 0, sizeof(guest->chans));
    err = read_component(guest, ret_error);
    if (err == TN_OK)
        err = check_handlers(guest, ret_error);
    if (err == TN_OK)
        err = place_window(guest, ret_error);
    if (err != TN_OK) {
        wasm_destroy(guest->wasm);
        guest->wasm = NULL;
    }
    return err;
}

/* Turns */

/* What the lost instance had collected goes with it: buffers, capabilities that it was sent, and
 * replies that it owed, so that who waits for one is told. */
static void keep_needs(struct guest *guest)
{
    tn_cap keep[NEEDS_MAX];
    const struct needs *needs = &guest->config.needs;
    ASSERT(needs->n <= NEEDS_MAX);
    for (uint32_t i = 0; i < needs->n; i++)
        keep[i] = needs->at[i].cap;
    space_clear_but(guest->instance.actor->space, keep, needs->n);
}

static void tell(struct guest *guest, struct guest_fault *fault)
{
    fault->actor = guest->instance.actor;
    at_count(&fault->actor->stats.errors_encountered, 1);
    if (guest->config.on_fault != NULL)
        guest->config.on_fault(guest->config.fault_ctx, fault);
}

static void tell_fall(struct guest *guest, tn_err err, const char *text, bool restarts)
{
    struct wasm_frame_info frames[GUEST_FRAMES];
    uint32_t n = wasm_backtrace(guest->wasm, frames, GUEST_FRAMES);
    struct guest_fault fault = {.err = err,
                                .text = text,
                                .frames = frames,
                                .nframes = n < GUEST_FRAMES ? n : GUEST_FRAMES,
                                .restarts = restarts};
    tell(guest, &fault);
    wasm_cancel(guest->wasm);
}

/* What happened to the guest is said to whoever keeps an eye on it; then it starts anew, or not. */
static void guest_fault(struct guest *guest, tn_err err, const char *text)
{
    bool restarts = guest->restarts < guest->config.restarts_max;
    tell_fall(guest, err, text, restarts);
    wasm_destroy(guest->wasm);
    guest->wasm = NULL;
    guest->op = OP_NONE;
    keep_needs(guest);
    if (!restarts) {
        (void)actor_fail(guest->instance.actor);
        return;
    }
    guest->restarts++;
    guest->fresh = true;
}

/* It fell while it was to take another's place: the swap ends, and destroys it. */
static void takeover_failed(struct guest *guest, tn_err err, const char *text)
{
    tell_fall(guest, err, text, false);
    guest->op = OP_NONE;
    swap_restored(&guest->turn, err);
}

static void charge(struct guest *guest)
{
    uint64_t left = wasm_fuel_left(guest->wasm);
    uint64_t used = guest->fuel_given - left;
    at_count(&guest->instance.actor->stats.fuel_used, used);
    guest->fuel_left += left;
    guest->fuel_given = 0;
    wasm_fuel_set(guest->wasm, 0);
}

void guest_pay(struct guest *guest, uint64_t bytes)
{
    uint64_t fuel = bytes / GUEST_BYTES_PER_FUEL, slice = wasm_fuel_left(guest->wasm);
    bool pays = wasm_fuel_take(guest->wasm, fuel < slice ? fuel : slice);
    ASSERT(pays);
    uint64_t rest = fuel < slice ? 0 : fuel - slice;
    if (rest > guest->fuel_left)
        rest = guest->fuel_left;
    guest->fuel_left -= rest;
    at_count(&guest->instance.actor->stats.fuel_used, rest);
}

/* The next slice, of at least `wanted`; false when the turn cannot pay for it. */
static bool fuel_slice(struct guest *guest, uint64_t wanted)
{
    uint64_t give = wanted > GUEST_SLICE_FUEL ? wanted : GUEST_SLICE_FUEL;
    if (give > guest->fuel_left)
        give = guest->fuel_left;
    if (give < wanted)
        return false;
    guest->fuel_left -= give;
    guest->fuel_given = give;
    wasm_fuel_set(guest->wasm, give);
    return true;
}

/* Writes the turn and the packs into the window and begins the guest's function; TN_ENOTFOUND when
 * it has none for this stage. */
static tn_err stage_begin(struct guest *guest, const struct tn_pack *in, uint32_t room)
{
    struct turn *turn = &guest->turn;
    struct guest_window *w = &guest->window;
    struct guest_component *c = &guest->component;
    struct tn_turn info = turn->info;
    struct tn_pack pack = *in;
    wasm_value args[4] = {w->self, w->turn, w->in, w->out};
    uint32_t elem = 0, nargs = 2, nresults = 1;
    if (guest->stage == STAGE_LOAD) {
        elem = c->load;
        nargs = 3;
    } else if (guest->stage == STAGE_START) {
        elem = c->start;
    } else if (guest->stage == STAGE_SAVE) {
        elem = c->save;
        args[1] = w->out;
    } else if (guest->stage == STAGE_RESTORE) {
        elem = c->restore;
        args[1] = (uint32_t)info.cookie;
        nargs = 3;
    } else if (info.cls == MSG_MODULE_LOAD) {
        elem = c->stop; /* load and start are stages of their own */
        nresults = 0;
    } else if (info.cls == MSG_TIMER_EXPIRED) {
        elem = c->timer;
        nresults = 0;
    } else if (turn->caller != NULL) {
        elem = c->call;
        nargs = 4;
    } else {
        elem = c->event;
        nargs = 3;
        nresults = 0;
    }
    if (elem == 0)
        return TN_ENOTFOUND;
    ASSERT(pack.len <= GUEST_WINDOW);
    if (pack.len > 0)
        memcpy(guest_at(guest, w->in_data, pack.len), pack.data, pack.len);
    pack.data_bits = w->in_data;
    pack.size = 0;
    struct tn_pack out = {.size = room};
    out.data_bits = w->out_data;
    memcpy(guest_at(guest, w->turn, sizeof(info)), &info, sizeof(info));
    memcpy(guest_at(guest, w->in, sizeof(pack)), &pack, sizeof(pack));
    memcpy(guest_at(guest, w->out, sizeof(out)), &out, sizeof(out));
    guest->returns = nresults == 1;
    const struct wasm_functype type = {nargs, nresults, handler_types, handler_types};
    return wasm_begin_elem(guest->wasm, 0, elem, &type, args);
}

/* The reply that the guest left in its window. */
static tn_err read_reply(struct guest *guest, struct tn_pack *ret_out)
{
    struct tn_pack out;
    memcpy(&out, guest_at(guest, guest->window.out, sizeof(out)), sizeof(out));
    if (out.ncaps > TN_PACK_CAPS || out.len > GUEST_WINDOW)
        return TN_EINTERNAL;
    if (out.data_bits > UINT32_MAX)
        return TN_EFAULT;
    void *data = guest_at(guest, (uint32_t)out.data_bits, out.len);
    if (data == NULL)
        return TN_EFAULT;
    out.data = data;
    *ret_out = out;
    return TN_OK;
}

static void answer(struct guest *guest, struct cpu *cpu, tn_err err)
{
    struct turn *turn = &guest->turn;
    if (turn->deferred || turn->caller == NULL)
        return;
    struct tn_pack out = {.len = 0};
    if (err == TN_DEFERRED)
        err = TN_EINTERNAL; /* said so, but did not take the reply capability */
    if (err == TN_OK && turn->info.cls == TN_CLS_USER && guest->wasm != NULL)
        err = read_reply(guest, &out);
    if (err < 0)
        at_count(&turn->actor->stats.errors_encountered, 1);
    turn_answer_or_drop(cpu, turn, err, err == TN_OK ? &out : NULL);
}

static bool is_life(const struct guest *guest, uint32_t method)
{
    const struct tn_turn *info = &guest->turn.info;
    return info->cls == MSG_MODULE_LOAD && info->method == method;
}

/* What save said, and left in the window. */
static void saved(struct guest *guest, tn_err err)
{
    struct tn_pack out = {.len = 0};
    guest_chans_settle(guest);
    if (err == TN_OK)
        err = read_reply(guest, &out);
    swap_saved(&guest->turn, err, guest->component.state_version, &out);
}

/* After a stage of an instance that takes another's place; true: that is over. */
static bool takeover_done(struct guest *guest, tn_err err)
{
    if (err == TN_OK && guest->stage == STAGE_LOAD) {
        bool restores = guest->turn.info.cookie != SWAP_NO_STATE;
        guest->stage = restores ? STAGE_RESTORE : STAGE_START;
        if (restores)
            guest->turn.refuses = TURN_AT_ONCE;
        return false;
    }
    if (err == TN_OK)
        guest->fresh = false;
    swap_restored(&guest->turn, err);
    return true;
}

/* After a stage: on to the next, or the end of the turn. `err` is what the guest's function said.
 */
static bool stage_done(struct guest *guest, struct cpu *cpu, tn_err err)
{
    struct turn *turn = &guest->turn;
    bool life = turn->info.cls == MSG_MODULE_LOAD;
    guest_unmap_all(guest);
    if (guest->stage == STAGE_SAVE) {
        saved(guest, err);
        return true;
    }
    if (is_life(guest, LIFE_RESTORE))
        return takeover_done(guest, err);
    if (guest->stage == STAGE_LOAD && err == TN_OK && !(life && turn->info.method == LIFE_LOAD)) {
        guest->stage = STAGE_START;
        return false;
    }
    if (guest->stage == STAGE_START && err == TN_OK) {
        guest->fresh = false;
        guest->stage = STAGE_MESSAGE;
        if (!(life && turn->info.method == LIFE_START))
            return false;
    }
    if (guest->stage != STAGE_MESSAGE)
        turn_drop_caps(turn); /* the message has not been seen */
    if (guest->stage != STAGE_MESSAGE && !life) {
        char text[64];
        fmt_print(text, sizeof(text), "the %s of a fresh instance failed with error %d",
                  guest->stage == STAGE_LOAD ? "load" : "start", err);
        guest_fault(guest, TN_EGONE, text);
        err = TN_EGONE; /* what it said was no answer to the message */
    }
    answer(guest, cpu, err);
    return true;
}

/* Begins the stage; a stage that the guest has no function for is over at once. */
static tn_err stage_enter(struct guest *guest)
{
    const struct guest_config *config = &guest->config;
    struct tn_pack in = guest->turn.in;
    if (guest->stage == STAGE_LOAD)
        in = (struct tn_pack){.data = (void *)(uintptr_t)config->config, .len = config->config_len};
    else if (guest->stage == STAGE_START)
        in = (struct tn_pack){.len = 0};
    uint32_t room = guest->stage == STAGE_SAVE ? GUEST_WINDOW : turn_room_size(&guest->turn);
    return stage_begin(guest, &in, room);
}

/* Begins stages until one has something to run; true when the turn is over instead. */
static bool enter_next(struct guest *guest, struct cpu *cpu)
{
    for (;;) {
        tn_err err = stage_enter(guest);
        if (err == TN_OK)
            return false;
        bool calls = guest->stage == STAGE_MESSAGE && guest->turn.info.cls == TN_CLS_USER &&
                     guest->turn.caller != NULL;
        if (err == TN_ENOTFOUND && guest->stage == STAGE_SAVE)
            return true; /* nothing is carried over */
        if (err == TN_ENOTFOUND && guest->stage == STAGE_RESTORE)
            err = TN_EVERSION;
        else if (err == TN_ENOTFOUND)
            err = calls ? TN_EMETHOD : TN_OK;
        else
            err = TN_EFORMAT; /* it has put something else into its table */
        if (guest->stage == STAGE_MESSAGE)
            turn_drop_caps(&guest->turn); /* nobody looks at them */
        if (stage_done(guest, cpu, err))
            return true;
    }
}

static enum turn_end fault(struct guest *guest, struct cpu *cpu, tn_err err)
{
    const char *trap = wasm_trap_text(guest->wasm);
    const char *text = err == TN_EFUEL   ? "the fuel of this call is used up"
                       : err == TN_ETIME ? "its deadline has passed"
                                         : trap;
    if (text == NULL)
        text = "trap";
    if (is_life(guest, LIFE_RESTORE)) {
        takeover_failed(guest, err, text);
        return TURN_DONE;
    }
    guest_fault(guest, err, text);
    if (is_life(guest, LIFE_SAVE))
        swap_saved(&guest->turn, err, 0, NULL);
    answer(guest, cpu, err);
    return TURN_DONE;
}

/* The engine has come back; true when the turn ends or waits, as *ret_end says. */
static bool came_back(struct guest *guest, struct cpu *cpu, enum wasm_status status,
                      enum turn_end *ret_end)
{
    uint64_t wanted = status == WASM_FUEL ? wasm_fuel_wanted(guest->wasm) : 0;
    charge(guest);
    switch (status) {
    case WASM_PENDING:
        *ret_end = TURN_WAITS;
        return true;
    case WASM_TRAP:
        *ret_end = fault(guest, cpu, TN_ETRAP);
        return true;
    case WASM_FUEL:
        if (wanted > guest->fuel_left) {
            *ret_end = fault(guest, cpu, TN_EFUEL);
        } else if (machine_now_ns() >= guest->turn.info.deadline) {
            *ret_end = fault(guest, cpu, TN_ETIME);
        } else {
            /* The slice is over: others run, and a kill is seen, before the next one. */
            guest->op = OP_SLICE;
            turn_wake(cpu, &guest->turn);
            *ret_end = TURN_WAITS;
        }
        return true;
    case WASM_DONE:
        break;
    }
    tn_err err = TN_OK;
    if (guest->returns)
        err = (tn_err)(uint32_t)wasm_results(guest->wasm)[0];
    *ret_end = TURN_DONE;
    return stage_done(guest, cpu, err) || enter_next(guest, cpu);
}

/* Runs a slice at a time, beginning with `status` if the engine has come back already. */
static enum turn_end run_on(struct guest *guest, struct cpu *cpu)
{
    enum turn_end end = TURN_DONE;
    enum wasm_status status;
    do {
        if (!fuel_slice(guest, guest->fuel_wanted))
            return fault(guest, cpu, TN_EFUEL);
        guest->fuel_wanted = 1;
        status = guest->resumes ? wasm_resume(guest->wasm, &guest->resume_value, 1)
                                : wasm_run(guest->wasm);
        guest->resumes = false;
    } while (!came_back(guest, cpu, status, &end));
    return end;
}

/* Enters the first stage, with a fresh instance where the last one was lost. The memory of that is
 * given back first, a part each time, so that the fresh one has as much; what it had made may come
 * back only when a grace period is over, so a lack of memory is met with patience too. */
static enum turn_end guest_enter(struct guest *guest, struct cpu *cpu)
{
    struct turn *turn = &guest->turn;
    struct wasm_error error = {.text = "the memory granted is used up"};
    bool more = guest->wasm == NULL && mem_give_back(actor_memory(turn->actor));
    tn_err err = TN_OK;
    if (guest->wasm == NULL && !more)
        err = instantiate(guest, &error);
    if (more || (err == TN_ENOMEM && guest->tries < GUEST_TRIES)) {
        guest->tries += !more;
        guest->op = OP_FRESH;
        turn_wake(cpu, turn);
        return TURN_WAITS;
    }
    if (err != TN_OK) {
        struct guest_fault none = {.err = err, .text = error.text};
        tell(guest, &none);
        (void)actor_fail(turn->actor);
        turn_drop_caps(turn);
        answer(guest, cpu, TN_EGONE);
        return TURN_DONE;
    }
    if (enter_next(guest, cpu))
        return TURN_DONE;
    return run_on(guest, cpu);
}

/* Where a turn begins: with the stages that are still to do. */
static enum turn_end guest_run(struct cpu *cpu, struct turn *turn)
{
    struct guest *guest = guest_of(turn->actor->instance);
    ASSERT(turn == &guest->turn && guest->op == OP_NONE);
    bool life = turn->info.cls == MSG_MODULE_LOAD;
    guest->cpu = cpu;
    if (is_life(guest, LIFE_SAVE))
        turn->refuses = TURN_AT_ONCE;
    guest->fuel_left = guest->config.fuel_per_call;
    guest->fuel_wanted = 1;
    guest->tries = 0;
    if (life && turn->info.method == LIFE_STOP && guest->fresh) {
        answer(guest, cpu, TN_OK); /* what was never started has nothing to stop */
        return TURN_DONE;
    }
    if (is_life(guest, LIFE_SAVE) && guest->fresh)
        return TURN_DONE; /* its state is that of a beginner */
    if (is_life(guest, LIFE_START))
        guest->stage = STAGE_START;
    else if (is_life(guest, LIFE_LOAD) || is_life(guest, LIFE_RESTORE))
        guest->stage = STAGE_LOAD;
    else if (is_life(guest, LIFE_SAVE))
        guest->stage = STAGE_SAVE;
    else
        guest->stage = guest->fresh && !life ? STAGE_LOAD : STAGE_MESSAGE;
    return guest_enter(guest, cpu);
}

/* Time has passed while it waited. */
static void set_now(struct guest *guest, tn_time now)
{
    uint32_t at = guest->window.turn + (uint32_t)offsetof(struct tn_turn, now);
    guest->turn.info.now = now;
    memcpy(guest_at(guest, at, sizeof(now)), &now, sizeof(now));
}

static enum turn_end guest_resume(struct cpu *cpu, struct turn *turn)
{
    struct guest *guest = guest_of(turn->actor->instance);
    ASSERT(guest->op != OP_NONE);
    guest->cpu = cpu;
    if (guest->op == OP_FRESH) {
        guest->op = OP_NONE;
        return guest_enter(guest, cpu);
    }
    ASSERT(guest->wasm != NULL);
    set_now(guest, cpu->now);
    if (guest->op == OP_SLICE) {
        guest->op = OP_NONE;
        guest->fuel_wanted = wasm_fuel_wanted(guest->wasm);
        return run_on(guest, cpu);
    }
    /* Each yield begins a new slice, so the end of one may never come. */
    if (guest->op == OP_YIELD && machine_now_ns() >= turn->info.deadline)
        return fault(guest, cpu, TN_ETIME);
    tn_err err = guest_op_end(guest, cpu);
    if (err == IPC_PENDING)
        return TURN_WAITS;
    guest->resumes = true;
    guest->resume_value = (uint32_t)err;
    return run_on(guest, cpu);
}

static struct turn *guest_turn_room(struct instance *instance)
{
    return &guest_of(instance)->turn;
}

static void guest_abandon(struct cpu *cpu, struct turn *turn)
{
    struct guest *guest = guest_of(turn->actor->instance);
    (void)cpu;
    guest->op = OP_NONE;
    if (guest->wasm != NULL)
        wasm_cancel(guest->wasm);
}

static void guest_destroy(struct instance *instance)
{
    struct guest *guest = guest_of(instance);
    if (guest->wasm != NULL)
        wasm_destroy(guest->wasm);
    wasm_unload(guest->module);
    mem_free(actor_memory(instance->actor), guest, sizeof(*guest));
}

static void guest_forget(struct instance *instance)
{
    needs_forget(&guest_of(instance)->config.needs, instance->actor->space);
}

static const struct domain wasm_domain = {
    .name = "wasm",
    .on_fiber = false,
    .run = guest_run,
    .resume = guest_resume,
    .turn_room = guest_turn_room,
    .abandon = guest_abandon,
    .destroy = guest_destroy,
    .forget = guest_forget,
};

bool guest_is(const struct instance *instance)
{
    return instance != NULL && instance->domain == &wasm_domain;
}

uint64_t guest_memory_bytes(struct actor *actor)
{
    uint64_t bytes = 0;
    if (guest_is(actor->instance) && guest_of(actor->instance)->wasm != NULL)
        (void)wasm_memory(guest_of(actor->instance)->wasm, &bytes);
    return bytes;
}

tn_err guest_new(struct actor *actor, const uint8_t *bytes, size_t len,
                 const struct guest_config *config, struct instance **ret_instance,
                 struct wasm_error *ret_error)
{
    struct wasm_error error = {.err = TN_ENOMEM, .func = UINT32_MAX};
    fmt_print(error.text, sizeof(error.text), "the memory granted is used up");
    struct guest *guest = mem_alloc(actor_memory(actor), sizeof(*guest));
    tn_err err = TN_ENOMEM;
    if (guest == NULL)
        goto failed;
    guest->instance = (struct instance){.domain = &wasm_domain, .actor = actor};
    guest->config = *config;
    guest->alloc = (struct wasm_alloc){guest_alloc, guest_free, actor_memory(actor)};
    guest->fresh = true;
    /* What one before it had is its own again, however much: it takes a share of what is free. */
    while (mem_give_back(actor_memory(actor)))
        continue;
    err = wasm_load(&guest->alloc, bytes, len, &guest->module, &error);
    if (err == TN_OK)
        err = guest_bind(guest, &error);
    if (err == TN_OK)
        err = instantiate(guest, &error);
    if (err == TN_OK) {
        *ret_instance = &guest->instance;
        return TN_OK;
    }
    if (guest->module != NULL)
        wasm_unload(guest->module);
    mem_free(actor_memory(actor), guest, sizeof(*guest));
failed:
    *ret_error = error;
    ret_error->err = err;
    return err;
}

tn_err guest_make(struct actor *actor, const uint8_t *bytes, size_t len,
                  const struct guest_config *config, struct wasm_error *ret_error)
{
    struct instance *instance;
    tn_err err = guest_new(actor, bytes, len, config, &instance, ret_error);
    if (err == TN_OK)
        actor_set_instance(actor, instance);
    return err;
}
