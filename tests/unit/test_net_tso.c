/* SPDX-License-Identifier: ISC */
/*
 * lib/net/tso.c with lwIP around it: a client whose window opens and closes as it likes, on a way that loses segments and
 * a link that cuts them at times, gets every octet in its place. No segment is longer than the client asked for but
 * where the device is told to cut it, and none goes beyond the window.
 */
#include <errno.h>

#include "lib/net/include/lwiphooks.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "tests/unit/net_client.h"

#include "lwip/etharp.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/icmp6.h"

#define TOTAL 500000u
#define TOTAL_MAX 3000000u /* many send buffers */
#define PORT 9

/* --- the client -------------------------------------------------------------------------- */

static struct {
    uint32_t isn;           /* the guest's */
    uint32_t next;          /* octets that have come in order */
    uint32_t edge;          /* of the window, as it was told */
    uint16_t mss;           /* what the guest was asked for */
    unsigned lost_percent;  /* of the segments on their way */
    unsigned large, frames; /* segments to be cut; all with data */
    unsigned pushed;        /* segments with data since the last look */
    unsigned longest;       /* frame that no device cuts */
    bool fin, synchronized, full;
    bool have[TOTAL_MAX];
} client;

/* What the guest sends: two copies, so that neighbours in the stream may be strangers in memory. */
static uint8_t data[2][TOTAL_MAX];
static uint32_t total = TOTAL;

static void take_octets(const uint8_t *payload, uint32_t at, uint32_t len)
{
    ck_assert_uint_le(at + len, total);
    ck_assert(memcmp(payload, data[0] + at, len) == 0);
    memset(client.have + at, true, len);
    while (client.next < total && client.have[client.next])
        client.next++;
}

/* The frame's segment as the way has it: in pieces, of which some are lost. */
static void take_segment(const uint8_t *frame, uint32_t length, const struct headers *h,
                         const struct netdev_offload *offload)
{
    const uint8_t *tcp = frame + h->transport, *payload = tcp + TCP_BYTES;
    uint32_t at = read_be32(tcp + AT_TCP_SEQ) - client.isn - 1;
    uint32_t len = length - h->transport - TCP_BYTES;
    bool fin = tcp[AT_TCP_FLAGS] & TCP_FIN;

    if (len) {
        client.frames++;
        client.pushed++;
    }
    /* A probe of a shut window has one octet. */
    ck_assert(at + len <= client.edge || len == 1);
    if (len > client.mss) {
        ck_assert(offload->gso == (over_ip6 ? 6 : 4) && offload->gso_size <= client.mss &&
                  offload->blank);
        client.large++;
    }
    while (len) {
        uint32_t n = MIN(len, offload->gso ? (uint32_t)offload->gso_size : len);

        if ((unsigned)rand() % 100 >= client.lost_percent) {
            take_octets(payload, at, n);
            client.fin |= fin && n == len && client.next == total;
        }
        payload += n;
        at += n;
        len -= n;
    }
    client.fin |= fin && at == total && client.next == total;
}

static int transmit(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload)
{
    static uint8_t frame[UINT16_MAX];
    struct headers h;

    if (client.full)
        return -EBUSY;
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    ck_assert(p->tot_len <= dev->mtu + ETH_BYTES || offload->gso);
    if (!offload->gso)
        client.longest = MAX(client.longest, p->tot_len);
    if (read_be16(frame + AT_ETH_TYPE) == ETH_IP4) /* no fragment */
        ck_assert_uint_eq(read_be16(frame + AT_IP4_FRAGMENT) & 0x3fff, 0);
    if (!headers_parse(frame, p->tot_len, &h) || h.protocol != PROTOCOL_TCP)
        return 0;
    if (read_be16(frame + AT_ETH_TYPE) == ETH_IP4)
        ck_assert_uint_eq(read_be16(frame + AT_IP4_LENGTH), p->tot_len - ETH_BYTES);
    if (frame[h.transport + AT_TCP_FLAGS] & TCP_SYN) {
        ck_assert(!offload->gso);
        client.isn = read_be32(frame + h.transport + AT_TCP_SEQ);
        client.synchronized = true;
    } else {
        take_segment(frame, p->tot_len, &h, offload);
    }
    return 0;
}

