/* imports.c: the functions of component.h as a guest imports them.
 *
 * Every pointer is a place in linear memory: looked up with its length each time, never kept across
 * a wait except by address. Structs are copied out once and the copy is checked. */
#include "runtime/wasm/guest_int.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/fmt.h"
#include <tenon/interface.h>

/* Reads a pack of the guest at `at` (0: empty) into host form: data becomes a host pointer. `room`
 * tells whether data is to be filled (size) or read (len). */
static tn_err pack_read(struct guest *guest, uint32_t at, bool room, struct tn_pack *ret)
{
    if (at == 0) {
        *ret = (struct tn_pack){.len = 0};
        return TN_OK;
    }
    const void *from = guest_at(guest, at, sizeof(*ret));
    if (from == NULL)
        return TN_EFAULT;
    struct tn_pack pack;
    memcpy(&pack, from, sizeof(pack));
    uint32_t bytes = room ? pack.size : pack.len;
    if (!room && bytes > TN_ARGS_MAX)
        return TN_ETOOBIG;
    if (!room && pack.ncaps > TN_PACK_CAPS)
        return TN_EINVAL;
    if (pack.data_bits > UINT32_MAX)
        return TN_EFAULT;
    void *data = NULL;
    if (bytes > 0) {
        data = guest_at(guest, (uint32_t)pack.data_bits, bytes);
        if (data == NULL)
            return TN_EFAULT;
    }
    pack.data = data;
    *ret = pack;
    return TN_OK;
}

/* Writes what came back into the guest's pack. */
static void pack_write(struct guest *guest, uint32_t at, const struct tn_pack *pack)
{
    struct tn_pack out;
    void *to = guest_at(guest, at, sizeof(out));
    ASSERT(to != NULL); /* it was read from there, and memory never shrinks */
    memcpy(&out, to, sizeof(out));
    out.len = pack->len;
    out.ncaps = pack->ncaps;
    memcpy(out.caps, pack->caps, sizeof(out.caps));
    memcpy(to, &out, sizeof(out));
}

/* Before a message goes out: for its bytes, and for the room that its answer is given, whether the
 * answer fills it or not, because the callee's side may have to make as much. */
static void pay_message(struct guest *guest, uint32_t len, uint32_t room)
{
    uint64_t bytes = len + (uint64_t)(room < TN_ARGS_MAX ? room : TN_ARGS_MAX);
    guest_pay(guest, bytes);
}

static bool write_u64(struct guest *guest, uint32_t at, uint64_t value)
{
    void *to = guest_at(guest, at, sizeof(value));
    if (to != NULL)
        memcpy(to, &value, sizeof(value));
    return to != NULL;
}

/* How many capabilities arguments of this layout can name. */
static uint32_t layout_caps(const struct tn_layout *layout)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < layout->nfields; i++)
        n += layout->fields[i].type == TN_FIELD_CAP;
    return n;
}

/* What leaves a guest has the form that its interface says, and the rights that its method needs.
 * What the method has no place for would stay in the callee's space, unseen. The kernel's own
 * objects look themselves. */
static tn_err check_method(struct guest *guest, tn_cap to, uint32_t number,
                           const struct tn_pack *in)
{
    const struct tn_method *method = tn_method_by_number(number);
    if (method == NULL)
        return in->ncaps > 0 && tn_interface_by_id(number >> 16) != NULL ? TN_EMETHOD : TN_OK;
    if (in->ncaps > layout_caps(&method->args))
        return TN_EARGS;
    struct cap_view view;
    tn_err err = cap_lookup(guest->turn.actor->space, to, OBJ_ENDPOINT,
                            (uint32_t)TN_R_CALL | method->rights, &view);
    if (err == TN_ETYPE)
        return TN_OK;
    if (err != TN_OK)
        return err;
    return tn_check_args(method, in->data, in->len, in->ncaps);
}

static enum wasm_status done(wasm_value *results, tn_err err)
{
    results[0] = (uint32_t)err;
    return WASM_DONE;
}

