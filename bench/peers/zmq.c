/* zmq.c: what ZeroMQ's sockets cost: inproc between threads, ipc between processes; see peer.h.
 *
 * Contexts for inproc have no I/O thread, as the manual advises. Where one CPU does all, one thread
 * drives both sockets in turn, which is the best case there; `_threads` is between two. */
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/peers/sockets.h"

enum { BATCH = 256 };

static void *context;

static void *open_socket(int type, const char *bind_at, const char *connect_to)
{
    int zero = 0;
    void *socket = zmq_socket(context, type);
    PEER_CHECK(socket != NULL);
    /* No bound: the peer's fastest, and nothing waits for room. */
    PEER_CHECK(zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, sizeof(zero)) == 0);
    PEER_CHECK(zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, sizeof(zero)) == 0);
    PEER_CHECK(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero)) == 0);
    PEER_CHECK(bind_at == NULL || zmq_bind(socket, bind_at) == 0);
    PEER_CHECK(connect_to == NULL || zmq_connect(socket, connect_to) == 0);
    return socket;
}

static void put(void *socket, uint64_t number)
{
    PEER_CHECK(zmq_send(socket, &number, sizeof(number), 0) == sizeof(number));
}

static uint64_t take(void *socket)
{
    uint64_t number;
    PEER_CHECK(zmq_recv(socket, &number, sizeof(number), 0) == sizeof(number));
    return number;
}

/* One thread */

static double one_thread(uint32_t batch)
{
    const char *address = fresh();
    void *a = open_socket(ZMQ_PAIR, address, NULL);
    void *b = open_socket(ZMQ_PAIR, NULL, address);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i += batch) {
        for (uint32_t j = 0; j < batch; j++)
            put(i / batch % 2 == 0 ? a : b, j);
        for (uint32_t j = 0; j < batch; j++)
            PEER_CHECK(take(i / batch % 2 == 0 ? b : a) == j);
    }
    uint64_t end_ns = now_ns();
    zmq_close(a);
    zmq_close(b);
    return (double)(end_ns - begin_ns) / (double)peer_count;
}

static double message(void)
{
    return one_thread(1) * 2; /* there and back */
}

static double message_one_way(void)
{
    return one_thread(BATCH);
}

/* Threads: `echo` answers until it gets 0. */

static void *echo(void *socket)
{
    place(1);
    uint64_t number;
    do {
        number = take(socket);
        put(socket, number);
    } while (number != 0);
    return NULL;
}

static double round_trips(int asker_type, int answerer_type)
{
    pthread_t thread;
    const char *address = fresh();
    void *answerer = open_socket(answerer_type, address, NULL);
    void *asker = open_socket(asker_type, NULL, address);
    place(0);
    PEER_CHECK(pthread_create(&thread, NULL, echo, answerer) == 0);
    uint64_t begin_ns = now_ns();
    for (uint64_t i = peer_count / 2; i-- > 0;) {
        put(asker, i);
        PEER_CHECK(take(asker) == i);
    }
    uint64_t end_ns = now_ns();
    pthread_join(thread, NULL);
    zmq_close(asker);
    zmq_close(answerer);
    return (double)(end_ns - begin_ns) / (double)(peer_count / 2);
}

static double message_threads(void)
{
    return round_trips(ZMQ_PAIR, ZMQ_PAIR);
}

static double call(void)
{
    return round_trips(ZMQ_REQ, ZMQ_REP);
}

static uint64_t each;

static void *produce(void *socket)
{
    place(1);
    for (uint64_t i = 0; i < each; i++)
        put(socket, i);
    return NULL;
}

static double pour(uint32_t producers)
{
    pthread_t threads[PRODUCERS];
    void *from[PRODUCERS];
    const char *address = fresh();
    void *to = open_socket(ZMQ_PULL, address, NULL);
    each = peer_count / producers;
    place(0);
    for (uint32_t i = 0; i < producers; i++)
        from[i] = open_socket(ZMQ_PUSH, NULL, address);
    uint64_t begin_ns = now_ns();
    for (uint32_t i = 0; i < producers; i++)
        PEER_CHECK(pthread_create(&threads[i], NULL, produce, from[i]) == 0);
    for (uint64_t i = 0; i < each * producers; i++)
        (void)take(to);
    uint64_t end_ns = now_ns();
    for (uint32_t i = 0; i < producers; i++) {
        pthread_join(threads[i], NULL);
        zmq_close(from[i]);
    }
    zmq_close(to);
    return (double)(end_ns - begin_ns) / (double)(each * producers);
}