/* A packet of 48 octets is too big for the way to the client. */
static void say_too_big(uint16_t mtu)
{
    uint16_t content = 8 + IP6_BYTES;
    uint8_t frame[ETH_BYTES + IP6_BYTES + 8 + IP6_BYTES] = {0};
    uint8_t *icmp = frame_ip6(frame, dev.mac, IP6_NEXTH_ICMP6, content);

    icmp[0] = ICMP6_TYPE_PTB;
    write_be16(icmp + 6, mtu);
    memcpy(icmp + 8 + 24, frame + AT_IP6_SRC, 16);
    frame_icmp6_sum(frame, icmp, content);
    arrive(frame, sizeof(frame));
}

static void say(uint8_t flags, uint32_t seq, uint32_t ack, uint16_t window, const uint8_t *options,
                uint8_t len)
{
    struct frame_segment s = {.from = THEIR_PORT,
                              .to = PORT,
                              .seq = seq,
                              .ack = ack,
                              .flags = flags,
                              .window = window,
                              .options = options,
                              .options_len = len};

    ck_assert(deliver_segment(&s, NULL, 0, 0));
    fake_run();
}

#define SCALE 4

/* Acknowledges all that has come, with so many octets of window behind it. A window never shrinks. */
static void acknowledge(uint32_t window)
{
    window = MAX(window, client.edge > client.next ? client.edge - client.next : 0) >> SCALE;
    client.edge = client.next + (window << SCALE);
    say(TCP_ACK, THEIR_SEQ + 1, client.isn + 1 + client.next + client.fin, (uint16_t)window, NULL,
        0);
}

/* --- the server -------------------------------------------------------------------------- */

static struct tcp_pcb *server;
static uint32_t written, heard; /* given to lwIP; acknowledged, as lwIP says */
static unsigned copied_percent;

static void write_more(void)
{
    while (server && written < total) {
        uint32_t some = 1 + (uint32_t)rand() % 40000;
        uint32_t n = MIN(MIN(some, total - written), tcp_sndbuf(server));
        bool copy = (unsigned)rand() % 100 < copied_percent;

        if (!n || tcp_write(server, data[rand() & 1] + written, (u16_t)n,
                            copy ? TCP_WRITE_FLAG_COPY : 0) != ERR_OK)
            break;
        written += n;
    }
    if (server && written == total) {
        struct tcp_pcb *pcb = server;

        server = NULL;
        tcp_err(pcb, NULL);
        ck_assert_int_eq(tcp_close(pcb), ERR_OK);
    } else if (server) {
        (void)tcp_output(server);
    }
}

static err_t on_acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    heard += len;
    write_more();
    return ERR_OK;
}

static void on_failed(void *arg, err_t err)
{
    ck_abort_msg("the connection has failed: %d", err);
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    server = pcb;
    tcp_sent(pcb, on_acknowledged);
    tcp_err(pcb, on_failed);
    return ERR_OK;
}

/* The client's first segment, and our answer. */
static void synchronize(uint16_t mss, uint32_t window)
{
    uint8_t options[SYN_OPTIONS];
    struct tcp_pcb *pcb;

    for (unsigned i = 0; i < total; i++)
        data[0][i] = data[1][i] = (uint8_t)rand();
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "fd00::2/64");
    fake_net_start(&dev);
    set_link(true);
    if (over_ip6)
        fake_sleep(3 * NSEC_PER_SEC); /* the address is tried */
    introduce();
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    ck_assert_int_eq(tcp_bind(pcb, IP_ANY_TYPE, PORT), ERR_OK);
    pcb = tcp_listen(pcb);
    tcp_accept(pcb, on_accepted);
    client.mss = mss;
    say(TCP_SYN, THEIR_SEQ, 0, (uint16_t)MIN(window, UINT16_MAX), syn_options(options, mss, SCALE),
        SYN_OPTIONS);
    ck_assert(client.synchronized);
}

