/* SPDX-License-Identifier: ISC */
/*
 * lib/net with lwIP, over a device that the test plays: what a backend says of checksums is believed
 * only where it can be true (hardening.md, rule 7), clocks rest and do not oversleep, listeners
 * survive floods and old connections, addresses are read strictly.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"
#include "lib/net/tcp.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_net_kernel.h"
#include "tests/unit/net_frames.h"

#include "lwip/inet_chksum.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/udp.h"

/* --- the device -------------------------------------------------------------------------- */

static struct {
    unsigned frames, solicitations, advertisements, arp_announcements, tcp;
    uint8_t last[2048];     /* the latest TCP segment */
    uint8_t datagram[2048]; /* the latest frame with UDP, and its length */
    unsigned datagrams, length;
    unsigned longest;    /* of all frames */
    uint8_t whole[2048]; /* what fragments over IPv6 had, and how far it goes */
    unsigned whole_length;
    struct netdev_offload offload;
    bool full;
} sent;

static int transmit(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload)
{
    uint8_t frame[2048] = {0};
    struct headers h;

    if (sent.full)
        return -EBUSY;
    pbuf_copy_partial(p, frame, sizeof(frame), 0);
    sent.frames++;
    sent.longest = MAX(sent.longest, (unsigned)p->tot_len);
    if (read_be16(frame + AT_ETH_TYPE) == ETH_IP6 && frame[AT_IP6_NEXT] == IP6_NEXTH_ICMP6) {
        sent.solicitations += frame[ETH_BYTES + IP6_BYTES] == ICMP6_TYPE_NS;
        sent.advertisements += frame[ETH_BYTES + IP6_BYTES] == ICMP6_TYPE_NA;
    }
    if (read_be16(frame + AT_ETH_TYPE) == ETH_IP6 && frame[AT_IP6_NEXT] == IP6_NEXTH_FRAGMENT) {
        const uint8_t *header = frame + ETH_BYTES + IP6_BYTES;
        unsigned at = read_be16(header + 2) & ~7u,
                 length = p->tot_len - (ETH_BYTES + IP6_BYTES + 8);

        ck_assert_uint_le(at + length, sizeof(sent.whole));
        memcpy(sent.whole + at, header + 8, length);
        sent.whole_length = MAX(sent.whole_length, at + length);
    }
    if (read_be16(frame + AT_ETH_TYPE) == 0x0806) /* its sender and target are the same */
        sent.arp_announcements +=
            read_be32(frame + ETH_BYTES + 14) == read_be32(frame + ETH_BYTES + 24);
    if (headers_parse(frame, p->tot_len, &h) && h.protocol == PROTOCOL_TCP) {
        sent.tcp++;
        memcpy(sent.last, frame, sizeof(frame));
    }
    if (headers_parse(frame, p->tot_len, &h) && h.protocol == PROTOCOL_UDP) {
        sent.datagrams++;
        sent.length = p->tot_len;
        memcpy(sent.datagram, frame, sizeof(frame));
    }
    sent.offload = *offload;
    return 0;
}

static struct netdev dev = {
    .name = "vif/0",
    .transmit = transmit,
    .mac = {0, 0x16, 0x3e, 1, 2, 3},
    .mtu = 1500,
};
static unsigned received;

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    received++;
    pbuf_free(p);
}

static void start(void)
{
    struct udp_pcb *pcb;

    fake_net_start(&dev);
    dev.features = NETDEV_CSUM4 | NETDEV_CSUM6 | (dev.multicast ? NETDEV_MULTICAST : 0);
    net_link(&dev, true);
    pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    ck_assert_int_eq(udp_bind(pcb, IP_ANY_TYPE, 7), ERR_OK);
    udp_recv(pcb, on_datagram, NULL);
    fake_run();
}

static void start_with_addresses(void)
{
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "fd00::2/64");
    start();
    fake_sleep(3 * NSEC_PER_SEC);
}

/* --- frames to it ------------------------------------------------------------------------ */

struct frame {
    uint8_t data[1514];
    uint16_t length;
};

static void ip4(struct frame *f, uint8_t protocol, uint16_t content, uint16_t fragment)
{
    memset(f, 0, sizeof(*f));
    f->length = (uint16_t)(frame_ip4(f->data, dev.mac, protocol, content) + content - f->data);
    write_be16(f->data + AT_IP4_ID, 77);
    write_be16(f->data + AT_IP4_FRAGMENT, fragment);
    frame_ip4_sum(f->data);
}

static void ip6(struct frame *f, uint8_t next, uint16_t content)
{
    memset(f, 0, sizeof(*f));
    f->length = (uint16_t)(frame_ip6(f->data, dev.mac, next, content) + content - f->data);
}

/* A datagram of 32 bytes at p, with a checksum that is wrong. */
static void udp(uint8_t *p)
{
    write_be16(p, 4000);
    write_be16(p + 2, 7);
    write_be16(p + 4, UDP_BYTES + 32);
    write_be16(p + 6, 0xdead);
}

static void arrive(const struct frame *f, bool checked)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, f->length, PBUF_RAM);

    pbuf_take(p, f->data, f->length);
    net_input(&dev, p, checked ? NET_INPUT_CHECKED : 0);
    fake_run();
}

/* --- checksums --------------------------------------------------------------------------- */

START_TEST(sums_of_every_length)
{
    uint8_t data[128];

    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < sizeof(data); i++)
            data[i] = round < 4 ? (uint8_t) - (round & 1) : (uint8_t)rand();
        for (unsigned from = 0; from < 8; from++) {
            for (unsigned len = 0; len <= sizeof(data) - from; len++) {
                uint32_t sum = 0;

                for (unsigned i = 0; i < len; i++)
                    sum += (uint32_t)data[from + i] << (i & 1 ? 8 : 0);
                while (sum >> 16)
                    sum = (sum >> 16) + (sum & 0xffff);
                ck_assert_uint_eq(net_checksum(data + from, (int)len), sum);
            }
        }
    }
}
END_TEST

START_TEST(backend_is_believed_where_it_can_know)
{
    struct frame f;

    start_with_addresses();
    if (_i) {
        ip6(&f, PROTOCOL_UDP, UDP_BYTES + 32);
        udp(f.data + ETH_BYTES + IP6_BYTES);
    } else {
        ip4(&f, PROTOCOL_UDP, UDP_BYTES + 32, 0);
        udp(f.data + ETH_BYTES + IP4_BYTES);
    }
    arrive(&f, false);
    ck_assert_uint_eq(received, 0);
    arrive(&f, true);
    ck_assert_uint_eq(received, 1);
    ck_assert_uint_eq(dev.stats.rx_checked, 1);
}
END_TEST

START_TEST(fragments_are_checked) /* rule 7 */
{
    struct frame f, second;

    start_with_addresses();
    ip4(&f, PROTOCOL_UDP, 24, 0x2000); /* more follow */
    udp(f.data + ETH_BYTES + IP4_BYTES);
    ip4(&second, PROTOCOL_UDP, 16, 24 / 8);
    arrive(&f, true);
    arrive(&second, true);
    ck_assert_uint_eq(received, 0);
    ck_assert_uint_eq(netpage_stats()->pages, netpage_stats()->free);
}
END_TEST

START_TEST(what_extension_headers_hide_is_checked) /* rule 7 */
{
    struct frame f;

    start_with_addresses();
    ip6(&f, IP6_NEXTH_DESTOPTS, 8 + UDP_BYTES + 32);
    f.data[ETH_BYTES + IP6_BYTES] = PROTOCOL_UDP;
    f.data[ETH_BYTES + IP6_BYTES + 2] = 1; /* PadN */
    f.data[ETH_BYTES + IP6_BYTES + 3] = 4;
    udp(f.data + ETH_BYTES + IP6_BYTES + 8);
    arrive(&f, true);
    ck_assert_uint_eq(received, 0);
    write_be16(f.data + ETH_BYTES + IP6_BYTES + 8 + 6, 0);
    write_be16(f.data + ETH_BYTES + IP6_BYTES + 8 + 6,
               frame_folded(headers_sum(f.data + AT_IP6_SRC, 32) + PROTOCOL_UDP + UDP_BYTES + 32 +
                            headers_sum(f.data + ETH_BYTES + IP6_BYTES + 8, UDP_BYTES + 32)));
    arrive(&f, false);
    ck_assert_uint_eq(received, 1);
}
END_TEST

START_TEST(other_protocols_are_checked) /* rule 7 */
{
    unsigned before;
    struct frame f;

    start_with_addresses();
    before = sent.frames;
    ip4(&f, 1, 40, 0);
    f.data[ETH_BYTES + IP4_BYTES] = 8; /* an echo request */
    write_be16(f.data + ETH_BYTES + IP4_BYTES + 2, 0xdead);
    arrive(&f, true);
    ck_assert_uint_eq(sent.frames, before);
}
END_TEST

/* Every length of a good frame, whole or cut off: nothing is read beyond it (ASan looks). */
START_TEST(frames_cut_off_anywhere)
{
    struct frame f;

    start_with_addresses();
    for (unsigned kind = 0; kind < 4; kind++) {
        if (kind & 1)
            ip6(&f, kind & 2 ? PROTOCOL_TCP : PROTOCOL_UDP, 60);
        else
            ip4(&f, kind & 2 ? PROTOCOL_TCP : PROTOCOL_UDP, 60, 0);
        for (uint16_t length = f.length; length > 0; length--) {
            f.length = length;
            arrive(&f, length & 1);
        }
    }
    ck_assert_uint_ge(dev.stats.drops[NETDEV_RX_SHORT], 4 * (ETH_BYTES + IP4_BYTES - 1));
}
END_TEST

/* --- clocks ------------------------------------------------------------------------------ */

START_TEST(addresses_come_up_in_silence)
{
    fake_cmdline("ip", "none");
    start();
    fake_sleep(3 * NSEC_PER_SEC);
    ck_assert_uint_ge(sent.solicitations, 1); /* is it taken? */
    ck_assert_uint_ge(sent.advertisements, 1);
    ck_assert_str_eq(fake_published("attr/vif/0/ipv6/0"), "fe80::216:3eff:fe01:203");
    ck_assert(fake_logged("address fe80::216:3eff:fe01:203/64 (link-local)"));
}
END_TEST

/* RFC 5227, section 2.3: twice, two seconds apart; and again with each backend. */
START_TEST(addresses_are_announced_twice)
{
    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "fd00::2/64");
    start();
    for (unsigned i = 0; i < 3; i++) {
        unsigned first = sent.arp_announcements;

        ck_assert_uint_ge(first, 1);
        if (i) /* the first time they are not valid at once */
            ck_assert_uint_eq(sent.advertisements, 2);
        fake_sleep(1900 * NSEC_PER_MSEC);
        ck_assert_uint_eq(sent.arp_announcements, first);
        fake_sleep(200 * NSEC_PER_MSEC);
        ck_assert_uint_eq(sent.arp_announcements, first + 1);
        fake_sleep(60 * NSEC_PER_SEC);
        ck_assert_uint_eq(sent.arp_announcements, first + 1);
        ck_assert_uint_eq(sent.advertisements, 4); /* two addresses */
        net_link(&dev, false);
        sent.arp_announcements = sent.advertisements = 0;
        net_link(&dev, true);
        fake_run();
    }
    net_link(&dev, false);
    sent.arp_announcements = 0;
    fake_sleep(60 * NSEC_PER_SEC);
    ck_assert_uint_eq(sent.arp_announcements, 0);
}
END_TEST

