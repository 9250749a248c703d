/* clock.c: time on x86_64: the time stamp counter and the local timers, whose speeds nothing tells,
 * measured at boot against a clock whose speed is known: the HPET, or the timer of the first PCs.
 */
#include "base/assert.h"
#include "machine/bare/scale.h"
#include "machine/x86_64/port.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    PIT_DATA = 0x40,
    PIT_COMMAND = 0x43,
    PIT_HZ = 1193182,
    PIT_LOOKS = 1000, /* in which it must have moved */
    HPET_BYTES = 0x100,
    MEASURE_PER_S = 250, /* a measurement takes 4 ms */
    SAMPLES = 5,         /* of which the tightest counts */
    TRIES = 8,           /* until two measurements agree */
    AGREE = 100,         /* within one part in so many */
    RTC_INDEX = 0x70,
    RTC_DATA = 0x71,
    RTC_LOOKS = 10000,
};
#define SECOND_NS      UINT64_C(1000000000)
#define FEMTO_PER_S    UINT64_C(1000000000000000)
#define HPET_FEMTO_MAX UINT64_C(100000000)

static struct {
    uint64_t begin;        /* time stamp at boot */
    uint64_t ns_per_tick;  /* times 2^32 */
    uint64_t count_per_ns; /* of the local timers, times 2^32 */
    uint64_t wall_ns;      /* at boot; 0: not known */
} clock;

/* What we measure by: counts up, modulo 2^bits. */
struct reference {
    uint64_t (*read)(void);
    uint64_t hz, mask;
};

static volatile uint64_t *hpet;

static uint64_t read_hpet(void)
{
    return hpet[0xf0 / 8] & UINT32_MAX;
}

static uint64_t read_pit(void)
{
    port_out8(PIT_COMMAND, 0); /* latch channel 0 */
    uint32_t low = port_in8(PIT_DATA), high = port_in8(PIT_DATA);
    return ~(high << 8 | low) & 0xffff; /* it counts down */
}

static bool moves(uint64_t (*read)(void))
{
    uint64_t first = read();
    for (uint32_t i = 0; i < PIT_LOOKS; i++)
        if (read() != first)
            return true;
    return false;
}

static bool find_reference(struct reference *ret)
{
    if (acpi.hpet_phys != 0) {
        hpet = bare_device(acpi.hpet_phys, HPET_BYTES);
        uint64_t femto = hpet[0] >> 32;
        if (femto > 0 && femto <= HPET_FEMTO_MAX) {
            hpet[0x10 / 8] |= 1; /* counts */
            *ret = (struct reference){read_hpet, FEMTO_PER_S / femto, UINT32_MAX};
            if (moves(read_hpet))
                return true;
        }
    }
    port_out8(PIT_COMMAND, 0x34); /* channel 0, both bytes, mode 2 */
    port_out8(PIT_DATA, 0);
    port_out8(PIT_DATA, 0);
    *ret = (struct reference){read_pit, PIT_HZ, 0xffff};
    return moves(read_pit);
}

struct sample {
    uint64_t tsc, reference;
    uint32_t left; /* of the local timer */
};

/* All of them at a moment, as nearly as it can be had. */
static struct sample take(const struct reference *by)
{
    struct sample best = {0};
    uint64_t tightest = UINT64_MAX;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint64_t before = tsc_read();
        struct sample now = {.reference = by->read(), .left = apic_timer_left()};
        uint64_t width = tsc_read() - before;
        now.tsc = before + width / 2;
        if (width < tightest) {
            tightest = width;
            best = now;
        }
    }
    return best;
}

struct speeds {
    uint64_t tsc_hz, timer_hz;
};

static struct speeds measure(const struct reference *by)
{
    uint64_t span = by->hz / MEASURE_PER_S, passed;
    struct sample first = take(by), last;
    do {
        last = take(by);
        passed = (last.reference - first.reference) & by->mask;
    } while (passed < span);
    return (struct speeds){(last.tsc - first.tsc) * by->hz / passed,
                           (uint64_t)(first.left - last.left) * by->hz / passed};
}

static bool agree(uint64_t a, uint64_t b)
{
    uint64_t least = a < b ? a : b, most = a < b ? b : a;
    return least > 0 && most - least <= least / AGREE;
}

/* On a system below us a measurement may be interrupted, so one alone is not believed. */
static bool measure_speeds(const struct reference *by, struct speeds *ret)
{
    apic_timer(UINT32_MAX);
    struct speeds last = measure(by);
    bool found = false;
    for (uint32_t i = 0; i < TRIES && !found; i++) {
        *ret = measure(by);
        found = agree(last.tsc_hz, ret->tsc_hz) && agree(last.timer_hz, ret->timer_hz);
        last = *ret;
    }
    apic_timer(0);
    return found;
}

static uint32_t rtc_read(uint8_t reg)
{
    port_out8(RTC_INDEX, reg);
    uint32_t value = port_in8(RTC_DATA);
    return (value >> 4) * 10 + (value & 15);
}

/* Days from 1970 to a date of the Gregorian calendar, after 2000. */
static uint64_t days_to(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint32_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    uint32_t leaps = (year - 1968) / 4; /* of 2000 and 2100 only the latter is none */
    bool leap_now = year % 4 == 0 && month <= 2;
    return (uint64_t)(year - 1970) * 365 + leaps - leap_now + before[(month - 1) % 12] + day - 1;
}

/* The clock on the board, which has seconds, in decimal digits. 0 where there is none. */
static uint64_t read_wall_ns(void)
{
    uint32_t looks = 0, second, month, day, year;
    uint64_t at;
    port_out8(RTC_INDEX, 0x0a);
    while ((port_in8(RTC_DATA) & 0x80) != 0 && looks++ < RTC_LOOKS)
        ; /* it is changing */
    do {
        second = rtc_read(0);
        month = rtc_read(8);
        day = rtc_read(7);
        year = 2000 + rtc_read(9);
        if (month < 1 || month > 12 || day < 1 || day > 31 || year > 2099)
            return 0;
        at = days_to(year, month, day) * 86400 + (uint64_t)rtc_read(4) * 3600 +
             (uint64_t)rtc_read(2) * 60 + second;
    } while (rtc_read(0) != second);
    return at * SECOND_NS;
}

void clock_init(void)
{
    struct reference by;
    struct speeds speeds;
    if (!find_reference(&by))
        bare_cannot("no timer: neither an HPET nor a PIT to measure the others by");
    if (!measure_speeds(&by, &speeds) || speeds.timer_hz > UINT32_MAX)
        bare_cannot("no timer: the speeds of the time stamp counter and the local timer cannot be "
                    "measured");
    clock.ns_per_tick = scale_factor(speeds.tsc_hz, SECOND_NS);
    clock.count_per_ns = scale_factor(SECOND_NS, speeds.timer_hz);
    clock.wall_ns = read_wall_ns();
    clock.begin = tsc_read();
}

uint64_t arch_clock_ns(void)
{
    return scale(tsc_read() - clock.begin, clock.ns_per_tick);
}

uint64_t arch_wall_ns(void)
{
    return clock.wall_ns + arch_clock_ns();
}

void clock_wait_ns(uint64_t ns)
{
    uint64_t until = arch_clock_ns() + ns;
    while (arch_clock_ns() < until)
        __builtin_ia32_pause();
}

void arch_timer_set(uint64_t at_ns)
{
    uint64_t now = arch_clock_ns(), count = 0;
    if (at_ns != UINT64_MAX)
        count = at_ns > now ? scale(at_ns - now, clock.count_per_ns) + 1 : 1;
    apic_timer(count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
}
