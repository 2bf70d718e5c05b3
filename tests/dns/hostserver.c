/* SPDX-License-Identifier: ISC */
/*
 * hostserver: lib/dns behind the host's sockets, for tests without Xen.
 *
 *   hostserver [-m] [-k KEYS] [-x RULES] [-s ZONES] [-n SERVERS] [-r RATE] [-e NETWORKS] PORT IMAGES
 *
 * Serves the zone images in the file IMAGES over UDP and TCP on 127.0.0.1:PORT; -m: minimal
 * answers; KEYS, RULES, ZONES and SERVERS are those of tsig=, xfr= (lib/dns/access.h), secondary= and notify=,
 * RATE that of rrl=, NETWORKS those of rrl-exempt=. Prints "ready" when it can be asked; SIGTERM ends it, and the leak sanitizer has a look. Every
 * answer is made in a block of exactly the size it may have, on the heap, so that the address sanitizer
 * sees each octet too many.
 */
#include "lib/dns/access.h"
#include "lib/dns/dns.h"
#include "lib/dns/limit.h"
#include "tests/dns/hostfetch.h"
#include "tests/unit/parse_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, QUERY_MAX = 2 + 65535, UDP_CAP = 4000 };

struct connection {
    int fd;
    struct sockaddr_in from;
    size_t len;
    uint8_t query[QUERY_MAX];
};

static struct dns_db db;
static struct dns_zone *buckets[16];
static struct dns_stats stats;
static const struct dns_identity identity = {.version = "tested",
                                             .id = "host.example",
                                             .counters = true,
                                             .idle = 100,
                                             .secret = "a secret of 16"};
static struct dns_access access_rules;
static unsigned mode;
static struct connection *connections[CONNECTIONS];
static const char *fetched, *told; /* -s, -n */
static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void load(const char *name)
{
    FILE *f = fopen(name, "rb");
    uint8_t *data;
    long size, at = 0;

    if (!f || fseek(f, 0, SEEK_END))
        die(name);
    size = ftell(f);
    rewind(f);
    data = size ? malloc(size) : NULL; /* no zones: all are fetched */
    if (size && (!data || fread(data, 1, size, f) != (size_t)size))
        die(name);
    fclose(f);
    while (at < size) {
        struct dns_zone *zone = malloc(sizeof(*zone));
        long n = dns_zone_open(zone, data + at, size - at);

        if (n < 0 || dns_zone_check(zone) || dns_db_set(&db, zone)) {
            fprintf(stderr, "%s: bad image at %ld\n", name, at);
            exit(1);
        }
        at += n;
    }
}

/* The answer behind ROOM free octets, in a block the caller frees, or NULL. */
static uint8_t *answer(const struct sockaddr_in *from, struct dns_transfer *place,
                       const uint8_t *query, size_t len, size_t room, size_t cap, unsigned flags,
                       size_t *size)
{
    struct dns_client client = {.address_len = 4, .now = time(NULL), .transfer = place};
    uint8_t *exact = malloc(len ? len : 1), *out = malloc(room + cap);

    memcpy(exact, query, len);
    memcpy(client.address, &from->sin_addr, 4);
    *size = dns_answer(&db, &client, exact, len, out + room, cap, flags | mode, &stats);
    free(exact);
    if (*size)
        return out;
    free(out);
    return NULL;
}

static void serve_udp(int fd)
{
    uint8_t query[65536], *out;
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
    size_t size;

    if (len < 0)
        return;
    out = answer(&from, NULL, query, len, 0, UDP_CAP, 0, &size);
    if (out)
        sendto(fd, out, size, 0, (struct sockaddr *)&from, from_len);
    free(out);
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);

        if (n <= 0)
            return false;
        data += n;
        size -= n;
    }
    return true;
}

/* Answers one query, a transfer with all its messages; false when the connection is to be closed. */
static bool serve_query(struct connection *c, size_t len)
{
    struct dns_transfer place = {0};

    do {
        size_t size;
        uint8_t *out = answer(&c->from, &place, c->query + 2, len, 2, DNS_TCP_MAX, DNS_TCP, &size);
        bool sent;

        if (!out)
            return false;
        out[0] = size >> 8;
        out[1] = size;
        sent = write_all(c->fd, out, 2 + size);
        free(out);
        if (!sent)
            return false;
    } while (place.more);
    return true;
}

/* Answers all complete queries of a connection; false when it is to be closed. */
static bool serve_queries(struct connection *c)
{
    for (;;) {
        size_t need = c->len < 2 ? 2 : 2 + (size_t)(c->query[0] << 8 | c->query[1]);

        if (c->len < need || c->len < 2)
            return true;
        if (!serve_query(c, need - 2))
            return false;
        c->len -= need;
        memmove(c->query, c->query + need, c->len);
    }
}

