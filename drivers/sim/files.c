/* files.c: granted files on a simulated disk (tenon.file), late, lost and torn as the seed says.
 *
 * Each call is done at once; what is late or lost is its answer, which is held back: the caller's
 * reply is deferred and the driver serves others meanwhile. A lost call is done or not, and nobody
 * hears which until its time is up.
 *
 * Invariant: the timer is armed for the earliest `due` of what is held. */
#include "base/bits.h"
#include "base/bytes.h"
#include "drivers/sim/drivers.h"
#include "interfaces/tenon_file.h"
#include <tenon/driver.h>

enum {
    MESSAGE_MAX = 65000, /* bytes of one read or write (tenon.file) */
    HELD_MAX = 16,       /* answers that are held back at a time; more are given at once */
    HELD_BYTES = 1024,   /* longer ones are given at once */
    LATE_BITS = 32,      /* ns: up to 4 s */
};
static const tn_time lost_ns = UINT64_C(60) * 1000000000;

enum node_state { NODE_READING, NODE_DRAFT, NODE_COMMITTED, NODE_BROKEN };

struct node {
    uint64_t badge;
    uint32_t rights;
    enum node_state state;
    struct store_file *file; /* NULL until first used */
    char name[STORE_NAME_MAX + 1];
};

struct held {
    tn_cap reply; /* 0: free */
    tn_time due;
    tn_err result;
    uint32_t len;
    uint8_t bytes[HELD_BYTES];
};

struct sim_files {
    tn_cap timer; /* 0 until first used */
    struct store store;
    uint32_t nnodes;
    struct node nodes[STORE_FILES];
    struct held held[HELD_MAX];
};

struct disk *driver_sim_disk;

static tn_err file_error(tn_err err)
{
    switch (err) {
    case TN_ENOTFOUND:
        return TENON_FILE_E_NOT_FOUND;
    case TN_ELIMIT:
        return TENON_FILE_E_NO_SPACE;
    case TN_EIO:
        return TENON_FILE_E_IO;
    default:
        return err;
    }
}

static tn_err writable(struct sim_files *files, struct node *node)
{
    tn_err err = store_draft(&files->store, node->file);
    if (err == TN_OK)
        node->state = NODE_DRAFT;
    return err;
}

static tn_err op_size(struct sim_files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    (void)in;
    uint32_t size = 0;
    tn_err err = store_size(&files->store, node->file, &size);
    if (err != TN_OK)
        return err;
    struct tenon_file_size_reply reply = {.size_bytes = size};
    return tenon_file_size_reply_encode(&reply, out);
}

static tn_err op_read(struct sim_files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    struct tenon_file_read_args args;
    tn_err err = tenon_file_read_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    uint32_t room_bytes, len = 0;
    uint8_t *room = tenon_file_read_reply_room(out, &room_bytes);
    if (args.len > MESSAGE_MAX || args.len > room_bytes)
        return TN_ETOOBIG;
    err = store_read(&files->store, node->file, args.offset_bytes, room, args.len, &len);
    if (err != TN_OK)
        return err;
    struct tenon_file_read_reply reply = {.data = {room, len}};
    return tenon_file_read_reply_encode(&reply, out);
}

static tn_err op_write(struct sim_files *files, struct node *node, const struct tn_pack *in,
                       struct tn_pack *out)
{
    (void)out;
    struct tenon_file_write_args args;
    tn_err err = tenon_file_write_args_decode(in, &args);
    if (err == TN_OK)
        err = writable(files, node);
    if (err == TN_OK)
        err =
            store_write(&files->store, node->file, args.offset_bytes, args.data.at, args.data.len);
    return err;
}

static tn_err op_truncate(struct sim_files *files, struct node *node, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)out;
    struct tenon_file_truncate_args args;
    tn_err err = tenon_file_truncate_args_decode(in, &args);
    if (err == TN_OK)
        err = writable(files, node);
    if (err == TN_OK)
        err = store_truncate(&files->store, node->file, args.size_bytes);
    return err;
}

static tn_err op_commit(struct sim_files *files, struct node *node, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)in;
    (void)out;
    switch (node->state) {
    case NODE_DRAFT:
        break;
    case NODE_COMMITTED:
        return TENON_FILE_E_COMMITTED;
    case NODE_BROKEN:
        return TENON_FILE_E_IO;
    case NODE_READING:
        return TN_EINVAL;
    }
    tn_err err = store_commit(&files->store, node->file);
    node->state = err == TN_OK ? NODE_COMMITTED : NODE_BROKEN;
    return err;
}

static tn_err op_close(struct sim_files *files, struct node *node, const struct tn_pack *in,
                       struct tn_pack *out)
{
    (void)files;
    (void)in;
    (void)out;
    store_discard(node->file);
    node->state = NODE_READING;
    return TN_OK;
}

static tn_err op_directory(struct sim_files *files, struct node *node, const struct tn_pack *in,
                           struct tn_pack *out)
{
    (void)files;
    (void)node;
    (void)in;
    (void)out;
    return TENON_FILE_E_NOT_DIRECTORY;
}

