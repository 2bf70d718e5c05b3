/* SPDX-License-Identifier: ISC */
/*
 * lib/net/gso.c: whatever is joined, cut apart again at the size it names, is what lwIP sent, in the
 * same order; and nothing that went through is held afterwards.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/gso.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/netpage.h"
#include "tests/unit/fake_kernel.h"

#include "lwip/prot/tcp.h"

#define MSS 1460
#define HEADERS(version) (ETH_BYTES + ((version) == 4 ? IP4_BYTES : IP6_BYTES) + TCP_BYTES)

/* --- what it stands on ------------------------------------------------------------------- */

static unsigned objects;

size_t page_count_total(void)
{
    return 4096;
}

void *net_mem_alloc(size_t size)
{
    objects++;
    return malloc(size);
}

void *net_mem_calloc(size_t count, size_t size)
{
    return memset(net_mem_alloc(count * size), 0, count * size);
}

void net_mem_free(void *p)
{
    objects -= p != NULL;
    free(p);
}

/* Leaves the pool that many pages and no memory for more. */
static void leave_pages(struct netpage **taken, unsigned left)
{
    fake_no_memory = true;
    while (netpage_stats()->free > left) {
        struct netpage *np = netpage_get(true);

        np->next = *taken;
        *taken = np;
    }
}

static void give_back(struct netpage **taken)
{
    fake_no_memory = false;
    while (*taken) {
        struct netpage *np = *taken;

        *taken = np->next;
        netpage_put(np);
    }
}

/* --- segments ---------------------------------------------------------------------------- */

struct segment {
    uint8_t version, flow, flags;
    uint16_t window;
    uint32_t seq, ack;
    uint16_t payload;
};

/* What lies in the stream at seq. */
static const uint8_t *stream_at(uint32_t seq)
{
    static uint8_t stream[251 + MSS + 1];

    if (!stream[1]) {
        for (unsigned i = 0; i < sizeof(stream); i++)
            stream[i] = (uint8_t)(i % 251);
    }
    return stream + seq % 251;
}

/* The frame as lwIP makes it: headers in one buffer, the payload behind them or in another. */
static struct pbuf *frame_of(const struct segment *s, bool apart)
{
    unsigned headers = HEADERS(s->version);
    struct pbuf *p =
        pbuf_alloc(PBUF_RAW, (u16_t)(apart ? headers : headers + s->payload), PBUF_RAM);
    uint8_t *frame, *tcp;

    ck_assert_ptr_nonnull(p);
    if (apart && s->payload)
        pbuf_cat(p, pbuf_alloc(PBUF_RAW, s->payload, PBUF_RAM));
    frame = memset(p->payload, 0, headers);
    memset(frame, 2, 12);
    write_be16(frame + AT_ETH_TYPE, s->version == 4 ? ETH_IP4 : ETH_IP6);
    if (s->version == 4) {
        static uint16_t id;

        frame[ETH_BYTES] = 0x45;
        write_be16(frame + AT_IP4_LENGTH, (uint16_t)(headers - ETH_BYTES + s->payload));
        write_be16(frame + AT_IP4_ID, ++id);
        frame[AT_IP4_PROTOCOL] = PROTOCOL_TCP;
        frame[AT_IP4_DEST + 3] = s->flow;
    } else {
        frame[ETH_BYTES] = 0x60;
        write_be16(frame + AT_IP6_LENGTH, (uint16_t)(TCP_BYTES + s->payload));
        frame[AT_IP6_NEXT] = PROTOCOL_TCP;
        frame[AT_IP6_DEST + 15] = s->flow;
    }
    tcp = frame + headers - TCP_BYTES;
    write_be16(tcp + 2, s->flow);
    write_be16(tcp + AT_TCP_SEQ, (uint16_t)(s->seq >> 16));
    write_be16(tcp + AT_TCP_SEQ + 2, (uint16_t)s->seq);
    write_be16(tcp + AT_TCP_ACK + 2, (uint16_t)s->ack);
    tcp[AT_TCP_OFFSET] = 5 << 4;
    tcp[AT_TCP_FLAGS] = s->flags;
    write_be16(tcp + AT_TCP_WINDOW, s->window);
    if (s->payload)
        ck_assert_int_eq(pbuf_take_at(p, stream_at(s->seq), s->payload, (u16_t)headers), ERR_OK);
    return p;
}

