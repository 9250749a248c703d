/* run_signals.c: signals that stop a run. They are held back in every thread and taken by one of
 * their own, so no handler runs on the small stack of a turn. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "apps/tenon/run.h"
#include "apps/tenon/term.h"
#include "base/atomic.h"

/* One request to stop may arrive as several signals: timeout(1) sends one to the process and one to
 * its group. What comes this soon after the first belongs to it. */
#define SAME_REQUEST_NS UINT64_C(100000000)

static struct {
    sigset_t set;
    pthread_t thread;
    struct boot *boot;
    atomic_u32 ended; /* set once by the main thread: whatever wakes the thread then is no stop */
} signals;

void signals_hold(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    (void)sigemptyset(&signals.set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action;
        /* What nohup or a shell has us ignore stays ignored; held back, it would reach sigwait. */
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&signals.set, numbers[i]);
    }
    /* Of our own, so that signals_end can wake the thread whatever is ignored. */
    (void)sigaddset(&signals.set, SIGUSR2);
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
    uint64_t stopped_ns = 0; /* when the first came; 0: none did */
    (void)arg;
    for (;;) {
        int number = 0;
        if (sigwait(&signals.set, &number) != 0)
            continue;
        if (at_load(&signals.ended, ACQUIRE) != 0)
            return NULL;
        if (number == SIGUSR2 || (stopped_ns != 0 && run_clock_ns() - stopped_ns < SAME_REQUEST_NS))
            continue;
        if (stopped_ns != 0)
            end_by(number);
        stopped_ns = run_clock_ns();
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
    (void)pthread_kill(signals.thread, SIGUSR2);
    (void)pthread_join(signals.thread, NULL);
}
