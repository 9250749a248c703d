/* fixed.c: a component with a handler at an address that nothing relocates. */
#include <tenon/component.h>

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(tn_component),
    .stop = (void (*)(void *, const struct tn_turn *))(uintptr_t)0x1000,
};
