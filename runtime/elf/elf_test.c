/* elf_test.c: good components load and run; each bad one is refused by name; no change of a byte, a
 * word or the length of a good file makes the loader crash or load what is not a component.
 *
 * The components are made by the build and named on the command line. Memory for code is the test's
 * own, so that it can fail, and so that what was sealed how can be looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/machine.h"
#include "runtime/elf/elf.h"
#include "runtime/elf/elf_int.h"

/* Memory for code */

enum { CODE_PAGES_MAX = (ELF_IMAGE_MAX + ELF_ALIGN_MAX) / ELF_PAGE };

static struct {
    uint8_t *at;
    size_t bytes;
    uint8_t prot[CODE_PAGES_MAX]; /* PF_ of each page */
    uint32_t steps, fail_at;      /* calls so far; the one that fails, from 1; 0: none */
    bool real;                    /* mapped memory that can run */
} code;

void *machine_code_get(size_t bytes)
{
    assert_null(code.at);
    assert_true(bytes > 0 && bytes % ELF_PAGE == 0 && bytes / ELF_PAGE <= CODE_PAGES_MAX);
    if (++code.steps == code.fail_at)
        return NULL;
    if (code.real) {
        code.at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(code.at, MAP_FAILED);
    } else {
        code.at = aligned_alloc(ELF_PAGE, bytes);
        assert_non_null(code.at);
    }
    code.bytes = bytes;
    memset(code.at, 0, bytes);
    memset(code.prot, PF_R | PF_W, bytes / ELF_PAGE);
    return code.at;
}

bool machine_code_seal(void *at, size_t bytes, size_t exec_bytes)
{
    size_t from = (size_t)((uint8_t *)at - code.at);
    assert_true(range_within(from, bytes, code.bytes) && exec_bytes <= bytes);
    assert_int_equal((from | bytes | exec_bytes) % ELF_PAGE, 0);
    if (++code.steps == code.fail_at)
        return false;
    for (size_t i = 0; i < bytes / ELF_PAGE; i++)
        assert_int_equal(code.prot[from / ELF_PAGE + i], PF_R | PF_W); /* each page once */
    memset(code.prot + from / ELF_PAGE, PF_R, bytes / ELF_PAGE);
    memset(code.prot + from / ELF_PAGE, PF_R | PF_X, exec_bytes / ELF_PAGE);
    if (code.real) {
        assert_int_equal(mprotect(at, bytes, PROT_READ), 0);
        assert_int_equal(mprotect(at, exec_bytes, PROT_READ | PROT_EXEC), 0);
    }
    return true;
}

void machine_code_put(void *at, size_t bytes)
{
    assert_ptr_equal(at, code.at);
    assert_int_equal(bytes, code.bytes);
    if (code.real)
        assert_int_equal(munmap(at, bytes), 0);
    else
        free(at);
    code.at = NULL;
}

static uint8_t prot_of(const void *at)
{
    size_t from = (size_t)((const uint8_t *)at - code.at);
    return from < code.bytes ? code.prot[from / ELF_PAGE] : 0;
}

/* The files */

struct sample {
    const char *path, *name; /* name: without folder and .tn.so */
    size_t name_len;
    uint8_t *bytes;
    size_t len;
};

static struct sample samples[64];
static uint32_t nsamples;

static void read_sample(struct sample *sample, const char *path)
{
    const char *name = strrchr(path, '/');
    name = name != NULL ? name + 1 : path;
    *sample = (struct sample){.path = path, .name = name, .name_len = strcspn(name, ".")};
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        exit(2);
    sample->len = (size_t)ftell(file);
    sample->bytes = malloc(sample->len);
    if (sample->bytes == NULL || fseek(file, 0, SEEK_SET) != 0 ||
        fread(sample->bytes, 1, sample->len, file) != sample->len)
        exit(2);
    (void)fclose(file);
}

static const struct sample *find(const char *name)
{
    for (uint32_t i = 0; i < nsamples; i++) {
        if (strlen(name) == samples[i].name_len &&
            strncmp(name, samples[i].name, samples[i].name_len) == 0)
            return &samples[i];
    }
    fail_msg("no sample %s", name);
    return NULL;
}

/* Imports */

static tn_err fake_yield(void)
{
    return 1234;
}

