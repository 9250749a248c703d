/* stdlib.h: nothing of it is used by the tests that run on a bare machine. */
#include <stddef.h>
