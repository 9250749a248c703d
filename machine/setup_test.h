/* setup_test.h: how contract_test.c gets a machine, whichever it is. */
#ifndef MACHINE_SETUP_TEST_H
#define MACHINE_SETUP_TEST_H

#include <stdint.h>

/* 0, or a negative errno. */
int setup_machine(uint32_t cpus, uint64_t memory_bytes);
void setup_end(void);

#endif
