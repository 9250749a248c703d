/* drivers.c: wires to drivers: files, clock, random, log. */
#include <tenon/interface.h>

#include "base/assert.h"
#include "runtime/package/package_int.h"

static const char *const driver_names[] = {"files", "clock", "random", "log"};
static const enum wire_kind driver_kinds[] = {WIRE_FILES, WIRE_CLOCK, WIRE_RANDOM, WIRE_LOG};
static const char *const driver_interfaces[] = {"tenon.file", "tenon.clock", "tenon.random",
                                                "tenon.log"};
/* Where [drivers.files] does not say: a slow disk holds up nobody else. */
enum { FILES_BLOCK = 1 };
enum { DRIVERS = 4, FILES = 0, RIGHTS_OF_FILES = TN_R_READ | TN_R_WRITE };

const struct tn_interface *driver_interface(enum wire_kind kind)
{
    uint32_t i = 0;
    while (i < DRIVERS && driver_kinds[i] != kind)
        i++;
    ASSERT(i < DRIVERS);
    struct str name = str_of(driver_interfaces[i]);
    const struct tn_interface *interface = tn_interface_by_name(name.at, (uint32_t)name.len);
    ASSERT(interface != NULL);
    return interface;
}

const char *wire_driver_name(enum wire_kind kind)
{
    for (uint32_t i = 0; i < DRIVERS; i++)
        if (driver_kinds[i] == kind)
            return driver_names[i];
    return "";
}

/* Is anything wired to it? */
static bool is_used(const struct system *system, enum wire_kind kind)
{
    for (uint32_t i = 0; i < system->spec.ncomponents; i++) {
        const struct component_spec *c = &system->spec.components[i];
        for (uint32_t k = 0; k < c->nneeds; k++)
            if (c->needs[k].wire == kind)
                return true;
    }
    return false;
}

void drivers_parse(struct system *system)
{
    static const char *const keys[] = {"blocking"};
    struct section root, s, driver;
    section_init(&root, &system->doc, system->root, (struct toml_pos){0, 0}, "the file");
    bool given = section_table(&root, "drivers", &s);
    if (given)
        section_check(&s, driver_names, DRIVERS);
    for (uint32_t i = 0; i < DRIVERS; i++) {
        bool blocking = i == FILES && FILES_BLOCK;
        if (given && section_table(&s, driver_names[i], &driver)) {
            section_check(&driver, keys, 1);
            section_bool(&driver, "blocking", &blocking);
        }
        system->spec.driver_blocks[driver_kinds[i]] = blocking && is_used(system, driver_kinds[i]);
    }
}

/* "$1" to "$9", alone: the number; 0 otherwise. */
static uint32_t argument_of(struct str path)
{
    if (path.len != 2 || path.at[0] != '$' || path.at[1] < '1' || path.at[1] > '9')
        return 0;
    return (uint32_t)(path.at[1] - '0');
}

static bool mentions_argument(struct str path)
{
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.at[i] == '$' && path.at[i + 1] >= '0' && path.at[i + 1] <= '9')
            return true;
    return false;
}

static void path_parse(const struct section *wire, struct need_spec *need)
{
    const struct toml_node *path =
        section_need(wire, "path", TOML_STRING, "path = \"FILE\", or \"$1\" for an argument");
    const struct toml_node *fallback = section_get(wire, "default", TOML_STRING);
    uint32_t arg = path == NULL ? 0 : argument_of(path->string);
    if (path != NULL && arg == 0 && path_check(wire->doc, path->at, "a path", path->string)) {
        need->path = path->string;
        if (mentions_argument(path->string))
            fault(wire->doc, path->at,
                  "path in %s: %s: an argument is the whole path, \"$1\" to \"$9\"", wire->label,
                  quote(path->string).text);
        else if (fallback != NULL)
            fault(wire->doc, fallback->at,
                  "default in %s is for a path that is an argument, such as \"$1\"", wire->label);
    }
    need->arg = arg;
    if (arg == 0 || fallback == NULL)
        return;
    if (path_check(wire->doc, fallback->at, "a path", fallback->string))
        need->path = fallback->string;
}

/* What the need asks for, the wire must grant. */
static void grant_parse(const struct section *wire, struct need_spec *need)
{
    uint32_t before = wire->doc->reading->faults->total;
    uint32_t granted = TN_R_READ;
    section_rights(wire, "rights", RIGHTS_OF_FILES, &granted);
    uint32_t lacking = need->rights & ~granted & RIGHTS_OF_FILES;
    need->grant = granted & need->rights;
    if ((need->rights & RIGHTS_OF_FILES) == 0 && need->interface != NULL)
        fault(wire->doc, wire->at,
              "%s grants nothing: the rights of this need in its component.toml have neither "
              "\"read\" "
              "nor \"write\"",
              wire->label);
    if (lacking == 0 || need->interface == NULL || wire->doc->reading->faults->total != before)
        return;
    const struct toml_node *rights = toml_get(wire->table, STR("rights"));
    struct message has = {.len = 0}, asked = {.len = 0};
    rights_add(&has, granted);
    rights_add(&asked, (granted | need->rights) & RIGHTS_OF_FILES);
    fault(wire->doc, rights == NULL ? wire->at : rights->at,
          "%s grants %s, which is less than the component asks for: write rights = [%s]",
          wire->label, has.text, asked.text);
}

void driver_wire(struct system *system, const struct section *wire, struct need_spec *need)
{
    static const char *const keys[] = {"driver", "path", "default", "rights", "directory"};
    uint32_t driver = UINT32_MAX;
    struct need_spec none = {.rights = TN_R_CALL}; /* where the need is unknown */
    section_choice(wire, "driver", driver_names, DRIVERS, &driver);
    if (driver == UINT32_MAX)
        return; /* which keys there may be depends on it */
    section_check(wire, keys, driver == FILES ? 5 : 1);
    need = need == NULL ? &none : need;
    need->wire = driver_kinds[driver];
    if (driver == FILES) {
        path_parse(wire, need);
        section_bool(wire, "directory", &need->directory);
        grant_parse(wire, need);
    }
    if (need->interface != NULL && !str_eq(need->interface_name, str_of(driver_interfaces[driver])))
        fault(&system->doc, toml_get(wire->table, STR("driver"))->at,
              "%s needs %s, but the driver %s provides %s", wire->label, need->interface->name,
              quote(str_of(driver_names[driver])).text, driver_interfaces[driver]);
}
