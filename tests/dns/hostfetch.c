/* SPDX-License-Identifier: ISC */
/*
 * hostserver as a secondary: see hostfetch.h. What is received is given on in a block of exactly its size.
 */
#include "tests/dns/hostfetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NONE, CONNECTING, CONNECTED };

static struct secondaries all;
static struct notifier notices;
static int udp = -1;
static struct {
    int fd;
    int state;
    bool build;
    bool woken;
} self = {.fd = -1};

static int connect_to(const struct dns_peer *peer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(peer->port)};

    if (peer->address_len != 4)
        return -EAFNOSUPPORT;
    memcpy(&at.sin_addr, peer->address, 4);
    self.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(self.fd, (const struct sockaddr *)&at, sizeof(at)) && errno != EINPROGRESS) {
        close(self.fd);
        return -EHOSTUNREACH;
    }
    self.state = CONNECTING;
    return 0;
}

static int send_octets(const uint8_t *octets, size_t len)
{
    return write(self.fd, octets, len) == (ssize_t)len ? 0 : -EIO;
}

static void disconnect(void)
{
    close(self.fd);
    self.fd = -1;
    self.state = NONE;
}

static void build_soon(void)
{
    self.build = true;
}

static void wake(void)
{
    self.woken = true;
}

static void tell(const struct secondary *s, enum secondary_event event, const struct dns_peer *peer,
                 const char *reason)
{
    char text[DNS_TEXT_MAX + 1];

    dns_zone_text(s->served, text);
    if (event == SECONDARY_LOADED || event == SECONDARY_CHANGED) {
        printf("%s serial %u%s\n", text, dns_zone_serial(s->served),
               event == SECONDARY_CHANGED ? " by differences" : "");
        if (udp >= 0)
            notifier_changed(&notices, s->name);
    } else if (event == SECONDARY_FAILED) {
        printf("%s port %u: %s\n", text, peer->port, reason);
    } else {
        printf("%s expired\n", text);
    }
    fflush(stdout);
}

static size_t free_memory(void)
{
    return 1u << 30;
}

static uint32_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static uint32_t wall(void)
{
    return time(NULL);
}

static uint32_t random_number(void)
{
    return random();
}

const char *hostfetch_start(struct dns_db *db, const char *list, const struct dns_access *access,
                            access_parse_address *parse)
{
    static const struct secondary_ops ops = {
        .connect = connect_to,
        .send = send_octets,
        .disconnect = disconnect,
        .build = build_soon,
        .wake = wake,
        .memory = free_memory,
        .tell = tell,
        .monotonic = monotonic,
        .wall = wall,
        .random = random_number,
    };

    secondaries_init(&all, db, &ops);
    return secondaries_add(&all, list, access, parse);
}

static void send_message(const struct dns_peer *to, const uint8_t *message, size_t len)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(to->port)};

    memcpy(&at.sin_addr, to->address, 4);
    sendto(udp, message, len, 0, (const struct sockaddr *)&at, sizeof(at));
}

static void tell_untold(const uint8_t *name, const struct dns_peer *to, const char *reason)
{
    char text[DNS_TEXT_MAX + 1];

    dns_name_text(name, text);
    printf("%s untold port %u: %s\n", text, to->port, reason);
    fflush(stdout);
}

const char *hostfetch_notify(struct dns_db *db, const char *list, const struct dns_access *access,
                             access_parse_address *parse)
{
    static const struct notifier_ops ops = {
        .send = send_message,
        .wake = wake,
        .tell = tell_untold,
        .monotonic = monotonic,
        .wall = wall,
        .random = random_number,
    };
    const char *wrong;

    udp = socket(AF_INET, SOCK_DGRAM, 0);
    notifier_init(&notices, &ops);
    wrong = notifier_add(&notices, list, access, parse);
    return wrong || !notifier_all_changed(&notices, db) ? wrong : "memory is short";
}

static void receive_answer(void)
{
    uint8_t buffer[65536], *exact;
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    ssize_t len = recvfrom(udp, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);
    struct dns_peer peer = {.address_len = 4};

    if (len < 0)
        return;
    peer.port = ntohs(from.sin_port);
    memcpy(peer.address, &from.sin_addr, 4);
    exact = malloc(len ? len : 1);
    memcpy(exact, buffer, len);
    notifier_take(&notices, &peer, exact, len);
    free(exact);
}

static int milliseconds(uint32_t seconds)
{
    return seconds < 1000 ? (int)(seconds * 1000) : 1000000;
}

int hostfetch_prepare(struct pollfd fds[HOSTFETCH_FDS])
{
    int wait = 1000000, other;

    fds[0] = fds[1] = (struct pollfd){.fd = -1};
    self.woken = false;
    if (self.build) {
        self.build = false;
        secondaries_build(&all);
    }
    if (all.list) {
        wait = milliseconds(secondaries_run(&all));
        fds[0] = (struct pollfd){self.fd, self.state == CONNECTING ? POLLOUT : POLLIN, 0};
    }
    if (udp >= 0) {
        other = milliseconds(notifier_run(&notices));
        wait = other < wait ? other : wait;
        fds[1] = (struct pollfd){udp, POLLIN, 0};
    }
    return self.woken || self.build ? 0 : wait;
}

static void receive(void)
{
    static uint8_t buffer[70000];
    ssize_t len = read(self.fd, buffer, sizeof(buffer));
    uint8_t *exact;

    if (len <= 0) {
        disconnect();
        secondaries_disconnected(&all,
                                 len ? "the connection is lost" : "it has closed the connection");
        return;
    }
    exact = malloc(len);
    memcpy(exact, buffer, len);
    secondaries_received(&all, exact, len);
    free(exact);
}

static void handle_connection(const struct pollfd *fd)
{
    int err = 0;
    socklen_t size = sizeof(err);

    if (fd->fd < 0 || fd->fd != self.fd || !fd->revents)
        return;
    if (self.state == CONNECTED) {
        receive();
        return;
    }
    if (getsockopt(self.fd, SOL_SOCKET, SO_ERROR, &err, &size) || err) {
        disconnect();
        secondaries_disconnected(&all, "it refuses the connection");
        return;
    }
    self.state = CONNECTED;
    secondaries_connected(&all);
}

void hostfetch_handle(const struct pollfd fds[HOSTFETCH_FDS])
{
    handle_connection(&fds[0]);
    if (fds[1].revents)
        receive_answer();
}
