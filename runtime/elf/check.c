/* check.c: symbols, relocations and tn_component of a native component. */
#include "base/bits.h"
#include "runtime/elf/elf_int.h"

enum { STB_LOCAL = 0, STB_GLOBAL = 1, STB_WEAK = 2 };
enum { STT_NOTYPE = 0, STT_OBJECT = 1, STT_FUNC = 2, STT_SECTION = 3, STT_TLS = 6, STT_IFUNC = 10 };
enum { SHN_UNDEF = 0, SHN_LORESERVE = 0xff00 };
/* Where tn_component's function pointers are. */
enum { HANDLERS_AT = offsetof(struct tn_component, load) };
enum { HANDLERS = (sizeof(struct tn_component) - HANDLERS_AT) / 8 };
_Static_assert(offsetof(struct tn_component, load) == ELF_COMPONENT_MIN,
               "the handlers follow the fixed fields");
_Static_assert(HANDLERS <= 32, "one bit each");

struct elf_sym elf_symbol(const struct elf_file *file, uint64_t i, struct str *ret_name)
{
    struct elf_sym sym;
    memcpy(&sym, file->symbols.at + i * sizeof(sym), sizeof(sym));
    *ret_name = STR("");
    if (sym.name < file->strings.count) /* the table ends with a NUL */
        *ret_name = str_of((const char *)file->strings.at + sym.name);
    return sym;
}

struct elf_rela elf_rela_at(const struct elf_table *table, uint64_t i)
{
    struct elf_rela rela;
    memcpy(&rela, table->at + i * sizeof(rela), sizeof(rela));
    return rela;
}

enum elf_reloc elf_reloc_kind(uint32_t arch, uint32_t type)
{
    enum { X_64 = 1, X_GLOB_DAT = 6, X_JUMP_SLOT = 7, X_RELATIVE = 8 };
    enum { A_ABS64 = 257, A_GLOB_DAT = 1025, A_JUMP_SLOT = 1026, A_RELATIVE = 1027 };
    if (arch == ELF_X86_64) {
        if (type == X_RELATIVE)
            return RELOC_RELATIVE;
        return type == X_64 || type == X_GLOB_DAT || type == X_JUMP_SLOT ? RELOC_SYMBOL
                                                                         : RELOC_REFUSED;
    }
    if (type == A_RELATIVE)
        return RELOC_RELATIVE;
    return type == A_ABS64 || type == A_GLOB_DAT || type == A_JUMP_SLOT ? RELOC_SYMBOL
                                                                        : RELOC_REFUSED;
}

const struct elf_import *elf_import_of(const struct elf_file *file, struct str name)
{
    for (uint32_t i = 0; i < file->nimports; i++) {
        if (str_eq(str_of(file->imports[i].name), name))
            return &file->imports[i];
    }
    return NULL;
}

static bool may_import(const struct elf_file *file, struct str name)
{
    if (name.len < 3 || memcmp(name.at, "tn_", 3) != 0)
        return false;
    return file->imports == NULL || elf_import_of(file, name) != NULL;
}

static tn_err check_symbol(struct elf_file *file, struct elf_sym sym, struct str name)
{
    uint32_t type = sym.info & 15, bind = sym.info >> 4;
    if (sym.name >= file->strings.count)
        return elf_fail_at(file, TN_EFORMAT, "a symbol's name is not in the string table", STR(""),
                           sym.name);
    if (name.len > ELF_SYMBOL_NAME_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "a symbol's name is too long", name, name.len);
    if (name.len == 0 && type != STT_SECTION)
        return elf_fail_at(file, TN_EFORMAT, "a symbol without a name", STR(""), sym.value);
    if (type == STT_TLS)
        return elf_fail_name(file, TN_ENOSYS, "thread-local symbol", name);
    if (type == STT_IFUNC)
        return elf_fail_name(file, TN_ENOSYS, "indirect function (ifunc)", name);
    if (bind > STB_WEAK || type > STT_SECTION)
        return elf_fail_at(file, TN_ENOSYS, "symbol of an unknown kind", name, sym.info);
    if (sym.shndx == SHN_UNDEF) {
        if (type == STT_SECTION || !may_import(file, name))
            return elf_fail_name(file, TN_ENOTFOUND, "undefined symbol", name);
        file->imports_seen++;
        return TN_OK;
    }
    if (sym.shndx >= SHN_LORESERVE)
        return elf_fail_at(file, TN_ENOSYS, "absolute or common symbol", name, sym.shndx);
    if (elf_load_at(file, sym.value, sym.size) == NULL)
        return elf_fail_at(file, TN_EFORMAT, "symbol in no segment", name, sym.value);
    if (bind != STB_LOCAL)
        file->exports_seen++;
    return TN_OK;
}

/* Checks what tn_component says of itself; the handlers are checked with the relocations. */
static tn_err check_component(struct elf_file *file, struct elf_sym sym)
{
    struct str name = STR("tn_component");
    struct {
        uint32_t abi, size, state_size, state_version;
    } fixed;
    if ((sym.info & 15) != STT_OBJECT || (sym.info >> 4) == STB_LOCAL)
        return elf_fail_at(file, TN_EFORMAT, "not exported data", name, sym.info);
    if (sym.size < ELF_COMPONENT_MIN)
        return elf_fail_at(file, TN_EFORMAT, "too small", name, sym.size);
    const uint8_t *at = elf_bytes_at(file, sym.value, sym.size);
    if (at == NULL || sym.value % 8 != 0 || (elf_load_at(file, sym.value, sym.size)->flags & PF_X))
        return elf_fail_at(file, TN_EFORMAT, "not in a data segment, or not aligned", name,
                           sym.value);
    memcpy(&fixed, at, sizeof(fixed));
    if (fixed.abi != TN_ABI)
        return elf_fail_at(file, TN_EVERSION, "built for another TN_ABI", name, fixed.abi);
    if (fixed.size < ELF_COMPONENT_MIN || fixed.size > sym.size)
        return elf_fail_at(file, TN_EFORMAT, "its size is not its symbol's", name, fixed.size);
    file->component = sym.value;
    file->component_size = fixed.size;
    file->state_size = fixed.state_size;
    file->state_version = fixed.state_version;
    return TN_OK;
}

