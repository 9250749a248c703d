/* native.h: the kernel domain: components that are linked or loaded into the kernel and run on its
 * own stacks. They are trusted: a fault of theirs is a fault of the kernel. */
#ifndef RUNTIME_KERNEL_NATIVE_H
#define RUNTIME_KERNEL_NATIVE_H

#include <tenon/component.h>

#include "kernel/actor/actor.h"
#include "runtime/elf/elf.h"
#include "runtime/needs.h"

/* Gives `actor` an instance of `component`, its state charged to the actor's memory. `needs` is
 * what tn_need answers from; it and `component` outlive the instance. TN_ENOMEM; TN_EVERSION when
 * the component's ABI is another one; TN_EINVAL when `size` is too small to tell. */
tn_err native_make(struct actor *actor, const struct tn_component *component,
                   const struct needs *needs);

/* The same without giving it to the actor: an instance that swap_begin puts in the place of the one
 * there is. */
struct native_config {
    const struct tn_component *component;
    const struct needs *needs;
    /* For load, when it takes another instance's place; the bytes outlive it. */
    struct tn_pack config;
    /* What the component was loaded from: the instance's from now on, and unloaded with it. NULL:
     * it was not loaded. */
    const struct elf_image *image;
};
tn_err native_new(struct actor *actor, const struct native_config *config,
                  struct instance **ret_instance);

/* The functions of component.h that a loaded component may import. */
extern const struct elf_import native_imports[];
extern const uint32_t native_nimports;

#endif
