/* drivers.h: the drivers for Linux that a program can hold. Each is an ordinary component, compiled
 * in; the composition gives it a mailbox, grants (tenon/driver.h) and, where said, needs.
 *
 * files   tenon.file. Grants of kind FILE and DIRECTORY. Need "self": its own endpoint, unbadged,
 *         with all rights, if there is a grant of a directory. It blocks, and says where
 *         (tn_block_begin).
 * clock   tenon.clock. No grants.
 * random  tenon.random. No grants.
 * log     tenon.log, on standard error. Grants of kind NAME say who has which badge.
 * log_errors  the same, of which only what is an error is shown. */
#ifndef DRIVERS_LINUX_DRIVERS_H
#define DRIVERS_LINUX_DRIVERS_H

#include <tenon/driver.h>

extern const struct tn_component driver_linux_files;
extern const struct tn_component driver_linux_clock;
extern const struct tn_component driver_linux_random;
extern const struct tn_component driver_linux_log;
extern const struct tn_component driver_linux_log_errors;

#endif
