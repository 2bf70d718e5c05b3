/* SPDX-License-Identifier: ISC */
/* For the tests of lib/net/forward.c: a client of apps/echo that sends a stream in network pages and checks what comes back,
 * on a way that loses some of it. Each includes this once. */
#ifndef TESTS_UNIT_NET_ECHO_H
#define TESTS_UNIT_NET_ECHO_H

#include <errno.h>

#include "lib/net/forward.h"
#include "lib/net/include/lwiphooks.h"
#include "lib/net/mem.h"
#include "tests/unit/net_client.h"

#include "lwip/etharp.h"
#include "lwip/priv/tcp_priv.h"

#define TOTAL 600000u
#define PORT 7
#define SCALE 4
#define FAR (UINT32_MAX / 2)

/* --- the client -------------------------------------------------------------------------- */

static uint8_t stream[TOTAL];
static struct {
    uint32_t isn;                  /* the guest's */
    uint32_t una, nxt, their_edge; /* of what it sends: acknowledged, sent, may be sent */
    uint32_t sent;                 /* the most that nxt has been */
    uint32_t next, edge;           /* of what comes back: in order, of the window */
    uint32_t in_place,
        copied;       /* octets that came back out of the pages that they went in; others */
    uint32_t longest; /* of the frames to be cut */
    unsigned lost_percent, taken; /* the latter: segments that were not lost */
    uint16_t mss;
    bool deaf;  /* nothing comes back to it */
    bool hasty; /* ends its stream when it has sent it, not when it has got it back */
    bool synchronized, fin, ended, full, cuts; /* the last is the device's */
    bool have[TOTAL];
} client;

static bool is_lost(void)
{
    return (unsigned)rand() % 100 < client.lost_percent;
}

static void take_octets(const uint8_t *payload, uint32_t at, uint32_t len)
{
    ck_assert_uint_le(at + len, client.sent);
    client.taken++;
    ck_assert_msg(memcmp(payload, stream + at, len) == 0, "other octets at %u", at);
    memset(client.have + at, true, len);
    while (client.next < TOTAL && client.have[client.next])
        client.next++;
}

static void take_segment(const uint8_t *tcp, uint32_t len, const struct netdev_offload *offload)
{
    const uint8_t *payload = tcp + (tcp[AT_TCP_OFFSET] >> 4) * 4u;
    uint32_t at = read_be32(tcp + AT_TCP_SEQ) - client.isn - 1;
    uint32_t acked = read_be32(tcp + AT_TCP_ACK) - THEIR_SEQ - 1;
    bool fin = tcp[AT_TCP_FLAGS] & TCP_FIN;

    if (tcp[AT_TCP_FLAGS] & TCP_RST) { /* it has forgotten us */
        ck_assert(client.fin && !tcp_active_pcbs);
        return;
    }
    if (client.deaf)
        return;
    len -= (uint32_t)(payload - tcp);
    ck_assert(len <= client.mss || offload->gso);
    client.longest = MAX(client.longest, len);
    while (len) {
        uint32_t n = MIN(len, offload->gso ? (uint32_t)offload->gso_size : len);

        /* Beyond its window, by a probe or because the last word of it came with octets sent anew, it takes nothing. */
        if (!is_lost() && at + n <= client.edge)
            take_octets(payload, at, n);
        payload += n;
        at += n;
        len -= n;
    }
    if (is_lost())
        return;
    client.fin |= fin && at == TOTAL && client.next == TOTAL;
    if (acked - client.una < FAR) { /* one further than the end is the FIN's */
        client.una = MIN(acked, TOTAL);
        client.ended |= acked > TOTAL;
        client.nxt = MAX(client.nxt, client.una);
    }
    acked += (uint32_t)read_be16(tcp + AT_TCP_WINDOW) << TCP_RCV_SCALE;
    if (acked - client.their_edge < FAR)
        client.their_edge = acked;
}

/* What other clients are told; they are the test's. */
static void (*overhear)(const uint8_t *tcp, size_t len);

static int transmit(struct netdev *d, struct pbuf *p, const struct netdev_offload *offload)
{
    static uint8_t frame[UINT16_MAX];
    struct headers h;

    if (client.full)
        return -EBUSY;
    ck_assert(p->tot_len <= d->mtu + ETH_BYTES || offload->gso);
    ck_assert_uint_eq(pbuf_copy_partial(p, frame, p->tot_len, 0), p->tot_len);
    if (!headers_parse(frame, p->tot_len, &h) || h.protocol != PROTOCOL_TCP)
        return 0;
    for (struct pbuf *q = p->next; q; q = q->next) {
        struct netpage *np = netpage_viewed(q);

        ck_assert(np || !(q->flags & PBUF_FLAG_IS_CUSTOM));
        if (np && !netpage_is_own(q, np)) {
            ck_assert((uint8_t *)q->payload >= np->page &&
                      (uint8_t *)q->payload + q->len <= np->page + PAGE_SIZE);
            client.in_place += q->len;
        } else {
            client.copied += q->len;
        }
    }
    if (read_be16(frame + h.transport + 2) != THEIR_PORT) {
        overhear(frame + h.transport, p->tot_len - h.transport);
        return 0;
    }
    if (frame[h.transport + AT_TCP_FLAGS] & TCP_SYN) {
        client.isn = read_be32(frame + h.transport + AT_TCP_SEQ);
        client.synchronized = true;
    } else if (client.synchronized) {
        take_segment(frame + h.transport, p->tot_len - h.transport, offload);
    }
    return 0;
}