/* --- the wire ---------------------------------------------------------------------------- */

#define QUEUE 512
static struct {
    struct segment expected[QUEUE]; /* what lwIP thinks it has sent */
    unsigned head, tail;
    bool busy;
    unsigned frames, large;
} wire;

static void expect(const struct segment *s)
{
    wire.expected[wire.tail++ % QUEUE] = *s;
    ck_assert_uint_le(wire.tail - wire.head, QUEUE);
}

static uint16_t sum_of(const uint8_t *p, size_t len)
{
    uint32_t sum = headers_sum(p, len);

    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)(sum + (sum >> 16));
}

static void compare(const uint8_t *frame, const struct headers *h, const uint8_t *data,
                    uint32_t seq, uint16_t size, bool last)
{
    const struct segment *want = &wire.expected[wire.head++ % QUEUE];
    const uint8_t *tcp = frame + h->transport;
    uint8_t flags = tcp[AT_TCP_FLAGS];

    ck_assert_uint_lt(wire.head - 1, wire.tail);
    ck_assert_uint_eq(h->version, want->version);
    ck_assert_uint_eq(read_be16(tcp + 2), want->flow);
    ck_assert_uint_eq(seq, want->seq);
    ck_assert_uint_eq(read_be32(tcp + AT_TCP_ACK), want->ack);
    ck_assert_uint_eq(read_be16(tcp + AT_TCP_WINDOW), want->window);
    ck_assert_uint_eq(size, want->payload);
    /* Who cuts leaves PSH to the last piece. */
    ck_assert_uint_eq(flags & ~(unsigned)TCP_PSH, want->flags & ~(unsigned)TCP_PSH);
    ck_assert(!last || !(want->flags & TCP_PSH) || (flags & TCP_PSH));
    ck_assert_mem_eq(data, stream_at(seq), size);
}

int net_transmit(struct net_interface *nif, struct pbuf *p, const struct netdev_offload *offload)
{
    static uint8_t frame[UINT16_MAX];
    struct headers h;
    uint32_t seq, at;

    if (wire.busy)
        return -EBUSY;
    ck_assert_uint_eq(pbuf_copy_partial(p, frame, sizeof(frame), 0), p->tot_len);
    ck_assert(headers_parse(frame, p->tot_len, &h));
    ck_assert_uint_eq(offload->gso, offload->gso_size ? h.version : 0);
    if (h.version == 4) {
        ck_assert_uint_eq(read_be16(frame + AT_IP4_LENGTH), p->tot_len - ETH_BYTES);
        if (offload->blank)
            ck_assert_uint_eq(sum_of(frame + ETH_BYTES, IP4_BYTES), 0xffff);
    } else {
        ck_assert_uint_eq(read_be16(frame + AT_IP6_LENGTH), p->tot_len - ETH_BYTES - IP6_BYTES);
    }
    if (offload->blank) {
        uint16_t have = read_be16(frame + h.transport + AT_TCP_SUM);

        headers_blank_tcp(frame, &h, (uint16_t)(p->tot_len - h.transport));
        ck_assert_uint_eq(have, read_be16(frame + h.transport + AT_TCP_SUM));
    }
    wire.frames++;
    wire.large += offload->gso != 0;
    seq = read_be32(frame + h.transport + AT_TCP_SEQ);
    at = h.transport + TCP_BYTES;
    do {
        uint16_t size = (uint16_t)(p->tot_len - at);

        if (offload->gso_size && size > offload->gso_size)
            size = offload->gso_size;
        at += size;
        compare(frame, &h, frame + at - size, seq, size, at == p->tot_len);
        seq += size;
    } while (at < p->tot_len);
    return 0;
}

