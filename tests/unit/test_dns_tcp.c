/* SPDX-License-Identifier: ISC */
/*
 * DNS over TCP (apps/dns/tcp.c) on lib/net and lwIP, with ten thousand connections: what each costs, who has to go
 * when there are more, and that the others are answered; and a transfer in which memory is short. The test plays the
 * device, and all clients.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/dns/tcp.c"

#include "lib/dns/access.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "tests/unit/dns_zones.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_net_kernel.h"
#include "tests/unit/net_frames.h"

#include "lwip/priv/tcp_priv.h"

/* --- the rest of the app --------------------------------------------------------- */

struct server server;
static unsigned idle_told; /* tenths of a second */

void server_tell_idle(unsigned tenths)
{
    idle_told = tenths;
}

const struct dns_client *server_client(const ip_addr_t *from)
{
    static struct dns_client client = {.address_len = 4};

    return &client;
}

/* --- memory ----------------------------------------------------------------------------------------- */

static struct {
    long left;      /* blocks until one is not there; negative: all are */
    bool for_ever;  /* then no later one is, either */
    unsigned taken; /* by all, now */
    bool is_ours;   /* the test's own block, which is always there */
} memory = {.left = -1};

void *__real_net_mem_alloc(size_t size);
void *__real_net_mem_calloc(size_t count, size_t size);
void __real_net_mem_free(void *p);

static bool memory_is_short(void)
{
    if (memory.is_ours || memory.left < 0)
        return false;
    if (memory.left > 0)
        return !memory.left--;
    if (!memory.for_ever)
        memory.left = -1;
    return true;
}

void *__wrap_net_mem_alloc(size_t size)
{
    void *p = memory_is_short() ? NULL : __real_net_mem_alloc(size);

    memory.taken += p != NULL;
    return p;
}

void *__wrap_net_mem_calloc(size_t count, size_t size)
{
    void *p = memory_is_short() ? NULL : __real_net_mem_calloc(count, size);

    memory.taken += p != NULL;
    return p;
}

void __wrap_net_mem_free(void *p)
{
    memory.taken -= p != NULL;
    __real_net_mem_free(p);
}

/* --- the device ------------------------------------------------------------------------------------ */

/* The TCP segment that was sent last. */
static struct {
    unsigned count, len; /* octets of data */
    uint32_t seq;
    uint8_t flags, data[1500];
} sent;

/* All that was sent since a client connected, in its order. */
static struct {
    uint8_t octets[65536];
    uint32_t first; /* the number of the first octet */
    size_t len;
    bool ended; /* by FIN or RST */
    bool reset;
} stream;

/* Takes a segment. What comes again is the same. */
static void stream_take(uint32_t seq, const uint8_t *data, size_t len, uint8_t flags)
{
    size_t at = (uint32_t)(seq - stream.first);

    if (at > stream.len)
        return; /* the one before was lost: there was no memory */
    ck_assert_uint_le(at + len, sizeof(stream.octets));
    ck_assert_mem_eq(stream.octets + at, data, MIN(len, stream.len - at));
    memcpy(stream.octets + at, data, len);
    stream.len = MAX(stream.len, at + len);
    stream.ended |= (flags & (TCP_FIN | TCP_RST)) != 0;
    stream.reset |= (flags & TCP_RST) != 0;
}

static int transmit(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload)
{
    uint8_t frame[2048] = {0}, *tcp = frame + ETH_BYTES + IP4_BYTES;
    unsigned header;

    pbuf_copy_partial(p, frame, sizeof(frame), 0);
    if (frame[AT_IP4_PROTOCOL] != PROTOCOL_TCP)
        return 0;
    header = (tcp[AT_TCP_OFFSET] >> 4) * 4u;
    sent.count++;
    sent.flags = tcp[AT_TCP_FLAGS] & 0x3f;
    sent.seq = read_be32(tcp + AT_TCP_SEQ);
    sent.len = p->tot_len - ETH_BYTES - IP4_BYTES - header;
    memcpy(sent.data, tcp + header, sent.len);
    stream_take(sent.seq, sent.data, sent.len, sent.flags);
    return 0;
}

static struct netdev dev = {
    .name = "vif/0",
    .transmit = transmit,
    .mac = {0, 0x16, 0x3e, 1, 2, 3},
    .mtu = 1500,
};

