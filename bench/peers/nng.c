/* nng.c: what nng's sockets cost: inproc between threads, ipc between processes; see peer.h.
 *
 * Messages are made once and handed on where the answer is the question; one-way messages are made
 * anew, as they must be. nng completes even what goes inproc on threads of its own. */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/sockets.h"

enum { BUFFERED = 8192 }; /* the most that nng takes */

static nng_socket open_socket(int (*opener)(nng_socket *), const char *listen_at,
                              const char *dial_to)
{
    nng_socket socket;
    PEER_CHECK(opener(&socket) == 0);
    /* Not every protocol has both buffers. */
    (void)nng_socket_set_int(socket, NNG_OPT_SENDBUF, BUFFERED);
    (void)nng_socket_set_int(socket, NNG_OPT_RECVBUF, BUFFERED);
    PEER_CHECK(listen_at == NULL || nng_listen(socket, listen_at, NULL, 0) == 0);
    PEER_CHECK(dial_to == NULL || nng_dial(socket, dial_to, NULL, 0) == 0);
    return socket;
}

static nng_msg *make(size_t bytes)
{
    nng_msg *message;
    PEER_CHECK(nng_msg_alloc(&message, bytes) == 0);
    memset(nng_msg_body(message), 1, bytes);
    return message;
}

static void put(nng_socket socket, nng_msg *message)
{
    PEER_CHECK(nng_sendmsg(socket, message, 0) == 0);
}

static nng_msg *take(nng_socket socket)
{
    nng_msg *message;
    PEER_CHECK(nng_recvmsg(socket, &message, 0) == 0);
    return message;
}

/* One thread drives both sockets in turn. */
static double one_thread(void)
{
    const char *address = fresh();
    nng_socket a = open_socket(nng_pair0_open, address, NULL);
    nng_socket b = open_socket(nng_pair0_open, NULL, address);
    nng_msg *message = make(sizeof(uint64_t));
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count / 2; i++) {
        put(a, message);
        message = take(b);
        put(b, message);
        message = take(a);
    }
    uint64_t end_ns = now_ns();
    nng_msg_free(message);
    nng_close(a);
    nng_close(b);
    return (double)(end_ns - begin_ns) / (double)(peer_count / 2);
}

/* Threads */

static nng_socket thread_socket;
static uint64_t each;

static void *echo(void *arg)
{
    (void)arg;
    place(1);
    for (uint64_t i = 0; i < peer_count / 2; i++)
        put(thread_socket, take(thread_socket));
    return NULL;
}

static double round_trips(int (*asker_opener)(nng_socket *), int (*answerer_opener)(nng_socket *))
{
    pthread_t thread;
    const char *address = fresh();
    thread_socket = open_socket(answerer_opener, address, NULL);
    nng_socket asker = open_socket(asker_opener, NULL, address);
    nng_msg *message = make(sizeof(uint64_t));
    place(0);
    PEER_CHECK(pthread_create(&thread, NULL, echo, NULL) == 0);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count / 2; i++) {
        put(asker, message);
        message = take(asker);
    }
    uint64_t end_ns = now_ns();
    pthread_join(thread, NULL);
    nng_msg_free(message);
    nng_close(asker);
    nng_close(thread_socket);
    return (double)(end_ns - begin_ns) / (double)(peer_count / 2);
}

static double message(void)
{
    return round_trips(nng_pair0_open, nng_pair0_open);
}

static double call(void)
{
    return round_trips(nng_req0_open, nng_rep0_open);
}

static void *produce(void *arg)
{
    const nng_socket *socket = arg;
    place(1);
    for (uint64_t i = 0; i < each; i++)
        put(*socket, make(sizeof(uint64_t)));
    return NULL;
}

static double pour(uint32_t producers, int (*to_opener)(nng_socket *),
                   int (*from_opener)(nng_socket *))
{
    pthread_t threads[PRODUCERS];
    nng_socket from[PRODUCERS];
    const char *address = fresh();
    nng_socket to = open_socket(to_opener, address, NULL);
    each = peer_count / producers;
    place(0);
    for (uint32_t i = 0; i < producers; i++)
        from[i] = open_socket(from_opener, NULL, address);
    uint64_t begin_ns = now_ns();
    for (uint32_t i = 0; i < producers; i++)
        PEER_CHECK(pthread_create(&threads[i], NULL, produce, &from[i]) == 0);
    for (uint64_t i = 0; i < each * producers; i++)
        nng_msg_free(take(to));
    uint64_t end_ns = now_ns();
    for (uint32_t i = 0; i < producers; i++) {
        pthread_join(threads[i], NULL);
        nng_close(from[i]);
    }
    nng_close(to);
    return (double)(end_ns - begin_ns) / (double)(each * producers);
}

