/* system.c: a composition from its files: read, checked as a whole, resolved into a system_spec.
 *
 * A composition root boots from plain data: which components, where each runs, what is wired to
 * each need. Whether the files make sense is decided here, once, before anything runs, and so that
 * a person sees all that is wrong with them at once.
 *
 * What holds:
 *   1. A spec is handed out only when no fault was found. Then every index in it is in range, every
 *      interface known, every need that is not optional wired to a provider of its interface, and
 *      nothing is in the kernel domain but what may be.
 *   2. One mistake is one fault: what could not be read is not held against the lines that name it.
 *   3. Faults are in order of file, line and column, and the same for the same files.
 *   4. Time and arena are bounded by the files' bytes and the limits in system.h.
 *
 * Steps, each on what the ones before it left:
 *   [system]      system_section
 *   [components]  components_parse: each manifest (component.c), once a package
 *   [trust]       trust_parse (place.c)
 *   [place]       place_parse (place.c): the domain of each component; is its code there?
 *   [wires]       wires_parse (wires.c, routes.c, channels.c, drivers.c): the provider of each need
 *   [drivers]     drivers_parse (drivers.c): how those that are wired run
 *   [job]         job_parse
 *   memory        memory_check
 *   order         order_make (order.c): circles of calls, and who starts before whom */
#include "runtime/package/system.h"

#include <tenon/interface.h>

#include "base/bits.h"
#include "runtime/package/package_int.h"

static const char *const architecture_names[] = {"micro", "mono", "hybrid", "exo", "nano"};
enum { ARCHITECTURES = 5, ARCHITECTURE_DEFAULT = 2 };

static const char *error_text(tn_err err)
{
    switch (err) {
#define SYSTEM_ERROR_TEXT(name, number, text) \
    case name:                                \
        return text;
        TN_ERRORS(SYSTEM_ERROR_TEXT)
#undef SYSTEM_ERROR_TEXT
    default:
        return "unknown error";
    }
}

uint32_t system_find(const struct system *system, struct str name)
{
    for (uint32_t i = 0; i < system->spec.ncomponents; i++)
        if (str_eq(system->spec.components[i].name, name))
            return i;
    return UINT32_MAX;
}

uint32_t need_find(const struct component_spec *component, struct str name)
{
    for (uint32_t i = 0; i < component->nneeds; i++)
        if (str_eq(component->needs[i].name, name))
            return i;
    return UINT32_MAX;
}

uint32_t provide_find(const struct component_spec *component, struct str name)
{
    for (uint32_t i = 0; i < component->nprovides; i++)
        if (str_eq(component->provides[i].name, name))
            return i;
    return UINT32_MAX;
}

uint32_t system_expect(struct system *system, struct toml_pos at, struct str name)
{
    uint32_t found = system_find(system, name);
    if (found != UINT32_MAX)
        return found;
    struct near near = near_to(name);
    for (uint32_t i = 0; i < system->spec.ncomponents; i++)
        near_try(&near, system->spec.components[i].name);
    if (near_found(&near))
        fault(&system->doc, at, "unknown component %s: did you mean %s?", quote(name).text,
              quote(near.best).text);
    else
        fault(&system->doc, at, "unknown component %s: there is no [components] entry of that name",
              quote(name).text);
    return UINT32_MAX;
}

/* The component has no such provide. */
static void unknown_provide(struct system *system, struct toml_pos at, uint32_t component,
                            struct str name)
{
    const struct component_spec *c = &system->spec.components[component];
    struct near near = near_to(name);
    struct message m = {.len = 0};
    for (uint32_t i = 0; i < c->nprovides; i++)
        near_try(&near, c->provides[i].name);
    if (near_found(&near)) {
        message_add(&m, "did you mean %s?", quote(near.best).text);
    } else if (c->nprovides == 0) {
        message_add(&m, "it provides nothing");
    } else {
        message_add(&m, "it provides ");
        for (uint32_t i = 0; i < c->nprovides; i++)
            list_add(&m, i, c->nprovides, c->provides[i].name);
    }
    fault(&system->doc, at, "%s does not provide %s: %s", quote(c->name).text, quote(name).text,
          m.text);
}

