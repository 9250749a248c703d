/* near.c: what a message says about a name that is not there: the one that was meant, or all. */
#include "base/bits.h"
#include "runtime/package/package_int.h"

void near_add(struct message *m, struct str wanted, const char *const *names, size_t n)
{
    struct near near = near_to(wanted);
    for (size_t i = 0; i < n; i++)
        near_try(&near, str_of(names[i]));
    if (near_found(&near)) {
        message_add(m, ": did you mean %s?", quote(near.best).text);
        return;
    }
    message_add(m, ": expected ");
    for (size_t i = 0; i < n; i++)
        list_add(m, i, n, str_of(names[i]));
}

void list_add(struct message *m, size_t i, size_t n, struct str name)
{
    if (i < LIST_MAX)
        message_add(m, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", plain(name).text);
    else if (i == LIST_MAX)
        message_add(m, ", ...");
}