static tn_err fake_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    *ret_cap = len == 4 && memcmp(name, "hell", 4) == 0   ? 77
               : len == 4 && memcmp(name, "ello", 4) == 0 ? 78
                                                          : 0;
    return TN_OK;
}

static const struct elf_import imports[] = {
    {"tn_need", (void (*)(void))fake_need},
    {"tn_yield", (void (*)(void))fake_yield},
};

static enum elf_arch arch_of(const struct sample *sample)
{
    uint16_t machine;
    memcpy(&machine, sample->bytes + offsetof(struct elf_ehdr, machine), sizeof(machine));
    return machine == ELF_AARCH64 ? ELF_AARCH64 : ELF_X86_64;
}

static tn_err load(const struct sample *sample, const uint8_t *bytes, size_t len,
                   struct elf_image *ret_image, struct elf_error *ret_error)
{
    return elf_load(arch_of(sample), bytes, len, imports, ARRAY_LEN(imports), ret_image, ret_error);
}

/* What holds of whatever was loaded. */
static void check_image(const struct elf_image *image)
{
    assert_ptr_equal(image->memory, code.at);
    const uint8_t *base = image->base;
    assert_true(base >= code.at && image->span_bytes <= code.bytes - (size_t)(base - code.at));
    uint64_t at = (uint64_t)((const uint8_t *)image->component - base);
    assert_true(at % 8 == 0 && range_within(at, ELF_COMPONENT_MIN, image->span_bytes));
    for (size_t i = 0; i < code.bytes / ELF_PAGE; i++)
        assert_true(code.prot[i] == PF_R || code.prot[i] == (PF_R | PF_X));
    uint32_t size = image->component->size;
    assert_int_equal(image->component->abi, TN_ABI);
    assert_int_equal(prot_of(image->component), PF_R);
    assert_true(size >= ELF_COMPONENT_MIN && range_within(at, size, image->span_bytes));
    for (uint32_t i = ELF_COMPONENT_MIN; i + 8 <= size && i < sizeof(struct tn_component); i += 8) {
        const void *handler;
        memcpy(&handler, (const uint8_t *)image->component + i, sizeof(handler));
        if (handler != NULL)
            assert_int_equal(prot_of(handler), PF_R | PF_X);
    }
}

static void run_good(const struct elf_image *image)
{
    struct {
        uint64_t calls;
    } state = {0};
    for (uint64_t badge = 0; badge < 2; badge++) {
        struct tn_turn turn = {.badge = badge};
        struct tn_pack in = {0}, out = {0};
        assert_int_equal(image->component->call(&state, &turn, &in, &out), 1234);
        assert_int_equal(out.caps[0], 77 + badge);
    }
    assert_int_equal(state.calls, 2);
}

