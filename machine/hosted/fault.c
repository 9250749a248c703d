/* fault.c: telling a stack overflow from another fault, async-signal-safe. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "kernel/machine.h"
#include "machine/hosted/fault.h"
#include "machine/hosted/memory.h"

/* Room for the register state of any CPU (AT_MINSIGSTKSZ is about 11 KiB with AMX) and for a
 * handler built with sanitizers. */
enum { FAULT_STACK_BYTES = 128 * 1024, FAULT_TEXT_BYTES = 256 };

static struct {
    bool installed;
    void (*say_more)(void);
    struct sigaction former_segv, former_bus;
} faults;

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

static char *put_hex(char *at, uint64_t value)
{
    at = put_text(at, "0x");
    int shift = 60;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

static void fault_say(int sig, uint64_t address, uint64_t pc)
{
    char text[FAULT_TEXT_BYTES], *end = text;
    if (stack_guards(address)) {
        end = put_text(end, "tenon: stack overflow of a native turn: guard page touched at ");
        end = put_hex(end, address);
        end = put_text(end, ", pc ");
        end = put_hex(end, pc);
        end = put_text(end, "; use less stack there\n");
    } else {
        end = put_text(end, sig == SIGBUS ? "tenon: bus error at " : "tenon: memory fault at ");
        end = put_hex(end, address);
        end = put_text(end, ", pc ");
        end = put_hex(end, pc);
        end = put_text(end, "\n");
    }
    machine_console(text, (size_t)(end - text));
}

static void fault_handler(int sig, siginfo_t *info, void *ucontext)
{
    fault_say(sig, (uint64_t)(uintptr_t)info->si_addr, fault_pc(ucontext));
    if (faults.say_more != NULL)
        faults.say_more();
    (void)sigaction(SIGSEGV, &faults.former_segv, NULL);
    (void)sigaction(SIGBUS, &faults.former_bus, NULL);
    /* Returning repeats the access that failed, now with the former action. A signal that somebody
     * sent does not come back by itself; it is blocked in here and arrives on return. */
    if (info->si_code <= 0)
        (void)raise(sig);
}

int fault_init(void (*say_more)(void))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = fault_handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    (void)sigemptyset(&action.sa_mask);
    if (faults.installed)
        return -EBUSY;
    faults.say_more = say_more;
    if (sigaction(SIGSEGV, &action, &faults.former_segv) != 0)
        return -errno;
    if (sigaction(SIGBUS, &action, &faults.former_bus) != 0) {
        int err = -errno;
        (void)sigaction(SIGSEGV, &faults.former_segv, NULL);
        return err;
    }
    faults.installed = true;
    return 0;
}

void fault_destroy(void)
{
    if (!faults.installed)
        return;
    (void)sigaction(SIGSEGV, &faults.former_segv, NULL);
    (void)sigaction(SIGBUS, &faults.former_bus, NULL);
    faults.installed = false;
}

void *fault_stack_get(void)
{
    void *stack =
        mmap(NULL, FAULT_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return stack == MAP_FAILED ? NULL : stack;
}

void fault_stack_put(void *stack)
{
    if (stack != NULL)
        (void)munmap(stack, FAULT_STACK_BYTES);
}

stack_t fault_stack_use(void *stack)
{
    stack_t ours = {.ss_sp = stack, .ss_size = FAULT_STACK_BYTES}, before;
    if (sigaltstack(&ours, &before) != 0)
        machine_panic("sigaltstack refused a stack", __FILE__, __LINE__);
    return before;
}

void fault_stack_restore(const stack_t *before)
{
    if (sigaltstack(before, NULL) != 0)
        machine_panic("sigaltstack refused the former stack", __FILE__, __LINE__);
}