START_TEST(no_clock_runs_at_rest)
{
    unsigned before;
    uint64_t then;

    start_with_addresses();
    fake_sleep(60 * NSEC_PER_SEC);
    before = fake_timers_fired;
    then = fake_now;
    fake_sleep(500 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_timers_fired, before);
    ck_assert_uint_ge(fake_now, then + 500 * NSEC_PER_SEC);
}
END_TEST

static unsigned looks;

static void look(struct netdev *netdev)
{
    looks++;
}

/* What no event has told of: in a second, or ten minutes when all is quiet. */
START_TEST(devices_are_looked_at)
{
    dev.look = look;
    start_with_addresses();
    looks = 0;
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_ge(looks, 9);
    fake_sleep(50 * NSEC_PER_SEC);
    looks = 0;
    fake_sleep(3600 * NSEC_PER_SEC);
    ck_assert_uint_ge(looks, 5);
    ck_assert_uint_le(looks, 7);
}
END_TEST

/* --- the backend's filter ---------------------------------------------------------------- */

static struct {
    unsigned calls;
    bool full;
    uint8_t groups[16][6]; /* in the order in which they were added */
    unsigned count;
} filter;

static int multicast(struct netdev *netdev, const uint8_t mac[6], bool add)
{
    filter.calls++;
    if (filter.full)
        return -EBUSY;
    for (unsigned i = 0; i < filter.count; i++) {
        if (memcmp(filter.groups[i], mac, 6) == 0)
            return 0;
    }
    ck_assert(add);
    memcpy(filter.groups[filter.count++], mac, 6);
    return 0;
}

/* The ring may be full when lwIP joins a group: the backend is told when there is room again. */
START_TEST(groups_refused_are_told_again)
{
    static const uint8_t solicited[6] = {0x33, 0x33, 0xff, 0, 0, 2}; /* of fd00::2 */
    bool known = false;
    unsigned calls;

    dev.multicast = multicast;
    filter.full = true;
    start_with_addresses();
    ck_assert_uint_ge(filter.calls, 2);
    net_tx_ready(&dev); /* a false alarm */
    fake_run();
    ck_assert_uint_eq(filter.count, 0);
    filter.full = false;
    net_tx_ready(&dev);
    fake_run();
    for (unsigned i = 0; i < filter.count; i++)
        known |= memcmp(filter.groups[i], solicited, 6) == 0;
    ck_assert(known);
    calls = filter.calls;
    net_tx_ready(&dev);
    fake_run();
    ck_assert_uint_eq(filter.calls, calls); /* once is enough */
}
END_TEST

/* --- TCP --------------------------------------------------------------------------------- */

static err_t close_at_once(void *arg, struct tcp_pcb *pcb, err_t err)
{
    return tcp_close(pcb);
}

static void listen_on(uint16_t port)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    ck_assert_int_eq(tcp_bind(pcb, IP_ANY_TYPE, port), ERR_OK);
    tcp_accept(tcp_listen(pcb), close_at_once);
}

static uint16_t segment_window = 8192;

/* mss: of an option, 0 for none. */
static void put_segment(struct frame *f, uint16_t from, uint8_t flags, uint32_t seq, uint32_t ack,
                        uint16_t mss)
{
    uint8_t option[] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss};
    struct frame_segment s = {.from = from,
                              .to = 13,
                              .seq = seq,
                              .ack = ack,
                              .flags = flags,
                              .window = segment_window,
                              .options = option,
                              .options_len = mss ? sizeof(option) : 0};

    ip4(f, PROTOCOL_TCP, (uint16_t)(TCP_BYTES + s.options_len), 0);
    frame_tcp(f->data + ETH_BYTES + IP4_BYTES, &s);
}

static void segment_with(uint16_t from, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t mss)
{
    struct frame f;

    put_segment(&f, from, flags, seq, ack, mss);
    arrive(&f, true);
}

static void segment(uint16_t from, uint8_t flags, uint32_t seq, uint32_t ack)
{
    segment_with(from, flags, seq, ack, 0);
}

/* What was sent last: its flags, and where its sequence number is. */
static uint8_t answer_flags(void)
{
    return sent.last[ETH_BYTES + IP4_BYTES + AT_TCP_FLAGS] & 0x3f;
}

static uint32_t answer_seq(void)
{
    return read_be32(sent.last + ETH_BYTES + IP4_BYTES + AT_TCP_SEQ);
}

static void know_client(void)
{
    struct frame f;

    f.length = frame_arp(f.data, dev.mac);
    arrive(&f, false);
}

START_TEST(a_full_listener_makes_room)
{
    start_with_addresses();
    listen_on(13);
    know_client();
    for (unsigned i = 0; i < 1000; i++) {
        sent.tcp = 0;
        segment((uint16_t)(1000 + i), TCP_SYN, i, 0);
        ck_assert_uint_ge(sent.tcp, 1);
        ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
    }
    segment(1999, TCP_ACK, 1000, answer_seq() + 1); /* the last one was meant */
    ck_assert_uint_eq(answer_flags(), TCP_FIN | TCP_ACK);
}
END_TEST

/* A connection that the server closed, and the same client port again before two minutes. */
START_TEST(time_wait_gives_way)
{
    uint32_t seq;

    start_with_addresses();
    listen_on(13);
    know_client();
    segment(1000, TCP_SYN, 100, 0);
    segment(1000, TCP_ACK, 101, answer_seq() + 1);
    ck_assert_uint_eq(answer_flags(), TCP_FIN | TCP_ACK);
    seq = answer_seq();
    segment(1000, TCP_FIN | TCP_ACK, 101, seq + 1);
    ck_assert_ptr_nonnull(tcp_tw_pcbs);
    if (_i == 0) { /* an old SYN is no reason */
        segment(1000, TCP_SYN, 50, 0);
        ck_assert_uint_ne(answer_flags(), TCP_SYN | TCP_ACK);
        segment(1000, TCP_SYN | TCP_RST, 5000, 0); /* opens nothing, and ends nothing (RFC 1337) */
        ck_assert_ptr_nonnull(tcp_tw_pcbs);
        return;
    }
    segment(1000, TCP_SYN, 5000, 0);
    ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
    segment(1000, TCP_ACK, 5001, answer_seq() + 1);
    ck_assert_uint_eq(answer_flags(), TCP_FIN | TCP_ACK);
}
END_TEST

static struct tcp_pcb *accepted;

static err_t keep(void *arg, struct tcp_pcb *pcb, err_t err)
{
    accepted = pcb;
    return ERR_OK;
}

/* Connections to port 13 are accepted, and kept. */
static void listen_keeping(void)
{
    struct tcp_pcb *listener = tcp_new_ip_type(IPADDR_TYPE_ANY);

    ck_assert_int_eq(tcp_bind(listener, IP_ANY_TYPE, 13), ERR_OK);
    tcp_accept(tcp_listen(listener), keep);
}

/* --- many connections --------------------------------------------------------------------- */

enum { MANY = 3000, HALF_OPEN = 200 };

static struct client {
    struct tcp_pcb *pcb;
    uint32_t seq;
    unsigned ended, failed;
} clients[MANY];

static err_t client_ends(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct client *c = arg;

    ck_assert_ptr_null(p);
    ck_assert_ptr_eq(c->pcb, pcb);
    c->ended++;
    return ERR_OK;
}

static void client_fails(void *arg, err_t err)
{
    struct client *c = arg;

    c->failed++;
    c->pcb = NULL;
}

static uint16_t port_of(unsigned i)
{
    return (uint16_t)(2000 + i);
}

static void come(unsigned i)
{
    struct client *c = &clients[i];

    accepted = NULL;
    segment(port_of(i), TCP_SYN, 100, 0);
    ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
    c->seq = answer_seq() + 1;
    segment(port_of(i), TCP_ACK, 101, c->seq);
    ck_assert_ptr_nonnull(accepted);
    c->pcb = accepted;
    tcp_arg(c->pcb, c);
    tcp_recv(c->pcb, client_ends);
    tcp_err(c->pcb, client_fails);
}

static unsigned count_list(const struct tcp_pcb *pcb)
{
    unsigned count = 0;

    for (; pcb; pcb = pcb->next)
        count++;
    return count;
}

/* A third of them are reset, a third are closed by their clients, and some never come about, in any order: each
 * segment is its own connection's, and nothing is left of those that are gone. */
START_TEST(each_of_many_gets_its_own)
{
    size_t pages;

    start_with_addresses();
    listen_keeping();
    know_client();
    for (unsigned i = 0; i < 20; i++) /* a page of each kind, at least */
        come(i);
    pages = net_mem_stats()->pages;
    for (unsigned i = 20; i < MANY; i++)
        come(i);
    for (unsigned i = 0; i < HALF_OPEN; i++)
        segment(port_of(MANY + i), TCP_SYN, 100, 0);
    ck_assert_uint_eq(count_list(tcp_active_pcbs), MANY + HALF_OPEN);
    for (unsigned n = 0, i = 0; n < MANY; n++, i = (i + 1789) % MANY)
        if (i % 3)
            segment(port_of(i), i % 3 == 1 ? TCP_RST : TCP_FIN | TCP_ACK, 101, clients[i].seq);
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_uint_eq(clients[i].failed, i % 3 == 1);
        ck_assert_uint_eq(clients[i].ended, i % 3 == 2);
    }
    fake_sleep(60 * NSEC_PER_SEC); /* lwIP's own clock ends those that never came about */
    ck_assert_uint_eq(count_list(tcp_active_pcbs), MANY - MANY / 3);
    for (unsigned i = 1; i < MANY; i += 3)
        come(i);
    segment(port_of(MANY), TCP_ACK, 101, 1);
    ck_assert_uint_eq(answer_flags(), TCP_RST | TCP_ACK);
    for (unsigned n = 0, i = 0; n < MANY; n++, i = (i + 1789) % MANY)
        if (i)
            tcp_abort(clients[i].pcb);
    ck_assert_uint_eq(count_list(tcp_active_pcbs), 1);
    ck_assert_uint_le(net_mem_stats()->pages, pages + 1);
    segment(port_of(0), TCP_FIN | TCP_ACK, 101, clients[0].seq);
    ck_assert_uint_eq(clients[0].ended, 1);
    tcp_abort(clients[0].pcb);
}
END_TEST

/* Of those that wait the oldest are forgotten; and all when their time is over. */
START_TEST(only_so_many_wait)
{
    start_with_addresses();
    listen_on(13);
    know_client();
    for (unsigned i = 0; i < 2 * CONFIG_NET_TIME_WAIT_MAX; i++) {
        segment(port_of(i), TCP_SYN, 100, 0);
        segment(port_of(i), TCP_ACK, 101, answer_seq() + 1);
        segment(port_of(i), TCP_FIN | TCP_ACK, 101, answer_seq() + 1);
        ck_assert_uint_eq(count_list(tcp_tw_pcbs), MIN(i + 1, CONFIG_NET_TIME_WAIT_MAX));
        ck_assert_uint_eq(tcp_tw_pcbs->remote_port, port_of(i));
    }
    segment(port_of(CONFIG_NET_TIME_WAIT_MAX), TCP_SYN, 50, 0);
    ck_assert_uint_ne(answer_flags(), TCP_SYN | TCP_ACK);
    segment(port_of(CONFIG_NET_TIME_WAIT_MAX - 1), TCP_SYN, 50, 0);
    ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
    fake_sleep(130 * NSEC_PER_SEC);
    ck_assert_ptr_null(tcp_tw_pcbs);
    segment(port_of(CONFIG_NET_TIME_WAIT_MAX), TCP_SYN, 50, 0);
    ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
}
END_TEST

