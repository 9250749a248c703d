/* link.h: binds a module's imports. */
#ifndef WASM_EXEC_LINK_H
#define WASM_EXEC_LINK_H

#include "wasm/exec/exec_int.h"

/* Does every binding fit its import? No effect. TN_EINVAL: their number is wrong; TN_ETYPE: one
 * does not fit. */
tn_err link_check(const struct wasm_module *module, const struct wasm_binding *bindings,
                  uint32_t nbindings, struct wasm_error *ret_error);
/* Binds what link_check has passed; the instance's arrays are there. */
void link_imports(struct wasm_instance *inst, const struct wasm_binding *bindings);

#endif
