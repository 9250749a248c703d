/* curves.h: what an operation costs, by how much of everything there is. */
#ifndef BENCH_CURVES_CURVES_H
#define BENCH_CURVES_CURVES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { POINTS_MAX = 8, RUNS_MAX = 101 };

/* Measures at one point, as the median of `runs`; false: there is no memory for it. */
typedef bool (*curve_fn)(uint32_t n, uint32_t runs, double *ret_value);

struct curve {
    const char *group, *name, *what, *unit;
    curve_fn measure;
    uint32_t point[POINTS_MAX]; /* until 0 */
};

/* main of a program that prints curves as JSON: NAME chooses one, NAME@N any point of it. `what` is
 * measured. */
int curves_main(int argc, char **argv, const char *what, const struct curve *curves, uint32_t n);

/* actors.c: messages among n actors. */
bool message_ring(uint32_t n, uint32_t runs, double *ret_value);
bool message_pairs(uint32_t n, uint32_t runs, double *ret_value);
bool message_ring_machine(uint32_t n, uint32_t runs, double *ret_value);
bool message_pairs_machine(uint32_t n, uint32_t runs, double *ret_value);

/* caps.c: capabilities, n below one parent. */
bool cap_lookup_any(uint32_t n, uint32_t runs, double *ret_value);
bool cap_mint_more(uint32_t n, uint32_t runs, double *ret_value);
bool cap_delete_any(uint32_t n, uint32_t runs, double *ret_value);
bool cap_revoke_all(uint32_t n, uint32_t runs, double *ret_value);
bool cap_machine(uint32_t n, uint32_t runs, double *ret_value);

/* alarms.c: n timers. */
bool timer_set_any(uint32_t n, uint32_t runs, double *ret_value);
bool timer_fire_some(uint32_t n, uint32_t runs, double *ret_value);
bool timer_fire_all(uint32_t n, uint32_t runs, double *ret_value);
bool timer_machine(uint32_t n, uint32_t runs, double *ret_value);

/* A machine of one CPU with this much memory; false when that is not free. */
bool curves_open(uint64_t bytes);
void curves_close(void);

/* chase.c: what the machine takes to go through as much memory, one line behind the other, each of
 * which says where the next is: n things in a random order, of `bytes` each, and in each of them so
 * many lines, spread over as many `pieces`. ns a thing. */
struct chase {
    uint64_t bytes;
    uint32_t lines, pieces;
};
bool chase(const struct chase *what, uint32_t n, uint32_t runs, double *ret_value);

#endif
