/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: DNS over TCP (apps/dns/tcp.c) under a TCP that does what the input says. Clients send
 * queries, in pieces of any sizes, in buffers of any kinds, several at a time; they acknowledge when they
 * like, go away, or go on for ever. Memory runs out, time passes, there are more clients than may be.
 *
 * What a client gets is, octet by octet, the answers to its queries in turn, each as it was at some moment
 * since the query; no more of them are out than may be. Who keeps to the rules gets all of them. In the
 * end every block and page has come back.
 */
#include <check.h>

#include "apps/dns/tcp.c"

#include "lib/dns/access.h"
#include "lib/dns/image.h"
#include "lib/dns/query.h"
#include "tests/fuzz/dns_sign.h"
#include "tests/fuzz/dns_zone.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_kernel.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

#define PEERS 4
#define STREAM_MAX 16384 /* what a client sends */
#define WINDOW 8192      /* what it sends before it is read */
#define SEND_BUFFER 40000
#define SEGMENT_MAX 2000

/* --- the rest of the app --------------------------------------------------------------------- */

struct server server;
static struct fuzz_served served;
static struct dns_access rules;
static uint32_t wall = FUZZ_NOW;
static const struct dns_identity identity = {
    .version = "v", .id = "id", .counters = true, .idle = 100};

uint64_t time_monotonic(void)
{
    return fake_now;
}

size_t page_count_total(void)
{
    return 1024;
}

void server_tell_idle(unsigned tenths)
{
}

void random_bytes(void *buf, size_t len)
{
    memset(buf, 7, len);
}

const struct dns_client *server_client(const ip_addr_t *from)
{
    static struct dns_client client = {.address_len = 4}; /* which may have the zone */

    client.now = wall;
    return &client;
}

/* --- clients -------------------------------------------------------------------------------------- */

struct peer {
    struct tcp_pcb pcb;
    bool alive; /* the server has the connection */
    bool ended; /* by the server; in good order when closed is set, too */
    bool closed;
    bool fin;        /* the client has sent its own */
    bool excused;    /* the server may end the connection at any time */
    uint64_t active; /* when a query was answered in full, or part of an answer acknowledged */
    struct pbuf *refused;
    uint8_t stream[STREAM_MAX];
    size_t queued, delivered, taken; /* octets of it: written, arrived, read by the server */
    size_t unacknowledged, messages; /* that have come */
    /* The message that comes in, which answers the query at `next` in the stream. */
    uint8_t message[LENGTH_SIZE + DNS_TCP_MAX];
    size_t have, next;
    struct dns_transfer place;
};

static struct peer *peers[PEERS];
static struct tcp_pcb listener;
static tcp_accept_fn accept_fn;
static bool no_write;
static uint32_t wall_at_start;

static struct peer *peer_of(struct tcp_pcb *pcb)
{
    struct peer *p = container_of(pcb, struct peer, pcb);

    ck_assert_msg(p->alive, "a connection is used that is no more");
    return p;
}

static size_t query_length(const struct peer *p)
{
    return dns_be16(p->stream + p->next);
}

/* Has all of the next query been sent? */
static bool query_complete(const struct peer *p)
{
    return p->queued - p->next >= LENGTH_SIZE &&
           p->queued - p->next - LENGTH_SIZE >= query_length(p);
}

/* The answer to the next query, as it is or would have been at this time. */
static size_t answer_at(const struct peer *p, uint32_t now, struct dns_transfer *place,
                        uint8_t *out)
{
    static struct dns_stats stats;
    const struct dns_client client = {.address_len = 4, .now = now, .transfer = place};

    return dns_answer(&served.db, &client, p->stream + p->next + LENGTH_SIZE, query_length(p), out,
                      ANSWER_MAX, DNS_TCP, &stats);
}

/* A question for the counters, which nobody else knows? */
static bool is_counters(const struct peer *p)
{
    static const char name[] = "\10counters";

    return query_length(p) >= 12 + sizeof(name) &&
           !memcmp(p->stream + p->next + LENGTH_SIZE + 12, name, sizeof(name) - 1);
}