static tn_err check_symbols(struct elf_file *file)
{
    bool found = false;
    for (uint64_t i = 1; i < file->symbols.count; i++) {
        struct str name;
        struct elf_sym sym = elf_symbol(file, i, &name);
        tn_err e = check_symbol(file, sym, name);
        if (e == TN_OK && sym.shndx != SHN_UNDEF && str_eq(name, STR("tn_component"))) {
            e = found ? elf_fail_name(file, TN_EFORMAT, "defined twice", name)
                      : check_component(file, sym);
            found = true;
        }
        if (e != TN_OK)
            return e;
    }
    if (!found)
        return elf_fail_name(file, TN_ENOTFOUND, "not defined or not exported",
                             STR("tn_component"));
    return TN_OK;
}

/* A relocation that reaches into tn_component: it may not change the fixed part, and a handler
 * must be code of this file. `value` is a vaddr; `is_import` when it is not in the file. */
static tn_err check_handler(struct elf_file *file, uint64_t offset, uint64_t value, bool is_import)
{
    uint64_t handlers = file->component + HANDLERS_AT;
    uint64_t end = file->component + file->component_size;
    if (offset + 8 <= file->component || offset >= end)
        return TN_OK;
    if (offset < handlers || (offset - handlers) % 8 != 0)
        return elf_fail_at(file, TN_EFORMAT, "relocation across the fields of", STR("tn_component"),
                           offset);
    if ((offset - handlers) / 8 >= HANDLERS)
        return TN_OK; /* a field that this version of the ABI does not know */
    const struct elf_phdr *load = is_import ? NULL : elf_load_at(file, value, 1);
    if (load == NULL || !(load->flags & PF_X))
        return elf_fail_at(file, TN_EFORMAT, "a handler is not code of the component",
                           STR("tn_component"), offset);
    file->handlers_seen |= 1u << ((offset - handlers) / 8);
    return TN_OK;
}

static tn_err check_reloc(struct elf_file *file, struct elf_rela rela)
{
    uint32_t type = (uint32_t)rela.info, index = (uint32_t)(rela.info >> 32);
    struct str name = elf_reloc_name(file->arch, type);
    enum elf_reloc kind = elf_reloc_kind(file->arch, type);
    if (kind == RELOC_REFUSED)
        return elf_fail_at(file, TN_ENOSYS, "relocation type not allowed", name,
                           name.len > 0 ? rela.offset : type);
    const struct elf_phdr *target = elf_load_at(file, rela.offset, 8);
    if (target == NULL || !(target->flags & PF_W))
        return elf_fail_at(file, TN_ENOSYS, "relocation outside of the sealed data", name,
                           rela.offset);
    uint64_t value = (uint64_t)rela.addend; /* wraps as ELF's sums do; checked below */
    bool is_import = false;
    if (kind == RELOC_SYMBOL) {
        if (index == 0 || index >= file->symbols.count)
            return elf_fail_at(file, TN_EFORMAT, "relocation against no symbol", name, rela.offset);
        struct str symbol;
        struct elf_sym sym = elf_symbol(file, index, &symbol);
        is_import = sym.shndx == SHN_UNDEF;
        if (is_import && rela.addend != 0)
            return elf_fail_at(file, TN_EFORMAT, "relocation beside an import", symbol,
                               rela.offset);
        value += sym.value;
    } else if (index != 0) {
        return elf_fail_at(file, TN_EFORMAT, "relocation against a symbol", name, rela.offset);
    }
    if (!is_import && elf_load_at(file, value, 0) == NULL)
        return elf_fail_at(file, TN_EFORMAT, "relocation to no segment", name, rela.offset);
    return check_handler(file, rela.offset, value, is_import);
}

static tn_err check_relocs(struct elf_file *file, const struct elf_table *table)
{
    tn_err e = TN_OK;
    for (uint64_t i = 0; e == TN_OK && i < table->count; i++)
        e = check_reloc(file, elf_rela_at(table, i));
    return e;
}

/* A handler that nothing relocates must be NULL. */
static tn_err check_null_handlers(struct elf_file *file)
{
    const uint8_t *at = elf_bytes_at(file, file->component, file->component_size);
    for (uint32_t i = 0; i < HANDLERS && HANDLERS_AT + 8 * (i + 1) <= file->component_size; i++) {
        uint64_t pointer;
        memcpy(&pointer, at + HANDLERS_AT + (size_t)8 * i, sizeof(pointer));
        if (!(file->handlers_seen >> i & 1) && pointer != 0)
            return elf_fail_at(file, TN_EFORMAT, "a handler is not code of the component",
                               STR("tn_component"),
                               file->component + HANDLERS_AT + (uint64_t)8 * i);
    }
    return TN_OK;
}

tn_err elf_check(struct elf_file *file)
{
    tn_err e = check_symbols(file);
    if (e == TN_OK)
        e = check_relocs(file, &file->rela);
    if (e == TN_OK)
        e = check_relocs(file, &file->jmprel);
    return e == TN_OK ? check_null_handlers(file) : e;
}
