/* needs.c: looking up what was wired. */
#include "runtime/needs.h"

#include "base/assert.h"
#include "base/bytes.h"

tn_err needs_find(const struct needs *needs, const char *name, uint32_t len, tn_cap *ret_cap)
{
    for (uint32_t i = 0; i < needs->n; i++) {
        const struct need *need = &needs->at[i];
        if (need->len == len && memcmp(need->name, name, len) == 0 && need->cap != 0) {
            *ret_cap = need->cap;
            return TN_OK;
        }
    }
    return TN_ENOTWIRED;
}

void needs_forget(const struct needs *needs, struct space *space)
{
    tn_cap keep[NEEDS_MAX];
    ASSERT(needs->n <= NEEDS_MAX);
    for (uint32_t i = 0; i < needs->n; i++)
        keep[i] = needs->at[i].cap;
    space_clear_marked_but(space, keep, needs->n);
}
