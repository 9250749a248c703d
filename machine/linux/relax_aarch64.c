/* relax_aarch64.c: what a spinning AArch64 CPU does: `isb` waits tens of cycles as x86's pause
 * does, where `yield` is over at once on most cores. */
#include "kernel/machine.h"

void machine_relax(void)
{
    __asm__ volatile("isb" ::: "memory");
}
