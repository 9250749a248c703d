/* load.c: giving the parts of a system their code. */
#include "base/bytes.h"
#include "base/fmt.h"
#include "runtime/boot/boot_int.h"
#include "runtime/kernel/native.h"

static void on_fault(void *ctx, const struct guest_fault *fault)
{
    struct part *part = ctx;
    const struct boot_input *input = &part->boot->input;
    if (input->on_fault != NULL)
        input->on_fault(input->ctx, part->index, fault);
}

static tn_err new_guest(struct part *part, struct str bytes, struct instance **ret_instance,
                        char *text)
{
    const struct component_spec *spec = part->spec;
    uint64_t fuel = spec->resources.fuel_per_call;
    struct guest_config config = {
        .needs = part->needed,
        /* One that was placed in the kernel has no limit until it is swapped out of it. */
        .fuel_per_call = fuel != 0 ? fuel : SYSTEM_FUEL_DEFAULT,
        .stack_bytes = spec->resources.stack_bytes,
        .restarts_max = spec->restart ? spec->restarts_max : 0,
        .config = part->config.data,
        .config_len = part->config.len,
        .on_fault = on_fault,
        .fault_ctx = part,
    };
    struct wasm_error error;
    tn_err err =
        guest_new(part->actor, (const uint8_t *)bytes.at, bytes.len, &config, ret_instance, &error);
    if (err == TN_OK)
        return TN_OK;
    if (error.offset != 0)
        return boot_text(text, err, part->name, "%.*s: byte %u: %s", (int)spec->wasm_file.len,
                         spec->wasm_file.at, error.offset, error.text);
    return boot_text(text, err, part->name, "%.*s: %s", (int)spec->wasm_file.len,
                     spec->wasm_file.at, error.text);
}

static tn_err new_native(struct part *part, struct str bytes, struct instance **ret_instance,
                         char *text)
{
    struct elf_error error;
    struct elf_image image;
    char what[160];
    struct str file = part->spec->native_file;
    tn_err err = elf_load(elf_arch_host, (const uint8_t *)bytes.at, bytes.len, native_imports,
                          native_nimports, &image, &error);
    if (err != TN_OK) {
        elf_error_print(&error, what, sizeof(what));
        return boot_text(text, err, part->name, "%.*s: %s", (int)file.len, file.at, what);
    }
    const struct native_config config = {.component = image.component,
                                         .needs = &part->needed,
                                         .config = part->config,
                                         .image = &image};
    err = native_new(part->actor, &config, ret_instance);
    if (err == TN_OK)
        return TN_OK;
    elf_unload(&image);
    return boot_text(text, err, part->name, "%.*s: its state does not fit into its memory",
                     (int)file.len, file.at);
}

static tn_err new_instance(struct part *part, enum component_domain domain, struct str bytes,
                           struct instance **ret_instance, char *text)
{
    return domain == DOMAIN_KERNEL ? new_native(part, bytes, ret_instance, text)
                                   : new_guest(part, bytes, ret_instance, text);
}

tn_err boot_load(struct boot *boot, struct part *part)
{
    if (part->spec == NULL) {
        const struct tn_component *driver = boot->input.drivers[part->index].component;
        tn_err err = native_make(part->actor, driver, &part->needed);
        return err == TN_OK ? err : boot_say(boot, err, part->name, "no memory for its state");
    }
    struct str bytes;
    tn_err err = boot->input.code(boot->input.ctx, part->index, &bytes);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "its code cannot be read");
    struct instance *instance = NULL;
    err = new_instance(part, part->spec->domain, bytes, &instance, boot->result->text);
    if (err == TN_OK)
        actor_set_instance(part->actor, instance);
    return err;
}

/* What the system's owner has not trusted does not come into the kernel by a swap either. */
static bool may_be_native(const struct part *part)
{
    return part->spec->trusted || part->spec->domain == DOMAIN_KERNEL;
}

tn_err boot_swap(struct boot *boot, struct turn *turn, const struct boot_swap *swap, char *ret_text)
{
    struct part *part = boot_component(boot, swap->component);
    char text[BOOT_TEXT];
    struct instance *fresh = NULL;
    tn_err err = TN_EAGAIN;
    if (part->actor == NULL) {
        boot_text(text, err, part->name, "it has not started yet");
        goto failed;
    }
    if (swap->domain == DOMAIN_PROCESS || (swap->domain == DOMAIN_KERNEL && !may_be_native(part))) {
        err = swap->domain == DOMAIN_PROCESS ? TN_ENOSYS : TN_EDENIED;
        boot_text(text, err, part->name, "it may not be placed there: %s", boot_error_name(err));
        goto failed;
    }
    err = new_instance(part, swap->domain, swap->bytes, &fresh, text);
    if (err != TN_OK)
        goto failed;
    struct cpu *cpu = fiber_self()->cpu;
    err = swap_begin(cpu, turn, part->actor, fresh, swap->flags, swap->deadline);
    if (err == IPC_PENDING)
        err = call_end(turn_wait(cpu, turn), turn, NULL);
    if (err == TN_OK)
        return TN_OK;
    if (err == TN_EINVAL && part->actor->concurrency > 1)
        boot_text(text, err, part->name, "it may have %u turns at a time, and one in wasm",
                  part->actor->concurrency);
    else
        boot_text(text, err, part->name, "its swap failed, it goes on as it was: %s",
                  boot_error_name(err));
failed:
    if (ret_text != NULL)
        memcpy(ret_text, text, sizeof(text));
    return err;
}
