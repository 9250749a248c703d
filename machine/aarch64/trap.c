/* trap.c: exceptions and interrupts on AArch64 (ARM DDI 0487, D1 and D17.2.37). They run on SP_EL1
 * with interrupts off; code runs on SP_EL0, so a stack that has overflowed can be told of. */
#include "base/bits.h"
#include "machine/aarch64/aarch64_int.h"

enum {
    KIND_SYNC = 0,
    KIND_INTERRUPT = 1,
    KIND_ERROR = 3,
    CLASS_SHIFT = 26,
    CLASS_UNKNOWN = 0x00,
    CLASS_FETCH = 0x21,
    CLASS_PC = 0x22,
    CLASS_DATA = 0x25,
    CLASS_SP = 0x26,
    CLASS_BREAK = 0x3c,
    STATUS_MASK = 0x3c, /* without the level */
    STATUS_NOTHING = 0x04,
    STATUS_REFUSED = 0x0c,
    STATUS_ADDRESS = 0x00,
    STATUS_ALIGNED = 0x20,
    SYNDROME_WRITE = 1 << 6,
};

static uint32_t class_of(const struct trap_frame *frame)
{
    return frame->syndrome >> CLASS_SHIFT & 0x3f;
}

static const char *data_abort_name(uint64_t syndrome)
{
    bool write = (syndrome & SYNDROME_WRITE) != 0;
    switch (syndrome & STATUS_MASK) {
    case STATUS_NOTHING:
        return write ? "data abort: written, nothing there" : "data abort: read, nothing there";
    case STATUS_REFUSED:
        return write ? "data abort: read only, written" : "data abort: read, not allowed";
    case STATUS_ADDRESS:
        return "data abort: no address";
    case STATUS_ALIGNED:
        return "data abort: not aligned";
    default:
        return "data abort";
    }
}

static const char *fetch_abort_name(uint64_t syndrome)
{
    switch (syndrome & STATUS_MASK) {
    case STATUS_NOTHING:
        return "instruction abort: executed, nothing there";
    case STATUS_REFUSED:
        return "instruction abort: no code, executed";
    default:
        return "instruction abort";
    }
}

static const char *name_of(uint64_t kind, const struct trap_frame *frame)
{
    if (kind == KIND_ERROR)
        return "system error";
    if (kind != KIND_SYNC && kind != 4)
        return "unexpected exception";
    switch (class_of(frame)) {
    case CLASS_UNKNOWN:
        return "undefined instruction";
    case CLASS_FETCH:
        return fetch_abort_name(frame->syndrome);
    case CLASS_PC:
        return "program counter not aligned";
    case CLASS_DATA:
        return data_abort_name(frame->syndrome);
    case CLASS_SP:
        return "stack pointer not aligned";
    case CLASS_BREAK:
        return "breakpoint instruction";
    default:
        return "unexpected exception";
    }
}

static void tell(uint64_t kind, const struct trap_frame *frame)
{
    static const char *const names[] = {
        "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",     "x10", "x11",
        "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",    "x22", "x23",
        "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "pstate", "esr"};
    uint32_t class = class_of(frame);
    const struct bare_fault fault = {
        .what = name_of(kind, frame),
        .has_address = class == CLASS_DATA || class == CLASS_FETCH,
        .address = frame->address,
        .pc = frame->pc,
        .sp = frame->sp,
        .frame_pointer = frame->x[29],
        /* A call to where no code is has left its return address and nothing else. */
        .link = class == CLASS_FETCH || class == CLASS_PC ? frame->x[30] : 0,
        .names = names,
        .values = frame->x, /* all of the frame but the last */
        .nvalues = ARRAY_LEN(names),
    };
    bare_fault(&fault);
}

static void interrupt(void)
{
    for (uint32_t irq = gic_begin(); !gic_is_none(irq); irq = gic_begin()) {
        uint32_t number = irq & 0x3ff;
        if (number == board.timer_irq)
            SYSTEM_WRITE(cntv_ctl_el0, 2); /* masked; that a halt ends is all that it is for */
        gic_end(irq);
        if (number == IPI_ASK)
            bare_ipi();
        else if (number == IPI_STOP)
            arch_stop();
    }
}

void trap_handle(uint64_t kind, struct trap_frame *frame)
{
    if (kind == KIND_INTERRUPT) {
        interrupt();
        return;
    }
    if (kind == KIND_SYNC && class_of(frame) == CLASS_DATA &&
        (frame->syndrome & STATUS_MASK) == STATUS_NOTHING && bare_touched(frame->address))
        return;
    if (class_of(frame) == CLASS_UNKNOWN && exit_not_taken()) {
        frame->pc += 4;
        return;
    }
    tell(kind, frame);
}
