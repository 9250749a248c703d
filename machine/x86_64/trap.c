/* trap.c: segments, the exception table, and what exceptions and interrupts do on x86_64.
 *
 * Each runs on a stack of its own (the interrupt stack table), so that the code that was
 * interrupted keeps all below its stack pointer, and a stack that has overflowed can be told of.
 * Interrupts are off in all of them. */
#include "base/assert.h"
#include "base/bytes.h"
#include "machine/bare/paging.h"
#include "machine/x86_64/port.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    VECTORS = 256,
    STUB_BYTES = 16,
    EXCEPTIONS = 32,
    EXCEPTION_NMI = 2,
    EXCEPTION_DOUBLE = 8,
    EXCEPTION_PAGE = 14,
    PAGE_ERROR_PRESENT = 1,
    PAGE_ERROR_WRITE = 2,
    PAGE_ERROR_FETCH = 16,
    SELECTOR_CODE = 0x08,
    SELECTOR_TASK = 0x30,
    TASK_IST = 36, /* offset of the first of the stacks in the task state */
    STACK_FAULT = 1,
    STACK_INTERRUPT = 2,
    STACK_LAST = 3, /* for what can come in the middle of the others */
    STACK_SHARE = 16 * 1024,
};

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "as the CPU reads it");

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern char trap_stubs[];
void trap_handle(struct trap_frame *frame);

static struct gate gates[VECTORS];

static const char *const exception_names[EXCEPTIONS] = {"divide error",
                                                        "debug exception",
                                                        "non-maskable interrupt",
                                                        "breakpoint",
                                                        "overflow",
                                                        "bound range exceeded",
                                                        "invalid opcode",
                                                        "device not available",
                                                        "double fault",
                                                        "coprocessor segment overrun",
                                                        "invalid task state",
                                                        "segment not present",
                                                        "stack fault",
                                                        "general protection fault",
                                                        "page fault",
                                                        "exception 15",
                                                        "floating-point error",
                                                        "alignment check",
                                                        "machine check",
                                                        "SIMD floating-point error",
                                                        "virtualization exception",
                                                        "control protection exception",
                                                        "exception 22",
                                                        "exception 23",
                                                        "exception 24",
                                                        "exception 25",
                                                        "exception 26",
                                                        "exception 27",
                                                        "hypervisor injection exception",
                                                        "VMM communication exception",
                                                        "security exception",
                                                        "exception 31"};

static uint8_t stack_of(uint32_t vector)
{
    if (vector == EXCEPTION_NMI || vector == EXCEPTION_DOUBLE)
        return STACK_LAST;
    return vector < EXCEPTIONS ? STACK_FAULT : STACK_INTERRUPT;
}

static void fill_gates(void)
{
    for (uint32_t i = 0; i < VECTORS; i++) {
        uint64_t at = (uint64_t)(uintptr_t)trap_stubs + (uint64_t)i * STUB_BYTES;
        gates[i] = (struct gate){.offset_low = (uint16_t)at,
                                 .selector = SELECTOR_CODE,
                                 .stack = stack_of(i),
                                 .type = 0x8e, /* present, interrupts off */
                                 .offset_middle = (uint16_t)(at >> 16),
                                 .offset_high = (uint32_t)(at >> 32)};
    }
}