static void test_good(void **state)
{
    (void)state;
    uint32_t ran = 0;
    for (uint32_t i = 0; i < nsamples; i++) {
        if (strncmp(samples[i].name, "good_", 5) != 0)
            continue;
        struct elf_image image;
        struct elf_error error = {0};
        code.real = true;
        tn_err e = load(&samples[i], samples[i].bytes, samples[i].len, &image, &error);
        if (e != TN_OK)
            fail_msg("%s: %d %s %s 0x%llx", samples[i].path, e, error.what, error.name,
                     (unsigned long long)error.number);
        check_image(&image);
        assert_int_equal(image.component->state_size, 8);
        assert_int_equal(image.component->state_version, 7);
        assert_null(image.component->load);
        if (arch_of(&samples[i]) == elf_arch_host) {
            run_good(&image);
            ran++;
        }
        if (strncmp(samples[i].name, "good_aligned.", 13) == 0)
            assert_int_equal((uintptr_t)image.base % 65536, 0);
        elf_unload(&image);
        assert_null(code.at);
        assert_null(image.component);
        elf_unload(&image);
        code.real = false;
    }
    assert_true(ran >= 6);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tn_err err;
        const char *what, *thing; /* how they begin */
    } cases[] = {
        {"name_256", TN_ETOOBIG, "a symbol's name is too long", "nnnnnnnn"},
        {"data", TN_ENOSYS, "writable static data", "writable_counter"},
        {"bss", TN_ENOSYS, "writable static data", "zeroed_counter"},
        {"tls", TN_ENOSYS, "thread-local storage", "per_thread"},
        {"ifunc", TN_ENOSYS, "indirect function", "chosen"},
        {"undefined", TN_ENOTFOUND, "undefined symbol", "other_library_call"},
        {"unknown", TN_ENOTFOUND, "undefined symbol", "tn_frobnicate"},
        {"constructor", TN_ENOSYS, "has initialisers or finalisers", "DT_INIT_ARRAY"},
        {"destructor", TN_ENOSYS, "has initialisers or finalisers", "DT_FINI_ARRAY"},
        {"init", TN_ENOSYS, "has initialisers or finalisers", "DT_INIT"},
        {"fini", TN_ENOSYS, "has initialisers or finalisers", "DT_FINI"},
        {"needed", TN_ENOSYS, "needs another library", "libc.so.6"},
        {"rpath", TN_ENOSYS, "dynamic tag not allowed", "DT_R"},
        {"versioned", TN_ENOSYS, "dynamic tag not allowed", "DT_VER"},
        {"textrel", TN_ENOSYS, "relocates its code", "D"},
        {"pcrel", TN_ENOSYS, "relocation type not allowed", "R_"},
        {"addend", TN_EFORMAT, "relocation beside an import", "tn_yield"},
        {"beyond", TN_EFORMAT, "relocation to no segment", "R_"},
        {"absolute", TN_ENOSYS, "absolute or common symbol", "absolute_number"},
        {"execstack", TN_ENOSYS, "asks for an executable stack", ""},
        {"lazy", TN_ENOSYS, "writable static data", ""},
        {"norelro", TN_ENOSYS, "writable static data", ""},
        {"rwx", TN_ENOSYS, "segment neither R, RW nor RX", ""},
        {"exec", TN_ENOSYS, "not a shared object", ""},
        {"pie", TN_ENOSYS, "asks for an interpreter", ""},
        {"none", TN_ENOTFOUND, "not defined or not exported", "tn_component"},
        {"small", TN_EFORMAT, "too small", "tn_component"},
        {"function", TN_EFORMAT, "not exported data", "tn_component"},
        {"abi", TN_EVERSION, "built for another TN_ABI", "tn_component"},
        {"oversize", TN_EFORMAT, "its size is not its symbol's", "tn_component"},
        {"handler", TN_EFORMAT, "a handler is not code", "tn_component"},
        {"borrowed", TN_EFORMAT, "a handler is not code", "tn_component"},
        {"fixed", TN_EFORMAT, "a handler is not code", "tn_component"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sample *sample = find(cases[i].name);
        struct elf_image image, untouched;
        struct elf_error error = {0};
        memset(&image, 0x5a, sizeof(image));
        untouched = image;
        code.steps = 0;
        tn_err e = load(sample, sample->bytes, sample->len, &image, &error);
        char text[256];
        if (e == TN_OK)
            fail_msg("%s loads", cases[i].name);
        (void)elf_error_print(&error, text, sizeof(text));
        if (e != cases[i].err || strncmp(error.what, cases[i].what, strlen(cases[i].what)) != 0 ||
            strncmp(error.name, cases[i].thing, strlen(cases[i].thing)) != 0)
            fail_msg("%s: %d %s", cases[i].name, e, text);
        assert_memory_equal(&image, &untouched, sizeof(image));
        assert_int_equal(code.steps, 0); /* nothing was taken before all was checked */
    }
}

static void test_other_architecture(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    enum elf_arch other = arch_of(sample) == ELF_AARCH64 ? ELF_X86_64 : ELF_AARCH64;
    struct elf_image image;
    struct elf_error error;
    assert_int_equal(
        elf_load(other, sample->bytes, sample->len, imports, ARRAY_LEN(imports), &image, &error),
        TN_ENOSYS);
    assert_int_equal(error.number, arch_of(sample));
    assert_int_equal(elf_load(arch_of(sample), sample->bytes, sample->len, NULL, 0, &image, &error),
                     TN_ENOTFOUND);
    assert_string_equal(error.what, "undefined symbol");
}

/* Fails the Nth request for memory until none fails. */
static void test_no_memory(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    tn_err e = TN_ENOMEM;
    uint32_t n;
    for (n = 1; e != TN_OK; n++) {
        struct elf_image image;
        struct elf_error error = {0};
        code.steps = 0;
        code.fail_at = n;
        e = load(sample, sample->bytes, sample->len, &image, &error);
        if (e == TN_OK) {
            check_image(&image);
            elf_unload(&image);
        } else {
            assert_int_equal(e, TN_ENOMEM);
            assert_non_null(error.what);
        }
        assert_null(code.at);
    }
    code.fail_at = 0;
    assert_true(n >= 5); /* the memory, two seals or more, and the one that succeeded */
}