bool target_parse(struct system *system, struct toml_pos at, const char *what, struct str text,
                  uint32_t *ret_component, uint32_t *ret_provide)
{
    struct str of, name;
    if (!dotted(text, &of, &name)) {
        fault(&system->doc, at, "%s %s is not of the form \"component.provided\"", what,
              quote(text).text);
        return false;
    }
    uint32_t component = system_expect(system, at, of);
    if (component == UINT32_MAX || !system->instances[component].known)
        return false;
    uint32_t provide = provide_find(&system->spec.components[component], name);
    if (provide == UINT32_MAX) {
        if (system->instances[component].complete)
            unknown_provide(system, at, component, name);
        return false;
    }
    *ret_component = component;
    *ret_provide = provide;
    return true;
}

static void cpus_parse(struct system *system, const struct section *s)
{
    section_uint32(s, "cpus", 1, TN_CPUS_MAX, &system->spec.cpus);
    uint32_t there = system->input->machine_cpus;
    if (there > 0 && system->spec.cpus > there)
        fault(&system->doc, toml_get(s->table, STR("cpus"))->at,
              "cpus in [system]: %u are asked for, but this machine has %u", system->spec.cpus,
              there);
}

static void system_section(struct system *system, const struct section *root)
{
    static const char *const keys[] = {"name", "architecture", "memory", "cpus", "compute"};
    struct section s;
    uint32_t architecture = ARCHITECTURE_DEFAULT;
    if (toml_get(root->table, STR("system")) == NULL)
        (void)section_need(root, "system", TOML_TABLE, "[system] with name and memory");
    else if (section_table(root, "system", &s)) {
        section_check(&s, keys, 5);
        const struct toml_node *name =
            section_need(&s, "name", TOML_STRING, "name = \"my-system\"");
        if (name != NULL && name_check(s.doc, name->at, "a system's name", name->string))
            system->spec.name = name->string;
        section_choice(&s, "architecture", architecture_names, ARCHITECTURES, &architecture);
        if (toml_get(s.table, STR("memory")) == NULL)
            (void)section_need(&s, "memory", TOML_STRING, "memory = \"64 MiB\"");
        section_size(&s, "memory", &system->spec.memory_bytes);
        cpus_parse(system, &s);
        section_uint32(&s, "compute", 1, TN_COMPUTE_MAX, &system->spec.compute);
    }
    system->spec.architecture = str_of(architecture_names[architecture]);
}

/* The package in a folder, read when it is asked for the first time; NULL: the arena is full. */
static struct package *package_get(struct system *system, struct str folder)
{
    while (folder.len > 1 && folder.at[folder.len - 1] == '/')
        folder.len--;
    struct package *package = system->packages;
    while (package != NULL && !str_eq(package->folder, folder))
        package = package->next;
    if (package != NULL)
        return package;
    struct reading *reading = system->doc.reading;
    struct str path = path_join(reading, folder, STR("component.toml"));
    package = arena_get(reading, sizeof(*package));
    if (package == NULL)
        return NULL;
    package->next = system->packages;
    system->packages = package;
    package->folder = folder;
    struct str text = STR("");
    package->error = system->input->read(system->input->read_ctx, path, &text);
    if (package->error == TN_OK) {
        struct doc doc = {reading, path, ++system->ranks};
        manifest_parse(&doc, text.len > 0 ? text : STR(""), package);
    }
    return package;
}

static void version_check(struct system *system, const struct section *s,
                          const struct component_spec *c)
{
    const struct toml_node *node = section_get(s, "version", TOML_STRING);
    /* A manifest whose version is a fault has none to compare: 0.0.0 stands in. */
    bool meets = false;
    if (node == NULL)
        return;
    if (!version_meets(&c->version, node->string, &meets)) {
        fault(&system->doc, node->at,
              "version %s in %s is no requirement: write \"^1.2\" (compatible), \"=1.2.0\" (only "
              "this) or \">=1.2, <3\"",
              quote(node->string).text, s->label);
    } else if (!meets && c->version.text.len > 0) {
        fault(&system->doc, node->at, "%s is %s, but %s is asked for", plain(c->name).text,
              plain(c->version.text).text, plain(node->string).text);
    }
}

static void package_parse(struct system *system, const struct section *s, uint32_t i)
{
    struct component_spec *c = &system->spec.components[i];
    struct instance *instance = &system->instances[i];
    const struct toml_node *node = section_need(
        s, "package", TOML_STRING, "package = \"FOLDER\", where its component.toml is");
    if (node == NULL || !path_check(s->doc, node->at, "a package's folder", node->string))
        return;
    const struct package *package = package_get(system, node->string);
    if (package == NULL)
        return;
    struct str name = c->name;
    *c = package->spec;
    c->name = name;
    c->package = package->folder;
    instance->package_at = node->at;
    instance->known = package->known;
    instance->complete = package->complete;
    instance->sound = package->sound;
    if (package->error == TN_ENOTFOUND)
        fault(s->doc, node->at, "there is no component.toml in %s", quote(package->folder).text);
    else if (package->error != TN_OK)
        fault(s->doc, node->at, "component.toml in %s cannot be read: %s",
              quote(package->folder).text, error_text(package->error));
}

