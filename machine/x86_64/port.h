/* port.h: instructions of x86_64 that C has no words for. */
#ifndef MACHINE_X86_64_PORT_H
#define MACHINE_X86_64_PORT_H

#include <stdint.h>

static inline void port_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void port_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t port_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t tsc_read(void)
{
    uint32_t low, high;
    /* No load before it is done after it. */
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

struct cpuid {
    uint32_t a, b, c, d;
};
static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t sub)
{
    struct cpuid id;
    __asm__ volatile("cpuid"
                     : "=a"(id.a), "=b"(id.b), "=c"(id.c), "=d"(id.d)
                     : "a"(leaf), "c"(sub));
    return id;
}

#endif
