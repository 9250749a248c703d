/* needs.h: the capabilities that a component was given, by the names of its manifest. */
#ifndef RUNTIME_NEEDS_H
#define RUNTIME_NEEDS_H

#include <tenon/component.h>

#include "kernel/cap/cap.h"

enum { NEEDS_MAX = 64 }; /* capabilities that one component is given at the start */

struct need {
    const char *name;
    uint32_t len;
    tn_cap cap; /* of the component's actor; 0: optional and not wired */
};

struct needs {
    const struct need *at;
    uint32_t n;
};

/* TN_ENOTWIRED when there is none of that name, or nothing is wired to it. */
tn_err needs_find(const struct needs *needs, const char *name, uint32_t len, tn_cap *ret_cap);

/* A fresh instance begins without the state of the one before, whose capabilities nobody knows any
 * more: what is marked in the space goes, but for the needs and what messages that wait bring. */
void needs_forget(const struct needs *needs, struct space *space);

#endif
