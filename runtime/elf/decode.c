/* decode.c: headers, segments, sections and the dynamic section of a native component. */
#include "base/bits.h"
#include "runtime/elf/elf_int.h"

enum { ET_DYN = 3, EI_OSABI = 7, ELFOSABI_GNU = 3 };
enum {
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PT_NOTE = 4,
    PT_PHDR = 6,
    PT_TLS = 7,
    PT_GNU_EH_FRAME = 0x6474e550,
    PT_GNU_STACK = 0x6474e551,
    PT_GNU_RELRO = 0x6474e552,
    PT_GNU_PROPERTY = 0x6474e553,
};
enum { SHT_NULL = 0, SHT_SYMTAB = 2, SHT_NOBITS = 8, SHF_ALLOC = 2, SHF_TLS = 0x400 };
enum { STT_OBJECT = 1, STT_TLS = 6 };

const struct elf_phdr *elf_load_at(const struct elf_file *file, uint64_t vaddr, uint64_t len)
{
    for (uint32_t i = 0; i < file->nloads; i++) {
        const struct elf_phdr *load = &file->loads[i];
        if (vaddr >= load->vaddr && range_within(vaddr - load->vaddr, len, load->memsz))
            return load;
    }
    return NULL;
}

const uint8_t *elf_bytes_at(const struct elf_file *file, uint64_t vaddr, uint64_t len)
{
    const struct elf_phdr *load = elf_load_at(file, vaddr, len);
    if (load == NULL || !range_within(vaddr - load->vaddr, len, load->filesz))
        return NULL;
    return file->bytes + load->offset + (vaddr - load->vaddr);
}

/* The i-th section header; the table has been checked. */
static struct elf_shdr section(const struct elf_file *file, uint64_t i)
{
    struct elf_shdr shdr;
    memcpy(&shdr, file->bytes + file->ehdr.shoff + i * sizeof(shdr), sizeof(shdr));
    return shdr;
}

/* The terminated text at `at` of section `strings`; empty when there is none. */
static struct str section_text(const struct elf_file *file, struct elf_shdr strings, uint64_t at)
{
    if (strings.type == SHT_NOBITS || strings.type == SHT_NULL || at >= strings.size)
        return STR("");
    const char *text = (const char *)file->bytes + strings.offset + at;
    size_t n = 0;
    while (n < strings.size - at && text[n] != '\0')
        n++;
    return n < strings.size - at ? (struct str){text, n} : STR("");
}

/* Best effort: the variable of `type` at or soon after `vaddr`, by the section `symbols`. */
static struct str variable_at(const struct elf_file *file, struct elf_shdr symbols, uint32_t type,
                              uint64_t vaddr)
{
    if (symbols.link >= file->ehdr.shnum)
        return STR("");
    struct elf_shdr strings = section(file, symbols.link);
    struct str found = STR("");
    uint64_t nearest = vaddr + ELF_PAGE;
    for (uint64_t i = 0; i < symbols.size / sizeof(struct elf_sym); i++) {
        struct elf_sym sym;
        memcpy(&sym, file->bytes + symbols.offset + i * sizeof(sym), sizeof(sym));
        if ((sym.info & 15) != type || sym.size == 0)
            continue;
        if (sym.value >= vaddr && sym.value < nearest) {
            nearest = sym.value;
            found = section_text(file, strings, sym.name);
        }
    }
    return found;
}

struct str elf_thing_at(const struct elf_file *file, uint64_t vaddr)
{
    struct str found = STR("");
    for (uint64_t i = 0; i < file->ehdr.shnum; i++) {
        struct elf_shdr shdr = section(file, i);
        if (shdr.type == SHT_SYMTAB) {
            struct str variable = variable_at(file, shdr, STT_OBJECT, vaddr);
            if (variable.len > 0)
                return variable;
        } else if ((shdr.flags & SHF_ALLOC) && !(shdr.flags & SHF_TLS) && vaddr >= shdr.addr &&
                   vaddr - shdr.addr < shdr.size && file->ehdr.shstrndx < file->ehdr.shnum) {
            found = section_text(file, section(file, file->ehdr.shstrndx), shdr.name);
        }
    }
    return found;
}

/* Best effort: the first thread-local variable. */
static struct str thread_local_name(const struct elf_file *file)
{
    for (uint64_t i = 0; i < file->ehdr.shnum; i++) {
        struct elf_shdr shdr = section(file, i);
        if (shdr.type == SHT_SYMTAB)
            return variable_at(file, shdr, STT_TLS, 0);
    }
    return STR("");
}

