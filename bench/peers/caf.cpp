/* caf.cpp: what actors, requests and timers of the C++ Actor Framework cost; see peer.h.
 *
 *   caf one | free | across | bytes
 *
 *   one     one worker, all bound to one CPU; CPU time of the process
 *   free    a worker a CPU, placement left to the runtime; wall-clock time
 *   across  actors with threads of their own, each bound to a CPU; wall-clock time
 *   spin    the other way to force them apart: two workers that spin and do not steal, and senders
 *           outside any worker's context, whose wake-ups the runtime deals out in turn
 *   bytes   what malloc has handed out for idle actors */
#include <atomic>
#include <malloc.h>
#include <memory>
#include <sys/prctl.h>
#include <vector>

#include <caf/all.hpp>

#include "bench/peers/peer.h"

using namespace caf;

namespace
{

constexpr uint64_t batch = 256;
constexpr uint64_t producers = 8, ring_actors = 1000;
constexpr uint64_t actors = 100000, timers = 1000000;
auto timers_ahead = std::chrono::seconds(1);

using go_atom = atom_constant<atom("go")>;
using stop_atom = atom_constant<atom("stop")>;

enum class mode { one, free, across, spin, bytes };
mode now_mode;
actor_system *sys;
uint64_t begin_ns, end_ns;
std::atomic<bool> done;

uint64_t now_ns()
{
    return now_mode == mode::one ? peer_cpu_ns() : peer_wall_ns();
}

double per(uint64_t operations)
{
    return static_cast<double>(end_ns - begin_ns) / static_cast<double>(operations);
}

void finish()
{
    end_ns = now_ns();
    done = true;
    done.notify_one();
}

void await_done()
{
    done.wait(false);
    done = false;
    sys->await_all_actors_done();
}

/* Where the mode says that threads are forced apart, each actor has its own, bound to `cpu`. */
template <class Actor = event_based_actor, class F, class... Args>
actor start(int cpu, F function, Args... args)
{
    if (now_mode != mode::across)
        return sys->spawn(function, args...);
    return sys->spawn<detached>([=](Actor *self) -> behavior {
        peer_pin(cpu);
        return function(self, args...);
    });
}

/* Messages */

/* One sends to whom it knows: `to` is set by the first message. */
struct bouncer_state {
    actor to;
};

void bounce_to(event_based_actor *self, const actor &to, uint64_t n)
{
    if (now_mode == mode::spin)
        anon_send(to, n);
    else
        self->send(to, n);
}

behavior bouncer_behavior(stateful_actor<bouncer_state> *self)
{
    return {
        [=](go_atom, const actor &to, bool first) {
            self->state.to = to;
            if (!first)
                return;
            begin_ns = now_ns();
            bounce_to(self, to, peer_count - 1);
        },
        [=](uint64_t n) {
            if (n > 0)
                bounce_to(self, self->state.to, n - 1);
            if (n <= 1)
                self->quit();
            if (n == 0)
                finish();
        },
    };
}

double bounce()
{
    auto a = start<stateful_actor<bouncer_state>>(0, bouncer_behavior);
    auto b = start<stateful_actor<bouncer_state>>(1, bouncer_behavior);
    anon_send(b, go_atom::value, a, false);
    anon_send(a, go_atom::value, b, true);
    a = b = nullptr;
    await_done();
    return per(peer_count / 2); /* there and back */
}

/* The last of each batch asks its producer for the next: two batches a producer are under way, so
 * the mailbox stays in the cache. Without that CAF is slower, for its mailboxes have no bound. */
behavior counter(event_based_actor *self, uint64_t n)
{
    auto left = std::make_shared<uint64_t>(n);
    return {[=](uint64_t number) {
        if (--*left == 0) {
            self->quit();
            finish();
        } else if (number % batch == 0) {
            self->send(actor_cast<actor>(self->current_sender()), go_atom::value);
        }
    }};
}

behavior pourer(event_based_actor *self, actor to, uint64_t n)
{
    auto sent = std::make_shared<uint64_t>(0);
    return {[=](go_atom) {
        for (uint64_t i = 0; i < batch && *sent < n; i++)
            self->send(to, ++*sent);
        if (*sent == n)
            self->quit();
    }};
}

double pour_of(uint64_t n)
{
    uint64_t each = peer_count / n;
    auto to = start(1, counter, each * n);
    std::vector<actor> from;
    for (uint64_t i = 0; i < n; i++)
        from.push_back(start(0, pourer, to, each));
    begin_ns = now_ns();
    for (auto &one : from) {
        anon_send(one, go_atom::value);
        anon_send(one, go_atom::value);
    }
    await_done();
    return per(each * n);
}

double pour()
{
    return pour_of(1);
}

double pour_eight()
{
    return pour_of(producers);
}

behavior passer(event_based_actor *self, actor next)
{
    return {[=](uint64_t n) {
        self->send(next, n);
        if (n == 0)
            self->quit();
    }};
}

uint64_t ring_laps()
{
    return peer_count / ring_actors;
}

behavior ring_head(event_based_actor *self)
{
    auto next = std::make_shared<actor>();
    return {
        [=](go_atom, const actor &first) {
            *next = first;
            begin_ns = now_ns();
            self->send(first, ring_laps() - 1);
        },
        [=](uint64_t n) {
            if (n > 0) {
                self->send(*next, n - 1);
                return;
            }
            *next = nullptr;
            self->quit();
            finish();
        },
    };
}

double ring()
{
    actor head = sys->spawn(ring_head), next = head;
    for (uint64_t i = 1; i < ring_actors; i++)
        next = sys->spawn(passer, next);
    anon_send(head, go_atom::value, next);
    await_done();
    return per(ring_laps() * ring_actors);
}

/* Calls */

behavior answerer(event_based_actor *)
{
    return {[](uint64_t n) { return n + 1; }};
}

void call_next(event_based_actor *self, actor to, uint64_t n)
{
    self->request(to, infinite, n).then([=](uint64_t answer) {
        if (answer < peer_count / 2) {
            call_next(self, to, answer);
            return;
        }
        anon_send_exit(to, exit_reason::user_shutdown);
        self->quit();
        finish();
    });
}

behavior caller(event_based_actor *self, actor to)
{
    return {[=](go_atom) {
        begin_ns = now_ns();
        call_next(self, to, 0);
    }};
}

double call()
{
    anon_send(start(0, caller, start(1, answerer)), go_atom::value);
    await_done();
    return per(peer_count / 2);
}

/* Timers: the runtime's clock has a thread of its own, to which both requests go. */

behavior timer_user(event_based_actor *self)
{
    return {[=](go_atom) {
        auto &clock = self->clock();
        auto far = clock.now() + std::chrono::hours(1);
        begin_ns = now_ns();
        for (uint64_t i = 0; i < peer_count; i++) {
            clock.set_ordinary_timeout(far, self, atom("far"), i);
            clock.cancel_ordinary_timeout(self, atom("far"));
        }
        self->quit();
        finish();
    }};
}

double timer()
{
    anon_send(sys->spawn(timer_user), go_atom::value);
    await_done();
    return per(peer_count);
}

/* All end at one moment: from then until the last message is taken, on the wall clock. Where it
 * came before all were set, there was too little time to set them. */
bool timers_late;

behavior timers_owner(event_based_actor *self)
{
    auto left = std::make_shared<uint64_t>(timers);
    auto until = std::make_shared<actor_clock::time_point>();
    return {
        [=](go_atom) {
            auto &clock = self->clock();
            *until = clock.now() + timers_ahead;
            for (uint64_t i = 0; i < timers; i++)
                clock.schedule_message(*until, strong_actor_ptr{self->ctrl()},
                                       make_mailbox_element(nullptr, make_message_id(), {}, i));
            timers_late = clock.now() >= *until;
        },
        [=](uint64_t) {
            if (--*left > 0)
                return;
            begin_ns = 0;
            end_ns = static_cast<uint64_t>(
                std::chrono::nanoseconds(self->clock().now() - *until).count());
            self->quit();
            done = true;
            done.notify_one();
        },
    };
}

double timer_fire()
{
    for (;;) {
        anon_send(sys->spawn(timers_owner), go_atom::value);
        await_done();
        if (!timers_late)
            return per(timers);
        timers_ahead *= 2;
    }
}

/* Actors: made until each has its behavior, killed until each is gone. */

std::atomic<uint64_t> alive;
double make_ns, destroy_ns;

struct idler_state {
    ~idler_state()
    {
        if (--alive == 0)
            finish();
    }
};

behavior idler(stateful_actor<idler_state> *)
{
    if (++alive == actors)
        finish();
    return {[](uint64_t) {}};
}

behavior maker(event_based_actor *self)
{
    auto made = std::make_shared<std::vector<actor>>();
    made->reserve(actors);
    return {
        [=](go_atom) {
            begin_ns = now_ns();
            for (uint64_t i = 0; i < actors; i++)
                made->push_back(self->spawn(idler));
        },
        [=](stop_atom) {
            begin_ns = now_ns();
            made->clear(); /* an actor that nobody can reach is destroyed: faster than an exit */
            self->quit();
        },
    };
}

double make()
{
    actor one = sys->spawn(maker);
    anon_send(one, go_atom::value);
    done.wait(false);
    make_ns = per(actors);
    done = false;
    anon_send(one, stop_atom::value);
    await_done();
    destroy_ns = per(actors);
    return make_ns;
}

double destroy()
{
    (void)make();
    return destroy_ns;
}

behavior plain(event_based_actor *)
{
    if (++alive == actors)
        finish();
    return {[](uint64_t) {}};
}

double actor_bytes()
{
    std::vector<actor> made;
    made.reserve(actors);
    alive = 0;
    size_t before = mallinfo2().uordblks;
    for (uint64_t i = 0; i < actors; i++)
        made.push_back(sys->spawn(plain));
    done.wait(false);
    size_t after = mallinfo2().uordblks;
    for (auto &one : made)
        anon_send_exit(one, exit_reason::kill);
    made.clear();
    await_done();
    return static_cast<double>(after - before) / static_cast<double>(actors);
}

void run_one()
{
    peer_figure("message", bounce);
    peer_figure("message_one_way", pour);
    peer_figure("eight_to_one", pour_eight);
    peer_figure("ring", ring);
    peer_figure("call", call);
    peer_figure("timer", timer);
    peer_figure("timer_fire", timer_fire);
    peer_figure("actor_make", make);
    peer_figure("actor_destroy", destroy);
}

void run_across()
{
    peer_figure("message_across", bounce);
    peer_figure("message_one_way_across", pour);
    peer_figure("eight_to_one_across", pour_eight);
    peer_figure("call_across", call);
}

/* Binds the workers, and with them the runtime's two other threads, to one CPU after the other. */
struct pin_hook : thread_hook {
    std::atomic<int> started{0};

