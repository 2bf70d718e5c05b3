/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: what an operation costs a guest when there are many of a thing (docs/growth.md).
 *
 *   growload DOMID ADDRESS PORT connections SLICES SECONDS N...   at each number of open connections to an echo service
 *   growload DOMID ADDRESS PORT short COUNT PORTS  connections that end at once, from PORTS ports (0: any)
 *   growload DOMID ADDRESS PORT tell TEXT          a datagram, until it comes back
 *   growload DOMID ADDRESS IFACE arp COUNT         questions on the interface for the address of nobody
 *
 * Prints lines of "name number" pairs: guest and dom0 are CPU time. Figures an operation of open connections are
 * the median of SLICES, each of SLICE operations, so that the clock's ticks, which are a cost a second, are not in
 * them: they are in "silence", a second in which nobody says a word, and "trickle", one in which somebody does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define MOST 20000
#define SLICES_MOST 100
#define SLICE 50
#define QUIET 30   /* seconds */
#define TRICKLE 20 /* operations a second */
#define PATIENCE 5000
#define BLOCK 64

static struct {
    const char *domid, *address, *port;
    int sockets[MOST], udp;
    int count, slices, seconds;
    unsigned dice;
} load = {.dice = 1};

/* --- open connections ------------------------------------------------------------------------------------ */

static void exchange(int s)
{
    char out[BLOCK] = "?", in[BLOCK];
    struct pollfd p = {.fd = s, .events = POLLIN};
    size_t have = 0;

    if (send(s, out, sizeof(out), MSG_NOSIGNAL) != sizeof(out))
        fail("send");
    while (have < sizeof(in)) {
        ssize_t n;

        if (poll(&p, 1, PATIENCE) != 1)
            fail("no answer");
        n = recv(s, in + have, sizeof(in) - have, 0);
        if (n <= 0)
            fail("the connection has ended");
        have += (size_t)n;
    }
}

static int open_one(void)
{
    int one = 1, s = connect_to(load.address, load.port, SOCK_STREAM);

    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    exchange(s);
    return s;
}

static int any(void)
{
    load.dice = load.dice * 1103515245 + 12345;
    return (int)((load.dice >> 8) % (unsigned)load.count);
}

static void ask_udp(void)
{
    exchange(load.udp);
}

static void ask_any(void)
{
    exchange(load.sockets[any()]);
}

/* One that is used again and again, beside those that are idle. */
static void ask_first(void)
{
    exchange(load.sockets[0]);
}

static void open_and_close(void)
{
    close(open_one());
}

/* Any one ends, and another takes its place. */
static void replace_any(void)
{
    int i = any();

    close(load.sockets[i]);
    load.sockets[i] = open_one();
}

static int compare(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, void (*operation)(void))
{
    long long slices[SLICES_MOST];

    operation();
    for (int i = 0; i < load.slices; i++) {
        struct counts counts = {0};

        clocks_start(&counts, load.domid);
        for (int n = 0; n < SLICE; n++)
            operation();
        clocks_stop(&counts, load.domid);
        slices[i] = counts.guest / SLICE;
    }
    qsort(slices, (size_t)load.slices, sizeof(slices[0]), compare);
    printf(" %s %lld", name, slices[load.slices / 2]);
}

static void measure_silence(void)
{
    struct counts counts = {0};

    sleep((unsigned)load.seconds); /* for what the operations before have left to do */
    clocks_start(&counts, load.domid);
    sleep((unsigned)load.seconds);
    clocks_stop(&counts, load.domid);
    printf(" silence %lld", counts.guest / load.seconds);
}

static void measure_trickle(void)
{
    struct counts counts = {0};

    clocks_start(&counts, load.domid);
    for (int i = 0; i < load.seconds * TRICKLE; i++) {
        ask_first();
        usleep(1000000 / TRICKLE);
    }
    clocks_stop(&counts, load.domid);
    printf(" trickle %lld", counts.guest / load.seconds);
}

