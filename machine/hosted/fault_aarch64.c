/* fault_aarch64.c: where a signal interrupted the program, on AArch64. */
#include <ucontext.h>

#include "machine/hosted/fault.h"

uint64_t fault_pc(const void *ucontext)
{
    const ucontext_t *context = ucontext;
    return context->uc_mcontext.pc;
}
