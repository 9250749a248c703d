/* borrowed.c: a component with an import for a handler. */
#include <tenon/component.h>

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(tn_component),
    .stop = (void (*)(void *, const struct tn_turn *))(void (*)(void))tn_yield,
};