static void arrive(const uint8_t *frame, size_t len)
{
    struct pbuf *p;

    memory.is_ours = true;
    p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
    memory.is_ours = false;
    pbuf_take(p, frame, (u16_t)len);
    net_input(&dev, p, NET_INPUT_CHECKED);
}

/* The router, through which all clients come, tells where it is. */
static void know_router(void)
{
    uint8_t frame[ETH_BYTES + ARP_BYTES];

    arrive(frame, frame_arp(frame, dev.mac));
}

/* --- clients ---------------------------------------------------------------------------------------- */

struct client {
    uint32_t address;
    uint16_t port;
    uint32_t seq, ack; /* what it sends next, and wants next */
};

/* A segment of a client. */
static void segment(struct client *c, uint8_t flags, const void *data, uint16_t len)
{
    uint8_t frame[1514],
        *tcp = frame_ip4(frame, dev.mac, PROTOCOL_TCP, (uint16_t)(TCP_BYTES + len)), *payload;
    struct frame_segment s = {.from = c->port,
                              .to = DNS_PORT,
                              .seq = c->seq,
                              .ack = c->ack,
                              .flags = flags,
                              .window = 8192};

    write_be32(frame + AT_IP4_SRC, c->address);
    frame_ip4_sum(frame);
    payload = frame_tcp(tcp, &s);
    memcpy(payload, data, len);
    arrive(frame, (size_t)(payload + len - frame));
    c->seq += len;
}

/* A client that connects. */
static struct client connect_from(uint32_t address, uint16_t port)
{
    struct client c = {.address = address, .port = port, .seq = 1000};

    segment(&c, TCP_SYN, "", 0);
    ck_assert_uint_eq(sent.flags, TCP_SYN | TCP_ACK);
    c.seq++;
    c.ack = sent.seq + 1;
    stream.first = c.ack;
    stream.len = 0;
    stream.ended = stream.reset = false;
    segment(&c, TCP_ACK, "", 0);
    return c;
}

/* Sends a question, cut into PIECES segments, the last one first if they are REVERSED; is it answered? */
static bool is_answered(struct client *c, unsigned pieces, bool reversed)
{
    uint8_t query[300];
    size_t len = put_query(query + LENGTH_SIZE, "www.example.org.", TYPE_A) + LENGTH_SIZE;
    uint32_t first = c->seq;
    size_t piece = (len + pieces - 1) / pieces;

    dns_put_be16(query, (unsigned)(len - LENGTH_SIZE));
    sent.len = sent.flags = 0;
    for (unsigned i = 0; i < pieces; i++) {
        unsigned which = reversed ? pieces - 1 - i : i;
        size_t from = which * piece, n = from < len ? MIN(piece, len - from) : 0;

        c->seq = first + (uint32_t)from;
        if (n)
            segment(c, TCP_ACK | TCP_PSH, query + from, (uint16_t)n);
    }
    c->seq = first + (uint32_t)len;
    if (sent.flags & TCP_RST || !sent.len)
        return false;
    ck_assert_uint_eq(sent.data[LENGTH_SIZE + 7], 1);
    c->ack = sent.seq + sent.len;
    segment(c, TCP_ACK, "", 0);
    return true;
}

/* --- tests ------------------------------------------------------------------------------------------ */

static struct dns_zone *buckets_of_server[BUCKETS], zone;
static struct client clients[CONFIG_DNS_TCP_CONNECTIONS + 1];

/* Each test has a process of its own. */
static void begin(void)
{
    static struct dns_access everybody = {.rule[0].prefix = {.address_len = 4}, .rules = 1};
    size_t size;

    (void)make_zone("@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
                    "www 60 A 192.0.2.2\n$GENERATE 1-500 n$ 60 TXT \"$ of 500, some 60 octets\"\n",
                    &zone, &size);
    dns_db_init(&server.db, buckets_of_server, BUCKETS);
    (void)dns_db_set(&server.db, &zone);
    dns_db_allow(&server.db, &everybody);
    server.port = DNS_PORT;
    fake_memory = 16384;
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("gw", "10.0.0.1");
    fake_net_start(&dev);
    dev.features = NETDEV_CSUM4;
    net_link(&dev, true);
    fake_run();
    fake_sleep(3 * NSEC_PER_SEC);
    know_router();
    ck_assert_int_eq(dns_tcp_start(), 0);
}