/* The client may say it once: afterwards segments are queued that are as long as it said. */
START_TEST(segments_keep_their_size)
{
    uint8_t text[3000] = {0};
    uint32_t seq;

    start_with_addresses();
    listen_keeping();
    know_client();
    segment_with(1000, TCP_SYN, 100, 0, 1000);
    seq = answer_seq() + 1;
    segment(1000, TCP_ACK, 101, seq);
    ck_assert_ptr_nonnull(accepted);
    ck_assert_uint_eq(tcp_mss(accepted), 1000);
    ck_assert_int_eq(tcp_write(accepted, text, sizeof(text), TCP_WRITE_FLAG_COPY), ERR_OK);
    segment_with(1000, TCP_ACK, _i ? 101 : 77777, _i ? seq : 99999, 1); /* anybody's, or its own */
    ck_assert_uint_eq(tcp_mss(accepted), 1000);
    ck_assert_int_eq(tcp_write(accepted, text, sizeof(text), TCP_WRITE_FLAG_COPY), ERR_OK);
    for (struct tcp_seg *s = accepted->unsent; s; s = s->next)
        ck_assert_uint_le(s->len, 1000);
    tcp_abort(accepted);
}
END_TEST

/* Each octet of an answer would be a segment of its own. */
START_TEST(clients_of_tiny_segments_do_not_get_in)
{
    static const struct {
        uint16_t mss, window;
        bool in;
    } clients[] = {{1, 8192, false}, {63, 8192, false},  {64, 8192, true},
                   {1460, 2, false}, {1460, 127, false}, {1460, 128, true}};

    start_with_addresses();
    listen_keeping();
    know_client();
    for (unsigned i = 0; i < ARRAY_SIZE(clients); i++) {
        uint16_t port = (uint16_t)(1000 + i);

        accepted = NULL;
        segment_window = clients[i].window;
        segment_with(port, TCP_SYN, 100, 0, clients[i].mss);
        segment_window = 8192;
        segment(port, TCP_ACK, 101, answer_seq() + 1);
        ck_assert_int_eq(accepted != NULL, clients[i].in);
        if (accepted)
            tcp_abort(accepted);
    }
}
END_TEST

START_TEST(checksums_are_left_to_the_backend)
{
    uint16_t sum;
    struct headers h;

    start_with_addresses();
    listen_on(13);
    know_client();
    segment(1000, TCP_SYN, 100, 0);
    ck_assert(sent.offload.blank && !sent.offload.gso);
    ck_assert(headers_parse(sent.last, sizeof(sent.last), &h));
    sum = read_be16(sent.last + h.transport + AT_TCP_SUM);
    headers_blank_tcp(sent.last, &h, (uint16_t)(read_be16(sent.last + AT_IP4_LENGTH) - IP4_BYTES));
    ck_assert_uint_eq(sum, read_be16(sent.last + h.transport + AT_TCP_SUM));
}
END_TEST

/* --- answers ----------------------------------------------------------------------------- */

enum way { BY_LWIP, IN_PLACE, IN_A_PAGE, BEHIND, BUSY_PAGE, NO_PAGE, CHAIN, LONG, WAYS };
static enum way way;
static bool asked_alone;

/* Answers with 100 octets; LONG: with more than a frame has room for. */
static void on_question(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    uint16_t len = way == LONG ? 1473 : 100;
    struct pbuf *answer = way == IN_PLACE  ? p
                          : way == BEHIND  ? netpage_answer(p, len)
                          : way == NO_PAGE ? pbuf_alloc(PBUF_RAW, len, PBUF_RAM)
                                           : netpage_alloc(len);

    ck_assert_int_eq(answer == p, way == IN_PLACE || way == BEHIND);
    ck_assert(way != IN_PLACE || p->tot_len == len);
    for (uint16_t i = 0; i < len; i++)
        ((uint8_t *)answer->payload)[i] = (uint8_t)i;
    if (way == BUSY_PAGE)
        netpage_of(answer)->sends = 1;
    if (way == CHAIN) {
        pbuf_realloc(answer, 60);
        pbuf_cat(answer, netpage_alloc(40));
        for (uint16_t i = 60; i < len; i++)
            pbuf_put_at(answer, i, (uint8_t)i);
    }
    asked_alone = net_asked_alone();
    if (way == BY_LWIP)
        udp_sendto_if_src(pcb, answer, from, port, ip_current_input_netif(),
                          ip_current_dest_addr());
    else
        ck_assert_int_eq(net_udp_reply(pcb, answer, from, port), ERR_OK);
    if (way == BUSY_PAGE)
        netpage_of(answer)->sends = 0;
    if (answer != p)
        pbuf_free(answer);
    pbuf_free(p);
}

static void start_answering(void)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    start_with_addresses();
    ck_assert_int_eq(udp_bind(pcb, IP_ANY_TYPE, 9), ERR_OK);
    udp_recv(pcb, on_question, NULL);
}

/* A question of 100 octets. */
static void question(struct frame *f, bool v6)
{
    uint8_t *at = f->data + ETH_BYTES + (v6 ? IP6_BYTES : IP4_BYTES);

    if (v6)
        ip6(f, PROTOCOL_UDP, UDP_BYTES + 100);
    else
        ip4(f, PROTOCOL_UDP, UDP_BYTES + 100, 0);
    udp(at);
    write_be16(at + 2, 9);
    write_be16(at + 4, UDP_BYTES + 100);
    write_be16(at + 6, 0);
}

/* What a server over UDP was told of the datagrams that came. */
struct heard {
    unsigned count;
    uint8_t content[1500];
    uint16_t len, port;
    ip_addr_t from, to;
    bool alone, v6;
    unsigned header;
};
static struct heard heard;

static void hear(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    (void)arg;
    (void)pcb;
    heard.count++;
    heard.len = p->tot_len;
    pbuf_copy_partial(p, heard.content, p->tot_len, 0);
    ip_addr_copy(heard.from, *from);
    ip_addr_copy(heard.to, *ip_current_dest_addr());
    heard.port = port;
    heard.alone = net_asked_alone();
    heard.v6 = ip_current_is_v6();
    heard.header = ip_current_header_tot_len();
    ck_assert_ptr_eq(ip_current_input_netif(), ip_current_netif());
    ck_assert_ptr_nonnull(ip_current_netif());
    ck_assert_uint_eq(p->if_idx, netif_get_index(ip_current_netif()));
    pbuf_free(p);
}

static struct udp_pcb *hear_at(const ip_addr_t *address, uint16_t port)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    ck_assert_int_eq(udp_bind(pcb, address, 0), ERR_OK);
    pcb->local_port = port; /* which several may have where there are sockets (SO_REUSE) */
    udp_recv(pcb, hear, NULL);
    return pcb;
}

static void right_sums(struct frame *f, bool v6)
{
    uint8_t *at = f->data + ETH_BYTES + (v6 ? IP6_BYTES : IP4_BYTES);
    uint32_t sum = PROTOCOL_UDP + UDP_BYTES + 100;

    sum += v6 ? headers_sum(f->data + AT_IP6_SRC, 32) : headers_sum(f->data + AT_IP4_SRC, 8);
    write_be16(at + 6, 0);
    write_be16(at + 6, frame_folded(sum + headers_sum(at, UDP_BYTES + 100)));
    if (!v6) {
        frame_ip4_sum(f->data);
    }
}

/* One octet or two of a plain question, made to be something else. SERVED: it is plain still, over IPv4. */
enum {
    OLD_SUMS = 1,
    UNCHECKED = 2,
    PADDED = 4,
    HEARD4 = 8,
    HEARD6 = 16,
    SERVED = 32,
    HEARD = HEARD4 | HEARD6
};
static const struct change {
    unsigned at4, at6; /* of the octet; 0: not for this version */
    uint8_t value;
    unsigned how; /* and who is heard nevertheless */
} changes[] = {
    {0, 0, 0, HEARD | SERVED},
    {0, 0, 0, UNCHECKED | HEARD | SERVED},
    {0, 0, 0, PADDED | HEARD | SERVED},
    {0, 0, 0xff, HEARD}, /* to Ethernet's broadcast address */
    {6, 6, 3, HEARD},    /* from a group of it */
    {ETH_BYTES + 1, ETH_BYTES + 3, 3, HEARD | SERVED},
    /* wrong sums: of the header, of the datagram (looked at, and believed) */
    {AT_IP4_TTL, 0, 1, OLD_SUMS | HEARD6},
    {ETH_BYTES + IP4_BYTES + 50, ETH_BYTES + IP6_BYTES + 50, 1, OLD_SUMS | UNCHECKED},
    {ETH_BYTES + IP4_BYTES + 50, ETH_BYTES + IP6_BYTES + 50, 1, OLD_SUMS | HEARD | SERVED},
    /* lengths: of UDP, of IP */
    {ETH_BYTES + IP4_BYTES + 5, ETH_BYTES + IP6_BYTES + 5, 50, HEARD},
    {ETH_BYTES + IP4_BYTES + 5, ETH_BYTES + IP6_BYTES + 5, 7, HEARD}, /* less than its header */
    {ETH_BYTES + IP4_BYTES + 4, ETH_BYTES + IP6_BYTES + 4, 1, HEARD},
    {AT_IP4_LENGTH + 1, AT_IP6_LENGTH + 1, 60, HEARD},
    {AT_IP4_LENGTH, AT_IP6_LENGTH, 1, 0},
    {AT_IP4_LENGTH + 1, 0, 20, HEARD6},
    /* version; options; fragments, and one that must be none */
    {ETH_BYTES, ETH_BYTES, 0x55, 0},
    {ETH_BYTES, 0, 0x46, HEARD6},
    {AT_IP4_FRAGMENT, 0, 0x20, HEARD6},
    {AT_IP4_FRAGMENT + 1, 0, 0x01, HEARD6},
    {AT_IP4_FRAGMENT, 0, 0x40, HEARD | SERVED},
    /* senders: groups, others, broadcasts, ourselves */
    {AT_IP4_SRC, AT_IP6_SRC, 0xff, HEARD4}, /* of class E, which lwIP hears */
    {AT_IP4_SRC, AT_IP6_SRC, 224, HEARD6},
    {AT_IP4_SRC, AT_IP6_SRC, 0x20, HEARD | SERVED},
    {AT_IP4_SRC, 0, 0, HEARD}, /* of a network that is none, which lwIP hears */
    {AT_IP4_SRC, 0, 1, HEARD | SERVED},
    {AT_IP4_SRC, 0, 223, HEARD | SERVED},
    {AT_IP4_SRC, 0, 127, HEARD6},
    {AT_IP4_SRC + 3, AT_IP6_SRC + 15, 255, HEARD6},
    {AT_IP4_SRC + 3, AT_IP6_SRC + 15, 2, 0},
    /* for others: another address, a group, another port */
    {AT_IP4_DEST + 3, AT_IP6_DEST + 15, 9, 0},
    {AT_IP4_DEST + 3, AT_IP6_DEST, 255, HEARD4},
    {ETH_BYTES + IP4_BYTES + 3, ETH_BYTES + IP6_BYTES + 3, 10, 0},
    {ETH_BYTES + IP4_BYTES + 3, ETH_BYTES + IP6_BYTES + 3, 0, 0},
    /* for another Ethernet address; not IPv4 */
    {5, 5, 9, 0},
    {12, 12, 9, 0},
};