static void component_entry(struct system *system, const struct section *s, uint32_t i)
{
    static const char *const keys[] = {"package", "version",      "domain", "priority",
                                       "restart", "restarts_max", "config", "limits"};
    static const char *const restart_names[] = {"never", "always"};
    struct component_spec *c = &system->spec.components[i];
    struct instance *instance = &system->instances[i];
    struct section inner;
    section_check(s, keys, 8);
    package_parse(system, s, i);
    version_check(system, s, c);
    uint32_t domain = UINT32_MAX, restart = 0, priority = TN_PRIORITY_DEFAULT;
    section_choice(s, "domain", domain_names, 3, &domain);
    if (domain != UINT32_MAX) {
        instance->placed = true;
        instance->placed_at = toml_get(s->table, STR("domain"))->at;
        c->domain = (enum component_domain)domain;
    }
    section_uint32(s, "priority", 0, TN_PRIORITIES - 1, &priority);
    c->priority = (uint8_t)priority;
    section_choice(s, "restart", restart_names, 2, &restart);
    c->restart = restart == 1;
    c->restarts_max = c->restart ? SYSTEM_RESTARTS_DEFAULT : 0;
    section_uint32(s, "restarts_max", 0, UINT32_MAX, &c->restarts_max);
    if (section_table(s, "config", &inner))
        c->config = inner.table;
    if (section_table(s, "limits", &inner))
        section_resources(&inner, true, &c->resources);
}

/* false: too many for what comes after to make sense, or no memory to note them. */
static bool components_parse(struct system *system, const struct section *root)
{
    struct section s;
    if (toml_get(root->table, STR("components")) == NULL)
        return true; /* a system of none boots and serves */
    if (!section_table(root, "components", &s))
        return false;
    uint32_t n = toml_table_count(s.table);
    const struct toml_node *node = toml_table_first(s.table);
    if (n > SYSTEM_COMPONENTS_MAX) {
        fault(s.doc, s.at, "%s has %u components, at most %u (SYSTEM_COMPONENTS_MAX)", s.label, n,
              SYSTEM_COMPONENTS_MAX);
        return false;
    }
    struct reading *reading = system->doc.reading;
    system->spec.components = arena_get(reading, n * sizeof(struct component_spec));
    system->instances = arena_get(reading, n * sizeof(struct instance));
    if (reading->full)
        return false;
    system->spec.ncomponents = n;
    for (uint32_t i = 0; i < n; i++, node = node->next) {
        system->spec.components[i].name = node->key;
        system->instances[i].node = node;
    }
    node = toml_table_first(s.table);
    for (uint32_t i = 0; i < n && !reading->full; i++, node = node->next) {
        struct section entry;
        if (!name_check(s.doc, node->key_at, "a component's name", node->key))
            continue;
        if (section_table(&s, plain(node->key).text, &entry))
            component_entry(system, &entry, i);
    }
    return !reading->full;
}

static void args_parse(struct system *system, const struct section *s)
{
    struct job_spec *job = &system->spec.job;
    const struct toml_node *args = section_get(s, "args", TOML_ARRAY);
    if (args == NULL)
        return;
    uint32_t n = toml_array_count(args->array);
    if (n > SYSTEM_JOB_ARGS_MAX) {
        fault(s->doc, args->at, "args in %s has %u items, at most %u (SYSTEM_JOB_ARGS_MAX)",
              s->label, n, SYSTEM_JOB_ARGS_MAX);
        return;
    }
    for (const struct toml_node *arg = toml_array_first(args->array); arg != NULL;
         arg = arg->next) {
        if (arg->type == TOML_STRING)
            job->args[job->nargs++] = arg->string;
        else
            fault(s->doc, arg->at, "an item of args in %s: expected a string, found %s", s->label,
                  toml_type_name(arg->type));
    }
}