/* As many connections as there may be, of clients with N each, one behind the other. */
static void connect_all(unsigned n)
{
    for (unsigned i = 0; i < CONFIG_DNS_TCP_CONNECTIONS; i++) {
        fake_now++; /* none is as old as another */
        clients[i] = connect_from(0xc6120000 + i / n, (uint16_t)(20000 + i % n));
    }
    ck_assert_uint_eq(tcp.count, CONFIG_DNS_TCP_CONNECTIONS);
}

/* They cost little; all of them are answered; one more takes the place of the one idle longest. */
START_TEST(test_ten_thousand)
{
    struct client *last = &clients[CONFIG_DNS_TCP_CONNECTIONS];
    size_t pages;

    begin();
    pages = net_mem_stats()->pages;
    connect_all(1);
    pages = net_mem_stats()->pages - pages;
    ck_assert_uint_le(pages * PAGE_SIZE / CONFIG_DNS_TCP_CONNECTIONS, 512);
    ck_assert(is_answered(&clients[0], 1, false));
    *last = connect_from(0xc6130000, 20000);
    ck_assert_uint_eq(tcp.count, CONFIG_DNS_TCP_CONNECTIONS);
    ck_assert(is_answered(last, 1, false));
    ck_assert(!is_answered(&clients[1], 1, false));
    for (unsigned i = 2; i < CONFIG_DNS_TCP_CONNECTIONS; i += 97)
        ck_assert(is_answered(&clients[i], 1, false));
    ck_assert(is_answered(&clients[0], 1, false));
}
END_TEST

/* A client over its limit loses the connection that it has left idle longest; others lose none. */
START_TEST(test_client)
{
    struct client other, first, c;

    begin();
    other = connect_from(0xc6130000, 20000);
    first = connect_from(0xc6120000, 20000);
    c = connect_from(0xc6120000, 20001);
    for (unsigned i = 2; i < CONFIG_DNS_TCP_CLIENT_CONNECTIONS; i++)
        (void)connect_from(0xc6120000, (uint16_t)(20000 + i));
    ck_assert_uint_eq(tcp.count, CONFIG_DNS_TCP_CLIENT_CONNECTIONS + 1);
    ck_assert(is_answered(&first, 1, false));
    for (unsigned i = 0; i < 3; i++) {
        (void)connect_from(0xc6120000, (uint16_t)(21000 + i));
        ck_assert_uint_eq(tcp.count, CONFIG_DNS_TCP_CLIENT_CONNECTIONS + 1);
    }
    ck_assert(is_answered(&other, 1, false));
    ck_assert(is_answered(&first, 1, false));
    ck_assert(!is_answered(&c, 1, false));
}
END_TEST

/* All places of the table are taken, many twice and more: who has less than its limit is let in nevertheless. */
START_TEST(test_shared_places)
{
    begin();
    connect_all(CONFIG_DNS_TCP_CLIENT_CONNECTIONS - 1);
    for (unsigned i = 0; i < CONFIG_DNS_TCP_CONNECTIONS; i += 397)
        ck_assert(is_answered(&clients[i], 1, false));
    for (unsigned i = 0; i < 100; i++) { /* each takes the place of one of another client */
        struct client c = connect_from(0xc6180000 + i, 20000);

        ck_assert(is_answered(&c, 1, false));
        ck_assert_uint_eq(tcp.count, CONFIG_DNS_TCP_CONNECTIONS);
    }
}
END_TEST