/* As one pbuf, for which there is a short way; or as two, which lwIP alone takes. */
static struct heard hear_of(const struct frame *f, bool checked, bool whole)
{
    unsigned cut = whole ? f->length : ETH_BYTES + IP6_BYTES + UDP_BYTES;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)cut, PBUF_RAM);

    pbuf_take(p, f->data, (u16_t)cut);
    if (!whole) {
        struct pbuf *rest = pbuf_alloc(PBUF_RAW, (u16_t)(f->length - cut), PBUF_RAM);

        pbuf_take(rest, f->data + cut, rest->len);
        pbuf_cat(p, rest);
    }
    memset(&heard, 0, sizeof(heard));
    net_input(&dev, p, checked ? NET_INPUT_CHECKED : 0);
    fake_run();
    ck_assert_ptr_null(ip_current_input_netif());
    return heard;
}

START_TEST(the_short_way_in_is_as_good_as_lwips)
{
    bool v6 = _i & 1;
    const struct change *change = &changes[_i / 2];
    struct heard one, two;
    struct frame f;
    unsigned at = v6 ? change->at6 : change->at4;

    start_with_addresses();
    (void)hear_at(IP_ANY_TYPE, 9);
    question(&f, v6);
    right_sums(&f, v6);
    if (at || change->value == 0xff)
        f.data[at] = change->value;
    if (!(change->how & OLD_SUMS))
        right_sums(&f, v6);
    if (change->how & PADDED)
        f.length += 20;
    one = hear_of(&f, !(change->how & UNCHECKED), true);
    two = hear_of(&f, !(change->how & UNCHECKED), false);
    ck_assert_mem_eq(&one, &two, sizeof(one));
    ck_assert_uint_eq(one.count, (change->how & (v6 ? HEARD6 : HEARD4)) != 0);
}
END_TEST

/* Who has connected to the sender, or hears one address only, comes first, as in lwIP; who hears one version of IP does
 * not hear the other. */
START_TEST(the_short_way_in_finds_the_same_server)
{
    static const struct {
        uint8_t type;
        bool v6, heard;
    } versions[] = {{IPADDR_TYPE_ANY, false, true}, {IPADDR_TYPE_ANY, true, true},
                    {IPADDR_TYPE_V4, false, true},  {IPADDR_TYPE_V4, true, false},
                    {IPADDR_TYPE_V6, false, false}, {IPADDR_TYPE_V6, true, true}};
    unsigned version = _i < 4 ? 0 : (unsigned)_i - 4;
    struct heard one, two;
    struct udp_pcb *any;
    struct frame f;
    ip_addr_t ours, theirs;

    start_with_addresses();
    any = hear_at(IP_ANY_TYPE, 9);
    IP_SET_TYPE_VAL(any->local_ip, versions[version].type);
    IP_ADDR4(&ours, 10, 0, 0, 2);
    IP_ADDR4(&theirs, 10, 0, 0, 1);
    if (_i == 0)
        udp_remove(hear_at(&ours, 9));
    if (_i == 1)
        (void)hear_at(&ours, 9);
    if (_i == 2)
        ck_assert_int_eq(udp_connect(hear_at(IP_ANY_TYPE, 9), &theirs, 4000), ERR_OK);
    if (_i == 3)
        udp_bind_netif(udp_pcbs, netif_default);
    question(&f, versions[version].v6);
    one = hear_of(&f, true, true);
    two = hear_of(&f, true, false);
    ck_assert_uint_eq(one.count, versions[version].heard);
    ck_assert_mem_eq(&one, &two, sizeof(one));
}
END_TEST

/* 0.0.0.0 is not the address of an interface that has none. */
START_TEST(the_short_way_in_leads_to_an_address)
{
    struct frame f;

    fake_cmdline("ip", "none");
    fake_cmdline("ip6", "none");
    start();
    (void)hear_at(IP_ANY_TYPE, 9);
    question(&f, false);
    memset(f.data + AT_IP4_DEST, 0, 4);
    right_sums(&f, false);
    ck_assert_uint_eq(hear_of(&f, true, false).count, 0);
    ck_assert_uint_eq(hear_of(&f, true, true).count, 0);
}
END_TEST

/* In a network page, as a driver has it. */
static void ask_with(const struct frame *f)
{
    struct netpage *np = netpage_get(true);

    memcpy(np->page, f->data, f->length);
    sent.datagrams = 0;
    net_input(&dev, netpage_pbuf(np, 0, f->length), NET_INPUT_CHECKED | NET_INPUT_ALONE);
    fake_run();
}

static void ask(bool v6)
{
    struct frame f;

    question(&f, v6);
    ask_with(&f);
}

static void know_client6(void)
{
    struct frame f;

    f.length = frame_solicitation(f.data, dev.mac);
    arrive(&f, true);
}

/* Completes the checksum of the latest datagram as a backend does. */
static void complete(bool v6)
{
    uint8_t *udp = sent.datagram + ETH_BYTES + (v6 ? IP6_BYTES : IP4_BYTES);
    unsigned len = sent.length - (unsigned)(udp - sent.datagram);
    uint16_t sum = frame_folded(headers_sum(udp, len));

    ck_assert_uint_eq(len % 2, 0);
    write_be16(udp + 6, sum ? sum : 0xffff);
}

/* Whichever way an answer takes, it is the same octet by octet, but for the number of IPv4. */
START_TEST(an_answer_is_the_same_by_the_short_way)
{
    bool v6 = _i % (2 * WAYS) >= WAYS, completes = _i < 2 * WAYS;
    uint8_t expected[2048];
    unsigned length;

    start_answering();
    if (!completes) {
        net_link(&dev, false);
        dev.features = 0;
        net_link(&dev, true);
        fake_sleep(3 * NSEC_PER_SEC);
    }
    if (v6)
        know_client6();
    else
        know_client();
    way = BY_LWIP;
    ask(v6);
    ck_assert_uint_eq(sent.datagrams, 1);
    memcpy(expected, sent.datagram, sizeof(expected));
    length = sent.length;
    way = _i % WAYS;
    ask(v6);
    ck_assert(asked_alone);
    if (way == LONG) { /* in two fragments */
        ck_assert_uint_eq(sent.datagrams, 0);
        return;
    }
    ck_assert_uint_eq(sent.datagrams, 1);
    ck_assert_uint_eq(sent.length, length);
    ck_assert(sent.offload.valid);
    ck_assert_int_eq(sent.offload.blank,
                     completes && (way == IN_PLACE || way == IN_A_PAGE || way == BEHIND));
    if (sent.offload.blank)
        complete(v6);
    if (!v6) {
        memcpy(expected + AT_IP4_ID, sent.datagram + AT_IP4_ID, 2);
        memcpy(expected + AT_IP4_SUM, sent.datagram + AT_IP4_SUM, 2);
        ck_assert_uint_eq(frame_folded(headers_sum(sent.datagram + ETH_BYTES, IP4_BYTES)), 0);
    }
    ck_assert_mem_eq(sent.datagram, expected, length);
}
END_TEST

/* --- services ---------------------------------------------------------------------------- */

static unsigned served; /* questions that answer() got */
static int answer_with; /* what it returns, and writes: so many octets */
static uint16_t received_len;

static int answer(uint8_t *message, size_t len)
{
    served++;
    memset(&heard, 0, sizeof(heard));
    heard.len = (uint16_t)len;
    memcpy(heard.content, message, len);
    heard.port = net_asker_port(message);
    ip_addr_set_ip4_u32_val(heard.from, net_asker_ip4(message));
    for (int i = 0; i < answer_with; i++)
        message[i] = (uint8_t)i;
    return answer_with;
}

static void receive(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                    u16_t port)
{
    received_len = p->tot_len;
    hear(arg, pcb, p, from, port);
}

static void serve(uint16_t port, udp_recv_fn received_fn)
{
    static struct net_service services[2];
    static unsigned used;
    struct net_service *service = &services[used++ % 2];

    *service = (struct net_service){.answer = answer, .received = received_fn};
    ck_assert_int_eq(net_udp_serve(service, port), ERR_OK);
    served = 0;
    received_len = 0;
    answer_with = 0;
}

/* The page that the frame comes in, which is back in the pool afterwards. */
static void ask_in_page(const struct frame *f, size_t offset, bool checked)
{
    unsigned out = netpage_stats()->pages - netpage_stats()->free;
    struct netpage *np = netpage_get(true);

    memcpy(np->page + offset, f->data, f->length);
    sent.datagrams = 0;
    net_input(&dev, netpage_pbuf(np, offset, f->length),
              (checked ? NET_INPUT_CHECKED : 0) | NET_INPUT_ALONE);
    fake_run();
    ck_assert_uint_eq(netpage_stats()->pages - netpage_stats()->free, out);
}

/* What is plain is answered at once, and told as lwIP would tell it; everything else goes the other ways. */
START_TEST(a_service_is_asked_what_is_plain)
{
    bool v6 = _i & 1;
    const struct change *change = &changes[_i / 2];
    struct heard one, two;
    struct frame f;
    unsigned at = v6 ? change->at6 : change->at4;

    start_with_addresses();
    serve(9, receive);
    question(&f, v6);
    right_sums(&f, v6);
    if (at || change->value == 0xff)
        f.data[at] = change->value;
    if (!(change->how & OLD_SUMS))
        right_sums(&f, v6);
    if (change->how & PADDED)
        f.length += 20;
    two = hear_of(&f, !(change->how & UNCHECKED), false);
    ck_assert_uint_eq(served, 0);
    memset(&heard, 0, sizeof(heard));
    received_len = 0;
    ask_in_page(&f, 0, !(change->how & UNCHECKED));
    one = heard;
    ck_assert_uint_eq(served, !v6 && change->how & SERVED ? 1 : 0);
    ck_assert_uint_eq(served + (received_len != 0), two.count);
    ck_assert_uint_eq(one.len, two.len);
    ck_assert_mem_eq(one.content, two.content, two.len);
    ck_assert_uint_eq(one.port, two.port);
    ck_assert(!two.count || ip_addr_eq(&one.from, &two.from));
}
END_TEST

/* Octet by octet, but for the number of IPv4, the answer is lwIP's. */
START_TEST(a_service_answers_as_lwip_would)
{
    static const unsigned lengths[] = {1, 2, 3, 99, 100, 101, 1471, NET_SERVE_ROOM};
    unsigned len = lengths[_i];
    uint8_t expected[2048];
    unsigned length;
    struct frame f;

    start_answering();
    know_client();
    serve(10, receive);
    question(&f, false);
    answer_with = 100;
    way = BY_LWIP;
    ask_with(&f);
    memcpy(expected, sent.datagram, sizeof(expected));
    length = sent.length;
    f.data[ETH_BYTES + IP4_BYTES + 3] = 10;
    expected[ETH_BYTES + IP4_BYTES + 1] = 10;
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 1);
    ck_assert_uint_eq(sent.length, length);
    ck_assert(sent.offload.valid && sent.offload.blank);
    complete(false);
    memcpy(expected + AT_IP4_ID, sent.datagram + AT_IP4_ID, 2);
    memcpy(expected + AT_IP4_SUM, sent.datagram + AT_IP4_SUM, 2);
    /* Another port: a sum that is less by one. */
    memcpy(expected + ETH_BYTES + IP4_BYTES + 6, sent.datagram + ETH_BYTES + IP4_BYTES + 6, 2);
    ck_assert_mem_eq(sent.datagram, expected, length);
    /* Other lengths. */
    answer_with = (int)len;
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(sent.datagrams, 1);
    ck_assert_uint_eq(sent.length, ETH_BYTES + IP4_BYTES + UDP_BYTES + len);
    ck_assert_uint_eq(read_be16(sent.datagram + AT_IP4_LENGTH), IP4_BYTES + UDP_BYTES + len);
    ck_assert_uint_eq(read_be16(sent.datagram + ETH_BYTES + IP4_BYTES + 4), UDP_BYTES + len);
    ck_assert_uint_eq(frame_folded(headers_sum(sent.datagram + ETH_BYTES, IP4_BYTES)), 0);
    ck_assert_uint_eq(read_be16(sent.datagram + ETH_BYTES + IP4_BYTES + 6),
                      (uint16_t)~frame_folded(headers_sum(sent.datagram + AT_IP4_SRC, 8) +
                                              PROTOCOL_UDP + UDP_BYTES + len));
}
END_TEST

