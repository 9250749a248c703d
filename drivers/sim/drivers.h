/* drivers.h: the drivers of machine sim that a test can hold; ordinary components, compiled in.
 *
 * files   tenon.file on a simulated disk (driver_sim_disk). Grants of kind FILE: the last part of
 * the path is the file's name. Files of at most STORE_FILE_BYTES. There are no directories, so no
 *         listing and opening. An answer may come late (seconds), or be lost: then whether the
 *         operation happened is not said, and after a minute its caller, if it still waits, gets
 *         TENON_FILE_E_IO. */
#ifndef DRIVERS_SIM_DRIVERS_H
#define DRIVERS_SIM_DRIVERS_H

#include "drivers/sim/store.h"

/* The disk of the next driver that is loaded; the caller's, of STORE_SECTORS. */
extern struct disk *driver_sim_disk;

extern const struct tn_component driver_sim_files;

#endif
