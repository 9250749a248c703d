/* limits.h: every limit of the ABI and of the kernel that a user can meet, by name. Each has a test
 * at its edge. A limit that is set in a manifest instead is documented in docs/composition.md. */
#ifndef TENON_LIMITS_H
#define TENON_LIMITS_H

enum {
    TN_INLINE = 32,          /* bytes of arguments and handles that travel in the cell */
    TN_PACK_CAPS = 4,        /* capabilities in one message */
    TN_ARGS_MAX = 64 * 1024, /* bytes of arguments in one message */
    TN_DEPTH_MAX = 32,       /* calls nested in calls */
    TN_NAME_MAX = 63,        /* bytes of a component's, need's or interface's name */
    TN_CPUS_MAX = 64,        /* CPUs that one kernel runs on */
    TN_BLOCKING_MAX = 16,    /* components with a machine thread of their own */
    TN_COMPUTE_MAX = 16,     /* threads of the compute pool */
    TN_THREADS_MAX = TN_CPUS_MAX + TN_BLOCKING_MAX + TN_COMPUTE_MAX, /* of one kernel, in all */
    TN_PRIORITIES = 8, /* scheduling priorities, 0 the most urgent */
    TN_PRIORITY_DEFAULT = 4,
    TN_MAILBOX_DEFAULT = 64,       /* messages, where a manifest says nothing */
    TN_MAILBOX_MAX = 65536,        /* messages a manifest may ask for */
    TN_SPACE_MAX = 65536,          /* capabilities in one space */
    TN_TARGETS_MAX = 16,           /* targets of one endpoint */
    TN_ROUTE_WEIGHT_MAX = 1 << 20, /* weight of one target */
    TN_ROUTE_HASH_MAX = 256,       /* bytes of the arguments that choose a target */
    TN_FIBERS_DEFAULT = 256,       /* stacks for native turns that wait, in one kernel */
    TN_FIBER_STACK = 32 * 1024,    /* bytes of such a stack, without its guard page */
    TN_BUFFER_MAX = 1 << 30,       /* bytes of one buffer */
    TN_CHANNEL_MIN = 64,           /* bytes of records of one channel */
    TN_CHANNEL_MAX = 1 << 28,      /* likewise */
    TN_MAPS_MAX = 8,               /* buffers mapped at a time in one turn */
    TN_TURNS_MAX = 16,             /* turns of one actor at a time, where its manifest asks */
    TN_LENDERS_MAX = 255,          /* waits that lend one actor the same priority, counted */
    TN_LEND_DEPTH = 8,             /* calls down which a priority is lent */
    TN_HOOKS_MAX = 16,             /* hooks at one point of a service */
    TN_BATCH_MESSAGES = 64,        /* turns that an actor may take before others get the CPU */
};

/* ns: longest that an actor is kept from its messages by a swap of its instance, whatever deadline
 * was asked for. */
#define TN_SWAP_NS UINT64_C(60000000000)

#endif
