/* elf.h: our loader for native components, `NAME.tn.so`.
 *
 * A native component is an ELF64 little-endian shared object, position-independent, that defines
 * `tn_component`, leaves nothing undefined but tn_* functions, and has no writable static data. The
 * loader trusts no field of the file. It first checks all of it, with no effect, and then loads in
 * a step that can fail only for want of memory. What it refuses, it names. */
#ifndef RUNTIME_ELF_ELF_H
#define RUNTIME_ELF_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include <tenon/component.h>

/* The architecture that a file is for, as ELF numbers it (e_machine). */
enum elf_arch { ELF_X86_64 = 62, ELF_AARCH64 = 183 };

/* Of the CPU that this code runs on: in host_x86_64.c or host_aarch64.c, as the build picks. */
extern const enum elf_arch elf_arch_host;

enum {
    ELF_FILE_MAX = 64 << 20,   /* bytes of a file */
    ELF_IMAGE_MAX = 16 << 20,  /* bytes that its segments span in memory */
    ELF_ALIGN_MAX = 64 << 10,  /* alignment of a segment */
    ELF_PHDRS_MAX = 16,        /* program headers */
    ELF_LOADS_MAX = 8,         /* of them PT_LOAD */
    ELF_SECTIONS_MAX = 256,    /* section headers */
    ELF_DYNAMIC_MAX = 64,      /* entries of the dynamic section */
    ELF_SYMBOLS_MAX = 4096,    /* dynamic symbols */
    ELF_RELOCS_MAX = 64 << 10, /* relocations */
    ELF_SYMBOL_NAME_MAX = 255, /* bytes of a dynamic symbol's name */
    ELF_COMPONENT_MIN = 16,    /* bytes of tn_component: abi, size, state_size, state_version */
    ELF_ERROR_NAME = 64,       /* bytes of elf_error.name, with its NUL; longer names are cut */
};

/* One function that components may import. */
struct elf_import {
    const char *name; /* tn_*, terminated */
    void (*at)(void);
};

/* What was refused. `what` is static text; the other fields are set where they mean something. */
struct elf_error {
    const char *what;
    char name[ELF_ERROR_NAME]; /* of the symbol, section, tag or relocation type; or empty */
    uint64_t number;           /* address, index or value that is at fault; `has_number` says so */
    bool has_number;
};

/* A loaded component. Owned by who called elf_load; opaque but for `component`. */
struct elf_image {
    const struct tn_component *component; /* in the image, read only */
    void *base;                           /* address 0 of the file in memory */
    uint64_t span_bytes;                  /* of the segments, from `base` */
    void *memory;                         /* what machine_code_get gave */
    size_t memory_bytes;
};

/* Checks `bytes` as a component for `arch`, loads it and resolves its imports. The bytes are not
 * used after the return. On success *ret_image holds the loaded, sealed image (text read and
 * execute, all else read only); give it back with elf_unload. On failure *ret_error says why
 * and nothing is held. The component's own code is not run, and nothing of it may be called when
 * `arch` is not the machine's. `imports` is used until the return.
 *
 * TN_EFORMAT: not ELF, truncated, inconsistent; TN_ENOSYS: well-formed, but not of this
 * architecture or of a kind that we do not load (writable data, initialisers, thread-local storage,
 * other libraries, ...); TN_ENOTFOUND: no tn_component, or an import that `imports` lacks;
 * TN_EVERSION: another TN_ABI; TN_ETOOBIG: over a limit above; TN_ENOMEM: machine_code_get or
 * machine_code_seal could not. May be called on any CPU, never waits. */
TN_MUST tn_err elf_load(enum elf_arch arch, const uint8_t *bytes, size_t len,
                        const struct elf_import *imports, uint32_t nimports,
                        struct elf_image *ret_image, struct elf_error *ret_error);

/* Gives the image's memory back; no code of it may run, or be on any stack, any more. */
void elf_unload(struct elf_image *image);

/* What is in a file, for people. */
struct elf_summary {
    enum elf_arch arch;
    uint64_t exec_bytes, read_bytes, relro_bytes; /* of segments: text; read only; sealed data */
    uint64_t span_bytes;                          /* of them all, with the holes between */
    uint32_t relocs, imports, exports;
    uint32_t state_size, state_version; /* of tn_component */
};

/* One symbol: `is_import`, or else an export at `value` of `size_bytes`. */
typedef void elf_visit(void *arg, struct str name, bool is_import, uint64_t value,
                       uint64_t size_bytes);

/* Checks a file as elf_load does, for whatever architecture it says, any tn_* import allowed, and
 * reports on it. `visit` (may be NULL) is called for each symbol once all checks have passed. */
TN_MUST tn_err elf_inspect(const uint8_t *bytes, size_t len, elf_visit *visit, void *visit_arg,
                           struct elf_summary *ret_summary, struct elf_error *ret_error);

/* Writes the error as one line of text, terminated, cut to `size` bytes (> 0), without the file's
 * name: "undefined symbol `puts`", "relocation type not allowed `R_X86_64_PC32` (0x1021)". Returns
 * its length. Bytes of the name that are not printable ASCII appear as '?'. */
size_t elf_error_print(const struct elf_error *error, char *ret_text, size_t size);

#endif