/* A message has come: it must answer the next query. */
static void check_message(struct peer *p, size_t len)
{
    static uint8_t right[ANSWER_MAX];
    struct dns_transfer place = p->place;
    uint32_t now = wall;

    ck_assert_msg(p->next + LENGTH_SIZE + query_length(p) <= p->delivered,
                  "an answer comes before its query");
    (void)fuzz_last_record(p->message + LENGTH_SIZE, len);
    while (!is_counters(p) && (answer_at(p, now, &place, right) != len ||
                               memcmp(right, p->message + LENGTH_SIZE, len) != 0)) {
        ck_assert_msg(now-- > wall_at_start, "this is not the answer to the query");
        place = p->place;
    }
    p->place = place;
    p->messages++;
    if (!place.more) {
        p->active = fake_now;
        p->next += LENGTH_SIZE + query_length(p);
        p->place = (struct dns_transfer){0};
    }
}

static void take_octets(struct peer *p, const uint8_t *octets, size_t len)
{
    while (len) {
        size_t want = p->have < LENGTH_SIZE ? LENGTH_SIZE : LENGTH_SIZE + dns_be16(p->message);
        size_t n = MIN(want - p->have, len);

        memcpy(p->message + p->have, octets, n);
        p->have += n;
        octets += n;
        len -= n;
        if (p->have > LENGTH_SIZE && p->have == LENGTH_SIZE + (size_t)dns_be16(p->message)) {
            check_message(p, p->have - LENGTH_SIZE);
            p->have = 0;
        }
    }
}

/* pbuf.c looks here when memory is short. */
struct tcp_pcb *tcp_active_pcbs;

void tcp_free_ooseq(struct tcp_pcb *pcb)
{
}

/* --- TCP, as lwIP has it -------------------------------------------------------------------------- */

struct tcp_pcb *tcp_new_ip_type(u8_t type)
{
    return &listener;
}

err_t tcp_bind(struct tcp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
    return ERR_OK;
}

struct tcp_pcb *tcp_listen_with_backlog(struct tcp_pcb *pcb, u8_t backlog)
{
    return pcb;
}

void tcp_accept(struct tcp_pcb *pcb, tcp_accept_fn fn)
{
    accept_fn = fn;
}

void tcp_arg(struct tcp_pcb *pcb, void *arg)
{
    peer_of(pcb)->pcb.callback_arg = arg;
}

void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn fn)
{
    peer_of(pcb)->pcb.recv = fn;
}

void tcp_sent(struct tcp_pcb *pcb, tcp_sent_fn fn)
{
    peer_of(pcb)->pcb.sent = fn;
}

void tcp_err(struct tcp_pcb *pcb, tcp_err_fn fn)
{
    peer_of(pcb)->pcb.errf = fn;
}

void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn fn, u8_t interval)
{
    peer_of(pcb)->pcb.poll = fn;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
    (void)peer_of(pcb);
    return ERR_OK;
}

void tcp_recved(struct tcp_pcb *pcb, u16_t len)
{
    struct peer *p = peer_of(pcb);

    p->taken += len;
    ck_assert_uint_le(p->taken,
                      p->delivered + 1); /* at its end the FIN, too, should there be one */
}

err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags)
{
    struct peer *p = peer_of(pcb);

    ck_assert(flags & TCP_WRITE_FLAG_COPY);
    ck_assert_uint_le(len, pcb->snd_buf);
    if (no_write)
        return ERR_MEM;
    pcb->snd_buf -= len;
    p->unacknowledged += len;
    ck_assert_uint_le(p->unacknowledged, OUTPUT_MAX);
    take_octets(p, data, len);
    return ERR_OK;
}

static void end(struct peer *p, bool closed)
{
    ck_assert(!p->pcb.recv && !p->pcb.sent && !p->pcb.errf && !p->pcb.poll);
    p->alive = false;
    p->ended = true;
    p->closed = closed;
}

void tcp_abort(struct tcp_pcb *pcb)
{
    end(peer_of(pcb), false);
}

err_t tcp_close(struct tcp_pcb *pcb)
{
    struct peer *p = peer_of(pcb);

    if (no_write) {
        p->excused = true; /* it may be aborted instead */
        return ERR_MEM;
    }
    ck_assert_uint_eq(p->unacknowledged, 0); /* what takes memory counts */
    end(p, true);
    return ERR_OK;
}

