/* handler.c: a component with data for a handler. */
#include <tenon/component.h>

static const char no_code[] = "not code";

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(tn_component),
    .stop = (void (*)(void *, const struct tn_turn *))(uintptr_t)no_code,
};
