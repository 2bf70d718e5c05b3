/* SPDX-License-Identifier: ISC */
/* For the tests of lib/net/ack.c: clients whose every segment is the test's, and a guest that hears them. Each includes this
 * once. */
#ifndef TESTS_UNIT_NET_ACKS_H
#define TESTS_UNIT_NET_ACKS_H

#include <errno.h>

#include "lib/net/include/lwiphooks.h"
#include "tests/unit/net_client.h"

#include "lwip/priv/tcp_priv.h"

#define PORT 9
#define PEERS 20
#define SETTLED NSEC_PER_SEC
#define INTERVAL (300 * NSEC_PER_USEC)

/* --- the clients ------------------------------------------------------------------------- */

static struct peer {
    uint32_t next;             /* what it sends next, from its first octet on */
    uint32_t isn, acked;       /* the guest's; what the guest has acknowledged, likewise */
    unsigned acks, data, syns; /* segments: with nothing but an acknowledgement; others */
    unsigned fins, resets;
    uint64_t at; /* when the last one went */
} peers[PEERS];
static bool full, guest_asks;

static int transmit(struct netdev *d, struct pbuf *p, const struct netdev_offload *offload)
{
    static uint8_t frame[UINT16_MAX];
    struct headers h;
    const uint8_t *tcp;
    struct peer *peer;

    if (full)
        return -EBUSY;
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    if (!headers_parse(frame, p->tot_len, &h) || h.protocol != PROTOCOL_TCP)
        return 0;
    tcp = frame + h.transport;
    peer = &peers[read_be16(tcp + 2) - THEIR_PORT];
    ck_assert(peer < peers + PEERS);
    if (tcp[AT_TCP_FLAGS] & TCP_SYN) {
        peer->isn = read_be32(tcp + AT_TCP_SEQ);
        peer->syns++;
        return 0;
    }
    peer->at = fake_now;
    if (tcp[AT_TCP_FLAGS] & TCP_RST) {
        peer->resets++;
        return 0;
    }
    peer->acked = read_be32(tcp + AT_TCP_ACK) - (THEIR_SEQ + 1);
    if (tcp[AT_TCP_FLAGS] & TCP_FIN)
        peer->fins++;
    else if (p->tot_len > h.transport + (tcp[AT_TCP_OFFSET] >> 4) * 4u)
        peer->data++;
    else
        peer->acks++;
    return 0;
}

/* A segment of the peer's to the guest; the loop does not run. at: of its first octet. guest: how much of the guest's is
 * acknowledged. */
static void say(unsigned i, uint8_t flags, uint32_t at, size_t len, uint32_t guest)
{
    static const uint8_t zeros[UINT16_MAX];
    uint8_t options[SYN_OPTIONS];
    struct frame_segment s = {.from = (uint16_t)(THEIR_PORT + i),
                              .to = PORT,
                              .seq = THEIR_SEQ + 1 + at,
                              .ack = flags & TCP_ACK ? peers[i].isn + 1 + guest : 0,
                              .flags = flags,
                              .window = 10000};

    if (guest_asks)
        s.to = tcp_active_pcbs->local_port;
    if (flags & TCP_SYN) {
        s.options = syn_options(options, 1460, 4);
        s.options_len = SYN_OPTIONS;
    }
    ck_assert(deliver_segment(&s, zeros, len, 0));
}

/* The next octets in order. */
static void give(unsigned i, size_t len)
{
    say(i, TCP_ACK, peers[i].next, len, 0);
    peers[i].next += (uint32_t)len;
}

static inline void forget_sent(void)
{
    for (unsigned i = 0; i < PEERS; i++)
        peers[i].acks = peers[i].data = peers[i].fins = peers[i].resets = 0;
}

static unsigned acks(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PEERS; i++)
        n += peers[i].acks;
    return n;
}

/* So many acknowledgements since, the last of all that it has sent, at that time. */
static void ck_acked(unsigned i, unsigned n, uint64_t at)
{
    ck_assert_uint_eq(peers[i].acks, n);
    ck_assert_uint_eq(peers[i].acked, peers[i].next);
    ck_assert_uint_eq(peers[i].at, at);
}

/* --- the guest --------------------------------------------------------------------------- */

static struct tcp_pcb *guest[PEERS];
static size_t answered;       /* octets, to each segment */
static bool consumes, closes; /* tells lwIP of what it got; closes when the client does */

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    static const uint8_t answer[1000];

    if (!p)
        return closes ? tcp_close(pcb) : ERR_OK;
    if (consumes)
        tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    if (answered) {
        ck_assert_int_eq(tcp_write(pcb, answer, (u16_t)answered, 0), ERR_OK);
        (void)tcp_output(pcb);
    }
    return ERR_OK;
}

static void on_failed(void *arg, err_t err)
{
    *(struct tcp_pcb **)arg = NULL;
}

static err_t on_connection(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct tcp_pcb **place = &guest[pcb->remote_port - THEIR_PORT];

    *place = pcb;
    tcp_arg(pcb, place);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_failed);
    return ERR_OK;
}

static void start(void)
{
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "none");
    fake_net_start(&dev);
    set_link(false);
    introduce();
    fake_sleep(SETTLED);
    consumes = true;
}

/* So many clients are there, and nothing has happened for some time. */
static void start_with(unsigned clients)
{
    struct tcp_pcb *pcb;

    start();
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    ck_assert_int_eq(tcp_bind(pcb, IP_ANY_TYPE, PORT), ERR_OK);
    pcb = tcp_listen(pcb);
    tcp_accept(pcb, on_connection);
    for (unsigned i = 0; i < clients; i++) {
        say(i, TCP_SYN, UINT32_MAX, 0, 0);
        fake_run();
        say(i, TCP_ACK, 0, 0, 0);
        fake_run();
        ck_assert_ptr_nonnull(guest[i]);
    }
    fake_sleep(SETTLED);
    forget_sent();
}

/* From now on others have gone just before: what comes has to wait. */
static uint64_t just_sent(void)
{
    give(PEERS - 1, 3000);
    give(PEERS - 1, 3000);
    fake_run();
    ck_acked(PEERS - 1, 1, fake_now);
    forget_sent();
    return fake_now;
}

#endif
