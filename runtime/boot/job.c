/* job.c: the call of a system's job, by the description of tenon.job. */
#include "base/assert.h"
#include "base/fmt.h"
#include "runtime/boot/boot_int.h"
#include <tenon/interface.h>
#include <tenon/wire.h>

enum { JOB_ROOM = TN_ARGS_MAX };

/* Lays the arguments out in `room`. TN_ETOOBIG: they are too many or too long. */
static tn_err encode(struct boot *boot, const struct tn_method *method, struct tn_pack *pack)
{
    const struct job_spec *job = &boot->input.spec->job;
    const struct str *args = boot->input.nargs > 0 ? boot->input.args : job->args;
    uint32_t n = boot->input.nargs > 0 ? boot->input.nargs : job->nargs;
    uint8_t *texts = mem_alloc(boot->memory, JOB_ROOM);
    if (texts == NULL)
        return TN_ENOMEM;
    uint32_t used = 0;
    tn_err err = TN_OK;
    for (uint32_t i = 0; i < n && err == TN_OK; i++)
        err = tn_texts_add(texts, JOB_ROOM, &used,
                           (struct tn_text){args[i].at, (uint32_t)args[i].len});
    if (err == TN_OK) {
        struct tn_wire_out out = tn_wire_begin(pack, method->args.fixed_len);
        tn_wire_put_var(&out, method->args.fields[0].off, texts, used / 4, 4, UINT32_MAX);
        err = tn_wire_end(&out, pack);
    }
    mem_free(boot->memory, texts, JOB_ROOM);
    return err;
}

static tn_err decode(struct boot *boot, const struct tn_method *method, const struct tn_pack *pack)
{
    struct boot_result *result = boot->result;
    const struct tn_layout *layout = &method->returns;
    if (tn_check_reply(method, pack->data, pack->len, pack->ncaps) != TN_OK)
        return TN_EARGS;
    struct tn_wire_in in = tn_wire_open(pack, layout->first_var);
    uint32_t exit_code = tn_wire_u32(&in, layout->fields[0].off);
    struct tn_bytes summary = tn_wire_var(&in, layout->fields[1].off, 1, BOOT_SUMMARY_MAX);
    if (in.bad)
        return TN_EARGS;
    result->exit_code = exit_code;
    result->summary_len = summary.len;
    if (summary.len > 0)
        memcpy(result->summary, summary.at, summary.len);
    result->job_ran = true;
    return TN_OK;
}

static tn_err call_job(struct boot *boot, struct turn *turn, const struct tn_method *method,
                       uint32_t number, tn_cap cap, struct tn_pack *reply)
{
    const struct job_spec *job = &boot->input.spec->job;
    struct tn_pack in = {.size = JOB_ROOM};
    in.data = mem_alloc(boot->memory, JOB_ROOM);
    if (in.data == NULL)
        return TN_ENOMEM;
    tn_err err = encode(boot, method, &in);
    if (err == TN_OK) {
        struct cpu *cpu = fiber_self()->cpu;
        tn_time deadline = job->deadline_ns == 0 ? TN_NEVER : machine_now_ns() + job->deadline_ns;
        err = call_begin(cpu, turn, cap, number, &in, reply, deadline);
        if (err == IPC_PENDING)
            cpu = turn_wait(cpu, turn);
        if (err == IPC_PENDING || err == TN_OK)
            err = call_end(cpu, turn, reply);
    }
    mem_free(boot->memory, in.data, JOB_ROOM);
    return err;
}

tn_err boot_job(struct boot *boot, struct turn *turn)
{
    const struct job_spec *job = &boot->input.spec->job;
    struct part *part = boot_component(boot, job->component);
    const struct tn_interface *interface = part->spec->provides[job->provide].interface;
    const struct tn_method *method = tn_method_by_name(interface, "run", 3);
    ASSERT(method != NULL && method->args.nfields == 1 && method->returns.nfields == 2);
    uint32_t number = TN_METHOD(interface->id, method->ordinal);
    tn_cap cap;
    tn_err err = cap_insert(boot->space, endpoint_object(part->provides[job->provide]),
                            TN_R_CALL | method->rights, 0, NULL, 0, &cap);
    struct tn_pack reply = {.size = JOB_ROOM};
    reply.data = mem_alloc(boot->memory, JOB_ROOM);
    if (err == TN_OK && reply.data == NULL)
        err = TN_ENOMEM;
    if (err == TN_OK) {
        at_store(&boot->job, part->actor, SEQ_CST);
        /* SEQ_CST with boot_stop: one of the two sees the other. */
        err = at_load(&boot->stopping, SEQ_CST) != 0
                  ? TN_ECANCELLED
                  : call_job(boot, turn, method, number, cap, &reply);
        at_store(&boot->job, NULL, SEQ_CST);
    }
    if (err == TN_OK)
        err = decode(boot, method, &reply);
    mem_free(boot->memory, reply.data, JOB_ROOM);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "the job failed: %s", boot_error_name(err));
    return TN_OK;
}
