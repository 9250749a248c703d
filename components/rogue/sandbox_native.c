/* sandbox_native.c: native code has no linear memory and no wall. */
#include "components/rogue/rogue_int.h"

bool sandbox_there(void)
{
    return false;
}

uint8_t *sandbox_grow(void)
{
    return NULL;
}

uint32_t sandbox_pages(void)
{
    return 0;
}

void *sandbox_beyond(void)
{
    return NULL;
}