/* --- cases ------------------------------------------------------------------------------- */

static struct netdev dev;
static struct net_interface nif = {.dev = &dev};

static void release(struct netpage *np)
{
    (void)np;
}

static void start(void)
{
    memset(&wire, 0, sizeof(wire));
    netpage_open(release);
    dev.features = NETDEV_GSO4 | NETDEV_GSO6 | NETDEV_CSUM4 | NETDEV_CSUM6;
    nif.completes = true;
    net_gso_configure(&nif);
    ck_assert_ptr_nonnull(nif.gso);
}

static void finish(void)
{
    wire.busy = false;
    ck_assert(net_gso_flush(nif.gso));
    ck_assert_uint_eq(wire.head, wire.tail);
    net_gso_free(&nif);
    ck_assert_uint_eq(netpage_stats()->pages, netpage_stats()->free);
    netpage_close();
    ck_assert_uint_eq(objects, 0);
}

/* What frame.c does with a segment. */
static bool send(const struct segment *s, bool apart)
{
    struct netdev_offload plain = {.valid = true};
    struct pbuf *p = frame_of(s, apart);
    enum net_gso_verdict verdict;
    struct headers h;

    ck_assert(headers_parse(p->payload, p->len, &h));
    verdict = net_gso_take(nif.gso, p, &h);
    if (verdict != NET_GSO_BUSY)
        expect(s);
    if (verdict == NET_GSO_PASS && net_transmit(&nif, p, &plain) != 0) {
        wire.tail--; /* lwIP is told */
        verdict = NET_GSO_BUSY;
    }
    pbuf_free(p);
    return verdict != NET_GSO_BUSY;
}

static void send_row(struct segment s, unsigned count, uint16_t last)
{
    for (; count; count--, s.seq += MSS) {
        s.payload = count == 1 ? last : MSS;
        ck_assert(send(&s, count & 1));
    }
}

START_TEST(a_row_is_one_frame)
{
    struct segment s = {.version = _i ? 6 : 4, .flow = 1, .flags = TCP_ACK, .seq = 0xfffff000};

    start();
    send_row(s, 10, 100);
    ck_assert_uint_eq(wire.frames, 0);
    fake_run(); /* the end of the turn */
    ck_assert_uint_eq(wire.frames, 1);
    ck_assert_uint_eq(wire.large, 1);
    finish();
}
END_TEST

START_TEST(no_frame_is_longer_than_a_length_field)
{
    struct segment s = {.version = _i ? 6 : 4, .flow = 1, .flags = TCP_ACK};

    start();
    send_row(s, 100, MSS);
    fake_run();
    ck_assert_uint_eq(wire.frames, 3);
    finish();
}
END_TEST

START_TEST(a_short_one_is_the_last)
{
    struct segment s = {.version = 4, .flow = 1, .flags = TCP_ACK};

    start();
    send_row(s, 3, 600);
    s.seq += 2 * MSS + 600;
    send_row(s, 2, MSS);
    fake_run();
    ck_assert_uint_eq(wire.frames, 2);
    finish();
}
END_TEST

/* Change any one thing, and the segment is not joined. */
START_TEST(only_what_continues_is_joined)
{
    struct segment s = {.version = _i & 1 ? 6 : 4, .flow = 1, .flags = TCP_ACK, .payload = MSS};
    struct segment next = s;

    next.seq += MSS;
    switch (_i / 2) {
    case 0:
        next.flow = 2;
        break;
    case 1:
        next.version = (uint8_t)(10 - s.version);
        break;
    case 2:
        next.seq++;
        break;
    case 3:
        next.ack++;
        break;
    case 4:
        next.window++;
        break;
    case 5:
        next.flags |= TCP_FIN;
        break;
    default:
        next.payload++;
    }
    start();
    ck_assert(send(&s, false) && send(&next, true));
    fake_run();
    ck_assert_uint_eq(wire.frames, 2);
    ck_assert_uint_eq(wire.large, 0);
    finish();
}
END_TEST

