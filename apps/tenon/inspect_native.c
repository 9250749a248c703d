/* inspect_native.c: what is in a native component, NAME.tn.so. */
#include <stdio.h>

#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/inspect.h"
#include "apps/tenon/json.h"
#include "apps/tenon/table.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "runtime/elf/elf.h"

/* The symbols, as they are visited. */
struct symbols {
    struct table imports, exports;
    json_t *json_imports, *json_exports;
};

static void visit(void *arg, struct str name, bool is_import, uint64_t value, uint64_t size_bytes)
{
    struct symbols *symbols = arg;
    (void)value;
    if (json_wanted) {
        json_t *object = must_get(json_object());
        json_put(object, "name", json_str(name));
        if (!is_import)
            json_put(object, "bytes", json_integer((json_int_t)size_bytes));
        json_add(is_import ? symbols->json_imports : symbols->json_exports, object);
        return;
    }
    struct table *table = is_import ? &symbols->imports : &symbols->exports;
    table_cell(table, "%.*s", (int)name.len, name.at);
    if (!is_import)
        table_cell(table, "%s bytes", amount_count(size_bytes).text);
}

static const char *arch_name(enum elf_arch arch)
{
    return arch == ELF_AARCH64 ? "aarch64" : "x86_64";
}

static void print_summary(const char *file, struct str bytes, const struct elf_summary *summary,
                          struct symbols *symbols)
{
    struct table table;
    printf("%s: native component for %s, %s bytes%s\n", show_z(file).text, arch_name(summary->arch),
           amount_count(bytes.len).text,
           summary->arch == elf_arch_host ? "" : " (not this machine's: it cannot run here)");
    printf("Trusted with everything where it runs: native code is not confined\n\n");
    table_begin(&table, 2, NULL, "lr");
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {{"code", summary->exec_bytes},
                {"read-only data", summary->read_bytes},
                {"sealed after relocation", summary->relro_bytes},
                {"span in memory", summary->span_bytes},
                {"state of an instance", summary->state_size}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        table_cell(&table, "%s", rows[i].name);
        table_cell(&table, "%s bytes", amount_count(rows[i].bytes).text);
    }
    table_print(&table, stdout, 2);
    printf("  state version %u, %u relocations\n", summary->state_version, summary->relocs);
    printf("\nImports: %u\n", summary->imports);
    table_print(&symbols->imports, stdout, 2);
    printf("\nExports: %u\n", summary->exports);
    table_print(&symbols->exports, stdout, 2);
}

static void print_json(struct str bytes, const struct elf_summary *summary,
                       const struct symbols *symbols)
{
    json_t *object = must_get(json_object());
    json_put(object, "type", json_string("native"));
    json_put(object, "arch", json_string(arch_name(summary->arch)));
    json_put(object, "bytes", json_integer((json_int_t)bytes.len));
    json_put(object, "exec_bytes", json_integer((json_int_t)summary->exec_bytes));
    json_put(object, "read_bytes", json_integer((json_int_t)summary->read_bytes));
    json_put(object, "relro_bytes", json_integer((json_int_t)summary->relro_bytes));
    json_put(object, "span_bytes", json_integer((json_int_t)summary->span_bytes));
    json_put(object, "relocations", json_integer(summary->relocs));
    json_put(object, "state_bytes", json_integer(summary->state_size));
    json_put(object, "state_version", json_integer(summary->state_version));
    json_put(object, "component", json_true());
    json_put(object, "imports", symbols->json_imports);
    json_put(object, "exports", symbols->json_exports);
    json_print(object);
}

int inspect_native(const char *file, struct str bytes)
{
    struct symbols symbols = {.json_imports = must_get(json_array()),
                              .json_exports = must_get(json_array())};
    struct elf_summary summary;
    struct elf_error error;
    table_begin(&symbols.imports, 1, NULL, "l");
    table_begin(&symbols.exports, 2, NULL, "lr");
    tn_err err =
        elf_inspect((const uint8_t *)bytes.at, bytes.len, visit, &symbols, &summary, &error);
    if (err == TN_OK && json_wanted) {
        print_json(bytes, &summary, &symbols);
        return EXIT_OK;
    }
    json_decref(symbols.json_imports);
    json_decref(symbols.json_exports);
    if (err == TN_OK) {
        print_summary(file, bytes, &summary, &symbols);
        return EXIT_OK;
    }
    char line[256], text[300];
    (void)elf_error_print(&error, line, sizeof(line));
    (void)fmt_print(text, sizeof(text), "not a native component: %s", line);
    return inspect_refuse(file, text);
}
