/* oversize.c: a component that says it is larger than it is. */
#include <tenon/component.h>

const struct tn_component tn_component = {.abi = TN_ABI, .size = sizeof(tn_component) + 8};
