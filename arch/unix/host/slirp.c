/* SPDX-License-Identifier: ISC */
/*
 * slirp FD udp|tcp:HOST_PORT:GUEST_PORT...
 *
 * The far side of a guest's network where there are no rights for a TAP device: user-mode TCP/IP
 * (libslirp) between frames on the socket FD and sockets of the host's. The guest is 10.0.2.15,
 * everything outside is behind 10.0.2.2; each port of 127.0.0.1 that is named leads to the guest's.
 * Ends when the other end of the socket is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slirp/libslirp.h>

#define FDS_MAX 1024
#define FRAME_MAX 65536
#define NS_PER_MS 1000000

struct timer {
    SlirpTimerCb fn;
    void *arg;
    int64_t when; /* ms; -1: not armed */
    struct timer *next;
};

static struct {
    int guest;
    struct pollfd fds[FDS_MAX];
    int count;
    struct timer *timers;
} net;

static int64_t clock_ns(void *unused)
{
    struct timespec t;

    (void)unused;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static ssize_t send_packet(const void *frame, size_t len, void *unused)
{
    (void)unused;
    (void)!send(net.guest, frame, len, MSG_DONTWAIT); /* full: dropped, as on a wire */
    return (ssize_t)len;
}

static void guest_error(const char *text, void *unused)
{
    (void)unused;
    fprintf(stderr, "slirp: %s\n", text);
}

static void *timer_new(SlirpTimerCb fn, void *arg, void *unused)
{
    struct timer *t = calloc(1, sizeof(*t));

    (void)unused;
    if (!t)
        abort();
    *t = (struct timer){.fn = fn, .arg = arg, .when = -1, .next = net.timers};
    net.timers = t;
    return t;
}

static void timer_free(void *timer, void *unused)
{
    struct timer **p = &net.timers;

    (void)unused;
    while (*p != timer)
        p = &(*p)->next;
    *p = (*p)->next;
    free(timer);
}

static void timer_mod(void *timer, int64_t when, void *unused)
{
    (void)unused;
    ((struct timer *)timer)->when = when;
}

static void nothing_to_do(int fd, void *unused)
{
    (void)fd;
    (void)unused;
}

static void no_thread_to_wake(void *unused)
{
    (void)unused;
}

static int add_poll(int fd, int events, void *unused)
{
    (void)unused;
    if (net.count == FDS_MAX)
        return -1;
    net.fds[net.count] = (struct pollfd){
        .fd = fd,
        .events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                          (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                          (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
    };
    return net.count++;
}

static int revents_of(int index, void *unused)
{
    short r = index < 0 ? 0 : net.fds[index].revents;

    (void)unused;
    return (r & POLLIN ? SLIRP_POLL_IN : 0) | (r & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (r & POLLPRI ? SLIRP_POLL_PRI : 0) | (r & POLLERR ? SLIRP_POLL_ERR : 0) |
           (r & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void run_timers(void)
{
    int64_t now = clock_ns(NULL) / NS_PER_MS;

    for (struct timer *t = net.timers, *next; t; t = next) {
        next = t->next;
        if (t->when < 0 || t->when > now)
            continue;
        t->when = -1;
        t->fn(t->arg);
    }
}

static uint32_t until_timer(uint32_t most)
{
    int64_t now = clock_ns(NULL) / NS_PER_MS;

    for (const struct timer *t = net.timers; t; t = t->next)
        if (t->when >= 0 && t->when - now < most)
            most = t->when > now ? (uint32_t)(t->when - now) : 0;
    return most;
}

/* False when the guest is gone. */
static bool take_frames(Slirp *slirp)
{
    static uint8_t frame[FRAME_MAX];
    ssize_t n;

    while ((n = recv(net.guest, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
        slirp_input(slirp, frame, (int)n);
    return n < 0 && errno == EAGAIN;
}

static bool forward(Slirp *slirp, const char *rule)
{
    struct in_addr host = {.s_addr = htonl(INADDR_LOOPBACK)};
    struct in_addr guest = {.s_addr = inet_addr("10.0.2.15")};
    bool udp = strncmp(rule, "udp:", 4) == 0;
    int host_port, guest_port;

    if ((!udp && strncmp(rule, "tcp:", 4) != 0) ||
        sscanf(rule + 4, "%d:%d", &host_port, &guest_port) != 2)
        return false;
    return slirp_add_hostfwd(slirp, udp, host, host_port, guest, guest_port) == 0;
}

static Slirp *start(void)
{
    static const SlirpCb callbacks = {
        .send_packet = send_packet,
        .guest_error = guest_error,
        .clock_get_ns = clock_ns,
        .timer_new = timer_new,
        .timer_free = timer_free,
        .timer_mod = timer_mod,
        .register_poll_fd = nothing_to_do,
        .unregister_poll_fd = nothing_to_do,
        .notify = no_thread_to_wake,
    };
    const SlirpConfig config = {
        .version = 1,
        .in_enabled = true,
        .vnetwork.s_addr = inet_addr("10.0.2.0"),
        .vnetmask.s_addr = inet_addr("255.255.255.0"),
        .vhost.s_addr = inet_addr("10.0.2.2"),
        .vdhcp_start.s_addr = inet_addr("10.0.2.15"),
        .vnameserver.s_addr = inet_addr("10.0.2.3"),
    };

    return slirp_new(&config, &callbacks, NULL);
}

int main(int argc, char **argv)
{
    Slirp *slirp = start();

    if (argc < 2 || !slirp) {
        fprintf(stderr, "usage: slirp FD udp|tcp:HOST_PORT:GUEST_PORT...\n");
        return 2;
    }
    net.guest = atoi(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (!forward(slirp, argv[i])) {
            fprintf(stderr, "slirp: cannot forward %s: %s\n", argv[i], strerror(errno));
            return 1;
        }
    }
    for (;;) {
        uint32_t timeout = UINT32_MAX;
        int ready;

        net.count = 0;
        (void)add_poll(net.guest, SLIRP_POLL_IN, NULL);
        slirp_pollfds_fill(slirp, &timeout, add_poll, NULL);
        timeout = until_timer(timeout);
        ready = poll(net.fds, (nfds_t)net.count, timeout > INT32_MAX ? -1 : (int)timeout);
        if (ready < 0 && errno != EINTR)
            return 1;
        if (net.fds[0].revents && !take_frames(slirp))
            return 0;
        slirp_pollfds_poll(slirp, ready < 0, revents_of, NULL);
        run_timers();
    }
}
