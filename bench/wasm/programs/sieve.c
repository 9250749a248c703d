/* sieve.c: bytes in memory: the primes below a million, n times, each time from another start. */
#include "bench/wasm/programs/program.h"

enum { LIMIT = 1000000 };

static uint8_t composite[LIMIT];

static uint32_t sieve(uint32_t seed)
{
    for (uint32_t i = 0; i < LIMIT; i++)
        composite[i] = 0;
    for (uint32_t i = 2; i * i < LIMIT; i++) {
        if (composite[i] != 0)
            continue;
        for (uint32_t k = i * i; k < LIMIT; k += i)
            composite[k] = 1;
    }
    uint32_t sum = seed;
    for (uint32_t i = 2; i < LIMIT; i++) {
        if (composite[i] == 0)
            sum = sum * 31 + i;
    }
    return sum;
}

uint32_t run(uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum = sieve(sum + i);
    return sum;
}
