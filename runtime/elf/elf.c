/* elf.c: loads native components.
 *
 * A file goes through three steps, each in a file of its own but the last:
 *
 *   bytes --elf_decode--> struct elf_file --elf_check--> the same, trusted --elf_load--> image
 *
 * Invariants:
 * 1. Nothing is taken, written or called before elf_check has passed. What fails after that
 *    is only machine_code_get and machine_code_seal.
 * 2. The bytes are read, never written, and each access is to a range that was checked against the
 *    file's length with arithmetic that cannot overflow. A load lies below ELF_IMAGE_MAX.
 * 3. Segments are disjoint, share no page, and are either text (RX), read only (R) or sealed data
 *    (RW in the file, whole within PT_GNU_RELRO). Only sealed data is relocated.
 * 4. A page is never writable and executable at once: memory comes writable, is filled and
 *    relocated, and is sealed before its address is given to anybody.
 * 5. Every pointer that the loader writes is an import's address, or an address in (or at the end
 *    of) a segment of this image. The handlers of tn_component are addresses in its text.
 *
 * A component on the same side of the wall as the kernel is trusted code: the loader does not
 * protect from what its instructions do. It makes sure that a file is what it says, so that a
 * mistake in building one is a message and not a crash.
 *
 * References: System V gABI edition 4.1, chapters 4 and 5; x86-64 psABI 1.0; ELF for the Arm 64-bit
 * Architecture (AAELF64). */
#include "runtime/elf/elf.h"

#include "base/assert.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "runtime/elf/elf_int.h"

static uint64_t address_of(void (*function)(void))
{
    return (uint64_t)(uintptr_t)function;
}

/* Writes the pointers of a checked table. */
static void relocate(const struct elf_file *file, const struct elf_table *table, uint8_t *base)
{
    for (uint64_t i = 0; i < table->count; i++) {
        struct elf_rela rela = elf_rela_at(table, i);
        uint64_t value = (uint64_t)(uintptr_t)base + (uint64_t)rela.addend;
        if (elf_reloc_kind(file->arch, (uint32_t)rela.info) == RELOC_SYMBOL) {
            struct str name;
            struct elf_sym sym = elf_symbol(file, rela.info >> 32, &name);
            value += sym.value;
            if (sym.shndx == 0) {
                const struct elf_import *import = elf_import_of(file, name);
                ASSERT(import != NULL && rela.addend == 0);
                value = address_of(import->at);
            }
        }
        ASSERT(range_within(rela.offset, sizeof(value), file->span));
        memcpy(base + rela.offset, &value, sizeof(value));
    }
}

/* Text executable, all else read only; each page once. */
static bool seal(const struct elf_file *file, const struct elf_image *image)
{
    uint8_t *at = image->memory, *base = image->base;
    uint8_t *end = at + image->memory_bytes;
    for (uint32_t i = 0; i < file->nloads; i++) {
        const struct elf_phdr *load = &file->loads[i];
        if (!(load->flags & PF_X))
            continue;
        ASSERT(!(load->flags & PF_W));
        uint8_t *from = base + align_down(load->vaddr, ELF_PAGE);
        uint8_t *to = base + align_up(load->vaddr + load->memsz, ELF_PAGE);
        ASSERT(at <= from && from < to && to <= end);
        if (at < from && !machine_code_seal(at, (size_t)(from - at), 0))
            return false;
        if (!machine_code_seal(from, (size_t)(to - from), (size_t)(to - from)))
            return false;
        at = to;
    }
    return at == end || machine_code_seal(at, (size_t)(end - at), 0);
}

tn_err elf_load(enum elf_arch arch, const uint8_t *bytes, size_t len,
                const struct elf_import *imports, uint32_t nimports, struct elf_image *ret_image,
                struct elf_error *ret_error)
{
    static const struct elf_import none[1];
    struct elf_error error = {0};
    struct elf_file file = {.bytes = bytes,
                            .len = len,
                            .arch = arch,
                            .imports = nimports > 0 ? imports : none,
                            .nimports = nimports,
                            .error = &error};
    struct elf_image image = {0};
    ASSERT(arch == ELF_X86_64 || arch == ELF_AARCH64);
    tn_err e = elf_decode(&file);
    if (e == TN_OK)
        e = elf_check(&file);
    if (e != TN_OK)
        goto fail;

    image.memory_bytes = file.span + file.align - ELF_PAGE;
    image.memory = machine_code_get(image.memory_bytes);
    if (image.memory == NULL) {
        e = elf_fail_at(&file, TN_ENOMEM, "no memory for code, bytes", STR(""), image.memory_bytes);
        goto fail;
    }
    uintptr_t lowest = (uintptr_t)image.memory;
    uint8_t *base = (uint8_t *)image.memory + (align_up(lowest, file.align) - lowest);
    for (uint32_t i = 0; i < file.nloads; i++) {
        const struct elf_phdr *load = &file.loads[i];
        ASSERT(range_within(load->vaddr, load->memsz, file.span) && load->filesz <= load->memsz);
        if (load->filesz > 0)
            memcpy(base + load->vaddr, bytes + load->offset, load->filesz);
    }
    relocate(&file, &file.rela, base);
    relocate(&file, &file.jmprel, base);
    image.base = base;
    image.span_bytes = file.span;
    image.component = (const struct tn_component *)(const void *)(base + file.component);
    if (!seal(&file, &image)) {
        elf_unload(&image);
        e = elf_fail(&file, TN_ENOMEM, "the machine could not seal memory for code");
        goto fail;
    }
    *ret_image = image;
    return TN_OK;
fail:
    *ret_error = error;
    return e;
}

void elf_unload(struct elf_image *image)
{
    if (image->memory != NULL)
        machine_code_put(image->memory, image->memory_bytes);
    *image = (struct elf_image){0};
}

static void visit_symbols(const struct elf_file *file, elf_visit *visit, void *arg)
{
    for (uint64_t i = 1; i < file->symbols.count; i++) {
        struct str name;
        struct elf_sym sym = elf_symbol(file, i, &name);
        bool is_import = sym.shndx == 0;
        if (is_import || (sym.info >> 4) != 0) /* local symbols are neither */
            visit(arg, name, is_import, sym.value, sym.size);
    }
}

tn_err elf_inspect(const uint8_t *bytes, size_t len, elf_visit *visit, void *visit_arg,
                   struct elf_summary *ret_summary, struct elf_error *ret_error)
{
    struct elf_error error = {0};
    struct elf_file file = {.bytes = bytes, .len = len, .error = &error};
    tn_err e = elf_decode(&file);
    if (e == TN_OK)
        e = elf_check(&file);
    if (e != TN_OK) {
        *ret_error = error;
        return e;
    }
    struct elf_summary summary = {.arch = (enum elf_arch)file.arch,
                                  .span_bytes = file.span,
                                  .relocs = (uint32_t)(file.rela.count + file.jmprel.count),
                                  .imports = file.imports_seen,
                                  .exports = file.exports_seen,
                                  .state_size = file.state_size,
                                  .state_version = file.state_version};
    for (uint32_t i = 0; i < file.nloads; i++) {
        const struct elf_phdr *load = &file.loads[i];
        uint64_t *sum = load->flags & PF_X   ? &summary.exec_bytes
                        : load->flags & PF_W ? &summary.relro_bytes
                                             : &summary.read_bytes;
        *sum += load->memsz;
    }
    if (visit != NULL)
        visit_symbols(&file, visit, visit_arg);
    *ret_summary = summary;
    return TN_OK;
}
