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
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int connect_to(const char *address, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found;
    int bytes = 4 << 20, s;

    if (getaddrinfo(address, port, &hints, &found))
        return -1;
    s = socket(found->ai_family, SOCK_DGRAM, 0);
    if (s < 0 || connect(s, found->ai_addr, found->ai_addrlen))
        return -1;
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

int main(int argc, char **argv)
{
    static char out[65536], in[65536];
    long window, count, size, answered = 0, lost = 0, flying = 0;
    long long start;
    int s;

    if (argc != 6 && argc != 7)
        return 2;
    window = atol(argv[3]);
    count = atol(argv[4]);
    size = atol(argv[5]);
    s = connect_to(argv[1], argv[2]);
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