/* Mutations. `bytes` is what ASan can guard: exactly `len` bytes. */
static bool try_load(const struct sample *sample, const uint8_t *bytes, size_t len)
{
    struct elf_image image;
    struct elf_error error = {0};
    struct elf_summary summary;
    tn_err inspected = elf_inspect(bytes, len, NULL, NULL, &summary, &error);
    tn_err e = load(sample, bytes, len, &image, &error);
    if (e != TN_OK) {
        assert_true(e < 0 && error.what != NULL);
        return false;
    }
    assert_int_equal(inspected, TN_OK);
    check_image(&image);
    elf_unload(&image);
    return true;
}

static void test_truncated(void **state)
{
    (void)state;
    static const char *const names[] = {"good_plain", "good_sysv", "good_joined"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct sample *sample = find(names[i]);
        for (size_t len = 0; len < sample->len; len++) {
            uint8_t *bytes = malloc(len + (len == 0));
            memcpy(bytes, sample->bytes, len);
            if (try_load(sample, bytes, len))
                fail_msg("%s loads when cut to %zu bytes", sample->path, len);
            free(bytes);
        }
        assert_true(try_load(sample, sample->bytes, sample->len));
    }
}

static void test_every_byte(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
    uint32_t loaded = 0, refused = 0;
    for (size_t at = 0; at < sample->len; at++) {
        for (size_t i = 0; i < ARRAY_LEN(flips); i++) {
            sample->bytes[at] ^= flips[i];
            if (try_load(sample, sample->bytes, sample->len))
                loaded++; /* text, constants and padding: not ours to judge */
            else
                refused++;
            sample->bytes[at] ^= flips[i];
        }
    }
    assert_true(loaded > 0 && refused > 0);
}

static void test_every_word(void **state)
{
    (void)state;
    const struct sample *sample = find("good_sysv");
    const uint64_t values[] = {0,
                               1,
                               UINT64_MAX,
                               UINT64_MAX - 7,
                               INT64_MAX,
                               UINT64_C(1) << 63,
                               UINT32_MAX,
                               UINT64_C(1) << 32,
                               sample->len,
                               sample->len - 1,
                               0x1000,
                               0x2000,
                               ELF_IMAGE_MAX};
    for (size_t at = 0; at + 8 <= sample->len; at += 4) {
        uint8_t was[8];
        memcpy(was, sample->bytes + at, 8);
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            memcpy(sample->bytes + at, &values[i], 8);
            (void)try_load(sample, sample->bytes, sample->len);
            memcpy(sample->bytes + at, &values[i], 4);
            memcpy(sample->bytes + at + 4, was + 4, 4);
            (void)try_load(sample, sample->bytes, sample->len);
        }
        memcpy(sample->bytes + at, was, 8);
    }
    assert_true(try_load(sample, sample->bytes, sample->len));
}

/* Each field of the ELF header and of each program header that means something, changed to what it
 * must not be. */
static void expect_refused(const struct sample *sample, size_t at, size_t size, uint64_t value)
{
    uint8_t was[8];
    memcpy(was, sample->bytes + at, size);
    memcpy(sample->bytes + at, &value, size);
    if (try_load(sample, sample->bytes, sample->len))
        fail_msg("loads with 0x%llx at 0x%zx", (unsigned long long)value, at);
    memcpy(sample->bytes + at, was, size);
}

#define HEADER_FIELD(f, v)                                                   \
    {                                                                        \
        offsetof(struct elf_ehdr, f), sizeof(((struct elf_ehdr *)0)->f), (v) \
    }

