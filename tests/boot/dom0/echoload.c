/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: keeps WINDOW datagrams of SIZE bytes in flight to an echo service until COUNT have
 * come back. An answer lets the next one go; what is missing for a second is sent again and counted
 * as lost.
 *
 *   echoload ADDRESS PORT WINDOW COUNT SIZE [HEX]    prints "answered N lost N nanoseconds N"
 *
 * With HEX it is a query that is sent, and an answer is what begins with the same two bytes (the
 * message id of DNS).
 *
 *   echoload ADDRESS PORT receive|send KIB
 *
 * Asks an iperf3 server to receive a stream of so many KiB, or to send one until it has them: apps/iperf3/control.c has
 * the protocol. Ends when it has answered with its results.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int connect_to(const char *address, const char *port, int type)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST}, *found;
    int bytes = 4 << 20, s;

    if (getaddrinfo(address, port, &hints, &found))
        return -1;
    s = socket(found->ai_family, type, 0);
    if (s < 0 || connect(s, found->ai_addr, found->ai_addrlen))
        return -1;
    if (type == SOCK_DGRAM)
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    freeaddrinfo(found);
    return s;
}

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The bytes that hex spells: how many, or -1. */
static long from_hex(const char *hex, char *out, size_t room)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n && n <= room; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return -1;
        out[i] = (char)byte;
    }
    return n <= room ? (long)n : -1;
}

/* --- an iperf3 stream --------------------------------------------------------------------- */

#define COOKIE 37 /* with the zero at its end */

static void need(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

static int open_stream(const char *address, const char *port)
{
    int s = connect_to(address, port, SOCK_STREAM);

    need(s >= 0 && send(s, "a-cookie-of-thirty-six-characters-aa", COOKIE, 0) == COOKIE, "connect");
    return s;
}

static void expect(int control, char state)
{
    char said;

    need(recv(control, &said, 1, 0) == 1 && said == state, "state");
}

static void tell(int control, const char *text)
{
    uint32_t length = htonl((uint32_t)strlen(text));

    need(send(control, &length, sizeof(length), 0) == sizeof(length), "length");
    need(send(control, text, strlen(text), 0) == (ssize_t)strlen(text), "text");
}

/* Until the last octet has been acknowledged. */
static void send_all(int s, long long left)
{
    static char block[131072];
    int queued = 1;

    while (left > 0) {
        ssize_t n =
            send(s, block, left < (long long)sizeof(block) ? (size_t)left : sizeof(block), 0);

        need(n > 0, "send");
        left -= n;
    }
    while (queued) {
        need(ioctl(s, SIOCOUTQ, &queued) == 0, "SIOCOUTQ");
        usleep(queued ? 100 : 0);
    }
}

/* Until so many have come, or to the end. */
static void receive(int s, long long left)
{
    static char block[131072];
    ssize_t n = 1;

    while (left > 0 && n > 0) {
        n = recv(s, block, sizeof(block), 0);
        left -= n;
    }
}

static int run_stream(const char *address, const char *port, bool sends, long kib)
{
    static const char parameters[] = "{\"tcp\":true,\"parallel\":1,\"len\":131072,\"reverse\":%s}";
    int control = open_stream(address, port), data;
    char text[128];
    uint32_t length;

    expect(control, 9);
    snprintf(text, sizeof(text), parameters, sends ? "true" : "false");
    tell(control, text);
    expect(control, 10);
    data = open_stream(address, port);
    expect(control, 1);
    expect(control, 2);
    if (sends)
        receive(data, kib * 1024LL);
    else
        send_all(data, kib * 1024LL);
    need(send(control, "\4", 1, 0) == 1, "end");
    receive(data, INT64_MAX);
    expect(control, 13);
    tell(control, "{}");
    need(recv(control, &length, sizeof(length), MSG_WAITALL) == sizeof(length), "results");
    receive(control, ntohl(length));
    need(send(control, "\20", 1, 0) == 1, "done");
    return 0;
}

int main(int argc, char **argv)
{
    static char out[65536], in[65536];
    long window, count, size, answered = 0, lost = 0, flying = 0;
    long long start;
    int s;

    if (argc == 5)
        return run_stream(argv[1], argv[2], !strcmp(argv[3], "send"), atol(argv[4]));
    if (argc != 6 && argc != 7)
        return 2;
    window = atol(argv[3]);
    count = atol(argv[4]);
    size = atol(argv[5]);
    s = connect_to(argv[1], argv[2], SOCK_DGRAM);
    if (s < 0 || size > (long)sizeof(out)) {
        perror("echoload");
        return 1;
    }
    for (long i = 0; i < size; i++)
        out[i] = (char)i;
    if (argc == 7 && (size = from_hex(argv[6], out, sizeof(out))) < 2)
        return 2;
    start = now();
    while (answered < count) {
        struct pollfd p = {.fd = s, .events = POLLIN};

        for (; flying < window; flying++) {
            if (send(s, out, (size_t)size, 0) < 0 && errno != ECONNREFUSED) {
                perror("send");
                return 1;
            }
        }
        if (poll(&p, 1, 1000) == 0) {
            lost += flying;
            flying = 0;
            if (lost > count)
                break;
            continue;
        }
        for (;;) {
            ssize_t n = recv(s, in, sizeof(in), MSG_DONTWAIT);

            if (n < 2 || (argc == 6 && n != size) || memcmp(in, out, argc == 6 ? (size_t)n : 2))
                break;
            answered++;
            flying--;
        }
    }
    printf("answered %ld lost %ld nanoseconds %lld\n", answered, lost, now() - start);
    return 0;
}
