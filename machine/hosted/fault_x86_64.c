/* fault_x86_64.c: where a signal interrupted the program, on x86_64. */
#include <ucontext.h>

#include "machine/hosted/fault.h"

uint64_t fault_pc(const void *ucontext)
{
    const ucontext_t *context = ucontext;
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
}
