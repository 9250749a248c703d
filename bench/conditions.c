/* conditions.c: see conditions.h. */
#include "bench/conditions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void cpu_model(char *ret_model, size_t room)
{
    char line[256];
    snprintf(ret_model, room, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        snprintf(ret_model, room, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    if (file != NULL)
        (void)fclose(file);
}

/* Tasks that run or want to, the mean of the last minute: other work makes figures worse. */
static void say_load(struct conditions *c, const char *key, const char *when)
{
    double load = -1;
    (void)getloadavg(&load, 1);
    if (c->root != NULL)
        json_object_set_new(c->root, key, json_real(load));
    else
        printf("%-10s%.2f at the %s\n", "load", load, when);
}

void conditions_add(struct conditions *c, const char *key, const char *value)
{
    if (c->root != NULL)
        json_object_set_new(c->root, key, json_string(value));
    else
        printf("%-10s%s\n", key, value);
}

void conditions_begin(struct conditions *c, json_t *root, const char *name, const char *method)
{
    char model[200], cpu[256], date[64];
    struct tm utc;
    time_t now = time(NULL);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    *c = (struct conditions){.root = root, .name = name};
    cpu_model(model, sizeof(model));
    snprintf(cpu, sizeof(cpu), "%s, %ld online", model, cpus);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    if (root != NULL) {
        c->missed = json_array();
        json_object_set_new(root, "benchmark", json_string(name));
        json_object_set_new(root, "cpus", json_integer(cpus));
    }
    conditions_add(c, "cpu", root != NULL ? model : cpu);
    conditions_add(c, "compiler", BENCH_COMPILER);
    conditions_add(c, "date", date);
    conditions_add(c, "method", method);
    say_load(c, "load_start", "start");
}

bool conditions_floor(struct conditions *c, const char *name, const char *unit, double figure,
                      double floor)
{
    size_t used = strlen(c->said);
    c->floors++;
    if (figure <= floor)
        return true;
    snprintf(c->said + used, sizeof(c->said) - used, "%s%s (%.1f %s, floor %.0f)",
             c->nmissed++ > 0 ? ", " : "", name, figure, unit, floor);
    if (c->missed != NULL)
        json_array_append_new(c->missed, json_string(name));
    return false;
}

bool conditions_end(struct conditions *c)
{
    char line[CONDITIONS_TEXT + 128];
    const char *path = getenv("BENCH_MISSED");
    say_load(c, "load_end", "end");
    if (c->root != NULL) {
        json_object_set_new(c->root, "floors", json_integer(c->floors));
        json_object_set_new(c->root, "missed", c->missed);
    }
    if (c->nmissed == 0) {
        if (c->root == NULL && c->floors > 0)
            printf("%-10sall %u hold\n", "floors", c->floors);
        return true;
    }
    snprintf(line, sizeof(line), "%u of %u missed: %s", c->nmissed, c->floors, c->said);
    if (c->root == NULL)
        printf("%-10s%s\n", "floors", line);
    FILE *file = path == NULL || path[0] == '\0' ? NULL : fopen(path, "ae");
    if (file != NULL) {
        fprintf(file, "%s: %s\n", c->name, line);
        (void)fclose(file);
    }
    return false;
}