/* Half of the limit may be idle as long as usual; more for a shorter time, which is what clients are told. */
START_TEST(test_idle_time)
{
    begin();
    ck_assert_uint_eq(CONFIG_DNS_TCP_IDLE_SECONDS, 10);
    ck_assert_uint_eq(clients_idle_tenths(0), 100);
    ck_assert_uint_eq(clients_idle_tenths(CONFIG_DNS_TCP_CONNECTIONS / 2), 100);
    ck_assert_uint_eq(clients_idle_tenths(CONFIG_DNS_TCP_CONNECTIONS * 3 / 4), 50);
    ck_assert_uint_eq(clients_idle_tenths(CONFIG_DNS_TCP_CONNECTIONS * 7 / 8), 25);
    ck_assert_uint_eq(clients_idle_tenths(CONFIG_DNS_TCP_CONNECTIONS), 10);
    connect_all(1);
    ck_assert(is_answered(&clients[0], 1, false));
    ck_assert_uint_eq(idle_told, 10);
    fake_sleep(4 * NSEC_PER_SEC);
    ck_assert_uint_lt(tcp.count, CONFIG_DNS_TCP_CONNECTIONS);
    fake_sleep(2 * CONFIG_DNS_TCP_IDLE_SECONDS * NSEC_PER_SEC);
    ck_assert_uint_eq(tcp.count, 0);
    for (unsigned i = 0; i < CONFIG_DNS_TCP_CONNECTIONS; i++) {
        ip_addr_t address = IPADDR4_INIT(lwip_htonl(clients[i].address));

        ck_assert_uint_eq(clients_at(clients_place(&address)), 0);
    }
}
END_TEST

/* Behind a question comes what is none, too long or cut off, or nothing any more: the question is answered, and the
 * connection ends in good order. It counts until its client has acknowledged the answer, or has been idle for too long, and
 * keeps nothing of what comes meanwhile. */
START_TEST(test_what_is_no_question)
{
    const unsigned end = (unsigned)_i / 2;
    const bool acknowledges = _i % 2;
    static const struct {
        uint8_t octets[3], len, flags;
    } ends[] = {{{0xff, 0xff, 0}, 2, 0},
                {{0xff, 0xff, 0}, 3, TCP_FIN},
                {{0}, 1, TCP_FIN},
                {{0}, 0, TCP_FIN}};
    uint8_t text[300];
    size_t len = put_query(text + LENGTH_SIZE, "www.example.org.", TYPE_A) + LENGTH_SIZE;
    struct client c;

    begin();
    dns_put_be16(text, (unsigned)(len - LENGTH_SIZE));
    memcpy(text + len, ends[end].octets, ends[end].len);
    c = connect_from(0xc6120001, 20000);
    segment(&c, TCP_ACK | TCP_PSH | ends[end].flags, text, (uint16_t)(len + ends[end].len));
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_gt(stream.len, len);
    ck_assert_uint_eq(stream.len, LENGTH_SIZE + dns_be16(stream.octets));
    ck_assert_uint_eq(stream.octets[LENGTH_SIZE + 7], 1);
    ck_assert(!stream.ended);
    ck_assert_uint_eq(tcp.count, 1);
    if (ends[end].flags & TCP_FIN)
        c.seq++;
    else
        segment(&c, TCP_ACK | TCP_PSH, "more", 4);
    ck_assert(!container_of(tcp.connections.next, struct connection, link)->input);
    c.ack += (uint32_t)stream.len;
    if (acknowledges)
        segment(&c, TCP_ACK, "", 0);
    else
        fake_sleep((CONFIG_DNS_TCP_IDLE_SECONDS + 1) * NSEC_PER_SEC);
    ck_assert(stream.ended && !stream.reset == acknowledges);
    ck_assert_uint_eq(tcp.count, 0);
}
END_TEST

/* Nothing but what is no question, its FIN along with it or not: an end in good order at once. */
START_TEST(test_no_question_at_all)
{
    struct client c;

    begin();
    c = connect_from(0xc6120001, 20000);
    segment(&c, (uint8_t)(TCP_ACK | TCP_PSH | (_i ? TCP_FIN : 0)), "\xff\xff", 3);
    ck_assert(stream.ended && !stream.reset);
    ck_assert_uint_eq(tcp.count, 0);
}
END_TEST

/* A query in pieces of any size, in order and in the other one. */
START_TEST(test_segments)
{
    struct client c;

    begin();
    c = connect_from(0xc6120000, 20000);
    for (unsigned pieces = 1; pieces < 40; pieces++) {
        ck_assert_msg(is_answered(&c, pieces, false), "%u pieces", pieces);
        ck_assert_msg(is_answered(&c, pieces, true), "%u pieces, reversed", pieces);
    }
}
END_TEST

/* The zone as it comes when there is memory. */
static struct {
    uint8_t octets[sizeof(stream.octets)];
    size_t len; /* 0: not known yet */
} whole;