/* What nobody but the service sees is traffic, too: the device is looked at as often as under any other. */
START_TEST(a_service_keeps_the_clocks_awake)
{
    struct frame f;

    dev.look = look;
    start_with_addresses();
    know_client();
    serve(9, receive);
    answer_with = 100;
    question(&f, false);
    fake_sleep(3600 * NSEC_PER_SEC);
    looks = 0;
    for (unsigned i = 0; i < 100; i++) {
        ask_in_page(&f, 0, true);
        fake_sleep(NSEC_PER_SEC);
    }
    ck_assert_uint_eq(served, 100);
    ck_assert_uint_ge(looks, 99);
}
END_TEST

/* Whatever the headers' words add up to: with all numbers of packets, and for clients of which the addresses have all
 * sums; these are so great that a carry that comes back in makes another one. */
START_TEST(a_service_answers_with_right_sums)
{
    struct frame f;

    start_with_addresses();
    serve(9, receive);
    answer_with = 100;
    question(&f, false);
    for (unsigned i = 0; i <= UINT16_MAX; i++) {
        unsigned host = _i ? i : 0;

        memcpy(f.data + AT_IP4_SRC, (uint8_t[]){172, (uint8_t)host, (uint8_t)(host >> 8), 200}, 4);
        right_sums(&f, false);
        net_ip4_id = (uint16_t)i;
        ask_in_page(&f, 0, true);
        ck_assert_uint_eq(sent.datagrams, 1);
        ck_assert_uint_eq(frame_folded(headers_sum(sent.datagram + ETH_BYTES, IP4_BYTES)), 0);
        ck_assert_uint_eq(read_be16(sent.datagram + ETH_BYTES + IP4_BYTES + 6),
                          (uint16_t)~frame_folded(headers_sum(f.data + AT_IP4_SRC, 8) +
                                                  PROTOCOL_UDP + UDP_BYTES + 100));
    }
    ck_assert_uint_eq(served, UINT16_MAX + 1);
}
END_TEST

/* One that says nothing, does not answer, or leaves it to received(); and a ring that is full. */
START_TEST(a_service_need_not_answer)
{
    const struct netdev_stats *count;
    uint64_t blank;
    struct frame f;

    start_with_addresses();
    know_client();
    serve(9, receive);
    count = &net_device(0)->stats;
    question(&f, false);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 1);
    ck_assert_uint_eq(received_len, 0);
    ck_assert_uint_eq(sent.datagrams, 0);
    answer_with = NET_PASS;
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 2);
    ck_assert_uint_eq(received_len, 100);
    ck_assert(heard.alone);
    received_len = 0;
    answer_with = 50;
    blank = count->tx_blank;
    sent.full = true;
    ask_in_page(&f, 0, true);
    sent.full = false;
    ck_assert_uint_eq(received_len, 0);
    ck_assert_uint_eq(count->tx_blank, blank);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(count->tx_blank, blank + 1);
    ck_assert_uint_eq(sent.datagrams, 1);
}
END_TEST

static void relink(unsigned features, uint16_t mtu)
{
    net_link(&dev, false);
    dev.features = features;
    dev.mtu = mtu;
    net_link(&dev, true);
    fake_sleep(3 * NSEC_PER_SEC);
}

/* What is not a page, or is not ours alone, has no room for an answer, or goes out to a device that does not complete
 * sums or takes less: received() gets it. */
START_TEST(a_service_has_room_for_its_answer)
{
    const unsigned completes = NETDEV_CSUM4 | NETDEV_CSUM6;
    struct netpage *np;
    struct pbuf *p;
    struct frame f;

    start_with_addresses();
    serve(9, receive);
    question(&f, false);
    arrive(&f, true); /* in memory of another kind */
    ask_in_page(&f, PAGE_SIZE - 1513, true);
    np = netpage_get(true);
    memcpy(np->page, f.data, f.length);
    p = netpage_pbuf(np, 0, f.length);
    pbuf_ref(p);
    net_input(&dev, p, NET_INPUT_CHECKED);
    pbuf_free(p);
    relink(completes, 1499);
    ask_in_page(&f, 0, true);
    relink(0, 1500);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 0);
    ck_assert_uint_eq(received_len, 100);
    relink(completes, 1500);
    received_len = 0;
    ask_in_page(&f, PAGE_SIZE - 1514, true);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 2);
    ck_assert_uint_eq(received_len, 0);
}
END_TEST

/* As long as a frame, and longer, as with a larger MTU. */
START_TEST(a_service_is_asked_no_more_than_it_may_answer)
{
    static uint8_t frame[AT_IP4_SRC + 2000];
    struct netpage *np;
    uint8_t *at;

    start_with_addresses();
    relink(NETDEV_CSUM4 | NETDEV_CSUM6, 3000);
    serve(9, receive);
    for (unsigned len = NET_SERVE_ROOM; len <= NET_SERVE_ROOM + 1; len++) {
        at = frame_ip4(frame, dev.mac, PROTOCOL_UDP, (uint16_t)(UDP_BYTES + len));
        udp(at);
        write_be16(at + 2, 9);
        write_be16(at + 4, (uint16_t)(UDP_BYTES + len));
        np = netpage_get(true);
        memcpy(np->page, frame, sizeof(frame));
        net_input(&dev, netpage_pbuf(np, 0, ETH_BYTES + IP4_BYTES + UDP_BYTES + len),
                  NET_INPUT_CHECKED | NET_INPUT_ALONE);
    }
    ck_assert_uint_eq(served, 1);
    ck_assert_uint_eq(received_len, NET_SERVE_ROOM + 1);
}
END_TEST

/* Its lengths say more than came. */
START_TEST(a_service_hears_no_more_than_came)
{
    struct frame f;

    start_with_addresses();
    serve(9, receive);
    question(&f, false);
    for (uint16_t more = 0; more < 3; more++) {
        write_be16(f.data + AT_IP4_LENGTH, (uint16_t)(IP4_BYTES + UDP_BYTES + 100 + more));
        write_be16(f.data + ETH_BYTES + IP4_BYTES + 4, (uint16_t)(UDP_BYTES + 100 + more));
        frame_ip4_sum(f.data);
        ask_in_page(&f, 0, true);
        ck_assert_uint_eq(served, 1);
        ck_assert_uint_eq(received_len, 0);
    }
    for (f.length = 0; f.length < ETH_BYTES + IP4_BYTES + UDP_BYTES + 100; f.length++)
        ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 1);
}
END_TEST

/* Nobody else gets the port, at any address; who has it is not disturbed. And each service has its own. */
START_TEST(a_services_port_is_its_own)
{
    struct net_service late = {.answer = answer, .received = receive};
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY), *v4 = udp_new();
    struct frame f;
    ip_addr_t ours;
    size_t pages;

    start_with_addresses();
    IP_ADDR4(&ours, 10, 0, 0, 2);
    ck_assert_int_eq(udp_bind(v4, &ours, 10), ERR_OK);
    serve(9, receive);
    ck_assert_int_eq(udp_bind(pcb, &ours, 9), ERR_USE);
    ck_assert_int_eq(udp_bind(pcb, IP_ANY_TYPE, 9), ERR_USE);
    ck_assert_int_eq(udp_bind(pcb, IP4_ADDR_ANY, 9), ERR_USE);
    ck_assert_int_eq(udp_bind(pcb, IP6_ADDR_ANY, 9), ERR_USE);
    pages = net_mem_stats()->pages;
    for (unsigned i = 0; i < 1000; i++) { /* and who does not get it leaves nothing behind */
        ck_assert_int_eq(net_udp_serve(&late, 9), ERR_USE);
        ck_assert_int_eq(net_udp_serve(&late, 10), ERR_USE);
    }
    ck_assert_uint_eq(net_mem_stats()->pages, pages);
    serve(11, receive);
    question(&f, false);
    ask_in_page(&f, 0, true);
    f.data[ETH_BYTES + IP4_BYTES + 3] = 11;
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 2);
    f.data[ETH_BYTES + IP4_BYTES + 3] = 10;
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 2);
}
END_TEST

/* Without an address nobody is asked, whatever a frame says; with a new one it is asked there. */
START_TEST(a_service_is_where_the_address_is)
{
    struct frame f;
    ip4_addr_t none = {0}, other;

    start_with_addresses();
    serve(9, receive);
    netif_set_ipaddr(netif_default, &none);
    question(&f, false);
    ask_in_page(&f, 0, true);
    memset(f.data + AT_IP4_DEST, 0, 4);
    right_sums(&f, false);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 0);
    IP4_ADDR(&other, 10, 0, 0, 9);
    netif_set_ipaddr(netif_default, &other);
    question(&f, false);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 0);
    f.data[AT_IP4_DEST + 3] = 9;
    right_sums(&f, false);
    ask_in_page(&f, 0, true);
    ck_assert_uint_eq(served, 1);
}
END_TEST

/* The client says that a packet to it was too big, behind another header so as to be hard to see. */
static void too_big(uint32_t mtu)
{
    struct frame f;
    uint8_t *icmp = f.data + ETH_BYTES + IP6_BYTES + 8;
    uint16_t content = 8 + IP6_BYTES;

    ip6(&f, IP6_NEXTH_DESTOPTS, (uint16_t)(8 + content));
    icmp[-8] = IP6_NEXTH_ICMP6;
    icmp[-6] = 1; /* PadN */
    icmp[-5] = 4;
    icmp[0] = ICMP6_TYPE_PTB;
    write_be16(icmp + 4, (uint16_t)(mtu >> 16));
    write_be16(icmp + 6, (uint16_t)mtu);
    memcpy(icmp + 8 + 24, f.data + AT_IP6_SRC, 16);
    frame_icmp6_sum(f.data, icmp, content);
    arrive(&f, true);
}

/* RFC 8201 section 4: who says that a path takes less than 1280 octets is not heard, nor who says more than is known.
 * With 48 lwIP would send fragments of nothing for ever. */
static const struct {
    uint32_t said[2];
    unsigned longest;
} path_mtus[] = {{{1500, 0}, 1500},    {{1500, 40}, 1500},    {{1500, 48}, 1500},
                 {{1500, 1279}, 1500}, {{1500, 65535}, 1500}, {{1500, UINT32_MAX}, 1500},
                 {{1500, 1280}, 1280}, {{1500, 1400}, 1400},  {{1400, 1280}, 1280},
                 {{1280, 1400}, 1280}, {{1280, 65535}, 1280}, {{1280, 0}, 1280},
                 {{1280, 55}, 1280}};

START_TEST(a_path_is_as_wide_as_can_be)
{
    start_answering();
    know_client6();
    way = BY_LWIP;
    ask(true); /* now the path is known */
    too_big(path_mtus[_i].said[0]);
    too_big(path_mtus[_i].said[1]);
    way = LONG;
    sent.frames = sent.longest = 0;
    ask(true);
    ck_assert_uint_eq(sent.frames, 2);
    ck_assert_uint_le(sent.longest, ETH_BYTES + path_mtus[_i].longest);
    ck_assert_uint_gt(sent.longest, ETH_BYTES + path_mtus[_i].longest - 8);
}
END_TEST

