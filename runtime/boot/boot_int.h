/* boot_int.h: what the files of runtime/boot share. */
#ifndef RUNTIME_BOOT_BOOT_INT_H
#define RUNTIME_BOOT_BOOT_INT_H

#include "kernel/ipc/ipc.h"
#include "runtime/boot/boot.h"
#include "runtime/needs.h"

enum {
    OWN_NEEDS = 2,             /* "memory" and "timer", which every component has */
    PART_SLOTS = 4096,         /* capabilities of one component */
    BOOT_STEP_NS = 2000000000, /* longest load, start or stop */
    DRIVER_MEMORY_BYTES = 2 << 20,
    DRIVER_MAILBOX = 1024,
    CONFIG_MAX = TN_ARGS_MAX,
    SELF_NEED = 1, /* "self", of drivers */
};

/* A component or driver of the running system. */
struct part {
    const struct component_spec *spec; /* NULL: a driver */
    struct boot *boot;
    uint32_t index; /* in the spec, or in boot_input.drivers */
    char name[TN_NAME_MAX + 1];
    struct untyped *memory;
    struct space *space;
    struct actor *actor;
    struct endpoint *provides[SYSTEM_PROVIDES_MAX]; /* a driver has one */
    struct need needs[SYSTEM_NEEDS_MAX + OWN_NEEDS + SELF_NEED];
    struct needs needed;
    struct tn_pack config; /* for load; data in boot memory */
    bool started, failed;
    uint32_t group; /* of components that are wired to each other */
    bool stays;     /* on the ordinary CPU `cpu`: a wire by CPU leads there */
    uint32_t cpu;
    uint64_t grants; /* drivers: badges given so far */
};

struct boot {
    struct instance instance; /* of the root component */
    struct boot_input input;
    struct boot_result *result;
    struct kernel *kernel;
    struct untyped *memory; /* the kernel's root */
    struct space *space;
    struct actor *actor;
    struct part *parts; /* components, in the spec's order, then drivers */
    uint32_t nparts, ndrivers;
    struct embedded stop;
    atomic_u32 stopping;
    atomic_of(struct actor *) job; /* while it runs */
    tn_time began_ns;
};

static inline struct part *boot_component(struct boot *boot, uint32_t i)
{
    return &boot->parts[i];
}

static inline struct part *boot_driver(struct boot *boot, uint32_t i)
{
    return &boot->parts[boot->input.spec->ncomponents + i];
}

/* Says why the boot fails: "NAME: what"; returns err. */
tn_err boot_say(struct boot *boot, tn_err err, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same into BOOT_TEXT bytes of the caller's. */
tn_err boot_text(char *ret_text, tn_err err, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *boot_error_name(tn_err err);

/* wire.c */
tn_err boot_make_parts(struct boot *boot); /* memory and spaces */
tn_err boot_configure(struct boot *boot);  /* configurations and the drivers' grants */
tn_err boot_wire(struct boot *boot);       /* actors, endpoints, capabilities */
void boot_drop_parts(struct boot *boot);   /* after the kernel has ended */
/* job.c: runs the system's job to its end and fills the result. */
tn_err boot_job(struct boot *boot, struct turn *turn);
/* load.c: gives the part its code. */
tn_err boot_load(struct boot *boot, struct part *part);

#endif
