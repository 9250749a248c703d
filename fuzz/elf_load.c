/* elf_load.c: libFuzzer target: the loader for native components loads, and never runs, any bytes,
 * for both architectures. What it loads is what it says: sealed, whole, in its image. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/bits.h"
#include "runtime/elf/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(void)
{
}

static void visit(void *arg, struct str name, bool is_import, uint64_t value, uint64_t size_bytes)
{
    uint64_t *sum = arg;
    *sum += is_import + value + size_bytes;
    for (size_t i = 0; i < name.len; i++)
        *sum += (uint8_t)name.at[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct elf_import imports[] = {{"tn_need", nothing}, {"tn_yield", nothing}};
    static const enum elf_arch archs[] = {ELF_X86_64, ELF_AARCH64};
    struct elf_summary summary;
    struct elf_error error = {0};
    char text[128];
    uint64_t sum = 0;
    tn_err inspected = elf_inspect(data, size, visit, &sum, &summary, &error);
    if (inspected != TN_OK)
        ASSERT(elf_error_print(&error, text, sizeof(text)) > 0);
    for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
        struct elf_image image;
        tn_err e = elf_load(archs[i], data, size, imports, ARRAY_LEN(imports), &image, &error);
        if (e != TN_OK)
            continue;
        ASSERT(inspected == TN_OK && summary.arch == archs[i]);
        uint64_t at = (uint64_t)((const uint8_t *)image.component - (const uint8_t *)image.base);
        ASSERT(range_within(at, ELF_COMPONENT_MIN, image.span_bytes));
        ASSERT(image.component->abi == TN_ABI && image.component->size >= ELF_COMPONENT_MIN);
        elf_unload(&image);
    }
    return 0;
}
