/* inspect.h: what `tenon inspect` tells of code. */
#ifndef APPS_TENON_INSPECT_H
#define APPS_TENON_INSPECT_H

#include "base/bytes.h"

/* Each prints what is in the bytes of that file; the exit status. */
int inspect_wasm(const char *file, struct str bytes);
int inspect_native(const char *file, struct str bytes);
/* Says what is wrong with a file; EXIT_USAGE. */
int inspect_refuse(const char *file, const char *text);

#endif
