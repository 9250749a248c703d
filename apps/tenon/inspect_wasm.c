/* inspect_wasm.c: what is in a WebAssembly module, and whether it is a component. */
#include <stdio.h>
#include <stdlib.h>
#include <tenon/component.h>

#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/inspect.h"
#include "apps/tenon/json.h"
#include "apps/tenon/table.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "runtime/wasm/guest.h"
#include "wasm/wasm.h"

enum { SIGNATURE_MAX = 512 };

struct signature {
    char text[SIGNATURE_MAX];
};

static void *heap_get(void *ctx, size_t bytes)
{
    void *at = NULL;
    (void)ctx;
    if (posix_memalign(&at, bytes >= 4096 ? 4096 : 16, bytes) != 0)
        return NULL;
    return memset(at, 0, bytes);
}

static void heap_put(void *ctx, void *at, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    free(at);
}

static const char *type_name(uint8_t type)
{
    switch (type) {
    case WASM_I32:
        return "i32";
    case WASM_I64:
        return "i64";
    case WASM_F32:
        return "f32";
    case WASM_F64:
        return "f64";
    case WASM_V128:
        return "v128";
    case WASM_FUNCREF:
        return "funcref";
    default:
        return "externref";
    }
}

static size_t add_types(struct signature *s, size_t used, const uint8_t *types, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        used =
            fmt_add(s->text, SIGNATURE_MAX, used, "%s%s", i > 0 ? ", " : "", type_name(types[i]));
    return used;
}

static struct signature limits_of(struct wasm_limits limits, const char *unit)
{
    struct signature s;
    size_t used = fmt_print(s.text, SIGNATURE_MAX, "%u", limits.min);
    if (limits.max == UINT32_MAX)
        fmt_add(s.text, SIGNATURE_MAX, used, " %s or more", unit);
    else
        fmt_add(s.text, SIGNATURE_MAX, used, " to %u %s", limits.max, unit);
    return s;
}

/* An import or an export in words: "(i32, i64) -> i32", "1 to 16 pages", "mutable i32". */
static struct signature signature_of(const struct wasm_export_info *info)
{
    struct signature s;
    size_t used;
    switch (info->kind) {
    case WASM_EXT_FUNC:
        used = fmt_print(s.text, SIGNATURE_MAX, "(");
        used = add_types(&s, used, info->func->params, info->func->nparams);
        used = fmt_add(s.text, SIGNATURE_MAX, used, ")%s", info->func->nresults > 0 ? " -> " : "");
        (void)add_types(&s, used, info->func->results, info->func->nresults);
        return s;
    case WASM_EXT_MEMORY:
        return limits_of(info->limits, "pages");
    case WASM_EXT_TABLE:
        return limits_of(info->limits, type_name(info->type));
    case WASM_EXT_GLOBAL:
        break;
    }
    (void)fmt_print(s.text, SIGNATURE_MAX, "%s%s", info->mutable ? "mutable " : "",
                    type_name(info->type));
    return s;
}

static const char *kind_name(enum wasm_extern kind)
{
    static const char *const names[] = {"function", "table", "memory", "global"};
    return names[kind];
}

/* An import with what an export tells of itself. */
static struct wasm_export_info of_import(const struct wasm_import_info *info)
{
    return (struct wasm_export_info){.name = info->name,
                                     .name_len = info->name_len,
                                     .kind = info->kind,
                                     .func = info->func,
                                     .limits = info->limits,
                                     .type = info->type,
                                     .mutable = info->mutable};
}

static bool is_ours(const struct wasm_import_info *info)
{
    if (!str_eq((struct str){info->module, info->module_len}, STR("tenon_0")))
        return false;
    for (uint32_t i = 0; i < GUEST_IMPORTS; i++) {
        if (str_eq((struct str){info->name, info->name_len}, str_of(guest_import_name(i))))
            return true;
    }
    return false;
}

/* NULL: nothing keeps it from being a component. */
static const char *why_no_component(const struct wasm_module *module)
{
    static const char *const wanted[] = {"tn_component", "__heap_base", "memory"};
    static char text[256];
    for (uint32_t i = 0; i < wasm_import_count(module); i++) {
        struct wasm_import_info info = wasm_import(module, i);
        if (is_ours(&info))
            continue;
        struct shown from = show((struct str){info.module, info.module_len});
        struct shown name = show((struct str){info.name, info.name_len});
        (void)fmt_print(text, sizeof(text),
                        "it imports %.80s from %.80s, which Tenon does not give", name.text,
                        from.text);
        return text;
    }
    struct wasm_export_info info;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (wasm_find_export(module, wanted[i], str_length(wanted[i]), &info))
            continue;
        (void)fmt_print(text, sizeof(text), "it exports no %s", wanted[i]);
        return text;
    }
    return NULL;
}