static void serve_connection(struct connection **slot)
{
    struct connection *c = *slot;
    ssize_t n = read(c->fd, c->query + c->len, sizeof(c->query) - c->len);

    if (n > 0) {
        c->len += n;
        if (serve_queries(c))
            return;
    }
    close(c->fd);
    free(c);
    *slot = NULL;
}

static void accept_connection(int listener)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    int fd = accept(listener, (struct sockaddr *)&from, &from_len);

    for (unsigned i = 0; i < CONNECTIONS && fd >= 0; i++) {
        if (connections[i])
            continue;
        connections[i] = malloc(sizeof(*connections[i]));
        connections[i]->fd = fd;
        connections[i]->from = from;
        connections[i]->len = 0;
        return;
    }
    close(fd);
}

static int open_socket(int type, const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, type, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)))
        die("bind");
    if (type == SOCK_STREAM && listen(fd, 64))
        die("listen");
    return fd;
}

static void loop(int udp, int tcp)
{
    struct pollfd fds[2 + CONNECTIONS + HOSTFETCH_FDS] = {{.fd = udp, .events = POLLIN},
                                                          {.fd = tcp, .events = POLLIN}};
    int timeout = hostfetch_prepare(&fds[2 + CONNECTIONS]);

    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[2 + i].fd = connections[i] ? connections[i]->fd : -1;
        fds[2 + i].events = POLLIN;
        fds[2 + i].revents = 0;
    }
    if (poll(fds, 2 + CONNECTIONS + HOSTFETCH_FDS, timeout) < 0) {
        if (errno != EINTR)
            die("poll");
        return;
    }
    hostfetch_handle(&fds[2 + CONNECTIONS]);
    if (fds[0].revents)
        serve_udp(udp);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (connections[i] && fds[2 + i].revents)
            serve_connection(&connections[i]);
    }
    if (fds[1].revents)
        accept_connection(tcp);
}

static struct limit_count counts[64];
static struct dns_limiter limiter = {.counts = counts, .size = 64, .slip = 2};

static const char *exempt(const char *list)
{
    int count = prefix_parse_list(limiter.exempt, LIMIT_EXEMPT, list, parse_address);

    limiter.exempts = count < 0 ? 0 : (unsigned)count;
    return count < 0 ? "not a list of networks" : NULL;
}

static void set_limit(unsigned rate)
{
    limiter.rate = rate;
    dns_db_limit(&db, &limiter);
}

/* Returns the index of the first argument that is no option. */
static int read_options(int argc, char **argv)
{
    const char *wrong = NULL;
    int option;

    while (!wrong && (option = getopt(argc, argv, "mk:x:r:s:n:e:")) != -1) {
        if (option == 'm')
            mode = DNS_MINIMAL;
        else if (option == 'k')
            wrong = access_add_keys(&access_rules, optarg);
        else if (option == 'x')
            wrong = access_add_rules(&access_rules, optarg, parse_address);
        else if (option == 's')
            fetched = optarg;
        else if (option == 'n')
            told = optarg;
        else if (option == 'e')
            wrong = exempt(optarg);
        else if (option == 'r')
            set_limit(atoi(optarg));
        else
            wrong = "what is that?";
    }
    if (!wrong && argc - optind == 2)
        return optind;
    fprintf(stderr,
            "%s\nusage: hostserver [-m] [-k KEYS] [-x RULES] [-s ZONES] [-n SERVERS] [-r RATE] "
            "[-e NETWORKS] PORT IMAGES\n",
            wrong ? wrong : "");
    exit(2);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    const char *wrong;
    int udp, tcp;

    dns_db_init(&db, buckets, sizeof(buckets) / sizeof(buckets[0]));
    argv += read_options(argc, argv);
    at.sin_port = htons(atoi(argv[0]));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    dns_db_identify(&db, &identity);
    dns_db_allow(&db, &access_rules);
    load(argv[1]);
    wrong = fetched ? hostfetch_start(&db, fetched, &access_rules, parse_address) : NULL;
    if (!wrong && told)
        wrong = hostfetch_notify(&db, told, &access_rules, parse_address);
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        return 2;
    }
    signal(SIGTERM, end);
    signal(SIGPIPE, SIG_IGN);
    udp = open_socket(SOCK_DGRAM, &at);
    tcp = open_socket(SOCK_STREAM, &at);
    printf("ready\n");
    fflush(stdout);
    while (!ended)
        loop(udp, tcp);
    return 0;
}