static void start(uint16_t mss, uint32_t window)
{
    synchronize(mss, window);
    acknowledge(window);
    ck_assert_ptr_nonnull(server);
}

/* Until all has come, and the guest has forgotten all of it. */
static void finish(uint32_t window, unsigned relinks)
{
    struct tcp_pcb *pcb;
    unsigned turns = 0;

    write_more();
    while (client.next < total || !client.fin) {
        ck_assert_uint_lt(++turns, 30000);
        if (relinks && turns % relinks == 0)
            set_link(turns / relinks & 1);
        client.full = rand() % 10 == 0;
        if (!client.pushed || client.full)
            fake_sleep(NSEC_PER_SEC / 4);
        client.full = false;
        net_tx_ready(&dev);
        client.pushed = 0;
        acknowledge(window ? (uint32_t)rand() % window : 0);
    }
    pcb = tcp_active_pcbs;
    ck_assert_ptr_nonnull(pcb);
    acknowledge(UINT16_MAX);
    ck_assert(pcb->state == FIN_WAIT_2 && !pcb->unsent && !pcb->unacked && !pcb->snd_queuelen);
    ck_assert_uint_eq(pcb->snd_buf, TCP_SND_BUF);
    ck_assert_uint_eq(heard, total);
}

START_TEST(all_of_it_arrives)
{
    static const uint16_t sizes[] = {1460, 536, 1000, 300};
    static const uint32_t windows[] = {1000000, 300000, 30000, 5000};
    static const unsigned losses[] = {0, 2, 10}, copies[] = {0, 30, 100}, relinks[] = {0, 0, 50};

    srand((unsigned)_i);
    client.lost_percent = losses[_i % 3];
    copied_percent = copies[_i / 3 % 3];
    start(sizes[_i % 4], windows[_i / 9]);
    finish(windows[_i / 9], relinks[rand() % 3]);
}
END_TEST

/* One pass through lwIP for what 44 segments of the client's size would have taken. */
START_TEST(segments_are_large)
{
    start(1460, 1000000);
    finish(1000000, 0);
    ck_assert_uint_gt(client.large, 10);
    ck_assert_uint_lt(client.frames, 60);
}
END_TEST

/* The first segment of a connection's congestion window, and what is sent anew, are no larger than it allows. */
START_TEST(congestion_counts_in_the_clients_segments)
{
    struct tcp_pcb *pcb;
    uint32_t first;

    start(1460, 1000000);
    pcb = server;
    client.lost_percent = 100;
    write_more();
    first = pcb->snd_nxt - pcb->lastack;
    ck_assert_uint_gt(first, 1460);
    ck_assert_uint_le(first, 4 * 1460);
    client.pushed = client.large = 0;
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_gt(client.pushed, 0);
    ck_assert_uint_eq(client.large, 0);
    ck_assert_uint_eq(pcb->cwnd, 1460);
    client.lost_percent = 0;
    finish(1000000, 0);
}
END_TEST

/* Of 40 lost octets the client asks for, by acknowledging the same three times, one segment of its own size is sent. */
START_TEST(one_lost_segment_is_sent_anew)
{
    struct tcp_pcb *pcb;

    start(1460, 1000000);
    pcb = server;
    write_more();
    while (pcb->cwnd < 40000)
        acknowledge(1000000);
    client.lost_percent = 100;
    acknowledge(1000000);
    ck_assert(pcb->unacked && pcb->unacked->len > 1460);
    client.frames = 0;
    for (unsigned i = 0; i < 3; i++)
        acknowledge(1000000);
    ck_assert(pcb->flags & TF_INFR);
    ck_assert_uint_eq(client.frames, 1);
    ck_assert(pcb->unacked->len == 1460 && pcb->unacked->next);
    client.lost_percent = 0;
    finish(1000000, 0);
}
END_TEST

/* A client may ask for segments that are shorter than the answer's options. */
START_TEST(an_answer_to_a_syn_is_not_cut)
{
    synchronize(1, 1000000);
}
END_TEST