static enum wasm_status host_call(void *host, struct wasm_instance *instance,
                                  const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    tn_cap to = args[0];
    uint32_t method = (uint32_t)args[1], at_in = (uint32_t)args[2], at_out = (uint32_t)args[3];
    tn_time deadline = args[4];
    struct tn_pack in, out;
    tn_err err = pack_read(guest, at_in, false, &in);
    if (err == TN_OK)
        err = pack_read(guest, at_out, true, &out);
    if (err == TN_OK) {
        pay_message(guest, in.len, out.size);
        err = check_method(guest, to, method, &in);
    }
    if (err != TN_OK)
        return done(results, err);
    /* Read before the reply may be written over the arguments. */
    uint64_t cleared = invoke_price_bytes(method, &in);
    err = call_begin(guest->cpu, &guest->turn, to, method, &in, &out, deadline);
    if (err == IPC_PENDING) {
        guest->op = OP_CALL;
        guest->op_pack = at_out;
        return WASM_PENDING;
    }
    if (err == TN_OK) {
        err = call_end(guest->cpu, &guest->turn, at_out != 0 ? &out : NULL);
        if (at_out != 0)
            pack_write(guest, at_out, &out);
        if (err == TN_OK && cleared > 0)
            guest_pay(guest, cleared);
    }
    return done(results, err);
}

static enum wasm_status host_send(void *host, struct wasm_instance *instance,
                                  const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    tn_cap to = args[0];
    uint32_t method = (uint32_t)args[1];
    struct tn_pack in;
    tn_err err = pack_read(guest, (uint32_t)args[2], false, &in);
    if (err == TN_OK) {
        pay_message(guest, in.len, 0);
        err = check_method(guest, to, method, &in);
    }
    if (err == TN_OK)
        err = send_begin(guest->cpu, &guest->turn, to, method, &in, (uint32_t)args[3]);
    if (err != IPC_PENDING)
        return done(results, err);
    guest->op = OP_SEND;
    guest->op_to = to;
    guest->op_method = method;
    guest->op_in = in; /* its memory stays: the guest is suspended, and memory does not move */
    return WASM_PENDING;
}