/* --- what clients do ------------------------------------------------------------------------------- */

/* The connection idle longest, of all or of one client; *COUNT becomes how many there are. */
static struct peer *idle_longest(const ip_addr_t *client, unsigned *count)
{
    struct peer *oldest = NULL;

    *count = 0;
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer *p = peers[i];

        if (!p || !p->alive || (client && !ip_addr_eq(&p->pcb.remote_ip, client)))
            continue;
        ++*count;
        if (!oldest || p->active < oldest->active)
            oldest = p;
    }
    return oldest;
}

/* All peers but the first one are the same client's. */
static void connect_client(unsigned n)
{
    struct peer *p = calloc(1, sizeof(*p)), *oldest, *own;
    unsigned count, own_count;
    bool was_alive[PEERS];
    err_t err;

    p->pcb.remote_ip = (ip_addr_t)IPADDR4_INIT(n != 0);
    oldest = idle_longest(NULL, &count);
    own = idle_longest(&p->pcb.remote_ip, &own_count);
    if (own_count == CONFIG_DNS_TCP_CLIENT_CONNECTIONS) { /* it has to make room */
        oldest = own;
        count = CONFIG_DNS_TCP_CONNECTIONS;
    }
    for (unsigned i = 0; i < PEERS; i++)
        was_alive[i] = peers[i] && peers[i]->alive;
    p->alive = true;
    p->active = fake_now;
    p->pcb.snd_buf = SEND_BUFFER;
    p->excused = fake_no_memory;
    peers[n] = p;
    err = accept_fn(NULL, &p->pcb, ERR_OK);
    ck_assert(err == ERR_OK || fake_no_memory);
    if (err != ERR_OK) {
        p->alive = false;
        p->ended = p->excused = true;
    }
    for (unsigned i = 0; i < PEERS; i++) {
        if (i == n || !was_alive[i] || peers[i]->alive || peers[i]->excused)
            continue;
        /* One that had to make room, the one idle longest. */
        if (count == CONFIG_DNS_TCP_CONNECTIONS && peers[i]->active == oldest->active) {
            peers[i]->excused = true;
            count--;
        }
    }
}

static void queue(struct peer *p, const void *octets, size_t len)
{
    if (p->fin || len > STREAM_MAX - p->queued)
        return;
    memcpy(p->stream + p->queued, octets, len);
    p->queued += len;
}

/* A question in good form. */
static void ask(struct peer *p)
{
    static const struct {
        const char name[20];
        uint8_t type, class;
    } questions[] = {
        {"\4mail\7example", TYPE_A, CLASS_IN},
        {"\4huge\7example", TYPE_TXT, CLASS_IN},
        {"\7example", TYPE_AXFR, CLASS_IN},
        {"\3big\7example", TYPE_TXT, CLASS_IN},
        {"\2nx\7example", TYPE_A, CLASS_IN},
        {"\7example", TYPE_IXFR, CLASS_IN},
        {"\5other", TYPE_AXFR, CLASS_IN},
        {"\7version\4bind", TYPE_TXT, CLASS_CHAOS},
        {"\10counters\6server", TYPE_TXT, CLASS_CHAOS},
    };
    static const uint8_t opt[] = {0, 0,   TYPE_OPT, 4,   0,   0,   0,   EDNS_DO, 0, 0, 16, 0, 10, 0,
                                  8, 'c', 'o',      'o', 'k', 'i', 'e', 's',     0, 0, 11, 0, 0};
    static const unsigned huge = 1; /* in the list above: to sign its answer takes long */
    unsigned which = fuzz_below(ARRAY_SIZE(questions));
    uint8_t how = fuzz_u8(), msg[LENGTH_SIZE + 64 + FUZZ_TSIG_MAX] = {0},
            *query = msg + LENGTH_SIZE;
    uint8_t mac[HMAC_MAX];
    size_t len = 12 + strlen(questions[which].name) + 1;

    query[1] = how;
    query[5] = 1;
    memcpy(query + 12, questions[which].name, len - 12);
    dns_put_be16(query + len, questions[which].type);
    dns_put_be16(query + len + 2, questions[which].class);
    len += 4;
    if (how & 1) {
        memcpy(query + len, opt, sizeof(opt));
        len += sizeof(opt);
        query[11] = 1;
    }
    if (how & 2 && which != huge) {
        struct fuzz_tsig t = fuzz_tsig(&rules.key[0], query, wall);

        len = fuzz_sign(&t, query, len, mac);
    }
    dns_put_be16(msg, (uint16_t)len);
    queue(p, msg, LENGTH_SIZE + len);
}