static void test_header_fields(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    for (size_t i = 0; i < 8; i++) /* magic, class, data, version, OS ABI */
        expect_refused(sample, i, 1, 9);
    static const struct {
        size_t at, size;
        uint64_t value;
    } fields[] = {
        HEADER_FIELD(type, 2),       HEADER_FIELD(machine, 3),    HEADER_FIELD(version, 2),
        HEADER_FIELD(phoff, 0),      HEADER_FIELD(phoff, ~0ull),  HEADER_FIELD(shoff, ~0ull),
        HEADER_FIELD(flags, 1),      HEADER_FIELD(ehsize, 63),    HEADER_FIELD(phentsize, 55),
        HEADER_FIELD(phnum, 0),      HEADER_FIELD(phnum, 0xffff), HEADER_FIELD(shentsize, 63),
        HEADER_FIELD(shnum, 0xffff), HEADER_FIELD(shnum, 0),      HEADER_FIELD(shstrndx, 0xfff0),
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        expect_refused(sample, fields[i].at, fields[i].size, fields[i].value);
    struct elf_ehdr ehdr;
    memcpy(&ehdr, sample->bytes, sizeof(ehdr));
    for (size_t i = 0; i < ehdr.phnum; i++) {
        size_t at = ehdr.phoff + i * sizeof(struct elf_phdr);
        expect_refused(sample, at + offsetof(struct elf_phdr, type), 4, 0x12345678);
        expect_refused(sample, at + offsetof(struct elf_phdr, offset), 8, sample->len + 1);
        expect_refused(sample, at + offsetof(struct elf_phdr, filesz), 8, sample->len + 1);
        struct elf_phdr phdr;
        memcpy(&phdr, sample->bytes + at, sizeof(phdr));
        if (phdr.type != 1)
            continue;
        expect_refused(sample, at + offsetof(struct elf_phdr, flags), 4, 0);
        expect_refused(sample, at + offsetof(struct elf_phdr, flags), 4, PF_R | PF_W | PF_X);
        expect_refused(sample, at + offsetof(struct elf_phdr, vaddr), 8, phdr.vaddr + 1);
        expect_refused(sample, at + offsetof(struct elf_phdr, vaddr), 8, ~0ull);
        expect_refused(sample, at + offsetof(struct elf_phdr, memsz), 8, 0);
        expect_refused(sample, at + offsetof(struct elf_phdr, memsz), 8, ~0ull);
        expect_refused(sample, at + offsetof(struct elf_phdr, align), 8, 3);
    }
}

/* Limits: what a file says is changed to the limit, and to one more. */

/* Where the i-th program header of a type is in the file. */
static size_t phdr_at(const struct sample *sample, uint32_t type, uint32_t flags)
{
    struct elf_ehdr ehdr;
    memcpy(&ehdr, sample->bytes, sizeof(ehdr));
    for (size_t i = 0; i < ehdr.phnum; i++) {
        size_t at = ehdr.phoff + i * sizeof(struct elf_phdr);
        struct elf_phdr phdr;
        memcpy(&phdr, sample->bytes + at, sizeof(phdr));
        if (phdr.type == type && phdr.flags == flags)
            return at;
    }
    fail_msg("no program header of type %u", type);
    return 0;
}

/* Where the value of a dynamic tag is in the file. */
static size_t dynamic_at(const struct sample *sample, uint64_t tag)
{
    struct elf_phdr phdr;
    memcpy(&phdr, sample->bytes + phdr_at(sample, 2, PF_R | PF_W), sizeof(phdr));
    for (size_t at = phdr.offset; at < phdr.offset + phdr.filesz; at += sizeof(struct elf_dyn)) {
        struct elf_dyn dyn;
        memcpy(&dyn, sample->bytes + at, sizeof(dyn));
        if (dyn.tag == tag)
            return at + offsetof(struct elf_dyn, value);
    }
    fail_msg("no dynamic tag %llu", (unsigned long long)tag);
    return 0;
}

/* Loads with `value` at `at`, puts back what was there. */
static tn_err load_with(const struct sample *sample, size_t at, size_t size, uint64_t value)
{
    struct elf_image image;
    struct elf_error error;
    uint8_t was[8];
    memcpy(was, sample->bytes + at, size);
    memcpy(sample->bytes + at, &value, size);
    tn_err e = load(sample, sample->bytes, sample->len, &image, &error);
    memcpy(sample->bytes + at, was, size);
    if (e == TN_OK) {
        check_image(&image);
        elf_unload(&image);
    }
    return e;
}

static void test_limits_of_tables(void **state)
{
    (void)state;
    const struct sample *sample = find("good_sysv");
    enum { DT_HASH = 4, DT_RELASZ = 8, DT_STRSZ = 10 };
    /* At the limit such a table is merely not in the file; above it is too big whatever follows. */
    const struct {
        size_t at, size;
        uint64_t limit, step;
    } cases[] = {
        {offsetof(struct elf_ehdr, phnum), 2, ELF_PHDRS_MAX, 1},
        {offsetof(struct elf_ehdr, shnum), 2, ELF_SECTIONS_MAX, 1},
        {phdr_at(sample, 2, PF_R | PF_W) + offsetof(struct elf_phdr, filesz), 8,
         ELF_DYNAMIC_MAX * sizeof(struct elf_dyn), sizeof(struct elf_dyn)},
        {dynamic_at(sample, DT_RELASZ), 8, ELF_RELOCS_MAX * sizeof(struct elf_rela),
         sizeof(struct elf_rela)},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tn_err at = load_with(sample, cases[i].at, cases[i].size, cases[i].limit);
        assert_true(at == TN_EFORMAT || at == TN_ENOSYS);
        assert_int_equal(
            load_with(sample, cases[i].at, cases[i].size, cases[i].limit + cases[i].step),
            TN_ETOOBIG);
    }
    uint64_t hash; /* its address is its offset: it is in the first segment */
    memcpy(&hash, sample->bytes + dynamic_at(sample, DT_HASH), sizeof(hash));
    assert_int_equal(load_with(sample, hash + 4, 4, ELF_SYMBOLS_MAX), TN_EFORMAT);
    assert_int_equal(load_with(sample, hash + 4, 4, ELF_SYMBOLS_MAX + 1), TN_ETOOBIG);
}

static void test_limits_of_image(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    size_t first = phdr_at(sample, 1, PF_R), data = phdr_at(sample, 1, PF_R | PF_W);
    assert_int_equal(load_with(sample, first + offsetof(struct elf_phdr, align), 8, ELF_ALIGN_MAX),
                     TN_OK);
    assert_int_equal(
        load_with(sample, first + offsetof(struct elf_phdr, align), 8, ELF_ALIGN_MAX * 2),
        TN_ETOOBIG);

    /* Sealed data whose end is zeros, up to the end of the largest image. */
    struct elf_phdr phdr, relro, was;
    size_t relro_at = phdr_at(sample, 0x6474e552, PF_R);
    memcpy(&phdr, sample->bytes + data, sizeof(phdr));
    memcpy(&was, sample->bytes + relro_at, sizeof(was));
    relro = was;
    relro.memsz = ELF_IMAGE_MAX - relro.vaddr;
    memcpy(sample->bytes + relro_at, &relro, sizeof(relro));
    size_t memsz_at = data + offsetof(struct elf_phdr, memsz);
    assert_int_equal(load_with(sample, memsz_at, 8, ELF_IMAGE_MAX - phdr.vaddr), TN_OK);
    assert_int_equal(load_with(sample, memsz_at, 8, ELF_IMAGE_MAX - phdr.vaddr + 1), TN_ETOOBIG);
    memcpy(sample->bytes + relro_at, &was, sizeof(was));

    uint8_t *large = calloc(1, ELF_FILE_MAX + 1);
    assert_non_null(large);
    memcpy(large, sample->bytes, sample->len);
    assert_true(try_load(sample, large, ELF_FILE_MAX));
    assert_false(try_load(sample, large, ELF_FILE_MAX + 1));
    free(large);
}

/* A file with `n` empty segments more, read only, after the good ones. */
static void test_limit_of_segments(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    struct elf_ehdr ehdr;
    memcpy(&ehdr, sample->bytes, sizeof(ehdr));
    for (uint32_t loads = ELF_LOADS_MAX; loads <= ELF_LOADS_MAX + 1; loads++) {
        struct elf_phdr phdrs[ELF_PHDRS_MAX + ELF_LOADS_MAX];
        uint32_t n = 0, seen = 0;
        uint64_t end = 0;
        for (uint32_t i = 0; i < ehdr.phnum; i++) {
            struct elf_phdr phdr;
            memcpy(&phdr, sample->bytes + ehdr.phoff + i * sizeof(phdr), sizeof(phdr));
            if (phdr.type != 1 && phdr.type != 2 && phdr.type < 0x6474e551)
                continue;
            seen += phdr.type == 1;
            end = phdr.type == 1 ? align_up(phdr.vaddr + phdr.memsz, ELF_PAGE) : end;
            phdrs[n++] = phdr;
        }
        size_t tail = align_up(sample->len, ELF_PAGE);
        for (uint32_t i = 0; seen < loads; i++, seen++) {
            uint64_t at = i * (uint64_t)ELF_PAGE;
            phdrs[n++] = (struct elf_phdr){.type = 1,
                                           .flags = PF_R,
                                           .offset = tail + at,
                                           .vaddr = end + at,
                                           .filesz = 1,
                                           .memsz = 1};
        }
        assert_true(n <= ELF_PHDRS_MAX);
        size_t len = tail + (size_t)16 * ELF_PAGE;
        uint8_t *bytes = calloc(1, len);
        memcpy(bytes, sample->bytes, sample->len);
        struct elf_ehdr changed = ehdr;
        changed.phnum = (uint16_t)n;
        changed.phoff = len - sizeof(phdrs);
        memcpy(bytes, &changed, sizeof(changed));
        memcpy(bytes + changed.phoff, phdrs, n * sizeof(phdrs[0]));
        assert_int_equal(try_load(sample, bytes, len), loads == ELF_LOADS_MAX);
        free(bytes);
    }
}

/* elf_inspect and elf_error_print */

struct seen {
    uint32_t imports, exports;
    bool need, component;
};

static void see(void *arg, struct str name, bool is_import, uint64_t value, uint64_t size_bytes)
{
    struct seen *seen = arg;
    seen->imports += is_import;
    seen->exports += !is_import;
    seen->need |= is_import && str_eq(name, STR("tn_need"));
    seen->component |= !is_import && str_eq(name, STR("tn_component")) && value % 8 == 0 &&
                       size_bytes == sizeof(struct tn_component);
}

static void test_inspect(void **state)
{
    (void)state;
    const struct sample *sample = find("good_plain");
    struct elf_summary summary;
    struct elf_error error;
    struct seen seen = {0};
    assert_int_equal(elf_inspect(sample->bytes, sample->len, see, &seen, &summary, &error), TN_OK);
    assert_int_equal(summary.arch, arch_of(sample));
    assert_int_equal(summary.imports, 2);
    assert_int_equal(summary.exports, 1);
    assert_int_equal(seen.imports, 2);
    assert_int_equal(seen.exports, 1);
    assert_true(seen.need && seen.component);
    assert_int_equal(summary.state_size, 8);
    assert_int_equal(summary.state_version, 7);
    assert_true(summary.exec_bytes > 0 && summary.relro_bytes > sizeof(struct tn_component));
    assert_true(summary.span_bytes >= summary.exec_bytes + summary.read_bytes);
    assert_true(summary.relocs >= 4);

    /* What the kernel has no function for is still listed; what no kernel could have is not. */
    seen = (struct seen){0};
    sample = find("unknown");
    assert_int_equal(elf_inspect(sample->bytes, sample->len, see, &seen, &summary, &error), TN_OK);
    assert_int_equal(seen.imports, 3);
    seen = (struct seen){0};
    sample = find("undefined");
    assert_int_equal(elf_inspect(sample->bytes, sample->len, see, &seen, &summary, &error),
                     TN_ENOTFOUND);
    assert_string_equal(error.name, "other_library_call");
    assert_int_equal(seen.imports, 0);
}

static void test_error_print(void **state)
{
    (void)state;
    struct elf_error error = {.what = "what", .name = "na\x1bme", .number = 0, .has_number = true};
    char text[32];
    assert_int_equal(elf_error_print(&error, text, sizeof(text)), 18);
    assert_string_equal(text, "what `na?me` (0x0)");
    error.number = UINT64_MAX;
    error.name[0] = '\0';
    (void)elf_error_print(&error, text, sizeof(text));
    assert_string_equal(text, "what (0xffffffffffffffff)");
    assert_int_equal(elf_error_print(&error, text, 4), 3);
    assert_string_equal(text, "wha");
    assert_int_equal(elf_error_print(&error, text, 1), 0);
    assert_string_equal(text, "");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && nsamples < ARRAY_LEN(samples); i++)
        read_sample(&samples[nsamples++], argv[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_other_architecture),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_every_word),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_limits_of_tables),
        cmocka_unit_test(test_limits_of_image),
        cmocka_unit_test(test_limit_of_segments),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_error_print),
    };
    int failed = cmocka_run_group_tests_name("elf", tests, NULL, NULL);
    for (uint32_t i = 0; i < nsamples; i++)
        free(samples[i].bytes);
    return failed;
}
