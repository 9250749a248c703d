/* run_signals.c: signals that stop a run. They are held back in every thread and taken by one of
 * their own, so no handler runs on the small stack of a turn. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "apps/tenon/run.h"
#include "apps/tenon/term.h"
#include "base/atomic.h"

static struct {
    sigset_t set;
    pthread_t thread;
    struct boot *boot;
    atomic_u32 ended; /* set once by the main thread: whatever wakes the thread then is no stop */
} signals;

void signals_hold(void)
{
    (void)sigemptyset(&signals.set);
    (void)sigaddset(&signals.set, SIGINT);
    (void)sigaddset(&signals.set, SIGTERM);
    (void)sigaddset(&signals.set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals.set, NULL);
}

/* The end that the signal has where nobody holds it back. */
static void end_by(int number)
{
    (void)signal(number, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals.set, NULL);
    (void)raise(number);
    _Exit(128 + number);
}

static void *signals_main(void *arg)
{
    bool stopping = false;
    (void)arg;
    for (;;) {
        int number = 0;
        if (sigwait(&signals.set, &number) != 0)
            continue;
        if (at_load(&signals.ended, ACQUIRE) != 0)
            return NULL;
        if (stopping)
            end_by(number);
        stopping = true;
        if (term_is_terminal(stderr))
            say("stopping; once more ends it at once");
        boot_stop(signals.boot);
    }
}

bool signals_watch(struct boot *boot)
{
    signals.boot = boot;
    at_store(&signals.ended, 0, RELEASE); /* pthread_create publishes the rest */
    if (pthread_create(&signals.thread, NULL, signals_main, NULL) == 0)
        return true;
    say("this machine gives no thread for signals: end other processes or raise ulimit -u");
    return false;
}

void signals_end(void)
{
    at_store(&signals.ended, 1, RELEASE); /* before the signal that makes the thread look */
    (void)pthread_kill(signals.thread, SIGTERM);
    (void)pthread_join(signals.thread, NULL);
}