static double pour_one(void)
{
    return pour(1);
}

static double pour_eight(void)
{
    return pour(PRODUCERS);
}

/* Processes: each has a context with one I/O thread; the child is forked before any is made. */

static void in_child(void)
{
    static char room[BULK_BYTES];
    context = zmq_ctx_new();
    void *data = open_socket(ZMQ_PAIR, path, NULL);
    void *orders = open_socket(ZMQ_PAIR, control, NULL);
    for (;;) {
        struct order order;
        PEER_CHECK(zmq_recv(orders, &order, sizeof(order), 0) == sizeof(order));
        if (order.job == JOB_END)
            break;
        for (uint64_t i = 0; i < order.messages; i++) {
            int got = zmq_recv(data, room, sizeof(room), 0);
            PEER_CHECK(got > 0);
            if (order.job == JOB_ECHO)
                PEER_CHECK(zmq_send(data, room, (size_t)got, 0) == got);
        }
        put(orders, 0);
    }
    zmq_close(data);
    zmq_close(orders);
    zmq_ctx_term(context);
    _exit(EXIT_SUCCESS);
}

static void *data_socket, *order_socket;

static double ordered(enum job job, size_t bytes)
{
    static char room[BULK_BYTES];
    struct order order = {job, peer_count};
    PEER_CHECK(zmq_send(order_socket, &order, sizeof(order), 0) == sizeof(order));
    uint64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < peer_count; i++) {
        PEER_CHECK(zmq_send(data_socket, room, bytes, 0) == (int)bytes);
        if (job == JOB_ECHO)
            PEER_CHECK(zmq_recv(data_socket, room, sizeof(room), 0) == (int)bytes);
    }
    (void)take(order_socket);
    return (double)(now_ns() - begin_ns) / (double)peer_count;
}

static void channels(void)
{
    snprintf(path, sizeof(path), "ipc://@bench-%d", (int)getpid());
    snprintf(control, sizeof(control), "ipc://@bench-%d-orders", (int)getpid());
    pid_t child = fork();
    PEER_CHECK(child >= 0);
    if (child == 0)
        in_child();
    context = zmq_ctx_new();
    data_socket = open_socket(ZMQ_PAIR, NULL, path);
    order_socket = open_socket(ZMQ_PAIR, NULL, control);
    peer_figure("channel_round_trip", channel_round_trip);
    peer_figure("channel_message", channel_message);
    peer_figure("channel_bulk", channel_bulk);
    struct order end = {JOB_END, 0};
    PEER_CHECK(zmq_send(order_socket, &end, sizeof(end), 0) == sizeof(end));
    PEER_CHECK(waitpid(child, NULL, 0) == child);
    zmq_close(data_socket);
    zmq_close(order_socket);
    zmq_ctx_term(context);
}

int main(void)
{
    int major, minor, patch;
    char version[PEER_TEXT_BYTES];
    zmq_version(&major, &minor, &patch);
    snprintf(version, sizeof(version), "%d.%d.%d", major, minor, patch);
    peer_begin(version);
    channels();
    context = zmq_ctx_new();
    PEER_CHECK(zmq_ctx_set(context, ZMQ_IO_THREADS, 0) == 0);
    one_cpu = placed = true;
    peer_figure("message", message);
    peer_figure("message_one_way", message_one_way);
    peer_figure("message_threads", message_threads);
    peer_figure("eight_to_one", pour_eight);
    peer_figure("call", call);
    one_cpu = placed = false;
    peer_figure("message_free", message_threads);
    peer_figure("eight_to_one_free", pour_eight);
    if (peer_cpus() > 1) {
        placed = true;
        peer_figure("message_across", message_threads);
        peer_figure("message_one_way_across", pour_one);
        peer_figure("eight_to_one_across", pour_eight);
        peer_figure("call_across", call);
    }
    zmq_ctx_term(context);
    peer_end();
    return EXIT_SUCCESS;
}