static tn_err do_call(struct sim_files *files, const struct tn_turn *turn, const struct tn_pack *in,
                      struct tn_pack *out)
{
    static const struct {
        uint32_t method, rights;
        tn_err (*op)(struct sim_files *, struct node *, const struct tn_pack *, struct tn_pack *);
    } ops[] = {
        {TENON_FILE_SIZE, TN_R_READ, op_size},
        {TENON_FILE_READ, TN_R_READ, op_read},
        {TENON_FILE_WRITE, TN_R_WRITE, op_write},
        {TENON_FILE_TRUNCATE, TN_R_WRITE, op_truncate},
        {TENON_FILE_COMMIT, TN_R_WRITE, op_commit},
        {TENON_FILE_LIST, TN_R_READ, op_directory},
        {TENON_FILE_OPEN, TN_R_READ, op_directory},
        {TENON_FILE_OPEN_WRITE, TN_R_READ | TN_R_WRITE, op_directory},
        {TENON_FILE_CLOSE, 0, op_close},
    };
    struct node *node = NULL;
    for (uint32_t i = 0; i < files->nnodes; i++)
        if (files->nodes[i].badge == turn->badge)
            node = &files->nodes[i];
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (ops[i].method != turn->method)
            continue;
        if (node == NULL)
            return TN_EDENIED;
        uint32_t lacks = ops[i].rights & ~node->rights;
        if (lacks != 0)
            return lacks & TN_R_WRITE ? TENON_FILE_E_NOT_OPEN_FOR_WRITING : TN_ERIGHTS;
        tn_err err = TN_OK;
        if (node->file == NULL)
            err = store_open(&files->store, node->name, &node->file);
        return file_error(err == TN_OK ? ops[i].op(files, node, in, out) : err);
    }
    return TN_EMETHOD;
}

/* Arms the timer for what is due first. */
static tn_err arm(struct sim_files *files)
{
    tn_time first = TN_NEVER;
    for (uint32_t i = 0; i < HELD_MAX; i++)
        if (files->held[i].reply != 0 && files->held[i].due < first)
            first = files->held[i].due;
    if (files->timer == 0) {
        tn_err err = tn_need("timer", 5, &files->timer);
        if (err != TN_OK)
            return err;
    }
    return tn_timer_set(files->timer, first, 0);
}

/* Holds the answer of this call back; when that cannot be, it is given at once. */
static tn_err hold(struct sim_files *files, tn_time due, tn_err result, const struct tn_pack *out)
{
    struct held *held = files->held;
    uint32_t len = result == TN_OK ? out->len : 0;
    while (held < files->held + HELD_MAX && held->reply != 0)
        held++;
    if (held == files->held + HELD_MAX || len > HELD_BYTES || tn_defer(&held->reply) != TN_OK)
        return result;
    held->due = due;
    held->result = result;
    held->len = len;
    if (len > 0)
        memcpy(held->bytes, out->data, len);
    if (arm(files) == TN_OK)
        return TN_DEFERRED;
    /* No timer: it cannot be given later. */
    tn_err err = tn_reply(held->reply, result, &(struct tn_pack){.data = held->bytes, .len = len});
    (void)err; /* the caller gave up, or has what is wrong as its result */
    held->reply = 0;
    return TN_DEFERRED;
}

static tn_err files_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    struct sim_files *files = self;
    const struct outside *outside = files->store.disk->outside;
    if (outside_fault(outside, OUTSIDE_LOST)) {
        tn_err result = TN_OK;
        if (outside_choose(outside, 2) == 0)
            result = do_call(files, turn, in, out);
        (void)result; /* nobody hears of it */
        return hold(files, turn->now + lost_ns, TENON_FILE_E_IO, out);
    }
    tn_err result = do_call(files, turn, in, out);
    if (!outside_fault(outside, OUTSIDE_LATE))
        return result;
    uint64_t most_ns = UINT64_C(1) << (1 + outside_choose(outside, LATE_BITS));
    return hold(files, turn->now + outside_choose(outside, most_ns), result, out);
}

static void files_timer(void *self, const struct tn_turn *turn)
{
    struct sim_files *files = self;
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        struct held *held = &files->held[i];
        if (held->reply == 0 || held->due > turn->now)
            continue;
        tn_cap reply = held->reply;
        held->reply = 0;
        tn_err err =
            tn_reply(reply, held->result, &(struct tn_pack){.data = held->bytes, .len = held->len});
        (void)err; /* the caller gave up, or has what is wrong as its result */
    }
    tn_err err = arm(files);
    (void)err; /* it was armed before, so it is there */
}

static tn_err load_grant(struct sim_files *files, const struct tn_grant *grant)
{
    uint32_t from = grant->text_len;
    while (from > 0 && grant->text[from - 1] != '/')
        from--;
    uint32_t len = grant->text_len - from;
    if (grant->kind != TN_GRANT_FILE || grant->rights == 0 || len == 0 || len > STORE_NAME_MAX)
        return TN_EARGS;
    if (files->nnodes == STORE_FILES)
        return TN_ELIMIT;
    struct node *node = &files->nodes[files->nnodes++];
    *node = (struct node){.badge = grant->badge, .rights = grant->rights};
    memcpy(node->name, grant->text + from, len);
    return TN_OK;
}

static tn_err files_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct sim_files *files = self;
    struct tn_grants grants;
    struct tn_grant grant;
    (void)turn;
    if (driver_sim_disk == NULL || driver_sim_disk->sectors < STORE_SECTORS)
        return TN_ENOTFOUND;
    files->store.disk = driver_sim_disk;
    tn_err err = tn_grants_open(config, &grants);
    while (err == TN_OK && (err = tn_grants_next(&grants, &grant)) == TN_OK)
        err = load_grant(files, &grant);
    return err == TN_ENOTFOUND ? TN_OK : err;
}

const struct tn_component driver_sim_files = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct sim_files),
    .load = files_load,
    .call = files_call,
    .timer = files_timer,
};
