/* mem.h: memcpy, memmove, memset and memcmp for components.
 *
 * A compiler calls these four even in code that names none of them, and a component may import
 * nothing but tn_*: so it links the definitions of sdk/memfn.c (native) or sdk/memfn_wasm.c. The
 * kernel and hosted programs do not: theirs come from the machine or from libc. */
#ifndef SDK_MEM_H
#define SDK_MEM_H

#include "base/bytes.h"

#endif