/* A segment to the guest, if it is not lost. */
static void say(uint8_t flags, uint32_t at, size_t len, uint16_t window, size_t piece)
{
    uint8_t options[SYN_OPTIONS];
    struct frame_segment s = {.from = THEIR_PORT,
                              .to = PORT,
                              .seq = THEIR_SEQ + 1 + at,
                              .ack = client.isn + 1 + client.next + client.fin,
                              .flags = flags,
                              .window = window};

    if (flags & TCP_SYN) {
        s.options = syn_options(options, client.mss, SCALE);
        s.options_len = SYN_OPTIONS;
    }
    if (is_lost())
        return;
    if (piece && netpage_scarce() && rand() % 2)
        piece = 0; /* as the driver does */
    (void)deliver_segment(&s, stream + at, len, piece);
}

static uint16_t open_window(uint32_t window)
{
    /* It never shrinks, but for what the scale takes. */
    window = MAX(window, client.edge > client.next ? client.edge - client.next : 0) >> SCALE;
    client.edge = MAX(client.edge, client.next + (window << SCALE));
    return (uint16_t)window;
}

static void acknowledge(uint32_t window)
{
    say(TCP_ACK, client.nxt + client.ended, 0, open_window(window), 0);
    fake_run();
}

/* Some of the stream, as one segment: at the end, the FIN. */
static void give(uint32_t len, uint32_t window, size_t piece)
{
    uint32_t at = client.nxt;
    bool ends;

    len = MIN(len, MIN(TOTAL, client.their_edge) - MIN(at, client.their_edge));
    client.nxt += len;
    client.sent = MAX(client.sent, client.nxt);
    ends = client.nxt == TOTAL && (client.next == TOTAL || client.hasty);
    say(TCP_ACK | (ends ? TCP_FIN : 0), at, len, open_window(window), piece);
}

/* Frames as they come from the wire, or large ones of another guest. */
static void give_some(uint32_t longest, uint32_t window)
{
    static const size_t pieces[] = {PAGE_SIZE, PAGE_SIZE, 2000, 1200, 0};

    for (unsigned n = 1 + (unsigned)rand() % 4; n; n--)
        give(1 + (uint32_t)rand() % (rand() % 4 ? longest : 60), window,
             pieces[(unsigned)rand() % ARRAY_SIZE(pieces)]);
}

/* --- the guest --------------------------------------------------------------------------- */

static unsigned objects; /* before there was a connection; without pages */
int app_init(int argc, char **argv);

static void release(struct netpage *np)
{
}

static unsigned objects_now(void)
{
    return fake_objects - netpage_stats()->pages;
}

static void start(uint16_t mss, bool cuts, size_t memory)
{
    unsigned lost;

    fake_memory = memory;
    for (unsigned i = 0; i < TOTAL; i++)
        stream[i] = (uint8_t)rand();
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "fd00::2/64");
    netpage_open(release);
    ck_assert_int_eq(app_init(0, NULL), 0);
    ck_assert_int_eq(net_attach(&dev), 0);
    client.cuts = cuts;
    set_link(cuts);
    if (over_ip6)
        fake_sleep(3 * NSEC_PER_SEC);
    fake_sleep(60 * NSEC_PER_SEC);
    introduce();
    lost = client.lost_percent;
    objects = objects_now();
    client.lost_percent = 0;
    client.mss = mss;
    say(TCP_SYN, UINT32_MAX, 0, 30000, 0);
    fake_run();
    ck_assert(client.synchronized);
    acknowledge(30000);
    client.edge = client.their_edge = 30000;
    client.lost_percent = lost;
}

/* Nothing is left of the connection, and nobody has a page. */
static void ck_clean(void)
{
    ck_assert_ptr_null(tcp_active_pcbs);
    ck_assert_ptr_null(tcp_tw_pcbs);
    set_link(client.cuts); /* what an interface keeps depends on it */
    fake_run();
    ck_assert_uint_eq(netpage_stats()->pages, netpage_stats()->free);
    fake_sleep(60 * NSEC_PER_SEC);
    ck_assert_uint_eq(objects_now(), objects);
}

/* One turn of both: with losses, it begins again where it has not been heard. */
static void turn(uint32_t longest, uint32_t window, bool stalls)
{
    uint32_t una = client.una, next = client.next;

    if (client.nxt < TOTAL || client.una < TOTAL || !client.ended)
        give_some(longest, window);
    if (stalls)
        client.full = rand() % 10 == 0;
    fake_run();
    if (client.full || rand() % 8 == 0)
        fake_sleep(NSEC_PER_SEC / 4);
    client.full = false;
    net_tx_ready(&dev);
    acknowledge(window ? (uint32_t)rand() % window : 0);
    if (client.una == una && client.next == next) {
        fake_sleep(NSEC_PER_SEC / 4);
        if (over_ip6)
            introduce(); /* it has been asked, perhaps */
        client.nxt = client.una;
    }
}

static void finish(uint32_t longest, uint32_t window, unsigned relinks, bool cuts)
{
    for (unsigned turns = 1; client.next < TOTAL || !client.fin; turns++) {
        ck_assert_uint_lt(turns, 30000);
        if (relinks && turns % relinks == 0) {
            set_link(cuts ^ (turns / relinks & 1));
        }
        if (relinks && turns % relinks == 10)
            introduce(); /* until then what the guest sends waits for that */
        turn(longest, window, true);
    }
    client.lost_percent = 0;
    acknowledge(0);
    ck_clean();
}

#endif