START_TEST(a_full_ring_loses_nothing)
{
    struct segment s = {.version = 4, .flow = 1, .flags = TCP_ACK, .payload = MSS};
    struct segment other = {.version = 4, .flow = 2, .flags = TCP_ACK, .payload = MSS};

    start();
    ck_assert(send(&s, false));
    wire.busy = true;
    fake_run();
    ck_assert(!send(&other, false));
    s.seq += MSS;
    ck_assert(send(&s, false)); /* it still fits behind the one that waits */
    wire.busy = false;
    ck_assert(send(&other, false));
    ck_assert_uint_eq(wire.frames, 1);
    fake_run();
    finish();
}
END_TEST

/* A frame that waited for room when its device went: the pages may go to another backend. */
START_TEST(what_was_not_sent_is_shown_to_nobody) /* hardening.md, rule 11 */
{
    static const uint8_t blank[PAGE_SIZE];
    struct netpage *taken = NULL;

    start();
    wire.busy = true;
    send_row((struct segment){.version = 4, .flow = 1, .flags = TCP_ACK}, 8, MSS);
    fake_run();
    ck_assert_uint_gt(netpage_stats()->pages - netpage_stats()->free, 2);
    net_gso_configure(&nif); /* anew */
    wire.head = wire.tail;   /* TCP will repeat it */
    leave_pages(&taken, 0);
    for (struct netpage *np = taken; np; np = np->next)
        ck_assert_mem_eq(np->page, blank, PAGE_SIZE);
    give_back(&taken);
    finish();
}
END_TEST

START_TEST(device_that_does_not_cut)
{
    dev.features = NETDEV_GSO4 | NETDEV_CSUM4 | NETDEV_CSUM6;
    net_gso_configure(&nif);
    ck_assert_ptr_null(nif.gso);
}
END_TEST

/* Flows, sizes, flags, memory and room by chance. */
START_TEST(walk)
{
    struct netpage *taken = NULL;
    struct segment flows[4];

    srand((unsigned)_i);
    start();
    for (unsigned i = 0; i < 4; i++)
        flows[i] = (struct segment){
            .version = i & 1 ? 6 : 4, .flow = (uint8_t)(i / 2 + 1), .seq = (uint32_t)rand()};
    for (unsigned step = 0; step < 20000; step++) {
        struct segment *s = &flows[rand() % 8 ? step / 50 % 4 : (unsigned)rand() % 4];

        s->payload = (uint16_t)(rand() % 4 ? MSS : rand() % MSS);
        s->flags = (uint8_t)(TCP_ACK | (rand() % 16 ? 0 : TCP_PSH) | (rand() % 64 ? 0 : TCP_FIN));
        s->ack += rand() % 20 == 0;
        if (send(s, rand() & 1))
            s->seq += s->payload;
        wire.busy = rand() % 25 == 0;
        if (rand() % 15 == 0)
            fake_run();
        if (rand() % 200 == 0)
            leave_pages(&taken, (unsigned)rand() % 6);
        else if (rand() % 100 == 0)
            give_back(&taken);
    }
    give_back(&taken);
    ck_assert_uint_gt(wire.large, 500);
    finish();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gso");
    TCase *c = tcase_create("gso");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(c, a_row_is_one_frame, 0, 2);
    tcase_add_loop_test(c, no_frame_is_longer_than_a_length_field, 0, 2);
    tcase_add_test(c, a_short_one_is_the_last);
    tcase_add_loop_test(c, only_what_continues_is_joined, 0, 14);
    tcase_add_test(c, a_full_ring_loses_nothing);
    tcase_add_test(c, what_was_not_sent_is_shown_to_nobody);
    tcase_add_test(c, device_that_does_not_cut);
    tcase_add_loop_test(c, walk, 0, 6);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