static tn_err decode_header(struct elf_file *file)
{
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    struct elf_ehdr *ehdr = &file->ehdr;
    if (file->len > ELF_FILE_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "file too large, bytes", STR(""), file->len);
    if (file->len < 4 || memcmp(file->bytes, ident, 4) != 0)
        return elf_fail(file, TN_EFORMAT, "not an ELF file");
    if (file->len < sizeof(*ehdr))
        return elf_fail(file, TN_EFORMAT, "truncated in the ELF header");
    memcpy(ehdr, file->bytes, sizeof(*ehdr));
    uint8_t abi = ehdr->ident[EI_OSABI];
    ehdr->ident[EI_OSABI] = 0;
    if (memcmp(ehdr->ident, ident, sizeof(ident)) != 0 || (abi != 0 && abi != ELFOSABI_GNU))
        return elf_fail(file, TN_ENOSYS, "not ELF64, little-endian, version 1, System V ABI");
    if (ehdr->version != 1)
        return elf_fail_at(file, TN_EFORMAT, "ELF version", STR(""), ehdr->version);
    if (file->arch == 0 && (ehdr->machine == ELF_X86_64 || ehdr->machine == ELF_AARCH64))
        file->arch = ehdr->machine;
    if (ehdr->machine != file->arch)
        return elf_fail_at(file, TN_ENOSYS, "built for another architecture, machine", STR(""),
                           ehdr->machine);
    if (ehdr->type != ET_DYN)
        return elf_fail_at(file, TN_ENOSYS, "not a shared object (ET_DYN), type", STR(""),
                           ehdr->type);
    if (ehdr->flags != 0)
        return elf_fail_at(file, TN_ENOSYS, "processor flags", STR(""), ehdr->flags);
    if (ehdr->ehsize != sizeof(struct elf_ehdr) || ehdr->phentsize != sizeof(struct elf_phdr) ||
        (ehdr->shnum != 0 && ehdr->shentsize != sizeof(struct elf_shdr)))
        return elf_fail(file, TN_EFORMAT, "header sizes are not ELF64's");
    if (ehdr->phnum > ELF_PHDRS_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "too many program headers", STR(""), ehdr->phnum);
    if (!range_within(ehdr->phoff, ehdr->phnum * sizeof(struct elf_phdr), file->len))
        return elf_fail(file, TN_EFORMAT, "program headers outside of the file");
    return TN_OK;
}

static tn_err decode_sections(struct elf_file *file)
{
    const struct elf_ehdr *ehdr = &file->ehdr;
    if (ehdr->shnum == 0)
        return ehdr->shoff == 0 && ehdr->shstrndx == 0
                   ? TN_OK
                   : elf_fail(file, TN_EFORMAT, "section headers that are none");
    if (ehdr->shnum > ELF_SECTIONS_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "too many sections", STR(""), ehdr->shnum);
    if (!range_within(ehdr->shoff, ehdr->shnum * sizeof(struct elf_shdr), file->len))
        return elf_fail(file, TN_EFORMAT, "section headers outside of the file");
    if (ehdr->shstrndx >= ehdr->shnum)
        return elf_fail(file, TN_EFORMAT, "no such section of names");
    for (uint64_t i = 0; i < ehdr->shnum; i++) {
        struct elf_shdr shdr = section(file, i);
        if (shdr.type != SHT_NULL && shdr.type != SHT_NOBITS &&
            !range_within(shdr.offset, shdr.size, file->len))
            return elf_fail_at(file, TN_EFORMAT, "section outside of the file, number", STR(""), i);
    }
    return TN_OK;
}

/* The size and place of one PT_LOAD, by itself and after the one before. */
static tn_err check_load(struct elf_file *file, const struct elf_phdr *load)
{
    uint64_t align = load->align > ELF_PAGE ? load->align : ELF_PAGE;
    if (!range_within(load->vaddr, load->memsz, ELF_IMAGE_MAX))
        return elf_fail_at(file, TN_ETOOBIG, "segment too far or too large", STR(""), load->vaddr);
    if (load->memsz == 0 || load->filesz > load->memsz)
        return elf_fail_at(file, TN_EFORMAT, "sizes of the segment", STR(""), load->vaddr);
    if (align > ELF_ALIGN_MAX)
        return elf_fail_at(file, TN_ETOOBIG, "alignment of the segment", STR(""), load->align);
    if (load->align != 0 &&
        (!is_pow2(load->align) || (load->vaddr - load->offset) % load->align != 0))
        return elf_fail_at(file, TN_EFORMAT, "alignment of the segment", STR(""), load->vaddr);
    if (load->flags != PF_R && load->flags != (PF_R | PF_W) && load->flags != (PF_R | PF_X))
        return elf_fail_at(file, TN_ENOSYS, "segment neither R, RW nor RX", STR(""), load->vaddr);
    if (load->flags != (PF_R | PF_W) && load->filesz != load->memsz)
        return elf_fail_at(file, TN_EFORMAT, "sizes of the segment", STR(""), load->vaddr);
    if (align_down(load->vaddr, ELF_PAGE) < file->span)
        return elf_fail_at(file, TN_EFORMAT,
                           "segment overlaps or shares a page with the one before", STR(""),
                           load->vaddr);
    if (file->nloads == 0 && load->vaddr >= ELF_PAGE)
        return elf_fail_at(file, TN_ENOSYS, "the first segment is not at 0", STR(""), load->vaddr);
    for (uint32_t i = 0; i < file->nloads; i++) {
        const struct elf_phdr *other = &file->loads[i];
        if (load->offset < other->offset + other->filesz &&
            other->offset < load->offset + load->filesz)
            return elf_fail_at(file, TN_EFORMAT, "segments overlap in the file", STR(""),
                               load->vaddr);
    }
    file->span = align_up(load->vaddr + load->memsz, ELF_PAGE);
    file->align = align > file->align ? align : file->align;
    return TN_OK;
}

