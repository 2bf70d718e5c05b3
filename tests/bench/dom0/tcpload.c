/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: load over TCP, WARM operations unmeasured and then COUNT measured.
 *
 *   tcpload DOMID ADDRESS PORT WINDOW WARM COUNT each:FILE    a connection for each query
 *   tcpload DOMID ADDRESS PORT WINDOW WARM COUNT kept:FILE    a query in flight on each connection
 *   tcpload DOMID ADDRESS PORT 1 WARM COUNT echo:             COUNT KiB to an echo service and back
 *
 * WINDOW connections are open side by side. FILE has dnsperf's "NAME TYPE" lines. Prints what
 * report() prints; lost are connections that failed, good the answers that are right: is_answer(). What comes back from
 * an echo service is compared with what was sent; it ends at the first difference.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define WINDOW_MAX 512
#define BLOCK 65536
#define KIB 1024
#define PERIOD 65521  /* of what is sent: prime, so that no page and no segment is like another */
#define PATIENCE 5000 /* milliseconds without any progress */

struct connection {
    long long started;
    const struct message *query;
    size_t have; /* bytes of the answer, its length included */
    bool asked;
    unsigned char in[2 + MESSAGE_MAX];
};

static struct {
    struct addrinfo *to;
    long window, left; /* operations not yet begun */
    bool keep;
    size_t next;
    struct messages messages;
    struct counts counts;
    struct latencies latencies;
    struct connection connections[WINDOW_MAX];
    struct pollfd polls[WINDOW_MAX];
} load;

static void open_connection(long i)
{
    int one = 1, s = socket(load.to->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (s < 0)
        fail("socket");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(s, load.to->ai_addr, load.to->ai_addrlen) && errno != EINPROGRESS)
        fail("connect");
    load.polls[i] = (struct pollfd){.fd = s, .events = POLLOUT};
}

/* Starts the next operation on slot i, if any is left. */
static bool begin(long i)
{
    struct connection *c = &load.connections[i];

    load.polls[i].events = 0;
    if (load.left == 0)
        return false;
    load.left--;
    c->have = 0;
    c->asked = false;
    c->started = now();
    if (load.polls[i].fd < 0)
        open_connection(i);
    load.polls[i].events = POLLOUT;
    return true;
}

/* The operation on slot i is over; whether another one has begun there. */
static bool end(long i, bool failed)
{
    if (failed) {
        load.counts.lost++;
    } else {
        latency_add(&load.latencies, now() - load.connections[i].started);
        load.counts.answered++;
    }
    if (failed || !load.keep) {
        close(load.polls[i].fd);
        load.polls[i].fd = -1;
    }
    return begin(i);
}

/* These tell whether slot i is still at work. */
static bool ask(long i)
{
    const struct message *m = &load.messages.list[load.next++ % load.messages.count];
    unsigned char out[2 + 512];

    out[0] = (unsigned char)(m->size >> 8);
    out[1] = (unsigned char)m->size;
    memcpy(out + 2, m->data, m->size);
    if (send(load.polls[i].fd, out, m->size + 2, MSG_NOSIGNAL) != (ssize_t)m->size + 2)
        return end(i, true);
    load.connections[i].query = m;
    load.connections[i].asked = true;
    load.polls[i].events = POLLIN;
    return true;
}

static bool read_answer(long i)
{
    struct connection *c = &load.connections[i];
    ssize_t n = recv(load.polls[i].fd, c->in + c->have, sizeof(c->in) - c->have, MSG_DONTWAIT);
    size_t size;

    if (n <= 0)
        return (n < 0 && errno == EAGAIN) || end(i, true);
    c->have += (size_t)n;
    size = c->have < 2 ? MESSAGE_MAX : 2 + ((size_t)c->in[0] << 8 | c->in[1]);
    if (c->have < size)
        return true;
    load.counts.bytes += (long long)size - 2;
    load.counts.good += is_answer(c->query, c->in + 2, size - 2, 0);
    return end(i, false);
}

static void run_queries(long count)
{
    long active = 0;

    load.left = count;
    for (long i = 0; i < load.window; i++)
        active += begin(i);
    while (active > 0) {
        int ready = poll(load.polls, (nfds_t)load.window, PATIENCE);

        for (long i = 0; i < load.window; i++) {
            if (!load.polls[i].events)
                continue;
            if (ready == 0)
                active -= !end(i, true);
            else if (load.polls[i].revents)
                active -= !(load.connections[i].asked ? read_answer(i) : ask(i));
        }
    }
}

/* An echo service stops reading when nobody reads what it writes: so both at a time. */
static void run_echo(long count)
{
    static unsigned char out[PERIOD + BLOCK], in[BLOCK];
    long long sent = 0, total = (long long)count * KIB;
    int s = load.polls[0].fd;

    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (unsigned char)((i % PERIOD) * 2654435761U >> 24);
    load.counts.bytes = 0;
    while (load.counts.bytes < total) {
        struct pollfd p = {.fd = s, .events = (short)(POLLIN | (sent < total ? POLLOUT : 0))};
        ssize_t n;

        if (poll(&p, 1, PATIENCE) <= 0)
            fail("no progress");
        if (sent < total) {
            size_t left = total - sent < BLOCK ? (size_t)(total - sent) : BLOCK;

            n = send(s, out + sent % PERIOD, left, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? n : 0;
        }
        while ((n = recv(s, in, sizeof(in), MSG_DONTWAIT)) > 0) {
            if (memcmp(in, out + load.counts.bytes % PERIOD, (size_t)n) != 0) {
                fprintf(stderr, "not what was sent, within %zd bytes from byte %lld\n", n,
                        load.counts.bytes);
                exit(1);
            }
            load.counts.bytes += n;
        }
        if (n == 0)
            fail("the service has closed the connection");
    }
    load.counts.good = load.counts.answered = count;
}

int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    void (*run)(long count) = run_queries;

    if (argc != 8 || !strchr(argv[7], ':'))
        return 2;
    load.window = atol(argv[4]);
    load.keep = !strncmp(argv[7], "kept:", 5);
    if (load.window < 1 || load.window > WINDOW_MAX)
        return 2;
    if (getaddrinfo(argv[2], argv[3], &hints, &load.to))
        fail(argv[2]);
    for (long i = 0; i < load.window; i++)
        load.polls[i].fd = -1;
    if (!strncmp(argv[7], "echo:", 5)) {
        run = run_echo;
        load.polls[0].fd = connect_to(argv[2], argv[3], SOCK_STREAM);
    } else {
        read_queries(&load.messages, strchr(argv[7], ':') + 1, false);
    }
    run(atol(argv[5]));
    load.counts = (struct counts){0};
    load.latencies.count = 0;
    clocks_start(&load.counts, argv[1]);
    run(atol(argv[6]));
    clocks_stop(&load.counts, argv[1]);
    report(&load.counts, &load.latencies);
    return 0;
}