/* Octets of the input, with or without their right length in front. */
static void ask_anything(struct peer *p)
{
    const uint8_t *octets;
    uint8_t how = fuzz_u8(), length[2];
    size_t n = fuzz_bytes(&octets, fuzz_u8());

    dns_put_be16(length, how & 1 ? fuzz_u16() : (uint16_t)n);
    if (!(how & 2))
        queue(p, length, sizeof(length));
    queue(p, octets, n);
}

static struct pbuf *in_pbuf(const uint8_t *octets, size_t len)
{
    struct pbuf *head = NULL;

    while (len) {
        uint8_t how = fuzz_u8();
        size_t piece = how & 1 ? 1u + fuzz_u8() : len, n = MIN(len, piece);
        struct pbuf *p = how & 2 ? netpage_alloc(n) : pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);

        if (!p) {
            if (head)
                pbuf_free(head);
            return NULL;
        }
        pbuf_take(p, octets, (u16_t)n);
        if (head)
            pbuf_cat(head, p);
        else
            head = p;
        octets += n;
        len -= n;
    }
    return head;
}

static void hand_over(struct peer *p, struct pbuf *segment)
{
    err_t err = p->pcb.recv(p->pcb.callback_arg, &p->pcb, segment, ERR_OK);

    ck_assert((err == ERR_ABRT) == (p->ended && !p->closed));
    if (err != ERR_OK && err != ERR_ABRT) { /* lwIP keeps it */
        ck_assert(p->alive);
        p->refused = segment;
    }
}

static void deliver(struct peer *p, size_t max)
{
    size_t room = WINDOW - (p->delivered - p->taken), n = MIN(p->queued - p->delivered, max);
    struct pbuf *segment = p->refused;

    if (segment) {
        p->refused = NULL;
        hand_over(p, segment);
        return;
    }
    n = MIN(n, room);
    segment = n ? in_pbuf(p->stream + p->delivered, n) : NULL;
    if (!segment)
        return;
    p->delivered += n;
    hand_over(p, segment);
}

static void acknowledge(struct peer *p, size_t max)
{
    size_t n = MIN(p->unacknowledged, max);

    if (!n)
        return;
    p->unacknowledged -= n;
    p->pcb.snd_buf += (tcpwnd_size_t)n;
    p->active = fake_now;
    (void)p->pcb.sent(p->pcb.callback_arg, &p->pcb, (u16_t)n);
}

static void send_fin(struct peer *p)
{
    if (p->fin || p->refused || p->delivered < p->queued)
        return;
    p->fin = true;
    hand_over(p, NULL);
}

static void break_off(struct peer *p)
{
    tcp_err_fn fn = p->pcb.errf;

    p->alive = false;
    p->excused = true;
    fn(p->pcb.callback_arg, ERR_RST);
}

static void poll_all(void)
{
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer *p = peers[i];
        uint64_t patience;

        if (!p || !p->alive)
            continue;
        patience = clients_idle_tenths(tcp.count) * (NSEC_PER_SEC / 10);
        (void)p->pcb.poll(p->pcb.callback_arg, &p->pcb);
        if (p->ended && fake_now - p->active >= patience)
            p->excused = true;
    }
}

static void free_peer(unsigned n)
{
    struct peer *p = peers[n];

    if (p && p->alive)
        break_off(p);
    if (p && p->refused)
        pbuf_free(p->refused);
    free(p);
    peers[n] = NULL;
}

static void pass_time(void)
{
    uint64_t seconds = fuzz_below(13);

    wall += (uint32_t)seconds;
    fake_sleep(seconds * NSEC_PER_SEC);
    poll_all();
}

static void lose_memory(bool lost)
{
    fake_no_memory = lost;
    for (unsigned i = 0; i < PEERS; i++)
        if (peers[i] && lost)
            peers[i]->excused = true;
}

