/* matrix.c: floating point: the product of two 128 x 128 matrices of doubles, n times. */
#include "bench/wasm/programs/program.h"

enum { SIZE = 128 };

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void)
{
    for (uint32_t i = 0; i < SIZE; i++) {
        for (uint32_t j = 0; j < SIZE; j++) {
            double sum = 0;
            for (uint32_t k = 0; k < SIZE; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    }
}

uint32_t run(uint32_t n)
{
    uint32_t state = 2463534242u, sum = 0;
    for (uint32_t i = 0; i < SIZE; i++) {
        for (uint32_t j = 0; j < SIZE; j++) {
            a[i][j] = (double)(next_random(&state) & 0xffff) / 65536.0 - 0.5;
            b[i][j] = (double)(next_random(&state) & 0xffff) / 65536.0 - 0.5;
        }
    }
    for (uint32_t round = 0; round < n; round++) {
        multiply();
        for (uint32_t i = 0; i < SIZE; i++) {
            /* The trace goes into the sum, and the product back into a, kept small. */
            sum = sum * 31 + (uint32_t)(int32_t)(c[i][i] * 1024.0);
            for (uint32_t j = 0; j < SIZE; j++)
                a[i][j] = c[i][j] * 0.125;
        }
    }
    return sum;
}
