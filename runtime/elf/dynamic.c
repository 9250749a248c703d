/* dynamic.c: the dynamic section of a native component and the tables that it names. */
#include "base/bits.h"
#include "runtime/elf/elf_int.h"

/* The tags that a component may have; their values are kept, by this order. */
enum slot {
    S_HASH,
    S_GNU_HASH,
    S_STRTAB,
    S_STRSZ,
    S_SYMTAB,
    S_SYMENT,
    S_RELA,
    S_RELASZ,
    S_RELAENT,
    S_JMPREL,
    S_PLTRELSZ,
    S_PLTREL,
    S_FLAGS,
    S_FLAGS_1,
    S_PLTGOT, /* from here on: of no use to us */
    S_RELACOUNT,
    S_SONAME,
    S_SYMBOLIC,
    S_BIND_NOW,
    S_AARCH64_BTI_PLT,
    S_AARCH64_PAC_PLT,
    S_AARCH64_VARIANT_PCS,
    SLOTS,
};

static const uint64_t slot_tags[SLOTS] = {
    4,  0x6ffffef5, 5,          10, 6,          11, 7,  8,  9,          23,         2,
    20, 30,         0x6ffffffb, 3,  0x6ffffff9, 14, 16, 24, 0x70000001, 0x70000003, 0x70000005,
};

enum { DT_NEEDED = 1, DT_INIT = 12, DT_FINI = 13, DT_TEXTREL = 22, DT_INIT_ARRAY = 25 };
enum { DT_FINI_ARRAYSZ = 28, DT_PREINIT_ARRAY = 32, DT_PREINIT_ARRAYSZ = 33, DT_RELA_TAG = 7 };
enum { DF_SYMBOLIC = 2, DF_TEXTREL = 4, DF_BIND_NOW = 8, DF_1_NOW = 1 };

struct dynamic {
    uint64_t values[SLOTS];
    uint32_t seen;          /* bit i: slot i is set */
    struct elf_dyn refused; /* the first entry that is not allowed; tag 0 when none */
};
_Static_assert(SLOTS <= 32, "one bit each");

static bool has(const struct dynamic *d, enum slot slot)
{
    return d->seen >> slot & 1;
}

static uint32_t slot_of(const struct elf_file *file, uint64_t tag)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (slot_tags[slot] == tag)
            return slot >= S_AARCH64_BTI_PLT && file->arch != ELF_AARCH64 ? SLOTS : slot;
    }
    return SLOTS;
}

static tn_err collect(struct elf_file *file, struct dynamic *d)
{
    const struct elf_phdr *phdr = &file->dynamic;
    uint64_t count = phdr->filesz / sizeof(struct elf_dyn);
    if (count > ELF_DYNAMIC_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "dynamic section too long, entries", STR(""), count);
    const uint8_t *at = elf_bytes_at(file, phdr->vaddr, phdr->filesz);
    if (at == NULL || at != file->bytes + phdr->offset)
        return elf_fail(file, TN_EFORMAT, "the dynamic section is in no segment");
    for (uint64_t i = 0; i < count; i++) {
        struct elf_dyn dyn;
        memcpy(&dyn, at + i * sizeof(dyn), sizeof(dyn));
        if (dyn.tag == 0)
            return TN_OK;
        uint32_t slot = slot_of(file, dyn.tag);
        if (slot == SLOTS) {
            if (d->refused.tag == 0)
                d->refused = dyn;
            continue;
        }
        if (has(d, (enum slot)slot))
            return elf_fail_at(file, TN_EFORMAT, "dynamic tag set twice", elf_tag_name(dyn.tag),
                               dyn.tag);
        d->values[slot] = dyn.value;
        d->seen |= 1u << slot;
    }
    return elf_fail(file, TN_EFORMAT, "the dynamic section has no end");
}

/* Sets *ret_table to the file's bytes of [vaddr, vaddr + size). */
static tn_err table_of(struct elf_file *file, const char *name, uint64_t vaddr, uint64_t size_bytes,
                       uint64_t entry_bytes, uint64_t max, struct elf_table *ret_table)
{
    struct str tag = str_of(name);
    if (size_bytes % entry_bytes != 0)
        return elf_fail_at(file, TN_EFORMAT, "size of the table", tag, size_bytes);
    if (size_bytes / entry_bytes > max)
        return elf_fail_at(file, TN_ETOOBIG, "table too long", tag, size_bytes);
    const uint8_t *at = elf_bytes_at(file, vaddr, size_bytes);
    if (at == NULL)
        return elf_fail_at(file, TN_EFORMAT, "table in no segment", tag, vaddr);
    *ret_table = (struct elf_table){at, vaddr, size_bytes, size_bytes / entry_bytes};
    return TN_OK;
}

static uint32_t word_at(const uint8_t *at, uint64_t i)
{
    uint32_t word;
    memcpy(&word, at + i * sizeof(word), sizeof(word));
    return word;
}