static void step(void)
{
    unsigned what = fuzz_below(14), n = fuzz_below(PEERS);
    struct peer *p = peers[n];

    if (!p || (!p->alive && what < 2)) {
        free_peer(n);
        connect_client(n);
        return;
    }
    if (!p->alive)
        return;
    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
        ask(p);
        break;
    case 4:
        ask_anything(p);
        break;
    case 5:
    case 6:
    case 7:
        deliver(p, 1 + fuzz_u16() % SEGMENT_MAX);
        break;
    case 8:
    case 9:
        acknowledge(p, 1 + fuzz_u16() % OUTPUT_MAX);
        break;
    case 10:
        send_fin(p);
        break;
    case 11:
        pass_time();
        break;
    case 12:
        no_write = fuzz_u8() & 1;
        if (fuzz_u8() & 1)
            break_off(p);
        break;
    default:
        lose_memory(fuzz_u8() & 1);
    }
}

/* --- the end --------------------------------------------------------------------------------------- */

/* Grows as long as something comes. */
static size_t progress(const struct peer *p)
{
    return p->delivered + p->next + p->messages * (LENGTH_SIZE + DNS_TCP_MAX) + p->have;
}

/* All that was sent arrives, and all that comes back is acknowledged. */
static void drain(struct peer *p)
{
    for (unsigned i = 0; i < 1000 && p->alive; i++) {
        size_t before = progress(p);

        deliver(p, SEGMENT_MAX);
        if (p->alive)
            acknowledge(p, OUTPUT_MAX);
        if (p->alive && before == progress(p) && !p->refused)
            return;
    }
    ck_assert_msg(!p->alive, "a client is served without end");
}

/* Whether the next query is one that ends a connection: too long, or not answered at all. */
static bool query_ends(const struct peer *p)
{
    static uint8_t out[ANSWER_MAX];
    struct dns_transfer place = {0};

    if (p->queued - p->next < LENGTH_SIZE)
        return false;
    if (query_length(p) > TCP_QUERY_MAX)
        return true;
    return query_complete(p) && !answer_at(p, wall, &place, out);
}

static void check_end(struct peer *p)
{
    if (p->excused)
        return;
    if (query_ends(p)) {
        ck_assert_msg(p->ended, "a query is believed that cannot be");
        return;
    }
    ck_assert_msg(!query_complete(p), "a query is not answered");
    ck_assert_msg(!p->have, "an answer does not end");
    ck_assert_msg(p->ended || p->taken == p->next, "the window does not open by what was answered");
    ck_assert_msg(p->ended == p->fin && p->closed == p->fin,
                  "a connection ends that should not, or not");
}

static void end_case(void)
{
    no_write = fake_no_memory = false;
    poll_all();
    for (unsigned i = 0; i < PEERS; i++) {
        if (!peers[i])
            continue;
        drain(peers[i]);
        check_end(peers[i]);
        free_peer(i);
    }
    ck_assert(!tcp.count && list_empty(&tcp.connections));
    netpage_close();
    ck_assert_uint_eq(netpage_stats()->pages, 0);
    ck_assert_uint_eq(fake_objects, 0);
    ck_assert_uint_eq(fake_pages, 0);
}

static void release(struct netpage *np)
{
}

void fuzz_case(void)
{
    wall_at_start = wall;
    server.db = served.db;
    ck_assert_int_eq(dns_tcp_start(), 0);
    netpage_open(release);
    while (fuzz_more())
        step();
    end_case();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
    static const char more[] = "$GENERATE 1-200 huge TXT $-" HUNDRED HUNDRED "\n"
                               "$GENERATE 1-600 n$.x MX 1 n$.y\n";
    char text[8192];
    int n = snprintf(text, sizeof(text), "%s%s", fuzz_zone_text, more);

    ck_assert(fuzz_serve(&served, (const uint8_t *)text, (size_t)n));
    ck_assert(!access_add_keys(&rules, "k:c2VjcmV0"));
    rules.rule[0] = (struct access_rule){.prefix = {.address_len = 4, .bits = 8}};
    rules.rules = 1;
    dns_db_allow(&served.db, &rules);
    dns_db_identify(&served.db, &identity);
    fuzz_keep();
    return 0;
}