/* Code, data; room for user mode's two; the task state, which takes two entries. */
static void fill_segments(struct percpu *self)
{
    uint64_t task = (uint64_t)(uintptr_t)self->task_state, limit = sizeof(self->task_state) - 1;
    self->gdt[1] = UINT64_C(0x00af9a000000ffff);
    self->gdt[2] = UINT64_C(0x00cf92000000ffff);
    self->gdt[6] =
        limit | (task & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (task >> 24 & 0xff) << 56;
    self->gdt[7] = task >> 32;
}

static void set_stack(struct percpu *self, uint32_t stack, const void *top)
{
    uint64_t at = (uint64_t)(uintptr_t)top;
    memcpy(self->task_state + TASK_IST + 8 * (stack - 1), &at, sizeof(at));
}

void trap_init(struct percpu *self, void *stack_top)
{
    char *top = stack_top;
    if (gates[0].type == 0)
        fill_gates();
    fill_segments(self);
    set_stack(self, STACK_FAULT, top);
    set_stack(self, STACK_INTERRUPT, top - STACK_SHARE);
    set_stack(self, STACK_LAST, top - (ptrdiff_t)2 * STACK_SHARE);
    const struct table_pointer segments = {sizeof(self->gdt) - 1, (uint64_t)(uintptr_t)self->gdt};
    const struct table_pointer exceptions = {sizeof(gates) - 1, (uint64_t)(uintptr_t)gates};
    __asm__ volatile("lgdt %0" ::"m"(segments));
    __asm__ volatile("lidt %0" ::"m"(exceptions));
    __asm__ volatile("ltr %w0" ::"r"(SELECTOR_TASK));
}

static const char *page_fault_name(const struct trap_frame *frame)
{
    bool present = (frame->error & PAGE_ERROR_PRESENT) != 0;
    if ((frame->error & PAGE_ERROR_FETCH) != 0)
        return present ? "page fault: no code, executed" : "page fault: executed, nothing there";
    if ((frame->error & PAGE_ERROR_WRITE) != 0)
        return present ? "page fault: read only, written" : "page fault: written, nothing there";
    return present ? "page fault: read, not allowed" : "page fault: read, nothing there";
}

static uint64_t fault_address(void)
{
    uint64_t at;
    __asm__ volatile("movq %%cr2, %0" : "=r"(at));
    return at;
}

static void tell(const struct trap_frame *frame)
{
    static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi",    "rdi",  "rbp",
                                        "rsp", "r8",  "r9",  "r10", "r11",    "r12",  "r13",
                                        "r14", "r15", "rip", "cs",  "rflags", "error"};
    const uint64_t values[] = {frame->rax, frame->rbx, frame->rcx, frame->rdx,    frame->rsi,
                               frame->rdi, frame->rbp, frame->rsp, frame->r8,     frame->r9,
                               frame->r10, frame->r11, frame->r12, frame->r13,    frame->r14,
                               frame->r15, frame->rip, frame->cs,  frame->rflags, frame->error};
    bool page = frame->vector == EXCEPTION_PAGE;
    /* A call to where no code is has left its return address and nothing else. */
    bool call = page && (frame->error & PAGE_ERROR_FETCH) != 0 && bare_readable(frame->rsp);
    const struct bare_fault fault = {
        .what = page                         ? page_fault_name(frame)
                : frame->vector < EXCEPTIONS ? exception_names[frame->vector]
                                             : "unexpected interrupt",
        /* A stack that overflows while an exception is served ends in a double fault. */
        .has_address = page || frame->vector == EXCEPTION_DOUBLE,
        .address = fault_address(),
        .pc = frame->rip,
        .sp = frame->rsp,
        .frame_pointer = frame->rbp,
        .link = call ? *(const uint64_t *)(uintptr_t)frame->rsp : 0,
        .names = names,
        .values = values,
        .nvalues = sizeof(values) / sizeof(values[0]),
    };
    bare_fault(&fault);
}

void trap_handle(struct trap_frame *frame)
{
    switch (frame->vector) {
    case VECTOR_TIMER: /* that a halt ends is all that it is for */
        apic_end();
        return;
    case VECTOR_IPI:
        apic_end();
        bare_ipi();
        return;
    case VECTOR_SPURIOUS:
        return;
    case EXCEPTION_NMI:
        arch_stop();
    case EXCEPTION_PAGE:
        if ((frame->error & (PAGE_ERROR_PRESENT | PAGE_ERROR_FETCH)) == 0 &&
            bare_touched(fault_address()))
            return;
        tell(frame);
        return;
    default:
        tell(frame);
    }
}
