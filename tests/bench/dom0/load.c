/* SPDX-License-Identifier: ISC */
/* What the load generators of the benchmark share: queries, sockets, percentiles. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define HEADER 12
#define OPT_SIZE 11 /* of an OPT record without options */
#define QR 0x80     /* in a header's third byte: a response, authoritative, cut off */
#define AA 0x04
#define TC 0x02
#define NOERROR 0
#define NXDOMAIN 3

_Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int connect_to(const char *address, const char *port, int type)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST}, *found;
    int bytes = 4 << 20, s;

    if (getaddrinfo(address, port, &hints, &found))
        fail(address);
    s = socket(found->ai_family, type, 0);
    if (s < 0 || connect(s, found->ai_addr, found->ai_addrlen))
        fail("connect");
    if (type == SOCK_DGRAM)
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    freeaddrinfo(found);
    return s;
}

long from_hex(const char *hex, char *out, size_t room)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n && i < room; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return -1;
        out[i] = (char)byte;
    }
    return n <= room ? (long)n : -1;
}

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static unsigned type_number(const char *name)
{
    static const struct {
        const char *name;
        unsigned number;
    } types[] = {{"A", 1},   {"NS", 2},   {"CNAME", 5}, {"SOA", 6},
                 {"MX", 15}, {"TXT", 16}, {"AAAA", 28}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcasecmp(types[i].name, name))
            return types[i].number;
    fprintf(stderr, "unknown type %s\n", name);
    exit(1);
}

/* A query's wire form in to, which has room; its size. */
static size_t make_query(unsigned char *to, const char *name, unsigned type, bool edns)
{
    static const unsigned char opt[OPT_SIZE] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0};
    unsigned char *at = to + HEADER;

    memset(to, 0, HEADER);
    put16(to + 4, 1);
    put16(to + 10, edns);
    while (*name && *name != '.') {
        size_t length = strcspn(name, ".");

        *at++ = (unsigned char)length;
        memcpy(at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    *at++ = 0;
    put16(at, type);
    put16(at + 2, 1);
    at += 4;
    if (edns) {
        memcpy(at, opt, sizeof(opt));
        at += sizeof(opt);
    }
    return (size_t)(at - to);
}

static void append(struct messages *to, const unsigned char *data, size_t size)
{
    struct message *m;

    if ((to->count & (to->count - 1)) == 0)
        to->list = realloc(to->list, (to->count ? 2 * to->count : 1) * sizeof(*to->list));
    if (!to->list)
        fail("messages");
    m = &to->list[to->count++];
    m->size = m->asks = size;
    m->data = malloc(size ? size : 1);
    if (!m->data)
        fail("messages");
    memcpy(m->data, data, size);
}

void read_queries(struct messages *to, const char *path, bool edns)
{
    FILE *file = fopen(path, "r");
    char name[256], type[16];

    if (!file)
        fail(path);
    while (fscanf(file, "%255s %15s", name, type) == 2) {
        unsigned char query[HEADER + 256 + 4 + OPT_SIZE];

        append(to, query, make_query(query, name, type_number(type), edns));
        to->list[to->count - 1].asks -= edns ? OPT_SIZE : 0;
    }
    fclose(file);
    if (!to->count) {
        fprintf(stderr, "%s: no queries\n", path);
        exit(1);
    }
}

unsigned expected_rcode(const char *queries)
{
    return strncmp(queries, "missing:", 8) == 0 ? NXDOMAIN : NOERROR;
}

bool is_answer(const struct message *query, const unsigned char *in, size_t size, unsigned rcode)
{
    const unsigned char *out = query->data;

    return size >= query->asks && (in[2] & (QR | AA | TC)) == (QR | AA) && (in[3] & 15U) == rcode &&
           !memcmp(in + 4, out + 4, 2) && (in[6] || in[7]) == (rcode == NOERROR) &&
           (in[10] || in[11] >= out[11]) &&
           !memcmp(in + HEADER, out + HEADER, query->asks - HEADER);
}

void make_datagram(struct messages *to, size_t size)
{
    static unsigned char data[MESSAGE_MAX];

    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)i;
    append(to, data, size);
}

void domstat(char *text, size_t room, const char *first, const char *second)
{
    size_t used;
    ssize_t n;
    int ends[2];
    pid_t child;

    if (pipe(ends) || (child = vfork()) < 0)
        fail("domstat");
    if (child == 0) {
        dup2(ends[1], 1);
        execlp("domstat", "domstat", first, second, NULL);
        _exit(127);
    }
    close(ends[1]);
    used = 0;
    while (used < room - 1 && (n = read(ends[0], text + used, room - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    close(ends[0]);
    waitpid(child, NULL, 0);
}

long long domstat_field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    if (!at) {
        fprintf(stderr, "domstat said: %s\n", text);
        exit(1);
    }
    return atoll(at + strlen(name));
}

static long long cpu_time(const char *domid)
{
    char text[512];

    domstat(text, sizeof(text), domid, NULL);
    return domstat_field(text, "cpu_time=");
}

/* In these orders as little as possible of domstat's own cost is measured. */
void clocks_start(struct counts *to, const char *domid)
{
    to->guest = cpu_time(domid);
    to->dom0 = cpu_time("0");
    to->nanoseconds = now();
}

void clocks_stop(struct counts *to, const char *domid)
{
    to->nanoseconds = now() - to->nanoseconds;
    to->dom0 = cpu_time("0") - to->dom0;
    to->guest = cpu_time(domid) - to->guest;
}

void latency_add(struct latencies *to, long long nanoseconds)
{
    if (to->count == to->room) {
        to->room = to->room ? 2 * to->room : 4096;
        to->list = realloc(to->list, to->room * sizeof(*to->list));
        if (!to->list)
            fail("latencies");
    }
    to->list[to->count++] = nanoseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)nanoseconds;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void report(const struct counts *counts, struct latencies *latencies)
{
    static const unsigned percents[] = {50, 90, 99};

    printf("answered %ld lost %ld good %ld bytes %lld nanoseconds %lld guest %lld dom0 %lld",
           counts->answered, counts->lost, counts->good, counts->bytes, counts->nanoseconds,
           counts->guest, counts->dom0);
    if (latencies->count) {
        qsort(latencies->list, latencies->count, sizeof(*latencies->list), compare);
        for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
            printf(" p%u %u", percents[i],
                   latencies->list[(latencies->count - 1) * percents[i] / 100]);
        printf(" max %u", latencies->list[latencies->count - 1]);
    }
    printf("\n");
}
