/* kit.h: one component on its own, for its unit test: the client stubs of its interfaces call it,
 * and the test answers what it calls. Both sides' bytes are checked as the runtime would. */
#ifndef COMPONENTS_TEST_KIT_H
#define COMPONENTS_TEST_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before itself */
#include <cmocka.h>
#include <tenon/component.h>

enum { KIT_SELF = 1, KIT_OTHER = 2 }; /* capabilities: to the component, and what it is wired to */

/* Starts a component anew; every need of it is wired to KIT_OTHER. */
void kit_start(void);
void kit_stop(void);

/* What the test answers for KIT_OTHER; NULL: TN_EGONE. */
typedef tn_err (*kit_answer)(uint32_t method, const struct tn_pack *in, struct tn_pack *out);
extern kit_answer kit_other;

#endif