/* After a link has come back a path is no wider than it. */
START_TEST(a_path_follows_its_link)
{
    dev.mtu = 9000;
    start_answering();
    know_client6();
    way = BY_LWIP;
    ask(true);
    net_link(&dev, false);
    dev.mtu = 1500;
    net_link(&dev, true);
    way = LONG;
    sent.frames = sent.longest = 0;
    ask(true);
    ck_assert_uint_eq(sent.frames, 2);
    ck_assert_uint_le(sent.longest, ETH_BYTES + 1500);
}
END_TEST

/* From port 1000 to 13, with an MSS of 1460. */
static void segment6(uint8_t flags, uint32_t seq, uint32_t ack)
{
    static const uint8_t mss[] = {2, 4, 1460 >> 8, 1460 & 255};
    struct frame_segment s = {.from = 1000,
                              .to = 13,
                              .seq = seq,
                              .ack = ack,
                              .flags = flags,
                              .window = 8192,
                              .options = mss,
                              .options_len = sizeof(mss)};
    struct frame f;

    ip6(&f, PROTOCOL_TCP, TCP_BYTES + sizeof(mss));
    frame_tcp(f.data + ETH_BYTES + IP6_BYTES, &s);
    arrive(&f, true);
}

enum { BACKLOG = 4 };

/* At port 13 of this address alone. */
static void listen_at(const char *address)
{
    struct tcp_pcb *pcb;
    ip_addr_t ip;

    ck_assert(ipaddr_aton(address, &ip));
    pcb = tcp_new_ip_type(IP_GET_TYPE(&ip));
    ck_assert_int_eq(tcp_bind(pcb, &ip, 13), ERR_OK);
    tcp_accept(tcp_listen_with_backlog(pcb, BACKLOG), close_at_once);
}

/* What lwIP would not take for a SYN costs nobody his place. */
START_TEST(false_requests_make_no_room)
{
    struct frame f;

    start_with_addresses();
    listen_at("10.0.0.2");
    know_client();
    for (uint16_t i = 0; i < BACKLOG; i++)
        segment((uint16_t)(2001 + i), TCP_SYN, i, 0);
    segment(2000, TCP_SYN | TCP_RST, 0, 0);
    ck_assert_uint_eq(count_list(tcp_active_pcbs), BACKLOG);
    put_segment(&f, 2000, TCP_SYN, 0, 0, 0);
    arrive(&f, false); /* its checksum is wrong */
    ck_assert_uint_eq(count_list(tcp_active_pcbs), BACKLOG);
    f.data[AT_IP4_DEST + 3] = 255;
    frame_ip4_sum(f.data);
    arrive(&f, true);
    ck_assert_uint_eq(count_list(tcp_active_pcbs), BACKLOG);
}
END_TEST

/* A flood at one address costs nobody his place at another one. */
START_TEST(a_listener_makes_room_of_its_own)
{
    uint32_t seq;

    start_with_addresses();
    listen_at("fd00::2");
    listen_at("10.0.0.2");
    know_client();
    know_client6();
    segment(2000, TCP_SYN, 0, 0);
    segment6(TCP_SYN, 100, 0);
    seq = read_be32(sent.last + ETH_BYTES + IP6_BYTES + AT_TCP_SEQ);
    for (uint16_t i = 0; i < 2 * BACKLOG; i++) {
        sent.tcp = 0;
        segment((uint16_t)(2001 + i), TCP_SYN, i, 0);
        ck_assert_uint_ge(sent.tcp, 1);
        ck_assert_uint_eq(answer_flags(), TCP_SYN | TCP_ACK);
    }
    ck_assert_uint_eq(count_list(tcp_active_pcbs), BACKLOG + 1);
    segment6(TCP_ACK, 101, seq + 1);
    ck_assert_uint_eq(sent.last[ETH_BYTES + IP6_BYTES + AT_TCP_FLAGS] & 0x3f, TCP_FIN | TCP_ACK);
}
END_TEST

static void accept6(void)
{
    start_with_addresses();
    listen_keeping();
    know_client6();
    segment6(TCP_SYN, 100, 0);
    segment6(TCP_ACK, 101, read_be32(sent.last + ETH_BYTES + IP6_BYTES + AT_TCP_SEQ) + 1);
    ck_assert_ptr_nonnull(accepted);
}

/* What was cut is a segment with so many octets of text, and its checksum right. */
static void check_whole(unsigned length)
{
    ck_assert_uint_eq(sent.whole_length, TCP_BYTES + length);
    ck_assert_uint_eq(frame_folded(headers_sum(sent.last + AT_IP6_SRC, 32) + PROTOCOL_TCP +
                                   sent.whole_length + headers_sum(sent.whole, sent.whole_length)),
                      0);
    for (unsigned i = 0; i < length; i++)
        ck_assert_uint_eq(sent.whole[TCP_BYTES + i], 'x');
    memset(sent.whole, 0, sizeof(sent.whole));
    sent.whole_length = 0;
}

/* A connection has longer segments than its path, or its link, takes by now: they are cut, and who puts them together
 * finds the checksum right, which nobody completes behind us. So it does when they are sent again. */
START_TEST(segments_that_are_cut_stay_whole)
{
    uint8_t text[20];
    unsigned length;

    memset(text, 'x', sizeof(text));
    dev.mtu = _i ? 9000 : 1500;
    accept6();
    if (_i) {
        net_link(&dev, false);
        dev.mtu = 1500;
        net_link(&dev, true);
    } else {
        too_big(1280);
    }
    tcp_nagle_disable(accepted);
    length = tcp_mss(accepted) / sizeof(text) * sizeof(text);
    for (unsigned i = 0; i < length; i += sizeof(text))
        ck_assert_int_eq(tcp_write(accepted, text, sizeof(text), TCP_WRITE_FLAG_COPY), ERR_OK);
    tcp_output(accepted);
    fake_run();
    check_whole(length);
    for (unsigned i = 0; i < 3; i++) {
        fake_sleep(20 * NSEC_PER_SEC);
        check_whole(length);
    }
    tcp_abort(accepted);
}
END_TEST

static void icmp6(struct frame *f, uint8_t type, uint16_t content)
{
    ip6(f, IP6_NEXTH_ICMP6, content);
    f->data[ETH_BYTES + IP6_BYTES] = type;
}

static void arrive_icmp6(struct frame *f)
{
    uint8_t *icmp = f->data + ETH_BYTES + IP6_BYTES;
    uint16_t content = (uint16_t)(f->length - ETH_BYTES - IP6_BYTES);

    write_be16(icmp + 2, 0);
    frame_icmp6_sum(f->data, icmp, content);
    arrive(f, true);
}

static void start_asked6(void)
{
    start_answering();
    know_client6();
    way = BY_LWIP;
    ask(true);
    ck_assert_uint_eq(sent.datagrams, 1);
}

/* To all: "ADDRESS is mine". */
static void claim(const ip6_addr_t *address, bool hidden)
{
    struct frame f;
    uint8_t *icmp = f.data + ETH_BYTES + IP6_BYTES;

    icmp6(&f, ICMP6_TYPE_NA, 24);
    memset(f.data + AT_IP6_DEST, 0, 16);
    memcpy(f.data + AT_IP6_DEST, (uint8_t[]){0xff, 2, [15] = 1}, 16);
    memcpy(icmp + 8, address->addr, 16);
    frame_icmp6_sum(f.data, icmp, 24);
    if (hidden) {
        memmove(icmp + 8, icmp, 24);
        memcpy(icmp, (uint8_t[]){IP6_NEXTH_ICMP6, 0, 1, 4, 0, 0, 0, 0}, 8); /* PadN */
        f.data[AT_IP6_NEXT] = IP6_NEXTH_DESTOPTS;
        write_be16(f.data + AT_IP6_LENGTH, 8 + 24);
        f.length += 8;
    }
    arrive(&f, true);
}

/* An address in use is not given up, nor are its connections reset; but one that is only being tried is (RFC 4862
 * section 5.4). */
START_TEST(an_address_in_use_is_kept)
{
    accept6();
    for (unsigned i = 0; i < 4; i++) {
        claim(netif_ip6_addr(netif_default, (s8_t)(i & 1)), i & 2);
        ck_assert(ip6_addr_isvalid(netif_ip6_addr_state(netif_default, (s8_t)(i & 1))));
        ck_assert_ptr_eq(tcp_active_pcbs, accepted);
    }
    ck_assert_uint_eq(dev.stats.drops[NETDEV_RX_FALSE], 4);
    tcp_abort(accepted);
}
END_TEST

/* The same claim in two fragments: lwIP takes the protocol from the one that comes first, whatever that says of
 * itself. */
START_TEST(a_claim_in_fragments)
{
    static const uint8_t next[] = {IP6_NEXTH_ICMP6, IP6_NEXTH_UDP};
    struct frame whole, f;
    uint8_t *message = whole.data + ETH_BYTES + IP6_BYTES,
            *fragment = f.data + ETH_BYTES + IP6_BYTES;

    accept6();
    icmp6(&whole, ICMP6_TYPE_NA, 32);
    memset(whole.data + AT_IP6_DEST, 0, 16);
    memcpy(whole.data + AT_IP6_DEST, (uint8_t[]){0xff, 2, [15] = 1}, 16);
    memcpy(message + 8, netif_ip6_addr(netif_default, 0)->addr, 16);
    message[23] ^= _i & 2; /* or to another */
    message[24] = 2;
    message[25] = 1;
    frame_icmp6_sum(whole.data, message, 32);
    for (unsigned late = 0; late < 2; late++) { /* the one with the end first */
        uint16_t at = late ? 0 : 24, size = late ? 24 : 8;

        ip6(&f, IP6_NEXTH_FRAGMENT, 8 + size);
        memcpy(f.data + AT_IP6_DEST, whole.data + AT_IP6_DEST, 16);
        fragment[0] = next[_i & 1 ? late : 0];
        write_be16(fragment + 2, late ? 1 : at);
        fragment[7] = 9;
        memcpy(fragment + 8, message + at, size);
        arrive(&f, true);
    }
    ck_assert(ip6_addr_isvalid(netif_ip6_addr_state(netif_default, 0)));
    ck_assert_ptr_eq(tcp_active_pcbs, accepted);
    ck_assert_uint_eq(dev.stats.drops[NETDEV_RX_FALSE], 1);
    tcp_abort(accepted);
}
END_TEST

START_TEST(an_address_on_trial_is_given_up)
{
    fake_cmdline("ip6", "fd00::2/64");
    start();
    ck_assert(ip6_addr_istentative(netif_ip6_addr_state(netif_default, 1)));
    claim(netif_ip6_addr(netif_default, 1), false);
    fake_sleep(3 * NSEC_PER_SEC);
    ck_assert(ip6_addr_isduplicated(netif_ip6_addr_state(netif_default, 1)));
}
END_TEST

/* A router says that the link takes less: what was known of paths does not count. */
START_TEST(a_path_follows_a_router)
{
    struct frame f;
    uint8_t *icmp = f.data + ETH_BYTES + IP6_BYTES;

    start_asked6();
    icmp6(&f, ICMP6_TYPE_RA, 16 + 8);
    memcpy(f.data + AT_IP6_SRC, (uint8_t[]){0xfe, 0x80, [15] = 9}, 16);
    memcpy(icmp + 16, (uint8_t[]){5, 1, 0, 0, 0, 0, 1400 >> 8, 1400 & 255}, 8);
    arrive_icmp6(&f);
    way = LONG;
    sent.frames = sent.longest = 0;
    ask(true);
    ck_assert_uint_eq(sent.frames, 2);
    ck_assert_uint_le(sent.longest, ETH_BYTES + 1400);
}
END_TEST

