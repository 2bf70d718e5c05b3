/* SPDX-License-Identifier: ISC */
/*
 * The echo service (RFC 862) over UDP and TCP as a plain C program: one thread, BSD sockets, poll().
 * It would run on any POSIX system. apps/echo shows what callbacks make of it.
 *
 *   echo-sockets [PORT]       7 by default
 *
 * Datagrams to a broadcast address or to all nodes are echoed, too, which apps/echo does not do: these sockets do not tell
 * where a datagram was sent to (lwIP's IP_PKTINFO is off).
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 60
#define DATAGRAM_MAX 65536
#define BUFFER 16384

/* What a client sent and has not got back yet; while there is any, nothing more is read from it. */
struct client {
    size_t start, end;
    char data[BUFFER];
};

/* A socket bound to the port on every address, IPv4 and IPv6 alike. */
static int open_socket(int type, unsigned short port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int s = socket(AF_INET6, type, 0), on = 1;

    if (s < 0)
        return -1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(s, (struct sockaddr *)&any, sizeof(any)) || (type == SOCK_STREAM && listen(s, 64))) {
        int err = errno;

        close(s);
        errno = err;
        return -1;
    }
    return s;
}

/* Not for a sender with our own port: another echo service, were it made to ask us, would answer for ever. */
static void echo_datagram(int s, char *buffer, unsigned short port)
{
    struct sockaddr_in6 from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(s, buffer, DATAGRAM_MAX, 0, (struct sockaddr *)&from, &len);

    if (n >= 0 && from.sin6_port != htons(port))
        sendto(s, buffer, (size_t)n, 0, (struct sockaddr *)&from, len);
}

/* An error that means "not now". */
static int transient(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOMEM || errno == ENOBUFS;
}

/* Reads or writes, whatever the client is ready for. False when it is gone. */
static int serve(struct pollfd *fd, struct client *c)
{
    if (c->start == c->end) {
        ssize_t n = recv(fd->fd, c->data, sizeof(c->data), MSG_DONTWAIT);

        if (n <= 0)
            return n < 0 && transient();
        c->start = 0;
        c->end = (size_t)n;
    } else {
        ssize_t n = send(fd->fd, c->data + c->start, c->end - c->start, MSG_DONTWAIT);

        if (n < 0)
            return transient();
        c->start += (size_t)n;
    }
    fd->events = c->start == c->end ? POLLIN : POLLOUT;
    return 1;
}

static void take_client(int listener, struct pollfd *fd, struct client **c)
{
    fd->fd = accept(listener, NULL, NULL);
    fd->events = POLLIN;
    fd->revents = 0;
    *c = fd->fd < 0 ? NULL : calloc(1, sizeof(**c));
    if (fd->fd >= 0 && !*c)
        close(fd->fd);
}

int main(int argc, char **argv)
{
    static struct pollfd fds[2 + CLIENTS_MAX];
    static struct client *clients[2 + CLIENTS_MAX];
    long port = argc > 1 ? strtol(argv[1], NULL, 10) : 7;
    char *buffer;
    nfds_t count = 2;

    if (port < 1 || port > 65535) {
        fprintf(stderr, "echo-sockets: %s: not a port, want 1 to 65535\n", argv[1]);
        return 2;
    }
    buffer = malloc(DATAGRAM_MAX);
    fds[0] = (struct pollfd){.fd = open_socket(SOCK_DGRAM, (unsigned short)port), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = open_socket(SOCK_STREAM, (unsigned short)port)};
    if (!buffer || fds[0].fd < 0 || fds[1].fd < 0) {
        perror("echo-sockets");
        return 1;
    }
    printf("listening on port %ld\n", port);
    for (;;) {
        /* Those who come when all places are taken wait in line. */
        fds[1].events = count < 2 + CLIENTS_MAX ? POLLIN : 0;
        if (poll(fds, count, -1) < 0) {
            if (!transient()) {
                perror("poll");
                return 1;
            }
            usleep(10000); /* others will have let go of some memory */
            continue;
        }
        if (fds[0].revents)
            echo_datagram(fds[0].fd, buffer, (unsigned short)port);
        for (nfds_t i = 2; i < count; i++) {
            if (!fds[i].revents || serve(&fds[i], clients[i]))
                continue;
            close(fds[i].fd);
            free(clients[i]);
            fds[i] = fds[--count];
            clients[i--] = clients[count];
        }
        if (fds[1].revents) {
            take_client(fds[1].fd, &fds[count], &clients[count]);
            count += clients[count] != NULL;
        }
    }
}
