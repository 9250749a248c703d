/* run_native_dl.c: the component is a file that libc's loader takes. */
#include <dlfcn.h>
#include <stdio.h>

#include "tests/domains/run_native.h"

const struct tn_component *find_component(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct tn_component *c = library == NULL ? NULL : dlsym(library, "tn_component");
    if (c == NULL)
        fprintf(stderr, "run_native: %s\n", dlerror());
    return c;
}
