/* run_native.h: where run_native.c gets its component from; one of two files implements it. */
#ifndef TESTS_DOMAINS_RUN_NATIVE_H
#define TESTS_DOMAINS_RUN_NATIVE_H

#include <tenon/component.h>

/* NULL, and a word on standard error, when there is none. */
const struct tn_component *find_component(const char *path);

#endif