/* Takes what comes, until that is all, or nothing has come for so many seconds, though the client asked each again. */
static void take_zone(struct client *c, const uint8_t *query, uint16_t len, unsigned patience)
{
    unsigned silent = 0;

    while (!stream.ended && silent < patience && (!whole.len || stream.len < whole.len)) {
        silent = c->ack == stream.first + stream.len ? silent + 1 : 0;
        c->ack = stream.first + (uint32_t)stream.len;
        if (silent) {
            fake_sleep(NSEC_PER_SEC);
            c->seq -= len;
            segment(c, TCP_ACK | TCP_PSH, query, len);
        } else {
            segment(c, TCP_ACK, "", 0);
        }
    }
}

/*
 * A client fetches the zone, and resets the connection. Memory is short at the block with the number BLOCKS, counted
 * from the query on: at this one, or from there on until nothing has come for so many SECONDS. False if it was not.
 */
static bool fetch_zone(long blocks, unsigned seconds)
{
    uint8_t query[300];
    uint16_t len = (uint16_t)put_query(query + LENGTH_SIZE, "example.org.", TYPE_AXFR);
    struct client c;
    bool was_short;

    know_router(); /* what is known of it lasts for minutes */
    c = connect_from(0xc6120000, 20000);
    dns_put_be16(query, len);
    len = (uint16_t)(len + LENGTH_SIZE);
    memory.for_ever = seconds;
    memory.left = blocks;
    segment(&c, TCP_ACK | TCP_PSH, query, len);
    if (seconds) {
        take_zone(&c, query, len, seconds);
        was_short = memory.left == 0;
        memory.left = -1;
    }
    take_zone(&c, query, len, 60);
    if (!seconds)
        was_short = memory.left < 0;
    memory.left = -1;
    segment(&c, TCP_RST | TCP_ACK, "", 0);
    return was_short;
}

/* The records of the messages that have come whole. */
static unsigned records_come(void)
{
    unsigned records = 0;

    for (size_t at = 0; at + LENGTH_SIZE + 12 <= stream.len;) {
        records += dns_be16(stream.octets + at + LENGTH_SIZE + 6);
        at += LENGTH_SIZE + dns_be16(stream.octets + at);
    }
    return records;
}

/* How long memory is short: for one block; for less than a connection may be idle; for longer. */
static const unsigned shortages[] = {0, CONFIG_DNS_TCP_IDLE_SECONDS / 3,
                                     2 * CONFIG_DNS_TCP_IDLE_SECONDS};

/*
 * Memory is short at each block of a transfer in turn. The client gets the zone octet by octet, or its beginning and
 * the end of the connection; nothing is left behind, and the next transfer works.
 */
START_TEST(test_transfer_without_memory)
{
    unsigned taken, ended = 0;
    bool was_short = true;
    long blocks;

    begin();
    fetch_zone(-1, 0);
    ck_assert_uint_gt(stream.len, OUTPUT_MAX);
    ck_assert_uint_eq(records_come(), dns_zone_records(&zone) + 1);
    whole.len = stream.len;
    memcpy(whole.octets, stream.octets, whole.len);
    taken = memory.taken;
    for (blocks = 0; was_short; blocks++) {
        was_short = fetch_zone(blocks, shortages[_i]);
        ck_assert_mem_eq(stream.octets, whole.octets, stream.len);
        ck_assert(stream.len == whole.len || stream.ended);
        ended += stream.len < whole.len;
        ck_assert_uint_eq(tcp.count, 0);
        ck_assert_uint_eq(memory.taken, taken);
    }
    ck_assert_int_gt(blocks, 50);
    ck_assert_int_lt(blocks, 1000);
    if (shortages[_i] > CONFIG_DNS_TCP_IDLE_SECONDS)
        ck_assert_uint_gt(ended, 0);
    ck_assert_uint_eq(stream.len, whole.len); /* at last there is memory enough */
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tcp");
    Suite *s = suite_create("dns_tcp");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_ten_thousand);
    tcase_add_test(t, test_client);
    tcase_add_test(t, test_shared_places);
    tcase_add_test(t, test_idle_time);
    tcase_add_loop_test(t, test_what_is_no_question, 0, 8);
    tcase_add_loop_test(t, test_no_question_at_all, 0, 2);
    tcase_add_test(t, test_segments);
    tcase_add_loop_test(t, test_transfer_without_memory, 0,
                        sizeof(shortages) / sizeof(shortages[0]));
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