/* Keeps the one header of its kind. */
static tn_err keep_only(struct elf_file *file, struct elf_phdr *kept, bool *has,
                        const struct elf_phdr *phdr)
{
    if (*has)
        return elf_fail_at(file, TN_EFORMAT, "a second program header of type", STR(""),
                           phdr->type);
    *kept = *phdr;
    *has = true;
    return TN_OK;
}

static tn_err decode_segment(struct elf_file *file, const struct elf_phdr *phdr)
{
    struct elf_phdr stack;
    if (!range_within(phdr->offset, phdr->filesz, file->len))
        return elf_fail_at(file, TN_EFORMAT, "segment outside of the file", STR(""), phdr->vaddr);
    switch (phdr->type) {
    case PT_LOAD:
        if (phdr->memsz == 0 && phdr->filesz == 0)
            return TN_OK; /* linkers leave these where a segment came out empty */
        if (file->nloads == ELF_LOADS_MAX)
            return elf_fail(file, TN_ETOOBIG, "too many segments");
        tn_err e = check_load(file, phdr);
        if (e == TN_OK)
            file->loads[file->nloads++] = *phdr;
        return e;
    case PT_DYNAMIC:
        return keep_only(file, &file->dynamic, &file->has_dynamic, phdr);
    case PT_GNU_RELRO:
        return keep_only(file, &file->relro, &file->has_relro, phdr);
    case PT_GNU_STACK:
        if (phdr->flags & PF_X)
            return elf_fail(file, TN_ENOSYS, "asks for an executable stack");
        return keep_only(file, &stack, &file->has_stack, phdr);
    case PT_TLS:
        return elf_fail_name(file, TN_ENOSYS, "thread-local storage", thread_local_name(file));
    case PT_INTERP:
        return elf_fail(file, TN_ENOSYS, "asks for an interpreter");
    case PT_NOTE:
    case PT_PHDR:
    case PT_GNU_EH_FRAME:
    case PT_GNU_PROPERTY:
        return TN_OK;
    default:
        return elf_fail_at(file, TN_ENOSYS, "program header of unknown type", STR(""), phdr->type);
    }
}

/* Whatever is writable must be sealed after relocation: that is what PT_GNU_RELRO promises. */
static tn_err check_relro(struct elf_file *file)
{
    const struct elf_phdr *relro = &file->relro;
    if (!range_within(relro->vaddr, relro->memsz, ELF_IMAGE_MAX))
        return elf_fail_at(file, TN_EFORMAT, "PT_GNU_RELRO too far", STR(""), relro->vaddr);
    for (uint32_t i = 0; i < file->nloads; i++) {
        const struct elf_phdr *load = &file->loads[i];
        if (!(load->flags & PF_W))
            continue;
        uint64_t bad = load->vaddr;
        if (file->has_relro && load->vaddr >= relro->vaddr) {
            if (range_within(load->vaddr - relro->vaddr, load->memsz, relro->memsz))
                continue;
            if (relro->vaddr + relro->memsz > bad)
                bad = relro->vaddr + relro->memsz;
        }
        return elf_fail_at(file, TN_ENOSYS, "writable static data", elf_thing_at(file, bad), bad);
    }
    return TN_OK;
}

tn_err elf_decode(struct elf_file *file)
{
    tn_err e = decode_header(file);
    if (e == TN_OK)
        e = decode_sections(file);
    file->align = ELF_PAGE;
    for (uint64_t i = 0; e == TN_OK && i < file->ehdr.phnum; i++) {
        struct elf_phdr phdr;
        memcpy(&phdr, file->bytes + file->ehdr.phoff + i * sizeof(phdr), sizeof(phdr));
        e = decode_segment(file, &phdr);
    }
    if (e != TN_OK)
        return e;
    if (file->nloads == 0)
        return elf_fail(file, TN_EFORMAT, "no segment to load");
    if (!file->has_stack)
        return elf_fail(file, TN_ENOSYS, "no PT_GNU_STACK: the stack would be executable");
    if (!file->has_dynamic)
        return elf_fail(file, TN_EFORMAT, "no dynamic section");
    e = check_relro(file);
    return e == TN_OK ? elf_decode_dynamic(file) : e;
}
