/* relax_x86_64.c: what a spinning x86_64 CPU does. */
#include "kernel/machine.h"

void machine_relax(void)
{
    __builtin_ia32_pause();
}
