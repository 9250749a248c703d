/* fence_tsan.c: the words by which ThreadSanitizer learns of asymmetric fences. */
#include "base/atomic.h"

struct race_fence race_fence;
