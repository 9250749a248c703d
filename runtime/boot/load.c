/* load.c: giving the parts of a system their code. */
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

static tn_err load_guest(struct boot *boot, struct part *part, struct str bytes)
{
    const struct component_spec *spec = part->spec;
    struct guest_config config = {
        .needs = part->needed,
        .fuel_per_call = spec->resources.fuel_per_call,
        .stack_bytes = spec->resources.stack_bytes,
        .restarts_max = spec->restart ? spec->restarts_max : 0,
        .config = part->config.data,
        .config_len = part->config.len,
        .on_fault = on_fault,
        .fault_ctx = part,
    };
    struct wasm_error error;
    tn_err err = guest_make(part->actor, (const uint8_t *)bytes.at, bytes.len, &config, &error);
    if (err == TN_OK)
        return TN_OK;
    if (error.offset != 0)
        return boot_say(boot, err, part->name, "%.*s: byte %u: %s", (int)spec->wasm_file.len,
                        spec->wasm_file.at, error.offset, error.text);
    return boot_say(boot, err, part->name, "%.*s: %s", (int)spec->wasm_file.len, spec->wasm_file.at,
                    error.text);
}

static tn_err load_native(struct boot *boot, struct part *part, struct str bytes)
{
    struct elf_error error;
    char text[160];
    struct str file = part->spec->native_file;
    tn_err err = elf_load(elf_arch_host, (const uint8_t *)bytes.at, bytes.len, native_imports,
                          native_nimports, &part->image, &error);
    if (err != TN_OK) {
        elf_error_print(&error, text, sizeof(text));
        return boot_say(boot, err, part->name, "%.*s: %s", (int)file.len, file.at, text);
    }
    part->has_image = true;
    err = native_make(part->actor, part->image.component, &part->needed);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "%.*s: its state does not fit into its memory",
                        (int)file.len, file.at);
    return TN_OK;
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
    return part->spec->domain == DOMAIN_KERNEL ? load_native(boot, part, bytes)
                                               : load_guest(boot, part, bytes);
}
