/* kit.c: the place of a kernel around one component. */
#include "components/test/kit.h"

#include <stdlib.h>
#include <tenon/interface.h>

kit_answer kit_other;

static void *state;

void kit_start(void)
{
    kit_stop();
    state = calloc(1, tn_component.state_size);
    assert_non_null(state);
    if (tn_component.start != NULL)
        assert_int_equal(tn_component.start(state, &(struct tn_turn){0}), TN_OK);
}

void kit_stop(void)
{
    free(state);
    state = NULL;
}

tn_err tn_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    (void)name;
    assert_in_range(len, 1, TN_NAME_MAX);
    *ret_cap = KIT_OTHER;
    return TN_OK;
}

tn_err tn_call(tn_cap to, uint32_t method, const struct tn_pack *in, struct tn_pack *ret_out,
               tn_time deadline)
{
    (void)deadline;
    const struct tn_method *m = tn_method_by_number(method);
    struct tn_turn turn = {.method = method};
    struct tn_pack none = {0}, *out = ret_out != NULL ? ret_out : &none;
    uint32_t accepted = out->ncaps;
    assert_non_null(m);
    assert_int_equal(tn_layout_check(&m->args, in->data, in->len, in->ncaps), TN_OK);
    tn_err err = TN_EGONE;
    out->ncaps = 0;
    if (to == KIT_SELF)
        err = tn_component.call(state, &turn, in, out);
    else if (kit_other != NULL)
        err = kit_other(method, in, out);
    if (err == TN_OK)
        assert_int_equal(tn_layout_check(&m->returns, out->data, out->len, out->ncaps), TN_OK);
    assert_true(out->ncaps <= accepted);
    return err;
}