/* What is acknowledged of a segment that is then sent anew comes back to the send buffer as well. */
START_TEST(losses_cost_no_send_buffer)
{
    total = TOTAL_MAX;
    client.lost_percent = 10;
    start(1460, 1000000);
    ck_assert_uint_gt(total, 8 * TCP_SND_BUF);
    finish(1000000, 0);
}
END_TEST

/* Whatever there is no memory for, nothing is lost but time; and nothing goes as it must not when the device that cut is
 * gone by then. */
START_TEST(memory_runs_out)
{
    start(1460, 1000000);
    write_more();
    for (unsigned i = 0; i < 200 && client.next < total; i++) {
        if (_i && i % 8 == 0)
            set_link(i % 16 == 0);
        fake_no_memory = i % 3 != 0;
        acknowledge((uint32_t)rand() % 100000);
        fake_sleep(NSEC_PER_SEC / 4);
    }
    fake_no_memory = false;
    finish(1000000, 0);
}
END_TEST

/* Nor is a large segment that could not be cut made into fragments, whose checksum nobody would complete. */
START_TEST(what_nobody_cuts_is_not_sent)
{
    struct tcp_pcb *pcb;

    start(1460, 1000000);
    pcb = server;
    write_more();
    set_link(false);
    introduce();
    ck_assert_uint_gt(pcb->unsent->len, 1460);
    ck_assert_int_eq(net_tcp_send(pcb, pcb->unsent->p, &pcb->local_ip, &pcb->remote_ip, pcb->ttl, 0,
                                  IP_PROTO_TCP, netif_list),
                     ERR_MEM);
    finish(1000000, 0);
}
END_TEST

/* The last pages are for acknowledgements. */
START_TEST(few_pages_are_not_taken_by_one_segment)
{
    struct netpage *taken = NULL;

    start(1460, 1000000);
    while (!netpage_scarce()) {
        struct netpage *np = netpage_get(true);

        np->next = taken;
        taken = np;
    }
    write_more();
    for (unsigned i = 0; i < 10; i++)
        acknowledge(1000000);
    ck_assert_uint_gt(client.next, 0);
    ck_assert_uint_eq(client.large, 0);
    while (taken) {
        struct netpage *np = taken;

        taken = np->next;
        netpage_put(np);
    }
    finish(1000000, 0);
    ck_assert_uint_gt(client.large, 0);
}
END_TEST

/* By IPv6, to a destination that lwIP has forgotten; and when its path takes less than the link, it is believed. */
START_TEST(a_path_is_known_to_be_narrow)
{
    over_ip6 = true;
    start(1440, 1000000);
    nd6_clear_destination_cache();
    write_more();
    for (unsigned i = 0; i < 5; i++)
        acknowledge(1000000);
    ck_assert_uint_gt(client.large, 0);
    if (_i) {
        finish(1000000, 0);
        return;
    }
    say_too_big(1400);
    client.longest = client.large = 0;
    for (unsigned i = 0; i < 5; i++)
        acknowledge(1000000);
    ck_assert_uint_eq(client.large, 0);
    ck_assert_uint_gt(client.longest, 1300);
    ck_assert_uint_le(client.longest, 1400 + ETH_BYTES);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_tso");
    TCase *c = tcase_create("net_tso");

    tcase_add_loop_test(c, all_of_it_arrives, 0, 36);
    tcase_add_test(c, segments_are_large);
    tcase_add_test(c, congestion_counts_in_the_clients_segments);
    tcase_add_test(c, one_lost_segment_is_sent_anew);
    tcase_add_test(c, an_answer_to_a_syn_is_not_cut);
    tcase_add_test(c, losses_cost_no_send_buffer);
    tcase_add_loop_test(c, memory_runs_out, 0, 2);
    tcase_add_test(c, what_nobody_cuts_is_not_sent);
    tcase_add_test(c, few_pages_are_not_taken_by_one_segment);
    tcase_add_loop_test(c, a_path_is_known_to_be_narrow, 0, 2);
    return run_tests(s, c);
}