    void init(actor_system &) override
    {
    }
    void thread_started() override
    {
        peer_pin(started++ % 2);
    }
    void thread_terminates() override
    {
    }
};

constexpr size_t forever = 1000000000000;

mode mode_of(const char *name)
{
    const char *names[] = {"one", "free", "across", "spin", "bytes"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(name, names[i]) == 0)
            return static_cast<mode>(i);
    }
    fprintf(stderr, "usage: caf one|free|across|spin|bytes\n");
    exit(2);
}

} // namespace

int main(int argc, char **argv)
{
    now_mode = mode_of(argc == 2 ? argv[1] : "");
    char version[PEER_TEXT_BYTES];
    snprintf(version, sizeof(version), "%d.%d.%d", CAF_MAJOR_VERSION, CAF_MINOR_VERSION,
             CAF_PATCH_VERSION);
    peer_begin(version);
    if (now_mode == mode::bytes)
        PEER_CHECK(mallopt(M_ARENA_MAX, 1) == 1);
    if (now_mode != mode::free && now_mode != mode::spin)
        peer_pin(0);
    bool workers = now_mode == mode::free || now_mode == mode::spin;
    actor_system_config config;
    config.set("scheduler.max-threads", workers ? static_cast<size_t>(peer_cpus()) : size_t{1});
    if (now_mode == mode::spin) {
        PEER_CHECK(peer_cpus() > 1);
        config.set("scheduler.max-threads", size_t{2});
        config.set("work-stealing.aggressive-poll-attempts", forever);
        config.set("work-stealing.aggressive-steal-interval", forever);
        config.add_thread_hook<pin_hook>();
    }
    actor_system system{config};
    sys = &system;
    switch (now_mode) {
    case mode::one:
        run_one();
        break;
    case mode::free:
        peer_figure("message_free", bounce);
        peer_figure("eight_to_one_free", pour_eight);
        break;
    case mode::across:
        run_across();
        break;
    case mode::spin:
        peer_figure("message_across", bounce);
        break;
    case mode::bytes:
        peer_figure("actor_bytes", actor_bytes);
        break;
    }
    peer_end();
}