static void connections(int count, char **numbers)
{
    struct rlimit files = {MOST + 100, MOST + 100};

    if (setrlimit(RLIMIT_NOFILE, &files))
        fail("setrlimit");
    load.udp = connect_to(load.address, load.port, SOCK_DGRAM);
    for (; count; count--, numbers++) {
        while (load.count < atoi(*numbers) && load.count < MOST)
            load.sockets[load.count++] = open_one();
        printf("connections %d", load.count);
        measure("udp", ask_udp);
        measure("first", ask_first);
        measure("any", ask_any);
        measure("open", open_and_close);
        measure("replace", replace_any);
        if (load.seconds) {
            measure_silence();
            measure_trickle();
        }
        printf("\n");
        fflush(stdout);
    }
}

/* --- connections that end at once ------------------------------------------------------------------------ */

/* Until the server has closed, if it does it first, or until what was sent has come back. */
static void one_short(int port, bool server_closes)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(load.port))};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 30};
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    char in[BLOCK];

    inet_pton(AF_INET, load.address, &to.sin_addr);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (port && bind(s, (struct sockaddr *)&from, sizeof(from)))
        fail("bind");
    if (connect(s, (struct sockaddr *)&to, sizeof(to)))
        fail("connect");
    if (!server_closes)
        exchange(s);
    else
        while (recv(s, in, sizeof(in), 0) > 0)
            ;
    close(s);
}

static void short_ones(long count, int ports)
{
    struct latencies latencies = {0};
    struct counts counts = {0};

    clocks_start(&counts, load.domid);
    for (long i = 0; i < count; i++) {
        long long began = now();

        one_short(ports ? 20000 + (int)(i % ports) : 0, ports != 0);
        latency_add(&latencies, now() - began);
        counts.answered++;
    }
    clocks_stop(&counts, load.domid);
    report(&counts, &latencies);
}

/* --- one datagram, and noise ----------------------------------------------------------------------------- */

static void tell(const char *text)
{
    int s = connect_to(load.address, load.port, SOCK_DGRAM);
    struct pollfd p = {.fd = s, .events = POLLIN};
    struct counts counts = {0};
    char in[256];
    ssize_t n;

    clocks_start(&counts, load.domid);
    if (send(s, text, strlen(text), 0) < 0 || poll(&p, 1, 600000) != 1)
        fail("no answer");
    n = recv(s, in, sizeof(in), 0);
    clocks_stop(&counts, load.domid);
    if (n != (ssize_t)strlen(text) || memcmp(in, text, (size_t)n)) {
        fprintf(stderr, "%s: %.*s\n", text, (int)(n < 0 ? 0 : n), in);
        exit(1);
    }
    printf("guest %lld dom0 %lld\n", counts.guest, counts.dom0);
}

static void ask_for_nobody(long count)
{
    unsigned char frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 8, 6,
                               0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0, 0, 0, 9};
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(load.port)};
    struct counts counts = {0};
    int s = socket(AF_PACKET, SOCK_RAW, htons(0x0806));

    if (s < 0 || bind(s, (struct sockaddr *)&to, sizeof(to)))
        fail(load.port);
    inet_pton(AF_INET, "10.0.2.250", frame + 28);
    inet_pton(AF_INET, "10.0.2.251", frame + 38);
    clocks_start(&counts, load.domid);
    for (long i = 0; i < count; i++) {
        if (send(s, frame, sizeof(frame), 0) < 0)
            fail("send");
        usleep(1000); /* each for itself: nothing is lost, nothing shared */
    }
    clocks_stop(&counts, load.domid);
    printf("guest %lld dom0 %lld\n", counts.guest / count, counts.dom0 / count);
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    load.domid = argv[1];
    load.address = argv[2];
    load.port = argv[3];
    if (!strcmp(argv[4], "connections") && argc > 7) {
        load.slices = atoi(argv[5]);
        load.seconds = atoi(argv[6]);
        if (load.slices < 1 || load.slices > SLICES_MOST)
            return 2;
        connections(argc - 7, argv + 7);
    } else if (!strcmp(argv[4], "short") && argc == 7)
        short_ones(atol(argv[5]), atoi(argv[6]));
    else if (!strcmp(argv[4], "tell"))
        tell(argv[5]);
    else if (!strcmp(argv[4], "arp"))
        ask_for_nobody(atol(argv[5]));
    else
        return 2;
    return 0;
}