/* "There is a better way": to nowhere, or to somebody else. */
START_TEST(a_way_is_not_changed_by_others)
{
    struct frame f;

    start_asked6();
    icmp6(&f, ICMP6_TYPE_RD, 40);
    memcpy(f.data + ETH_BYTES + IP6_BYTES + 24, f.data + AT_IP6_SRC, 16); /* to the client */
    memcpy(f.data + AT_IP6_SRC, (uint8_t[]){0xfe, 0x80, [15] = 9}, 16);
    if (_i) /* rather than to nowhere */
        memcpy(f.data + ETH_BYTES + IP6_BYTES + 8, (uint8_t[]){0xfe, 0x80, [15] = 10}, 16);
    arrive_icmp6(&f);
    ask(true);
    ck_assert_uint_eq(sent.datagrams, 1);
}
END_TEST

/* An error that somebody without an address asks for would wait for his neighbour address for ever. */
START_TEST(no_errors_to_nobody)
{
    struct frame f;

    start_with_addresses();
    for (unsigned i = 0; i < 100; i++) {
        ip6(&f, IP6_NEXTH_DESTOPTS, 8 + 1000);
        memset(f.data + AT_IP6_SRC, 0, 16);
        memcpy(f.data + AT_IP6_DEST, (uint8_t[]){0xff, 2, [11] = 1, 0xff, 0, 0, 2}, 16);
        f.data[ETH_BYTES + IP6_BYTES + 2] = 0x80;
        arrive(&f, false);
    }
    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++)
        ck_assert_ptr_null(neighbor_cache[i].q);
}
END_TEST

/* A question from ourselves: the answer would be one again. */
START_TEST(we_are_not_answered)
{
    static const uint8_t loopback4[] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};
    struct frame f;
    bool v6 = _i & 1 || _i == 4;

    start_answering();
    know_client();
    know_client6();
    way = BY_LWIP;
    question(&f, v6);
    if (_i & 4) { /* the frame's sender */
        memcpy(f.data + 6, dev.mac, 6);
    } else if (v6) {
        memcpy(f.data + AT_IP6_SRC, _i & 2 ? loopback6 : f.data + AT_IP6_DEST, 16);
    } else {
        memcpy(f.data + AT_IP4_SRC, _i & 2 ? loopback4 : f.data + AT_IP4_DEST, 4);
        frame_ip4_sum(f.data);
    }
    sent.frames = 0;
    ask_with(&f);
    ck_assert_uint_eq(sent.frames, 0);
    ck_assert_uint_eq(dev.stats.rx_packets, 3);
}
END_TEST

static void keep_memory(struct pbuf *p)
{
}

/* An option that is empty, or ends behind the message, is not read (RFC 4861 section 4.6). */
START_TEST(options_end_within_the_message)
{
    static const uint8_t types[] = {ICMP6_TYPE_RA, ICMP6_TYPE_NS, ICMP6_TYPE_NA, ICMP6_TYPE_RD};
    static const uint16_t fields[] = {16, 24, 24, 40};
    unsigned kind = _i % 4, missing = _i / 4;
    struct pbuf_custom custom = {.custom_free_function = keep_memory};
    struct frame f;
    uint8_t *icmp = f.data + ETH_BYTES + IP6_BYTES, *exact;
    uint16_t content = (uint16_t)(fields[kind] + 8 - missing);

    start_with_addresses();
    icmp6(&f, types[kind], content);
    memcpy(icmp + 8, f.data + AT_IP6_DEST, 16);
    if (kind == 0 || kind == 3) /* lwIP wants routers to be near */
        memcpy(f.data + AT_IP6_SRC, (uint8_t[]){0xfe, 0x80, [15] = 9}, 16);
    if (missing < 7)
        icmp[fields[kind]] = kind < 2 ? 1 : 2;
    if (missing < 6)
        icmp[fields[kind] + 1] = missing ? 1 : 0;
    icmp[content] = 0; /* for the sum of an odd number */
    frame_icmp6_sum(f.data, icmp, content);
    exact = malloc(f.length);
    memcpy(exact, f.data, f.length);
    sent.frames = 0;
    net_input(&dev, pbuf_alloced_custom(PBUF_RAW, f.length, PBUF_REF, &custom, exact, f.length), 0);
    fake_run();
    ck_assert_uint_eq(sent.frames, 0);
    ck_assert_uint_eq(dev.stats.drops[NETDEV_RX_FALSE], 1);
    free(exact);
}
END_TEST

static uint32_t closed_with(const uint8_t *text, size_t len)
{
    uint32_t seq;

    start_with_addresses();
    listen_keeping();
    know_client();
    segment_with(1000, TCP_SYN, 100, 0, 1460);
    seq = answer_seq() + 1;
    segment_window = 0;
    segment(1000, TCP_ACK, 101, seq);
    fake_sleep(660 * NSEC_PER_SEC); /* at rest before */
    know_client();
    ck_assert_int_eq(tcp_write(accepted, text, (u16_t)len, TCP_WRITE_FLAG_COPY), ERR_OK);
    tcp_output(accepted);
    ck_assert_int_eq(tcp_close(accepted), ERR_OK);
    return seq;
}

/* One that takes a segment a minute gets all. */
START_TEST(who_is_slow_gets_all)
{
    static const uint8_t text[16384];
    uint32_t seq = closed_with(text, sizeof(text));

    for (unsigned i = 0; i < sizeof(text) / 1460; i++) {
        fake_sleep(60 * NSEC_PER_SEC);
        ck_assert_ptr_nonnull(tcp_active_pcbs);
        know_client();
        segment_window = 1460;
        segment(1000, TCP_ACK, 101, seq + 1460 * i);
        segment_window = 0;
        segment(1000, TCP_ACK, 101, seq + 1460 * (i + 1));
    }
    segment_window = 8192;
    segment(1000, TCP_ACK, 101, seq + sizeof(text));
    ck_assert_int_eq(answer_flags() & TCP_FIN, TCP_FIN);
}
END_TEST

/* A client that shuts its window and lives on: what was closed ends all the same. */
START_TEST(what_is_closed_ends)
{
    static const uint8_t text[16384];
    unsigned minutes = 0;
    uint32_t seq = closed_with(text, sizeof(text));

    while (tcp_active_pcbs && minutes < 60) {
        fake_sleep(60 * NSEC_PER_SEC);
        minutes++;
        know_client();
        segment(1000, TCP_ACK, 101, seq);
    }
    ck_assert_uint_ge(minutes, 2);
    ck_assert_uint_le(minutes, 4);
}
END_TEST

/* What has waited for a neighbour's address is not sent on a link that takes less than the one it was made for. */
START_TEST(what_waited_fits_the_link)
{
    ip_addr_t client = IPADDR4_INIT_BYTES(10, 0, 0, 1);
    struct pbuf *p = netpage_alloc(1473);

    dev.mtu = 9000;
    start_with_addresses();
    ck_assert_int_eq(udp_sendto(udp_new(), p, &client, 9), ERR_OK);
    pbuf_free(p);
    net_link(&dev, false);
    dev.mtu = _i ? 9000 : 1500;
    net_link(&dev, true);
    sent.longest = 0;
    know_client();
    ck_assert_uint_eq(sent.longest, _i ? ETH_BYTES + 1501 : 0);
}
END_TEST

/* An answer to a sender without an address would be a broadcast: he is not heard (RFC 1122 section
 * 3.2.1.3), whatever he asks. */
START_TEST(nobody_is_not_answered)
{
    struct frame f;

    start_answering();
    way = IN_A_PAGE;
    ask(_i & 1);
    ck_assert(asked_alone);
    question(&f, _i & 1);
    if (_i & 1) {
        memset(f.data + AT_IP6_SRC, 0, 16);
    } else {
        memset(f.data + AT_IP4_SRC, 0, 4);
        if (_i & 2) { /* an echo request */
            f.data[AT_IP4_PROTOCOL] = IP_PROTO_ICMP;
            memset(f.data + ETH_BYTES + IP4_BYTES, 0, f.length - ETH_BYTES - IP4_BYTES);
            f.data[ETH_BYTES + IP4_BYTES] = 8;
            write_be16(f.data + ETH_BYTES + IP4_BYTES + 2, 0xf7ff);
        }
        frame_ip4_sum(f.data);
    }
    asked_alone = false;
    sent.frames = 0;
    ask_with(&f);
    ck_assert(!asked_alone);
    ck_assert_uint_eq(sent.frames, 0);
}
END_TEST

/* The short way needs nobody's Ethernet address but the sender's; lwIP has to ask for it first. What is
 * not plain is left to lwIP. */
START_TEST(only_what_is_plain_takes_the_short_way)
{
    static const uint8_t sender[] = {2, 0, 0, 0, 0, 0};
    struct frame f, second;

    start_answering();
    way = IN_A_PAGE;
    ask(_i & 1);
    ck_assert_uint_eq(sent.datagrams, 1);
    ck_assert_mem_eq(sent.datagram, sender, 6);
    ck_assert_mem_eq(sent.datagram + 6, dev.mac, 6);

    question(&f, _i & 1);
    f.data[6] = 3; /* a group's */
    ask_with(&f);
    ck_assert_uint_eq(sent.datagrams, 0);
    if (_i & 1)
        return;

    question(&f, false); /* a bigger header: its last four octets are an option */
    memmove(f.data + ETH_BYTES + 24, f.data + ETH_BYTES + 20, UDP_BYTES + 100);
    f.length += 4;
    f.data[ETH_BYTES] = 0x46;
    memset(f.data + ETH_BYTES + 20, 1, 4);
    write_be16(f.data + AT_IP4_LENGTH, (uint16_t)(f.length - ETH_BYTES));
    write_be16(f.data + AT_IP4_SUM, 0);
    write_be16(f.data + AT_IP4_SUM, frame_folded(headers_sum(f.data + ETH_BYTES, 24)));
    ask_with(&f);
    ck_assert_uint_eq(sent.datagrams, 0);

    question(&f, false); /* in two fragments; the first is in its page still */
    second = f;
    memmove(second.data + ETH_BYTES + 20, f.data + ETH_BYTES + 20 + 64, UDP_BYTES + 100 - 64);
    f.length = ETH_BYTES + IP4_BYTES + 64;
    second.length = ETH_BYTES + IP4_BYTES + UDP_BYTES + 100 - 64;
    write_be16(f.data + AT_IP4_FRAGMENT, 0x2000);
    write_be16(second.data + AT_IP4_FRAGMENT, 64 / 8);
    for (unsigned i = 0; i < 2; i++) {
        struct frame *piece = i ? &second : &f;

        write_be16(piece->data + AT_IP4_LENGTH, (uint16_t)(piece->length - ETH_BYTES));
        frame_ip4_sum(piece->data);
        asked_alone = false;
        ask_with(piece);
        ck_assert_int_eq(asked_alone, i);
        ck_assert_uint_eq(sent.datagrams, 0);
    }
}
END_TEST

/* --- addresses --------------------------------------------------------------------------- */