static double pour_one(void)
{
    return pour(1, nng_pair0_open, nng_pair0_open); /* which has buffers at both ends */
}

static double pour_eight(void)
{
    return pour(PRODUCERS, nng_pull0_open, nng_push0_open);
}

/* Processes: the child is forked before nng starts its threads. */

static nng_socket data_socket, order_socket;

static void in_child(void)
{
    struct order order;
    data_socket = open_socket(nng_pair0_open, path, NULL);
    order_socket = open_socket(nng_pair0_open, control, NULL);
    for (;;) {
        nng_msg *got = take(order_socket);
        memcpy(&order, nng_msg_body(got), sizeof(order));
        if (order.job == JOB_END)
            break;
        for (uint64_t i = 0; i < order.messages; i++) {
            nng_msg *one = take(data_socket);
            if (order.job == JOB_ECHO)
                put(data_socket, one);
            else
                nng_msg_free(one);
        }
        put(order_socket, got);
    }
    _exit(EXIT_SUCCESS);
}

static void send_order(enum job job)
{
    struct order order = {job, peer_count};
    nng_msg *one = make(sizeof(order));
    memcpy(nng_msg_body(one), &order, sizeof(order));
    put(order_socket, one);
}

static double ordered(enum job job, size_t bytes)
{
    nng_msg *one = make(bytes);
    send_order(job);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        if (job == JOB_ECHO) {
            put(data_socket, one);
            one = take(data_socket);
        } else {
            put(data_socket, make(bytes));
        }
    }
    nng_msg_free(take(order_socket));
    uint64_t end_ns = now_ns();
    nng_msg_free(one);
    return (double)(end_ns - begin_ns) / (double)peer_count;
}

static nng_socket dial_patiently(const char *to)
{
    nng_socket socket = open_socket(nng_pair0_open, NULL, NULL);
    uint64_t begin_ns = peer_wall_ns();
    while (nng_dial(socket, to, NULL, 0) != 0)
        PEER_CHECK(peer_wall_ns() - begin_ns < UINT64_C(10000000000));
    return socket;
}

static void channels(void)
{
    snprintf(path, sizeof(path), "abstract://bench-%d", (int)getpid());
    snprintf(control, sizeof(control), "abstract://bench-%d-orders", (int)getpid());
    pid_t child = fork();
    PEER_CHECK(child >= 0);
    if (child == 0)
        in_child();
    data_socket = dial_patiently(path);
    order_socket = dial_patiently(control);
    peer_figure("channel_round_trip", channel_round_trip);
    peer_figure("channel_message", channel_message);
    peer_figure("channel_bulk", channel_bulk);
    send_order(JOB_END);
    PEER_CHECK(waitpid(child, NULL, 0) == child);
    nng_close(data_socket);
    nng_close(order_socket);
}

/* Threads that nng starts stay where the process was when it started them, so bound and unbound
 * figures are of two runs of the program. */
int main(int argc, char **argv)
{
    const char *mode = argc == 2 ? argv[1] : "";
    peer_begin(nng_version());
    if (strcmp(mode, "one") == 0) {
        one_cpu = placed = true;
        place(0);
        peer_figure("message", one_thread);
        peer_figure("message_threads", message);
        peer_figure("message_one_way", pour_one);
        peer_figure("eight_to_one", pour_eight);
        peer_figure("call", call);
    } else if (strcmp(mode, "free") == 0) {
        channels();
        peer_figure("message_free", message);
        peer_figure("eight_to_one_free", pour_eight);
    } else if (strcmp(mode, "across") == 0) {
        PEER_CHECK(peer_cpus() > 1);
        placed = true;
        peer_figure("message_across", message);
        peer_figure("message_one_way_across", pour_one);
        peer_figure("eight_to_one_across", pour_eight);
        peer_figure("call_across", call);
    } else {
        fprintf(stderr, "usage: nng one|free|across\n");
        return 2;
    }
    peer_end();
    return EXIT_SUCCESS;
}
