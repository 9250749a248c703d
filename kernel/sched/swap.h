/* swap.h: replacing the instance of an actor while it lives: pause, save_state, swap,
 * restore_state, resume.
 *
 * An actor is an identity; its instance is code and state. A swap puts another instance, which
 * whoever asks for it has made beforehand, in the place of the one there is. Mailbox, capability
 * space, timers, account and whoever waits for the actor are the identity's and stay as they are:
 * while a swap is under way messages queue, and each is taken by exactly one of the two.
 *
 * The swap belongs to the actor (actor.swap) and is driven by whoever runs it (swap_run), in the
 * pauses where a message would have its turn. save and restore are turns of the actor like others,
 * so they are metered, a guest's come in slices, and a kill is seen between them. Its states:
 *
 *   none --swap_post, by a turn that then waits--> DRAINS
 *   DRAINS --no turn is left (swap_run): LIFE_SAVE begins--> SAVES
 *   DRAINS --the same, SWAP_FRESH or the actor has failed: LIFE_RESTORE begins--> RESTORES
 *   SAVES --its turn has ended well: LIFE_RESTORE begins, in the fresh instance--> RESTORES
 *   RESTORES --its turn has ended well, and the wait is claimed (commit)--> none, fresh instance
 *   DRAINS, SAVES, RESTORES --an error, or the wait is over (roll_back)--> none, old instance
 *   any --actor_kill, when no turn is left (swap_abandon)--> none, and the actor is dead
 *
 * In DRAINS turns that wait go on and end, and none begins; with SWAP_CANCEL they are told to end
 * (every wait fails with TN_ECANCELLED, as in an actor that is killed). In RESTORES the fresh
 * instance is in place already, for it runs; it goes again if that comes to nothing.
 *
 * Who asked, and the deadline. The wait of who asked is completed once, like any other: by the
 * commit, by an error, by the deadline (swap_late) or by its own end. So a swap that is late, or
 * that nobody waits for any more, cannot commit: it loses the race for that wait and rolls back.
 * At the deadline who asked goes on; the actor serves again as soon as the turn that runs at that
 * moment has ended. save is never interrupted, for that would spoil the instance that is to go on:
 * what bounds it is its own fuel.
 *
 * Pause. A paused actor may be swapped, and an actor that is swapped may be paused: it serves when
 * both are over. The turns of the swap go on meanwhile, others do not; so a paused actor with turns
 * that wait is swapped when it is resumed in time, or not at all.
 *
 * Capabilities stay, and their handles are the same numbers, so save writes down those that the
 * next instance is to know. Where nothing is carried over nobody knows them: the fresh instance
 * keeps what the component was given and what messages that wait bring, and all else goes, replies
 * that are owed too (their callers get TN_EGONE). What a fresh instance collected before it was
 * sent away goes as well. So does what somebody puts into the space by hand in that moment.
 *
 * Invariants
 *   1. `swap` is set, and cleared, with the lock of the actor's home; while it is set no turn
 *      begins but the swap's own.
 *   2. Of the two instances one is in actor.instance and one in swap.other; when the swap is over
 *      the one that is not in place has been destroyed.
 *   3. Until the commit nothing has changed that the old instance could see. */
#ifndef KERNEL_SCHED_SWAP_H
#define KERNEL_SCHED_SWAP_H

#include "kernel/sched/cpu.h"

enum swap_flag {
    SWAP_CANCEL = 1, /* turns that wait are told to end instead of being waited for */
    SWAP_FRESH = 2,  /* no state is carried over: load and start, not restore */
};

/* The cookie of a LIFE_RESTORE that has no state to restore: load, then start. */
#define SWAP_NO_STATE UINT64_MAX

/* Asks the actor to take `fresh`, an instance made for it, before `deadline`. The turn has a wait
 * open, which is completed with how it went: TN_OK; what save or restore said; TN_ETOOBIG (save),
 * TN_EVERSION (nothing that restores), TN_ENOMEM, TN_ETRAP, TN_EFUEL, TN_ETIME, TN_EGONE (killed).
 * `fresh` is the actor's from now on. TN_EBUSY (another swap is under way), TN_EAGAIN (not started
 * yet), TN_EGONE, TN_ENOMEM: nothing was asked, and `fresh` is the caller's. Outside. */
tn_err swap_post(struct cpu *cpu, struct turn *turn, struct actor *actor, struct instance *fresh,
                 uint32_t flags, tn_time deadline);

/* For domains. In a turn of LIFE_SAVE, once: what the component's save said, and on success the
 * bytes and handles that it left, which are copied, and its state_version. Not called: it has no
 * save, and the next instance starts afresh. */
void swap_saved(struct turn *turn, tn_err err, uint32_t state_version, const struct tn_pack *out);
/* In a turn of LIFE_RESTORE (arguments: the state; cookie: the version that saved it, or
 * SWAP_NO_STATE), once: what load said, or else restore or start. */
void swap_restored(struct turn *turn, tn_err err);

#endif
