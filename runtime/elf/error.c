/* error.c: what the loader says when it refuses a file. */
#include "base/bits.h"
#include "base/fmt.h"
#include "runtime/elf/elf_int.h"

tn_err elf_fail_at(struct elf_file *file, tn_err err, const char *what, struct str name,
                   uint64_t number)
{
    tn_err e = elf_fail_name(file, err, what, name);
    file->error->number = number;
    file->error->has_number = true;
    return e;
}

tn_err elf_fail_name(struct elf_file *file, tn_err err, const char *what, struct str name)
{
    struct elf_error *error = file->error;
    *error = (struct elf_error){.what = what};
    size_t n = name.len < ELF_ERROR_NAME ? name.len : ELF_ERROR_NAME - 1;
    if (n > 0)
        memcpy(error->name, name.at, n);
    error->name[n] = '\0';
    return err;
}

tn_err elf_fail(struct elf_file *file, tn_err err, const char *what)
{
    return elf_fail_name(file, err, what, STR(""));
}

struct named {
    uint64_t number;
    const char *name;
};

static struct str name_of(const struct named *table, size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].number == number)
            return str_of(table[i].name);
    }
    return STR("");
}

struct str elf_reloc_name(uint32_t arch, uint32_t type)
{
    static const struct named x86_64[] = {
        {0, "R_X86_64_NONE"},       {1, "R_X86_64_64"},        {2, "R_X86_64_PC32"},
        {4, "R_X86_64_PLT32"},      {5, "R_X86_64_COPY"},      {6, "R_X86_64_GLOB_DAT"},
        {7, "R_X86_64_JUMP_SLOT"},  {8, "R_X86_64_RELATIVE"},  {10, "R_X86_64_32"},
        {11, "R_X86_64_32S"},       {16, "R_X86_64_DTPMOD64"}, {17, "R_X86_64_DTPOFF64"},
        {18, "R_X86_64_TPOFF64"},   {24, "R_X86_64_PC64"},     {36, "R_X86_64_TLSDESC"},
        {37, "R_X86_64_IRELATIVE"},
    };
    static const struct named aarch64[] = {
        {0, "R_AARCH64_NONE"},          {257, "R_AARCH64_ABS64"},
        {258, "R_AARCH64_ABS32"},       {260, "R_AARCH64_PREL64"},
        {1024, "R_AARCH64_COPY"},       {1025, "R_AARCH64_GLOB_DAT"},
        {1026, "R_AARCH64_JUMP_SLOT"},  {1027, "R_AARCH64_RELATIVE"},
        {1028, "R_AARCH64_TLS_DTPMOD"}, {1029, "R_AARCH64_TLS_DTPREL"},
        {1030, "R_AARCH64_TLS_TPREL"},  {1031, "R_AARCH64_TLSDESC"},
        {1032, "R_AARCH64_IRELATIVE"},
    };
    if (arch == ELF_X86_64)
        return name_of(x86_64, ARRAY_LEN(x86_64), type);
    return name_of(aarch64, ARRAY_LEN(aarch64), type);
}

struct str elf_tag_name(uint64_t tag)
{
    static const struct named tags[] = {
        {1, "DT_NEEDED"},
        {4, "DT_HASH"},
        {5, "DT_STRTAB"},
        {6, "DT_SYMTAB"},
        {7, "DT_RELA"},
        {8, "DT_RELASZ"},
        {9, "DT_RELAENT"},
        {10, "DT_STRSZ"},
        {11, "DT_SYMENT"},
        {12, "DT_INIT"},
        {13, "DT_FINI"},
        {15, "DT_RPATH"},
        {17, "DT_REL"},
        {18, "DT_RELSZ"},
        {20, "DT_PLTREL"},
        {22, "DT_TEXTREL"},
        {23, "DT_JMPREL"},
        {2, "DT_PLTRELSZ"},
        {25, "DT_INIT_ARRAY"},
        {26, "DT_FINI_ARRAY"},
        {27, "DT_INIT_ARRAYSZ"},
        {28, "DT_FINI_ARRAYSZ"},
        {29, "DT_RUNPATH"},
        {30, "DT_FLAGS"},
        {32, "DT_PREINIT_ARRAY"},
        {36, "DT_RELR"},
        {0x6ffffef5, "DT_GNU_HASH"},
        {0x6ffffff0, "DT_VERSYM"},
        {0x6ffffffb, "DT_FLAGS_1"},
        {0x6ffffffe, "DT_VERNEED"},
        {0x6ffffffc, "DT_VERDEF"},
    };
    return name_of(tags, ARRAY_LEN(tags), tag);
}

size_t elf_error_print(const struct elf_error *error, char *ret_text, size_t size)
{
    size_t len = fmt_print(ret_text, size, "%s", error->what);
    if (error->name[0] != '\0')
        len = fmt_add(ret_text, size, len, " `%s`", error->name);
    if (error->has_number)
        len = fmt_add(ret_text, size, len, " (0x%llx)", (unsigned long long)error->number);
    len = len < size ? len : size - 1;
    for (size_t i = 0; i < len; i++) {
        if (ret_text[i] < 0x20 || ret_text[i] > 0x7e)
            ret_text[i] = '?';
    }
    return len;
}