static const char *const good4[] = {"10.0.0.1", "192.0.2.255", "1.2.3.4", "223.255.255.254"};
static const char *const bad4[] = {"",           "1.2.3",     "1.2.3.4.5",  "1.2.3.256",
                                   "1.2.3.4 ",   " 1.2.3.4",  "1..3.4",     "0x7f.1.1.1",
                                   "1.2.3.0004", "127.0.0.1", "0.0.0.0",    "255.255.255.255",
                                   "224.0.0.1",  "1.2.3.-4",  "1.2.3.4/24", "99999999999.1.1.1"};
static const char *const good6[] = {
    "2001:db8::1", "fe80::1",         "1:2:3:4:5:6:7:8", "::2",
    "1::",         "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:DB8::aBc"};
static const char *const bad6[] = {"",
                                   ":",
                                   "::",
                                   "::1",
                                   "1",
                                   "1:2:3:4:5:6:7",
                                   "1:2:3:4:5:6:7:8:9",
                                   "1:2:3:4:5:6:7:8::",
                                   "1::2::3",
                                   ":1:2:3:4:5:6:7",
                                   "1:2:3:4:5:6:7:",
                                   "1:2:3:4:5:6:7:8:",
                                   "12345::",
                                   "g::",
                                   "1:::2",
                                   "ff02::1",
                                   "::1.2.3.4",
                                   "::ffff:102:304",
                                   "\x11::\x12",
                                   "fe80::1%0"};

/* Lengths; the network's own address and its broadcast address. */
static const char *const bad_static4[] = {"1.2.3.4/",     "1.2.3.4/33",     "1.2.3.4/0",
                                          "1.2.3.4/-1",   "1.2.3.4/1000",   "192.0.2.0/24",
                                          "192.0.2.3/30", "192.0.2.255/24", "10.0.255.255/16"};
static const char *const good_static4[] = {"192.0.2.0/16", "192.0.2.255/16", "192.0.2.3/31",
                                           "192.0.2.2/31", "192.0.2.255/32"};

START_TEST(addresses_are_read_strictly)
{
    struct net_config config = {0};
    ip4_addr_t a4;
    ip6_addr_t a6;

    for (unsigned i = 0; i < ARRAY_SIZE(good4); i++)
        ck_assert_msg(net_parse_ip4(good4[i], &a4), "%s", good4[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(bad4); i++)
        ck_assert_msg(!net_parse_ip4(bad4[i], &a4), "%s", bad4[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(good6); i++)
        ck_assert_msg(net_parse_ip6(good6[i], &a6), "%s", good6[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(bad6); i++)
        ck_assert_msg(!net_parse_ip6(bad6[i], &a6), "%s", bad6[i]);
    ck_assert(net_parse_ip6("1:2::7:8", &a6));
    ck_assert_uint_eq(a6.addr[0], lwip_htonl(0x00010002));
    ck_assert_uint_eq(a6.addr[1] | a6.addr[2], 0);
    ck_assert_uint_eq(a6.addr[3], lwip_htonl(0x00070008));
    ck_assert(net_parse_static4("10.1.2.3/20", 0, &config));
    ck_assert_uint_eq(ip4_addr_get_u32(&config.mask4), lwip_htonl(0xfffff000));
    ck_assert(!net_parse_static4("10.1.2.3", 0, &config)); /* a length is wanted */
    ck_assert(net_parse_static4("10.1.2.3", 24, &config));
    for (unsigned i = 0; i < ARRAY_SIZE(bad_static4); i++)
        ck_assert_msg(!net_parse_static4(bad_static4[i], 0, &config), "%s", bad_static4[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(good_static4); i++)
        ck_assert_msg(net_parse_static4(good_static4[i], 0, &config), "%s", good_static4[i]);
    ck_assert(net_parse_static6("fd00::1", &config) && net_parse_static6("fd00::1/64", &config));
    ck_assert(!net_parse_static6("fd00::1/65", &config));
}
END_TEST

/* A gateway is another host of the network. */
static const struct {
    const char *ip, *gw;
    bool good;
} gateways[] = {
    {"10.0.0.2/24", "10.0.0.1", true},    {"10.0.0.2/24", "10.0.0.2", false},
    {"10.0.0.2/24", "10.0.1.1", false},   {"10.0.0.2/24", "10.0.0.0", false},
    {"10.0.0.2/24", "10.0.0.255", false}, {"10.0.0.2/31", "10.0.0.3", true},
    {"10.0.0.255/24", NULL, false},       {"dhcp", "10.0.0.1", false},
};

START_TEST(a_gateway_is_a_neighbour)
{
    fake_cmdline("ip", gateways[_i].ip);
    if (gateways[_i].gw)
        fake_cmdline("gw", gateways[_i].gw);
    ck_assert_int_eq(net_init(), gateways[_i].good ? 0 : -EINVAL);
}
END_TEST

/* The first that says something: the command line, the toolstack ("192.0.2.7 fd00::7"), DHCP and
 * routers. Each kind of address for itself. */
static const char *const ip4_keys[] = {NULL, "none", "dhcp", "10.0.0.2/24"};
static const char *const ip4_results[] = {"192.0.2.7", "0.0.0.0", "0.0.0.0", "10.0.0.2"};
static const char *const ip6_keys[] = {NULL, "none", "auto", "fd00::2/64"};
static const char *const ip6_results[] = {"FD00::7", NULL, NULL, "FD00::2"};

START_TEST(the_command_line_comes_before_the_toolstack)
{
    const char *ip4 = ip4_keys[_i / 4], *ip6 = ip6_keys[_i % 4], *result6 = ip6_results[_i % 4];
    const struct net_config *config;

    if (ip4)
        fake_cmdline("ip", ip4);
    if (ip6)
        fake_cmdline("ip6", ip6);
    strcpy(dev.address, "192.0.2.7 fd00::7");
    start();
    config = &dev.interface->config;
    ck_assert_str_eq(ip4addr_ntoa(netif_ip4_addr(netif_default)), ip4_results[_i / 4]);
    ck_assert_int_eq(config->dhcp, ip4 && !strcmp(ip4, "dhcp"));
    ck_assert_int_eq(config->slaac, !ip6 || !strcmp(ip6, "auto"));
    ck_assert_int_eq(config->static6, result6 != NULL);
    if (result6)
        ck_assert_str_eq(ip6addr_ntoa(netif_ip6_addr(netif_default, 1)), result6);
    ck_assert(!fake_logged("not used"));
}
END_TEST

/* Of each kind the first; what is no address is told, though nothing of it is needed. */
START_TEST(the_toolstacks_list)
{
    if (_i)
        fake_cmdline("ip", "none");
    strcpy(dev.address, "192.0.2.7/16, 192.0.2.8 192.0.2.999");
    start();
    ck_assert_str_eq(ip4addr_ntoa(netif_ip4_addr(netif_default)), _i ? "0.0.0.0" : "192.0.2.7");
    ck_assert(fake_logged("ip=192.0.2.999 from the toolstack"));
    ck_assert(!fake_logged("ip=192.0.2.8 "));
}
END_TEST

START_TEST(addresses_go_with_the_interface)
{
    start_with_addresses();
    ck_assert_str_eq(fake_published("attr/vif/0/ipv4/0"), "10.0.0.2");
    ck_assert_str_eq(fake_published("attr/vif/0/ipv6/1"), "fd00::2");
    ck_assert(net_is_up());
    net_link(&dev, false);
    ck_assert(!net_is_up());
    net_detach(&dev);
    fake_run();
    ck_assert_str_eq(fake_published("attr/vif/0/ipv4/0"), "");
    ck_assert_str_eq(fake_published("attr/vif/0/ipv6/1"), "");
    ck_assert_ptr_null(net_device(0));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_stack");
    TCase *c = tcase_create("net_stack");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, sums_of_every_length);
    tcase_add_loop_test(c, backend_is_believed_where_it_can_know, 0, 2);
    tcase_add_test(c, fragments_are_checked);
    tcase_add_test(c, what_extension_headers_hide_is_checked);
    tcase_add_test(c, other_protocols_are_checked);
    tcase_add_test(c, frames_cut_off_anywhere);
    tcase_add_test(c, addresses_come_up_in_silence);
    tcase_add_test(c, addresses_are_announced_twice);
    tcase_add_test(c, no_clock_runs_at_rest);
    tcase_add_test(c, devices_are_looked_at);
    tcase_add_test(c, a_service_keeps_the_clocks_awake);
    tcase_add_test(c, groups_refused_are_told_again);
    tcase_add_test(c, a_full_listener_makes_room);
    tcase_add_test(c, a_listener_makes_room_of_its_own);
    tcase_add_test(c, false_requests_make_no_room);
    tcase_add_loop_test(c, time_wait_gives_way, 0, 2);
    tcase_add_test(c, each_of_many_gets_its_own);
    tcase_add_test(c, only_so_many_wait);
    tcase_add_loop_test(c, segments_keep_their_size, 0, 2);
    tcase_add_test(c, clients_of_tiny_segments_do_not_get_in);
    tcase_add_test(c, checksums_are_left_to_the_backend);
    tcase_add_loop_test(c, an_answer_is_the_same_by_the_short_way, 0, 4 * WAYS);
    tcase_add_loop_test(c, a_path_is_as_wide_as_can_be, 0, ARRAY_SIZE(path_mtus));
    tcase_add_test(c, a_path_follows_its_link);
    tcase_add_loop_test(c, segments_that_are_cut_stay_whole, 0, 2);
    tcase_add_loop_test(c, what_waited_fits_the_link, 0, 2);
    tcase_add_test(c, an_address_in_use_is_kept);
    tcase_add_loop_test(c, a_claim_in_fragments, 0, 4);
    tcase_add_test(c, an_address_on_trial_is_given_up);
    tcase_add_test(c, a_path_follows_a_router);
    tcase_add_test(c, who_is_slow_gets_all);
    tcase_add_loop_test(c, a_way_is_not_changed_by_others, 0, 2);
    tcase_add_test(c, no_errors_to_nobody);
    tcase_add_loop_test(c, we_are_not_answered, 0, 5);
    tcase_add_loop_test(c, options_end_within_the_message, 0, 4 * 8);
    tcase_add_test(c, what_is_closed_ends);
    tcase_add_loop_test(c, nobody_is_not_answered, 0, 3);
    tcase_add_loop_test(c, the_short_way_in_is_as_good_as_lwips, 0, 2 * ARRAY_SIZE(changes));
    tcase_add_loop_test(c, the_short_way_in_finds_the_same_server, 0, 10);
    tcase_add_test(c, the_short_way_in_leads_to_an_address);
    tcase_add_loop_test(c, a_service_is_asked_what_is_plain, 0, 2 * ARRAY_SIZE(changes));
    tcase_add_loop_test(c, a_service_answers_as_lwip_would, 0, 8);
    tcase_add_loop_test(c, a_service_answers_with_right_sums, 0, 2);
    tcase_add_test(c, a_service_need_not_answer);
    tcase_add_test(c, a_service_has_room_for_its_answer);
    tcase_add_test(c, a_service_is_asked_no_more_than_it_may_answer);
    tcase_add_test(c, a_service_hears_no_more_than_came);
    tcase_add_test(c, a_services_port_is_its_own);
    tcase_add_test(c, a_service_is_where_the_address_is);
    tcase_add_loop_test(c, only_what_is_plain_takes_the_short_way, 0, 2);
    tcase_add_test(c, addresses_are_read_strictly);
    tcase_add_loop_test(c, a_gateway_is_a_neighbour, 0, ARRAY_SIZE(gateways));
    tcase_add_loop_test(c, the_command_line_comes_before_the_toolstack, 0, 16);
    tcase_add_loop_test(c, the_toolstacks_list, 0, 2);
    tcase_add_test(c, addresses_go_with_the_interface);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
