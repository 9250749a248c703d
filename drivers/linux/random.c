/* random.c: unpredictable bytes from the Linux kernel (tenon.random). It has no state and no
 * grants, and writes straight into the reply: no copy of the bytes stays behind. */
#include <errno.h>
#include <sys/random.h>

#include "drivers/linux/drivers.h"
#include "interfaces/tenon_random.h"

enum { RANDOM_BYTES_MAX = 65000 }; /* of tenon.random */

static tn_err random_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    if (turn->method != TENON_RANDOM_BYTES)
        return TN_EMETHOD;
    struct tenon_random_bytes_args args;
    tn_err e = tenon_random_bytes_args_decode(in, &args);
    if (e != TN_OK)
        return e;
    uint32_t room_bytes;
    uint8_t *room = tenon_random_bytes_reply_room(out, &room_bytes);
    if (args.count_bytes > RANDOM_BYTES_MAX || args.count_bytes > room_bytes)
        return TENON_RANDOM_E_TOO_MANY;
    for (uint32_t done = 0; done < args.count_bytes;) {
        ssize_t n = getrandom(room + done, args.count_bytes - done, 0);
        if (n < 0 && errno != EINTR)
            return TN_EIO;
        done += n > 0 ? (uint32_t)n : 0;
    }
    struct tenon_random_bytes_reply reply = {.data = {room, args.count_bytes}};
    return tenon_random_bytes_reply_encode(&reply, out);
}

const struct tn_component driver_linux_random = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .call = random_call,
};
