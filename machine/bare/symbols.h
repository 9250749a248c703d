/* symbols.h: names of the functions in the image, which tools/bare_symbols links into it. */
#ifndef MACHINE_BARE_SYMBOLS_H
#define MACHINE_BARE_SYMBOLS_H

#include <stdint.h>

/* The function that `pc` is in, and how far behind its beginning; NULL where there is none. Any. */
const char *symbol_find(uint64_t pc, uint64_t *ret_off);

#endif