static void job_parse(struct system *system, const struct section *root)
{
    static const char *const keys[] = {"run", "args", "deadline"};
    struct job_spec *job = &system->spec.job;
    struct section s;
    if (!section_table(root, "job", &s))
        return;
    section_check(&s, keys, 3);
    job->given = true;
    const struct toml_node *run =
        section_need(&s, "run", TOML_STRING, "run = \"component.provided\"");
    if (run != NULL && target_parse(system, run->at, "run in [job]:", run->string, &job->component,
                                    &job->provide)) {
        const struct provide *p = &system->spec.components[job->component].provides[job->provide];
        if (p->interface != NULL && !str_eq(p->interface_name, STR("tenon.job")))
            fault(s.doc, run->at, "run in [job]: %s provides %s, but a job is tenon.job",
                  quote(run->string).text, p->interface->name);
    }
    args_parse(system, &s);
    section_time(&s, "deadline", &job->deadline_ns);
}

static void memory_check(struct system *system)
{
    const struct toml_node *section = toml_get(system->root, STR("system"));
    uint64_t memory = system->spec.memory_bytes, sum = 0, all = 0;
    uint64_t there = system->input->machine_memory_bytes;
    if (memory == 0)
        return; /* a fault already */
    struct toml_pos at = toml_get(section->table, STR("memory"))->at;
    if (there > 0 && memory > there)
        fault(&system->doc, at, "memory in [system]: %s is more than the %s of this machine",
              size_text(memory).text, size_text(there).text);
    bool over = false;
    for (uint32_t i = 0; i < system->spec.ncomponents; i++)
        over = over || add_overflows(sum, system->spec.components[i].resources.memory_bytes, &sum);
    over = over || add_overflows(sum, SYSTEM_RESERVE_BYTES, &all);
    if (over)
        fault(&system->doc, at, "memory in [system]: the components ask for more than 2^64 bytes");
    else if (all > memory)
        fault(&system->doc, at,
              "memory in [system]: the components ask for %s and the kernel for %s, together %s of "
              "%s: write memory = \"%s\", or less in their limits",
              size_text(sum).text, size_text(SYSTEM_RESERVE_BYTES).text, size_text(all).text,
              size_text(memory).text, size_text(all).text);
}

/* Threads of their own are few. */
static void blocking_check(struct system *system)
{
    struct system_spec *spec = &system->spec;
    uint32_t n = 0;
    for (uint32_t kind = 0; kind < WIRE_KINDS; kind++)
        n += spec->driver_blocks[kind];
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        n += spec->components[i].blocking;
        if (!spec->components[i].blocking || n != TN_BLOCKING_MAX + 1)
            continue;
        fault(&system->doc, system->instances[i].package_at,
              "%s blocks, as %u components and drivers before it do: each has a thread of its own, "
              "and there are at most %u (TN_BLOCKING_MAX)",
              quote(spec->components[i].name).text, TN_BLOCKING_MAX, TN_BLOCKING_MAX);
    }
}

struct system_threads system_threads(const struct system_spec *spec, uint32_t cpus)
{
    struct system_threads threads = {0, 0};
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        threads.blocking += spec->components[i].blocking;
        threads.compute += spec->components[i].compute;
    }
    for (uint32_t kind = 0; kind < WIRE_KINDS; kind++)
        threads.blocking += spec->driver_blocks[kind];
    uint32_t most = spec->compute > 0 ? spec->compute : cpus;
    most = most < TN_COMPUTE_MAX ? most : TN_COMPUTE_MAX;
    threads.compute = threads.compute < most ? threads.compute : most;
    return threads;
}

static void system_read_all(struct system *system)
{
    static const char *const keys[] = {"system", "components", "wires", "place",
                                       "trust",  "drivers",    "job"};
    struct section root;
    section_init(&root, &system->doc, system->root, (struct toml_pos){0, 0}, "the file");
    section_check(&root, keys, 7);
    system_section(system, &root);
    if (!components_parse(system, &root))
        return;
    trust_parse(system);
    place_parse(system);
    wires_parse(system);
    drivers_parse(system);
    blocking_check(system);
    job_parse(system, &root);
    memory_check(system);
    order_make(system);
}

tn_err system_parse(const struct system_input *input, struct system_spec *ret_system,
                    struct faults *faults)
{
    struct reading reading = {.arena = {input->arena, (size_t)input->arena_bytes, 0},
                              .faults = faults};
    faults->n = faults->total = 0;
    struct system *system = arena_get(&reading, sizeof(*system));
    if (system == NULL)
        return TN_ENOMEM;
    system->doc = (struct doc){&reading, input->file, 0};
    system->input = input;
    system->root = doc_parse(&system->doc, input->text.len > 0 ? input->text : STR(""));
    if (system->root != NULL)
        system_read_all(system);
    if (reading.full)
        return TN_ENOMEM;
    if (faults->total > 0)
        return TN_EFORMAT;
    *ret_system = system->spec;
    return TN_OK;
}
