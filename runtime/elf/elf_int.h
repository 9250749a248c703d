/* elf_int.h: the file's structures and the decoded view of it, for the loader's own files.
 * Names and numbers follow the System V gABI and the processor supplements for x86-64 and AArch64.
 */
#ifndef RUNTIME_ELF_ELF_INT_H
#define RUNTIME_ELF_ELF_INT_H

#include "runtime/elf/elf.h"

enum { ELF_PAGE = 4096 };

struct elf_ehdr {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_ehdr) == 64, "Elf64_Ehdr");

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_phdr) == 56, "Elf64_Phdr");

struct elf_shdr {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};
_Static_assert(sizeof(struct elf_shdr) == 64, "Elf64_Shdr");

struct elf_dyn {
    uint64_t tag, value;
};
_Static_assert(sizeof(struct elf_dyn) == 16, "Elf64_Dyn");

struct elf_sym {
    uint32_t name;
    uint8_t info, other;
    uint16_t shndx;
    uint64_t value, size;
};
_Static_assert(sizeof(struct elf_sym) == 24, "Elf64_Sym");

struct elf_rela {
    uint64_t offset, info;
    int64_t addend;
};
_Static_assert(sizeof(struct elf_rela) == 24, "Elf64_Rela");

enum { PF_X = 1, PF_W = 2, PF_R = 4 };

/* What a relocation type of either architecture asks for. */
enum elf_reloc {
    RELOC_REFUSED,
    RELOC_RELATIVE, /* base + addend */
    RELOC_SYMBOL,   /* symbol + addend: GLOB_DAT, JUMP_SLOT, ABS64 */
};

/* A table of the file: `count` records from `at`, which lies whole in the file. */
struct elf_table {
    const uint8_t *at;
    uint64_t vaddr, size_bytes, count;
};

/* The decoded view. Made by elf_decode, checked whole by elf_check; after that, every range
 * in it lies in the file and in the span, and nothing of it needs to be checked again. */
struct elf_file {
    const uint8_t *bytes;
    uint64_t len;
    uint32_t arch;                    /* enum elf_arch; 0 before decoding: the file's own */
    const struct elf_import *imports; /* NULL: any name that begins with tn_ (elf_inspect) */
    uint32_t nimports;
    struct elf_error *error;

    struct elf_ehdr ehdr;
    struct elf_phdr loads[ELF_LOADS_MAX]; /* ascending, disjoint, no page shared */
    uint32_t nloads;
    struct elf_phdr dynamic, relro;
    bool has_dynamic, has_relro, has_stack;
    uint64_t span;  /* end of the last load's last page; the first page is at 0 */
    uint64_t align; /* the largest of the loads', at least ELF_PAGE */

    struct elf_table symbols, strings, rela, jmprel, hash, gnu_hash;
    uint64_t component;                     /* vaddr of tn_component */
    uint32_t component_size, handlers_seen; /* its `size`; bit i: handler i is relocated */
    uint32_t state_size, state_version, imports_seen, exports_seen;
};

/* decode.c: headers, segments and sections; ends with elf_decode_dynamic. */
TN_MUST tn_err elf_decode(struct elf_file *file);
/* The file's bytes that will be at [vaddr, vaddr + len), NULL when one load does not hold them. */
const uint8_t *elf_bytes_at(const struct elf_file *file, uint64_t vaddr, uint64_t len);
/* The load that holds [vaddr, vaddr + len) in memory, or NULL. */
const struct elf_phdr *elf_load_at(const struct elf_file *file, uint64_t vaddr, uint64_t len);
/* Best effort, for messages: the variable or else the section at `vaddr`; empty when the file does
 * not say. */
struct str elf_thing_at(const struct elf_file *file, uint64_t vaddr);

/* dynamic.c: the dynamic section and the tables that it names. */
TN_MUST tn_err elf_decode_dynamic(struct elf_file *file);

/* check.c: symbols, relocations and tn_component. */
TN_MUST tn_err elf_check(struct elf_file *file);
/* The i-th symbol, i < symbols.count, and its name. */
struct elf_sym elf_symbol(const struct elf_file *file, uint64_t i, struct str *ret_name);
struct elf_rela elf_rela_at(const struct elf_table *table, uint64_t i);
enum elf_reloc elf_reloc_kind(uint32_t arch, uint32_t type);
/* The import of that name, or NULL. */
const struct elf_import *elf_import_of(const struct elf_file *file, struct str name);

/* error.c: fill *file->error and return `err`. */
TN_MUST tn_err elf_fail(struct elf_file *file, tn_err err, const char *what);
TN_MUST tn_err elf_fail_name(struct elf_file *file, tn_err err, const char *what, struct str name);
TN_MUST tn_err elf_fail_at(struct elf_file *file, tn_err err, const char *what, struct str name,
                           uint64_t number);
/* The name that the specifications give a relocation type or a dynamic tag; empty when none. */
struct str elf_reloc_name(uint32_t arch, uint32_t type);
struct str elf_tag_name(uint64_t tag);

#endif
