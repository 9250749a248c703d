/* serial.c: the console of last resort: the first serial port of a PC, a 16550. */
#include "machine/x86_64/port.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    COM1 = 0x3f8,
    DATA = COM1,
    INTERRUPTS = COM1 + 1,
    FIFO = COM1 + 2,
    LINE = COM1 + 3,
    MODEM = COM1 + 4,
    STATUS = COM1 + 5,
    STATUS_FREE = 0x20,
    LOOKS_MAX = 100000, /* then it is not there, or stuck */
};

void serial_init(void)
{
    port_out8(INTERRUPTS, 0);
    port_out8(LINE, 0x80); /* the next two set the speed: 115200 */
    port_out8(DATA, 1);
    port_out8(INTERRUPTS, 0);
    port_out8(LINE, 0x03); /* 8 bits, no parity, 1 stop bit */
    port_out8(FIFO, 0x07);
    port_out8(MODEM, 0x03);
}

static void put(uint8_t byte)
{
    for (uint32_t i = 0; i < LOOKS_MAX && (port_in8(STATUS) & STATUS_FREE) == 0; i++)
        ;
    port_out8(DATA, byte);
}

void arch_console(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '\n')
            put('\r');
        put((uint8_t)at[i]);
    }
}
