/* abi.c: a component for another version of the ABI. */
#include <tenon/component.h>

const struct tn_component tn_component = {.abi = TN_ABI + 1, .size = sizeof(tn_component)};
