/* watch.h: the kernel's checkers, run between the steps of the simulated machine. */
#ifndef TESTS_KIT_WATCH_H
#define TESTS_KIT_WATCH_H

#include "tests/kit/kit.h"

/* From now until the machine is set up again: what a free lock guards, of the kit's kernel and of
 * its actors, is whole; and whenever every CPU sleeps, nothing is lost or left undone. After
 * kit_boot; the kit stays where it is. */
void kit_watch(struct kit *kit);

#endif