/* How many symbols there are, as DT_HASH says: one chain entry each. */
static tn_err count_by_hash(struct elf_file *file, uint64_t vaddr, uint64_t *ret_count)
{
    const uint8_t *head = elf_bytes_at(file, vaddr, 8);
    if (head == NULL)
        return elf_fail_at(file, TN_EFORMAT, "table in no segment", STR("DT_HASH"), vaddr);
    uint64_t buckets = word_at(head, 0), chains = word_at(head, 1);
    if (buckets > ELF_SYMBOLS_MAX || chains > ELF_SYMBOLS_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "table too long", STR("DT_HASH"), vaddr);
    tn_err e = table_of(file, "DT_HASH", vaddr, 8 + 4 * (buckets + chains), 4,
                        2 + 2 * ELF_SYMBOLS_MAX, &file->hash);
    if (e == TN_OK)
        *ret_count = chains;
    return e;
}

/* The same from DT_GNU_HASH, which ends where the chain of the highest bucket ends. */
static tn_err count_by_gnu_hash(struct elf_file *file, uint64_t vaddr, uint64_t *ret_count)
{
    struct str tag = STR("DT_GNU_HASH");
    const uint8_t *head = elf_bytes_at(file, vaddr, 16);
    if (head == NULL)
        return elf_fail_at(file, TN_EFORMAT, "table in no segment", tag, vaddr);
    uint64_t buckets = word_at(head, 0), first = word_at(head, 1), bloom = word_at(head, 2);
    if (buckets > ELF_SYMBOLS_MAX || first > ELF_SYMBOLS_MAX || bloom > ELF_SYMBOLS_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "table too long", tag, vaddr);
    uint64_t fixed = 16 + 8 * bloom + 4 * buckets;
    const uint8_t *at = elf_bytes_at(file, vaddr, fixed);
    if (at == NULL)
        return elf_fail_at(file, TN_EFORMAT, "table in no segment", tag, vaddr);
    uint64_t last = 0;
    for (uint64_t i = 0; i < buckets; i++) {
        uint32_t bucket = word_at(at + 16 + 8 * bloom, i);
        last = bucket > last ? bucket : last;
    }
    uint64_t count = first;
    if (last != 0) {
        if (last < first || last >= ELF_SYMBOLS_MAX)
            return elf_fail_at(file, TN_EFORMAT, "no such symbol in the hash table", tag, last);
        for (count = last; count < ELF_SYMBOLS_MAX; count++) {
            const uint8_t *link = elf_bytes_at(file, vaddr + fixed + 4 * (count - first), 4);
            if (link == NULL)
                return elf_fail_at(file, TN_EFORMAT, "table in no segment", tag, vaddr);
            if (word_at(link, 0) & 1)
                break;
        }
        count++;
    }
    tn_err e = table_of(file, "DT_GNU_HASH", vaddr, fixed + 4 * (count - first), 4,
                        4 + 4 * ELF_SYMBOLS_MAX, &file->gnu_hash);
    if (e == TN_OK)
        *ret_count = count;
    return e;
}

static tn_err decode_symbols(struct elf_file *file, const struct dynamic *d)
{
    if (!has(d, S_STRTAB) || !has(d, S_STRSZ) || !has(d, S_SYMTAB) || !has(d, S_SYMENT) ||
        (!has(d, S_HASH) && !has(d, S_GNU_HASH)))
        return elf_fail(file, TN_EFORMAT, "no symbol, string or hash table");
    if (d->values[S_SYMENT] != sizeof(struct elf_sym))
        return elf_fail_at(file, TN_EFORMAT, "size of an entry", STR("DT_SYMENT"),
                           d->values[S_SYMENT]);
    uint64_t by_hash = 0, by_gnu_hash = 0;
    tn_err e = table_of(file, "DT_STRTAB", d->values[S_STRTAB], d->values[S_STRSZ], 1,
                        ELF_IMAGE_MAX, &file->strings);
    if (e == TN_OK && (file->strings.count == 0 || file->strings.at[file->strings.count - 1] != 0))
        e = elf_fail(file, TN_EFORMAT, "the string table has no end");
    if (e == TN_OK && has(d, S_HASH))
        e = count_by_hash(file, d->values[S_HASH], &by_hash);
    if (e == TN_OK && has(d, S_GNU_HASH))
        e = count_by_gnu_hash(file, d->values[S_GNU_HASH], &by_gnu_hash);
    if (e != TN_OK)
        return e;
    uint64_t count = has(d, S_HASH) ? by_hash : by_gnu_hash;
    if (by_gnu_hash > count || count == 0)
        return elf_fail(file, TN_EFORMAT, "the hash tables disagree");
    return table_of(file, "DT_SYMTAB", d->values[S_SYMTAB], count * sizeof(struct elf_sym),
                    sizeof(struct elf_sym), ELF_SYMBOLS_MAX, &file->symbols);
}

