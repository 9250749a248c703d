/* clock.c: the time of day on Linux (tenon.clock). It has no state and no grants. */
#include <time.h>

#include "drivers/linux/drivers.h"
#include "interfaces/tenon_clock.h"

static tn_err clock_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)in;
    if (turn->method != TENON_CLOCK_WALL_NS)
        return TN_EMETHOD;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return TN_EIO;
    struct tenon_clock_wall_ns_reply reply = {
        .unix_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
    };
    return tenon_clock_wall_ns_reply_encode(&reply, out);
}

const struct tn_component driver_linux_clock = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .call = clock_call,
};