static enum wasm_status host_defer(void *host, struct wasm_instance *instance,
                                   const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at = (uint32_t)args[0];
    tn_cap cap;
    if (guest_at(guest, at, sizeof(cap)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err = defer(guest->cpu, &guest->turn, &cap);
    if (err == TN_OK)
        write_u64(guest, at, cap);
    return done(results, err);
}

static enum wasm_status host_reply(void *host, struct wasm_instance *instance,
                                   const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    struct tn_pack out;
    tn_cap cap = args[0];
    tn_err result = (tn_err)(uint32_t)args[1];
    tn_err err = pack_read(guest, (uint32_t)args[2], false, &out);
    if (err == TN_OK) {
        pay_message(guest, out.len, 0);
        return done(results, reply(guest->cpu, &guest->turn, cap, result, &out));
    }
    tn_err told = reply(guest->cpu, &guest->turn, cap, err, NULL); /* it is consumed all the same */
    return done(results, told == TN_OK ? err : told);
}

static enum wasm_status host_cancelled(void *host, struct wasm_instance *instance,
                                       const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    (void)args;
    return done(results, turn_cancelled(&guest->turn));
}

static enum wasm_status host_yield(void *host, struct wasm_instance *instance,
                                   const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    (void)args;
    tn_err err = yield_begin(guest->cpu, &guest->turn);
    if (err != IPC_PENDING)
        return done(results, err);
    guest->op = OP_YIELD;
    return WASM_PENDING;
}

static enum wasm_status host_signal(void *host, struct wasm_instance *instance,
                                    const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    struct guest_chan *chan = guest_chan_find(guest, args[0]);
    if (chan != NULL)
        return done(results, guest_chan_exchange(guest, chan));
    return done(results, note_signal(guest->cpu, &guest->turn, args[0], args[1]));
}

/* What a wait came to; the copy of a channel is exchanged once more, for what woke it is there. */
static tn_err wait_end(struct guest *guest, tn_cap cap, tn_err err, uint64_t bits, uint32_t at)
{
    struct guest_chan *chan = guest_chan_find(guest, cap);
    tn_err exchanged = chan != NULL ? guest_chan_awake(guest, chan) : TN_OK;
    if (err == TN_OK)
        err = exchanged;
    if (err == TN_OK)
        write_u64(guest, at, bits);
    return err;
}

static enum wasm_status host_wait(void *host, struct wasm_instance *instance,
                                  const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at = (uint32_t)args[2];
    uint64_t bits = 0;
    if (guest_at(guest, at, sizeof(bits)) == NULL)
        return done(results, TN_EFAULT);
    struct guest_chan *chan = guest_chan_find(guest, args[0]);
    tn_err err = chan != NULL ? guest_chan_sleeps(guest, chan) : TN_OK;
    if (err == TN_EAGAIN) {
        write_u64(guest, at, TN_BELL_RING);
        return done(results, TN_OK);
    }
    if (err == TN_OK)
        err = note_wait_begin(guest->cpu, &guest->turn, args[0], args[1], &bits);
    if (err == IPC_PENDING) {
        guest->op = OP_WAIT;
        guest->op_to = args[0];
        guest->op_bits = at;
        return WASM_PENDING;
    }
    return done(results, wait_end(guest, args[0], err, bits, at));
}

static enum wasm_status host_timer_set(void *host, struct wasm_instance *instance,
                                       const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    return done(results, timer_set(guest->cpu, &guest->turn, args[0], args[1], args[2]));
}

static enum wasm_status host_need(void *host, struct wasm_instance *instance,
                                  const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t len = (uint32_t)args[1], at = (uint32_t)args[2];
    tn_cap cap;
    const char *name = guest_at(guest, (uint32_t)args[0], len);
    if (name == NULL || guest_at(guest, at, sizeof(cap)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err = needs_find(&guest->config.needs, name, len, &cap);
    if (err == TN_OK)
        write_u64(guest, at, cap);
    return done(results, err);
}

static enum wasm_status host_cap_mint(void *host, struct wasm_instance *instance,
                                      const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    struct space *space = guest->turn.actor->space;
    uint32_t at = (uint32_t)args[3];
    tn_cap cap;
    if (guest_at(guest, at, sizeof(cap)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err = cap_mint(space, args[0], space, (uint32_t)args[1], args[2], &cap);
    if (err == TN_OK)
        write_u64(guest, at, cap);
    return done(results, err);
}

static enum wasm_status host_cap_drop(void *host, struct wasm_instance *instance,
                                      const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    return done(results, cap_delete(guest->turn.actor->space, args[0]));
}

static enum wasm_status host_cap_revoke(void *host, struct wasm_instance *instance,
                                        const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    tn_err err = revoke_begin(guest->cpu, &guest->turn, args[0]);
    if (err != IPC_PENDING)
        return done(results, err);
    guest->op = OP_REVOKE;
    guest->op_to = args[0];
    return WASM_PENDING;
}

static enum wasm_status host_buf_new(void *host, struct wasm_instance *instance,
                                     const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at = (uint32_t)args[2];
    tn_cap cap;
    if (guest_at(guest, at, sizeof(cap)) == NULL)
        return done(results, TN_EFAULT);
    uint64_t size_bytes = args[1];
    tn_err err = buf_new(guest->cpu, &guest->turn, args[0], size_bytes, &cap);
    if (err == TN_OK) {
        write_u64(guest, at, cap);
        guest_pay(guest, size_bytes);
    }
    return done(results, err);
}

static enum wasm_status host_buf_slice(void *host, struct wasm_instance *instance,
                                       const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at = (uint32_t)args[4];
    tn_cap cap;
    if (guest_at(guest, at, sizeof(cap)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err =
        buf_slice(guest->cpu, &guest->turn, args[0], args[1], args[2], (uint32_t)args[3], &cap);
    if (err == TN_OK)
        write_u64(guest, at, cap);
    return done(results, err);
}

static enum wasm_status host_buf_map(void *host, struct wasm_instance *instance,
                                     const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at_ret = (uint32_t)args[4], at = 0;
    if (guest_at(guest, at_ret, sizeof(at)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err = guest_map(guest, args[0], args[1], (uint32_t)args[2], (uint32_t)args[3], &at);
    if (err == TN_OK)
        memcpy(guest_at(guest, at_ret, sizeof(at)), &at, sizeof(at));
    return done(results, err);
}

static enum wasm_status host_buf_unmap(void *host, struct wasm_instance *instance,
                                       const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    return done(results, guest_unmap(guest, args[0], (uint32_t)args[1]));
}

static enum wasm_status host_chan_new(void *host, struct wasm_instance *instance,
                                      const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at_out = (uint32_t)args[2], at_in = (uint32_t)args[3];
    tn_cap producer, consumer;
    if (guest_at(guest, at_out, sizeof(producer)) == NULL ||
        guest_at(guest, at_in, sizeof(consumer)) == NULL)
        return done(results, TN_EFAULT);
    uint64_t capacity = args[1];
    tn_err err = chan_new(guest->cpu, &guest->turn, args[0], capacity, &producer, &consumer);
    if (err == TN_OK) {
        write_u64(guest, at_out, producer);
        write_u64(guest, at_in, consumer);
        guest_pay(guest, capacity);
    }
    return done(results, err);
}

static enum wasm_status host_chan_map(void *host, struct wasm_instance *instance,
                                      const wasm_value *args, wasm_value *results)
{
    struct guest *guest = host;
    (void)instance;
    uint32_t at_ret = (uint32_t)args[1], at_size = (uint32_t)args[2], at = 0, bytes = 0;
    if (guest_at(guest, at_ret, sizeof(at)) == NULL ||
        guest_at(guest, at_size, sizeof(uint64_t)) == NULL)
        return done(results, TN_EFAULT);
    tn_err err = guest_chan_map(guest, args[0], &at, &bytes);
    if (err == TN_OK) {
        memcpy(guest_at(guest, at_ret, sizeof(at)), &at, sizeof(at));
        write_u64(guest, at_size, bytes);
    }
    return done(results, err);
}

static const uint8_t result_i32 = WASM_I32;
/* The type of an import, which always returns an i32. */
#define TAKES(...)                                                                       \
    {                                                                                    \
        sizeof((uint8_t[]){__VA_ARGS__}), 1, (const uint8_t[]){__VA_ARGS__}, &result_i32 \
    }
#define TAKES_NOTHING           \
    {                           \
        0, 1, NULL, &result_i32 \
    }
#define I WASM_I32
#define L WASM_I64
static const struct {
    const char *name;
    wasm_host_fn fn;
    struct wasm_functype type;
} imports[GUEST_IMPORTS] = {
    {"tn_call", host_call, TAKES(L, I, I, I, L)},
    {"tn_send", host_send, TAKES(L, I, I, I)},
    {"tn_defer", host_defer, TAKES(I)},
    {"tn_reply", host_reply, TAKES(L, I, I)},
    {"tn_cancelled", host_cancelled, TAKES_NOTHING},
    {"tn_yield", host_yield, TAKES_NOTHING},
    {"tn_signal", host_signal, TAKES(L, L)},
    {"tn_wait", host_wait, TAKES(L, L, I)},
    {"tn_timer_set", host_timer_set, TAKES(L, L, L)},
    {"tn_need", host_need, TAKES(I, I, I)},
    {"tn_cap_mint", host_cap_mint, TAKES(L, I, L, I)},
    {"tn_cap_drop", host_cap_drop, TAKES(L)},
    {"tn_cap_revoke", host_cap_revoke, TAKES(L)},
    {"tn_buf_new", host_buf_new, TAKES(L, L, I)},
    {"tn_buf_slice", host_buf_slice, TAKES(L, L, L, I, I)},
    {"tn_buf_map", host_buf_map, TAKES(L, L, I, I, I)},
    {"tn_buf_unmap", host_buf_unmap, TAKES(L, I)},
    {"tn_chan_new", host_chan_new, TAKES(L, L, I, I)},
    {"tn_chan_map", host_chan_map, TAKES(L, I, I)},
};
#undef I
#undef L
#undef TAKES
#undef TAKES_NOTHING

const char *guest_import_name(uint32_t i)
{
    ASSERT(i < GUEST_IMPORTS);
    return imports[i].name;
}

static int32_t import_find(const struct wasm_import_info *info)
{
    if (info->kind != WASM_EXT_FUNC ||
        !str_eq((struct str){info->module, info->module_len}, STR("tenon_0")))
        return -1;
    for (int32_t i = 0; i < GUEST_IMPORTS; i++) {
        if (str_eq((struct str){info->name, info->name_len}, str_of(imports[i].name)))
            return i;
    }
    return -1;
}

tn_err guest_bind(struct guest *guest, struct wasm_error *ret_error)
{
    uint32_t n = wasm_import_count(guest->module);
    for (uint32_t i = 0; i < n; i++) {
        struct wasm_import_info info = wasm_import(guest->module, i);
        int32_t found = import_find(&info);
        if (i >= GUEST_IMPORTS) {
            *ret_error = (struct wasm_error){.err = TN_EFORMAT, .func = UINT32_MAX};
            fmt_print(ret_error->text, sizeof(ret_error->text),
                      "it imports more than the %d functions that there are", GUEST_IMPORTS);
            return TN_EFORMAT;
        }
        if (found < 0) {
            *ret_error = (struct wasm_error){.err = TN_EFORMAT, .func = UINT32_MAX};
            fmt_print(ret_error->text, sizeof(ret_error->text),
                      "it imports %.*s.%.*s, which is not a function of tenon_0",
                      (int)(info.module_len < 30 ? info.module_len : 30), info.module,
                      (int)(info.name_len < 30 ? info.name_len : 30), info.name);
            return TN_EFORMAT;
        }
        guest->bindings[i] = (struct wasm_binding){.kind = WASM_EXT_FUNC,
                                                   .host_fn = imports[found].fn,
                                                   .host = guest,
                                                   .host_type = &imports[found].type};
    }
    guest->nbindings = n;
    return TN_OK;
}

tn_err guest_op_end(struct guest *guest, struct cpu *cpu)
{
    enum guest_op op = guest->op;
    guest->op = OP_NONE;
    struct tn_pack out = {.len = 0};
    uint64_t bits = 0;
    tn_err err = TN_OK;
    switch (op) {
    case OP_CALL:
        err = call_end(cpu, &guest->turn, guest->op_pack != 0 ? &out : NULL);
        if (guest->op_pack != 0)
            pack_write(guest, guest->op_pack, &out);
        return err;
    case OP_SEND:
        return send_end(cpu, &guest->turn, guest->op_to, guest->op_method, &guest->op_in);
    case OP_WAIT:
        err = note_wait_end(cpu, &guest->turn, &bits);
        return wait_end(guest, guest->op_to, err, bits, guest->op_bits);
    case OP_YIELD:
        return guest->turn.refuses == TURN_CANCELLED ? TN_ECANCELLED : TN_OK;
    case OP_REVOKE:
        err = revoke_end(cpu, &guest->turn, guest->op_to);
        if (err == IPC_PENDING)
            guest->op = OP_REVOKE;
        return err;
    case OP_NONE:
    case OP_FRESH:
    case OP_SLICE:
        break;
    }
    UNREACHABLE("an import that was not suspended");
}