static tn_err decode_relocs(struct elf_file *file, const struct dynamic *d)
{
    if (has(d, S_RELA) != has(d, S_RELASZ) || has(d, S_RELA) != has(d, S_RELAENT) ||
        has(d, S_JMPREL) != has(d, S_PLTRELSZ) || has(d, S_JMPREL) != has(d, S_PLTREL))
        return elf_fail(file, TN_EFORMAT, "a relocation table lacks its place or size");
    if (has(d, S_RELA) && d->values[S_RELAENT] != sizeof(struct elf_rela))
        return elf_fail_at(file, TN_EFORMAT, "size of an entry", STR("DT_RELAENT"),
                           d->values[S_RELAENT]);
    if (has(d, S_JMPREL) && d->values[S_PLTREL] != DT_RELA_TAG)
        return elf_fail_at(file, TN_EFORMAT, "not DT_RELA", STR("DT_PLTREL"), d->values[S_PLTREL]);
    tn_err e = TN_OK;
    if (has(d, S_RELA))
        e = table_of(file, "DT_RELA", d->values[S_RELA], d->values[S_RELASZ],
                     sizeof(struct elf_rela), ELF_RELOCS_MAX, &file->rela);
    if (e == TN_OK && has(d, S_JMPREL))
        e = table_of(file, "DT_JMPREL", d->values[S_JMPREL], d->values[S_PLTRELSZ],
                     sizeof(struct elf_rela), ELF_RELOCS_MAX, &file->jmprel);
    return e;
}

static tn_err check_disjoint(struct elf_file *file)
{
    struct elf_table dynamic = {.vaddr = file->dynamic.vaddr, .size_bytes = file->dynamic.filesz};
    const struct elf_table *tables[] = {&dynamic,      &file->symbols, &file->strings, &file->rela,
                                        &file->jmprel, &file->hash,    &file->gnu_hash};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t j = 0; j < i; j++) {
            const struct elf_table *a = tables[i], *b = tables[j];
            if (a->size_bytes != 0 && b->size_bytes != 0 && a->vaddr < b->vaddr + b->size_bytes &&
                b->vaddr < a->vaddr + a->size_bytes)
                return elf_fail_at(file, TN_EFORMAT, "tables overlap", STR(""), a->vaddr);
        }
    }
    return TN_OK;
}

/* Says why an entry is refused; the library's name where that is the thing. */
static tn_err refuse_tag(struct elf_file *file, struct elf_dyn dyn)
{
    struct str name = elf_tag_name(dyn.tag);
    switch (dyn.tag) {
    case DT_NEEDED:
        if (dyn.value < file->strings.count)
            name = str_of((const char *)file->strings.at + dyn.value);
        return elf_fail_name(file, TN_ENOSYS, "needs another library", name);
    case DT_INIT:
    case DT_FINI:
    case DT_PREINIT_ARRAY:
    case DT_PREINIT_ARRAYSZ:
    case DT_INIT_ARRAY:
    case DT_INIT_ARRAY + 1: /* DT_FINI_ARRAY */
    case DT_INIT_ARRAY + 2: /* DT_INIT_ARRAYSZ */
    case DT_FINI_ARRAYSZ:
        return elf_fail_at(file, TN_ENOSYS, "has initialisers or finalisers", name, dyn.value);
    case DT_TEXTREL:
        return elf_fail_name(file, TN_ENOSYS, "relocates its code (not built with -fPIC)", name);
    default:
        return elf_fail_at(file, TN_ENOSYS, "dynamic tag not allowed", name, dyn.tag);
    }
}

tn_err elf_decode_dynamic(struct elf_file *file)
{
    struct dynamic d = {0};
    tn_err e = collect(file, &d);
    if (e == TN_OK)
        e = decode_symbols(file, &d);
    if (e == TN_OK && d.refused.tag != 0)
        e = refuse_tag(file, d.refused);
    if (e == TN_OK && (d.values[S_FLAGS] & DF_TEXTREL))
        e = elf_fail_name(file, TN_ENOSYS, "relocates its code (not built with -fPIC)",
                          STR("DF_TEXTREL"));
    if (e == TN_OK && (d.values[S_FLAGS] & ~(uint64_t)(DF_SYMBOLIC | DF_BIND_NOW)))
        e = elf_fail_at(file, TN_ENOSYS, "flags not allowed", STR("DT_FLAGS"), d.values[S_FLAGS]);
    if (e == TN_OK && (d.values[S_FLAGS_1] & ~(uint64_t)DF_1_NOW))
        e = elf_fail_at(file, TN_ENOSYS, "flags not allowed", STR("DT_FLAGS_1"),
                        d.values[S_FLAGS_1]);
    if (e == TN_OK)
        e = decode_relocs(file, &d);
    return e == TN_OK ? check_disjoint(file) : e;
}