static void print_row(struct table *table, const char *before, size_t before_len,
                      const struct wasm_export_info *info)
{
    if (before != NULL)
        table_cell(table, "%.*s", (int)before_len, before);
    table_cell(table, "%.*s", (int)info->name_len, info->name);
    table_cell(table, "%s", kind_name(info->kind));
    table_cell(table, "%s", signature_of(info).text);
}

static void print_module(const char *file, struct str bytes, const struct wasm_module *module)
{
    struct table table;
    const char *why = why_no_component(module);
    printf("%s: WebAssembly module, %s bytes\n", show_z(file).text, amount_count(bytes.len).text);
    printf("%s%s\n", why == NULL ? "A component for the wasm domain" : "Not a component: ",
           why == NULL ? "" : why);
    printf("Compiled: %s bytes\n", amount_count(wasm_module_bytes(module)).text);
    struct wasm_export_info memory;
    if (wasm_find_export(module, "memory", 6, &memory) && memory.kind == WASM_EXT_MEMORY)
        printf("Memory: %s of 64 KiB\n", limits_of(memory.limits, "pages").text);
    printf("\nImports: %u\n", wasm_import_count(module));
    table_begin(&table, 4, NULL, "llll");
    for (uint32_t i = 0; i < wasm_import_count(module); i++) {
        struct wasm_import_info info = wasm_import(module, i);
        struct wasm_export_info same = of_import(&info);
        print_row(&table, info.module, info.module_len, &same);
    }
    table_print(&table, stdout, 2);
    printf("\nExports: %u\n", wasm_export_count(module));
    table_begin(&table, 3, NULL, "lll");
    for (uint32_t i = 0; i < wasm_export_count(module); i++) {
        struct wasm_export_info info = wasm_export(module, i);
        print_row(&table, NULL, 0, &info);
    }
    table_print(&table, stdout, 2);
}

static json_t *info_json(const struct wasm_export_info *info)
{
    json_t *object = must_get(json_object());
    json_put(object, "name", json_str((struct str){info->name, info->name_len}));
    json_put(object, "kind", json_string(kind_name(info->kind)));
    json_put(object, "type", json_string(signature_of(info).text));
    return object;
}

static void print_json(struct str bytes, const struct wasm_module *module)
{
    json_t *object = must_get(json_object());
    json_t *imports = must_get(json_array()), *exports = must_get(json_array());
    const char *why = why_no_component(module);
    json_put(object, "type", json_string("wasm"));
    json_put(object, "bytes", json_integer((json_int_t)bytes.len));
    json_put(object, "compiled_bytes", json_integer((json_int_t)wasm_module_bytes(module)));
    json_put(object, "component", json_boolean(why == NULL));
    if (why != NULL)
        json_put(object, "why_no_component", json_string(why));
    struct wasm_export_info memory;
    if (wasm_find_export(module, "memory", 6, &memory) && memory.kind == WASM_EXT_MEMORY) {
        json_put(object, "memory_min_pages", json_integer(memory.limits.min));
        if (memory.limits.max != UINT32_MAX)
            json_put(object, "memory_max_pages", json_integer(memory.limits.max));
    }
    for (uint32_t i = 0; i < wasm_import_count(module); i++) {
        struct wasm_import_info info = wasm_import(module, i);
        struct wasm_export_info same = of_import(&info);
        json_t *import = info_json(&same);
        json_put(import, "module", json_str((struct str){info.module, info.module_len}));
        json_add(imports, import);
    }
    for (uint32_t i = 0; i < wasm_export_count(module); i++) {
        struct wasm_export_info info = wasm_export(module, i);
        json_add(exports, info_json(&info));
    }
    json_put(object, "imports", imports);
    json_put(object, "exports", exports);
    json_print(object);
}

int inspect_wasm(const char *file, struct str bytes)
{
    const struct wasm_alloc alloc = {heap_get, heap_put, NULL};
    struct wasm_module *module;
    struct wasm_error error;
    if (wasm_load(&alloc, (const uint8_t *)bytes.at, bytes.len, &module, &error) != TN_OK) {
        char text[256];
        (void)fmt_print(text, sizeof(text), "not a valid WebAssembly module: byte %u: %s",
                        error.offset, error.text);
        return inspect_refuse(file, text);
    }
    if (json_wanted)
        print_json(bytes, module);
    else
        print_module(file, bytes, module);
    wasm_unload(module);
    return EXIT_OK;
}
