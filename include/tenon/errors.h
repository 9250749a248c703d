/* errors.h: Tenon's own error numbers. Negative; a positive number is the callee's, declared in its
 * interface file. The numbers are part of the ABI: they are appended to, never renumbered. */
#ifndef TENON_ERRORS_H
#define TENON_ERRORS_H

#include <stdint.h>

/* 0 is success. Every function that returns one leaves its `ret_` outputs untouched on failure. */
typedef int32_t tn_err;

/* X(name, number, text): one line an error; the text completes "NAME: ...". */
#define TN_ERRORS(X)                                                                  \
    X(TN_OK, 0, "success")                                                            \
    X(TN_EINVAL, -1, "an argument is not valid")                                      \
    X(TN_EBADCAP, -2, "no such capability: stale, null, or never granted")            \
    X(TN_ETYPE, -3, "the capability names another type of object")                    \
    X(TN_ERIGHTS, -4, "the capability lacks a right that this needs")                 \
    X(TN_EFULL, -5, "the receiver's mailbox is full")                                 \
    X(TN_ENOMEM, -6, "the memory granted is used up")                                 \
    X(TN_ENOSLOT, -7, "the capability space is full")                                 \
    X(TN_ETIME, -8, "the deadline has passed")                                        \
    X(TN_EDEADLK, -9, "the callee waits, directly or through others, for the caller") \
    X(TN_EDEPTH, -10, "calls are nested too deep")                                    \
    X(TN_EGONE, -11, "the other side is dead, or the caller gave up")                 \
    X(TN_ECANCELLED, -12, "the operation was cancelled")                              \
    X(TN_EFUEL, -13, "the fuel granted is used up")                                   \
    X(TN_ETRAP, -14, "the callee's code trapped")                                     \
    X(TN_ENOTWIRED, -15, "nothing is wired to that need")                             \
    X(TN_EMETHOD, -16, "the object has no such method")                               \
    X(TN_EARGS, -17, "the arguments do not match the interface")                      \
    X(TN_ETOOBIG, -18, "larger than the limit")                                       \
    X(TN_EAGAIN, -19, "not now: nothing was done, it may succeed later")              \
    X(TN_EBUSY, -20, "in use")                                                        \
    X(TN_ENOTFOUND, -21, "not found")                                                 \
    X(TN_EEXIST, -22, "exists already")                                               \
    X(TN_EIO, -23, "the outside failed: input or output error")                       \
    X(TN_EDENIED, -24, "policy denies it")                                            \
    X(TN_EFORMAT, -25, "the data is malformed")                                       \
    X(TN_EVERSION, -26, "the version does not match")                                 \
    X(TN_ENOSYS, -27, "not supported here")                                           \
    X(TN_ELIMIT, -28, "a named limit is reached")                                     \
    X(TN_EFAULT, -29, "a pointer or range is outside of the component's memory")      \
    X(TN_EINTERNAL, -30, "a fault of Tenon's own")                                    \
    X(TN_ESTACK, -31, "no stack for a turn that waits: all are in use")

#define TN_ERROR_ENUM(name, number, text) name = (number),
enum { TN_ERRORS(TN_ERROR_ENUM) TN_ERRORS_LAST = -31 };
#undef TN_ERROR_ENUM

#endif
