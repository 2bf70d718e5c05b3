/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: frames into lib/net, lwIP and the echo app, through the netdev. Frames are any octets,
 * or headers that fit the connections, queries and addresses of the moment with the input's octets in
 * them; in half of them the checksums are made right. DHCP and name servers answer lies, memory runs
 * out, the ring is full, the link comes and goes. In between somebody honest does what he should, so that
 * addresses are had, connections opened and filled, and the lies come after that.
 *
 * What the stack sends must have the checksums it claims. In the end the device is taken away and the
 * connections are aborted: then every page and object must have come back.
 */
#include <check.h>
#include <errno.h>

#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "lib/net/include/lwiphooks.h"
#include "lib/net/netpage.h"
#include "lib/util.h"
#include "tests/fuzz/frame.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_net_kernel.h"
#include "tests/unit/net_frames.h"

#include "lwip/dns.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/udp.h"

#define PEER4 PP_HTONL(0x0a000001)
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DNS_SERVER 53
/* By then a lookup has failed; by then clocks that stood have run (lib/net/timeouts.c). */
#define LOOKUP_MAX (30 * NSEC_PER_SEC)
#define IDLE_MAX (1200 * NSEC_PER_SEC)

/* --- the device ------------------------------------------------------------------------------ */

static bool ring_full;
/* Of the latest query that went out: what an answer must name. */
static struct {
    uint8_t dhcp_xid[4], dhcp_type, dns_id[2];
    uint16_t dns_port;
} asked;

static void look_at_query(const uint8_t *data, size_t len)
{
    struct headers h;
    const uint8_t *udp;

    if (!headers_parse(data, len, &h) || h.protocol != PROTOCOL_UDP || len < h.transport + 16u)
        return;
    udp = data + h.transport;
    if (read_be16(udp + 2) == DHCP_SERVER) {
        memcpy(asked.dhcp_xid, udp + UDP_BYTES + 4, 4);
        asked.dhcp_type = udp[UDP_BYTES + 240 + 2]; /* the first option */
    }
    if (read_be16(udp + 2) == DNS_SERVER) {
        asked.dns_port = read_be16(udp);
        memcpy(asked.dns_id, udp + UDP_BYTES, 2);
    }
}

static int transmit(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload)
{
    static uint8_t frame[UINT16_MAX];
    struct headers h;
    size_t len = 0;

    if (ring_full)
        return -EBUSY;
    for (struct pbuf *q = p; q; q = q->next)
        len += q->len;
    ck_assert_uint_eq(len, p->tot_len);
    ck_assert_uint_ge(len, ETH_BYTES);
    ck_assert_uint_eq(pbuf_copy_partial(p, frame, p->tot_len, 0), len);
    ck_assert(!offload->gso || (offload->blank && offload->gso_size));
    ck_assert(len <= dev->mtu + ETH_BYTES || offload->gso);
    if (offload->gso) {
        ck_assert(headers_parse(frame, len, &h) && h.protocol == PROTOCOL_TCP);
        ck_assert_uint_le(h.transport + TCP_BYTES + offload->gso_size, dev->mtu + ETH_BYTES);
    }
    if (offload->blank)
        ck_assert_msg(frame_is_blank(frame, len), "a checksum cannot be completed");
    else if (offload->valid)
        ck_assert_msg(frame_is_right(frame, len), "a checksum is said to be right");
    look_at_query(frame, len);
    return 0;
}

static int multicast(struct netdev *dev, const uint8_t mac[6], bool add)
{
    return ring_full ? -EBUSY : 0;
}

static struct netdev dev = {
    .name = "vif/0",
    .transmit = transmit,
    .multicast = multicast,
    .mac = {0, 0x16, 0x3e, 1, 2, 3},
    .mtu = 1500,
    .status = "fuzzed",
};

static void release(struct netpage *np)
{
}

/* As a driver hands a packet up: in network pages, or copied. */
static struct pbuf *in_pages(const struct frame *f, size_t piece)
{
    struct pbuf *head = NULL;

    for (size_t at = 0; at < f->len || !head; at += piece) {
        size_t n = MIN(piece, f->len - at);
        struct netpage *np = netpage_get(false);
        struct pbuf *p;

        if (!np) {
            if (head)
                pbuf_free(head);
            return NULL;
        }
        p = netpage_pbuf(np, 0, n);
        memcpy(p->payload, f->data + at, n);
        if (head)
            pbuf_cat(head, p);
        else
            head = p;
    }
    return head;
}

static void arrive(struct frame *f)
{
    uint8_t how = fuzz_u8();
    struct pbuf *p;

    if (how & 1)
        frame_fix(f);
    if (how & 2) {
        size_t cut = fuzz_u16() % FRAME_MAX;

        f->len = MIN(f->len, cut);
    }
    if (how & 4)
        p = in_pages(f, 1 + (how & 8 ? fuzz_u8() : PAGE_SIZE - 1));
    else
        p = pbuf_alloc(PBUF_RAW, (uint16_t)f->len, PBUF_RAM);
    if (!p)
        return;
    if (!(how & 4) && f->len)
        pbuf_take(p, f->data, (uint16_t)f->len);
    net_input(&dev, p,
              (how & 16 ? NET_INPUT_CHECKED : 0) | (how & 4 && !p->next ? NET_INPUT_ALONE : 0));
    if (how & 32)
        fake_run();
}

/* --- frames ---------------------------------------------------------------------------------- */

static uint8_t *put(struct frame *f, size_t n)
{
    uint8_t *at = f->data + f->len;

    ck_assert_uint_le(f->len + n, FRAME_MAX);
    f->len += n;
    return memset(at, 0, n);
}

static void put_input(struct frame *f)
{
    const uint8_t *from;
    size_t want = fuzz_u8(), n;

    if (want >= 224)
        want = (want - 223) * 46;
    n = fuzz_bytes(&from, MIN(want, FRAME_MAX - f->len));
    memcpy(put(f, n), from, n);
}

static void ethernet(struct frame *f, uint16_t type)
{
    f->len = 0;
    memcpy(put(f, ETH_BYTES), dev.mac, 6);
    memcpy(f->data + 6, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
    write_be16(f->data + AT_ETH_TYPE, type);
}

/* Our present address; 255.255.255.255 before there is one. */
static uint32_t our_ip4(void)
{
    uint32_t ip = netif_default ? netif_ip4_addr(netif_default)->addr : 0;

    return ip ? ip : UINT32_MAX;
}

static void our_ip6(uint8_t ip[16])
{
    unsigned slot = fuzz_below(LWIP_IPV6_NUM_ADDRESSES);

    memset(ip, 0, 16);
    if (netif_default)
        memcpy(ip, netif_ip6_addr(netif_default, slot)->addr, 16);
}

static void ip4_header(struct frame *f, uint8_t protocol, uint32_t from, uint32_t to)
{
    uint8_t how = fuzz_u8(), *ip;
    unsigned options = how & 1 ? fuzz_below(11) : 0;
    const uint8_t *octets;
    size_t n;

    ethernet(f, ETH_IP4);
    ip = put(f, IP4_BYTES + 4 * options);
    n = fuzz_bytes(&octets, 4 * options);
    memcpy(ip + IP4_BYTES, octets, n);
    ip[0] = (uint8_t)(0x45 + options);
    ip[8] = 64;
    ip[9] = protocol;
    write_be16(ip + 4, how & 6);
    write_be16(ip + 6, how & 8 ? fuzz_u16() & 0x20ff : 0);
    memcpy(ip + 12, &from, 4);
    memcpy(ip + 16, &to, 4);
}

static void ip6_header(struct frame *f, uint8_t next, const uint8_t from[16], const uint8_t to[16])
{
    uint8_t *ip;

    ethernet(f, ETH_IP6);
    ip = put(f, IP6_BYTES);
    ip[0] = 0x60;
    ip[6] = next;
    ip[7] = next == IP6_NEXTH_ICMP6 ? 255 : 64;
    memcpy(ip + 8, from, 16);
    memcpy(ip + 24, to, 16);
}

/* The lengths in the headers become those of the frame, give or take. */
static void end_packet(struct frame *f)
{
    uint8_t how = fuzz_u8();
    uint16_t slack = how & 1 ? fuzz_u8() : 0;
    bool v4 = read_be16(f->data + AT_ETH_TYPE) == ETH_IP4;
    size_t len = f->len - ETH_BYTES - (v4 ? 0 : IP6_BYTES);

    write_be16(f->data + (v4 ? AT_IP4_LENGTH : AT_IP6_LENGTH), (uint16_t)(len - slack));
    if (how & 2)
        f->data[6] |= 1; /* from a group */
    if (how & 4)
        memset(f->data, 0xff, 6); /* to all */
    arrive(f);
}

static void either_ip(struct frame *f, uint8_t protocol)
{
    uint8_t peer[16] = {0xfd, [15] = 1}, ours[16];
    uint8_t how = fuzz_u8();

    if (how & 1) {
        our_ip6(ours);
        if (how & 2)
            peer[0] = 0xfe, peer[1] = 0x80;
        if (how & 4) {
            memset(ours, 0, 16);
            ours[0] = 0xff, ours[1] = 2, ours[15] = how & 8 ? 1 : 0x16;
        }
        ip6_header(f, protocol, peer, ours);
    } else {
        ip4_header(f, protocol, how & 2 ? fuzz_u32() : PEER4,
                   how & 4 ? PP_HTONL(0xe0000001) : our_ip4());
    }
}

static void any_frame(struct frame *f)
{
    static const uint16_t types[] = {ETH_IP4, ETH_IP6, 0x0806, 0x8100};
    unsigned type = fuzz_below(ARRAY_SIZE(types) + 1);

    ethernet(f, type < ARRAY_SIZE(types) ? types[type] : fuzz_u16());
    put_input(f);
    arrive(f);
}

static void any_packet(struct frame *f)
{
    static const uint8_t protocols[] = {1, 2, 6, 17, 58, 0, 43, 44, 60, 59, 50};
    unsigned protocol = fuzz_below(ARRAY_SIZE(protocols) + 1);

    either_ip(f, protocol < ARRAY_SIZE(protocols) ? protocols[protocol] : fuzz_u8());
    put_input(f);
    end_packet(f);
}

static void udp_header(struct frame *f, uint16_t from, uint16_t to)
{
    uint8_t *udp = put(f, UDP_BYTES);

    write_be16(udp, from);
    write_be16(udp + 2, to);
}

static void end_udp(struct frame *f, size_t at)
{
    write_be16(f->data + at + 4, (uint16_t)(f->len - at));
    end_packet(f);
}

static void datagram(struct frame *f)
{
    size_t at;

    either_ip(f, PROTOCOL_UDP);
    at = f->len;
    udp_header(f, fuzz_u8() & 1 ? 7 : 4000, fuzz_u8() & 1 ? fuzz_u16() : 7);
    put_input(f);
    end_udp(f, at);
}

/* A DHCP message with the input's options. */
static void dhcp_answer(struct frame *f)
{
    uint8_t how = fuzz_u8(), *m;
    size_t at;

    ip4_header(f, PROTOCOL_UDP, PEER4, how & 1 ? UINT32_MAX : our_ip4());
    at = f->len;
    udp_header(f, DHCP_SERVER, DHCP_CLIENT);
    m = put(f, 240 + 9);
    m[0] = 2;
    m[1] = 1;
    m[2] = 6;
    memcpy(m + 4, asked.dhcp_xid, 4);
    memcpy(m + 16, (uint8_t[]){10, 0, 0, how & 2 ? fuzz_u8() : 2}, 4);
    memcpy(m + 28, dev.mac, 6);
    memcpy(m + 236, (uint8_t[]){99, 130, 83, 99}, 4);
    /* Offer or acknowledgement, and a server. */
    memcpy(m + 240, (uint8_t[]){53, 1, how & 4 ? 5 : how & 8 ? 6 : 2, 54, 4, 10, 0, 0, 1}, 9);
    put_input(f);
    end_udp(f, at);
}

static void dns_reply(struct frame *f)
{
    uint8_t *m;
    size_t at;

    ip4_header(f, PROTOCOL_UDP, PEER4, our_ip4());
    at = f->len;
    udp_header(f, DNS_SERVER, asked.dns_port);
    m = put(f, 12);
    memcpy(m, asked.dns_id, 2);
    m[2] = 0x81;
    m[3] = 0x80 | fuzz_below(16);
    m[5] = 1;
    m[7] = fuzz_u8();
    memcpy(put(f, 17), "\7example\3org\0\0\1\0\1", 17);
    put_input(f);
    end_udp(f, at);
}

static void arp(struct frame *f)
{
    uint8_t how = fuzz_u8(), *a;
    uint32_t ours = our_ip4(), peer = PEER4;

    ethernet(f, 0x0806);
    a = put(f, 28);
    memcpy(a, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, how & 1 ? 2 : 1}, 8);
    memcpy(a + 8, f->data + 6, 6);
    memcpy(a + 14, how & 2 ? &ours : &peer, 4);
    memcpy(a + 24, how & 4 ? &peer : &ours, 4);
    if (how & 8)
        a[fuzz_below(28)] = fuzz_u8();
    put_input(f);
    arrive(f);
}

/* Neighbour and router discovery, and what else has the input's type. */
static void icmp6(struct frame *f)
{
    static const uint8_t types[] = {133, 134, 135, 136, 137, 130, 131, 132, 128, 1, 2, 3};
    uint8_t peer[16] = {0xfe, 0x80, [15] = 1}, ours[16], how = fuzz_u8(), *m;

    our_ip6(ours);
    if (how & 1)
        memset(peer, 0, 16); /* a duplicate's question */
    ip6_header(f, IP6_NEXTH_ICMP6, peer, ours);
    m = put(f, 8);
    m[0] = types[fuzz_below(ARRAY_SIZE(types))];
    if (how & 2)
        memcpy(m + 4, (uint8_t[]){fuzz_u8(), fuzz_u8(), fuzz_u8(), fuzz_u8()}, 4);
    if (how & 4)
        memcpy(put(f, 16), ours, 16); /* a target */
    if (how & 8) {                    /* the packet that was too big, or went astray: one of ours */
        uint8_t *to = put(f, IP6_BYTES) + 24;

        memcpy(to, how & 16 ? (uint8_t[]){0xfe, 0x80} : (uint8_t[]){0xfd, 0}, 2);
        to[15] = 1;
    }
    put_input(f);
    end_packet(f);
}

/* --- TCP ------------------------------------------------------------------------------------- */

static struct tcp_pcb *some_connection(void)
{
    unsigned n = fuzz_below(8);
    struct tcp_pcb *pcb = fuzz_u8() & 1 ? tcp_active_pcbs : tcp_tw_pcbs ?: tcp_active_pcbs;

    while (n-- && pcb && pcb->next)
        pcb = pcb->next;
    return pcb;
}

static void tcp_ends(struct frame *f, const struct tcp_pcb *pcb)
{
    if (IP_IS_V6_VAL(pcb->local_ip))
        ip6_header(f, PROTOCOL_TCP, (const uint8_t *)ip_2_ip6(&pcb->remote_ip)->addr,
                   (const uint8_t *)ip_2_ip6(&pcb->local_ip)->addr);
    else
        ip4_header(f, PROTOCOL_TCP, ip_2_ip4(&pcb->remote_ip)->addr,
                   ip_2_ip4(&pcb->local_ip)->addr);
}

static void segment(struct frame *f)
{
    uint8_t how = fuzz_u8(), flags = fuzz_u8(), *tcp;
    const struct tcp_pcb *pcb = how & 1 ? NULL : some_connection();
    uint32_t seq = 1000, ack = 0;
    unsigned options = how & 2 ? fuzz_below(11) : 0;
    const uint8_t *octets;
    size_t n;

    if (pcb) {
        tcp_ends(f, pcb);
        seq = pcb->rcv_nxt;
        ack = how & 4 ? pcb->snd_nxt : pcb->lastack;
    } else {
        either_ip(f, PROTOCOL_TCP);
    }
    if (how & 8)
        seq += (uint32_t)(int16_t)fuzz_u16();
    if (how & 16)
        ack += (uint32_t)(int16_t)fuzz_u16();
    tcp = put(f, TCP_BYTES + 4 * options);
    n = fuzz_bytes(&octets, 4 * options);
    memcpy(tcp + TCP_BYTES, octets, n);
    write_be16(tcp, pcb ? pcb->remote_port : (uint16_t)(1024 + fuzz_u8()));
    write_be16(tcp + 2, pcb ? pcb->local_port : 7);
    write_be32(tcp + AT_TCP_SEQ, seq);
    write_be32(tcp + AT_TCP_ACK, ack);
    tcp[AT_TCP_OFFSET] = (uint8_t)((5 + options) << 4);
    tcp[AT_TCP_FLAGS] = how & 32 ? flags : pcb ? TCP_ACK : TCP_SYN;
    write_be16(tcp + AT_TCP_WINDOW, how & 64 ? fuzz_u16() : 8000);
    if (how & 128)
        put_input(f);
    end_packet(f);
}

/* --- somebody honest --------------------------------------------------------------------------- */

static const uint8_t peer6[16] = {0xfd, [15] = 1};

/* A packet without its transport's header. */
static void begin_honest(struct frame *f, bool v6, uint8_t protocol, uint32_t to)
{
    static const uint8_t ours6[16] = {0xfd, [15] = 2};
    uint32_t from = PEER4;

    ethernet(f, v6 ? ETH_IP6 : ETH_IP4);
    if (v6) {
        memcpy(put(f, IP6_BYTES), (uint8_t[]){0x60, [6] = protocol, [7] = 255}, 8);
        memcpy(f->data + AT_IP6_SRC, peer6, 16);
        memcpy(f->data + AT_IP6_SRC + 16, ours6, 16);
    } else {
        memcpy(put(f, IP4_BYTES), (uint8_t[]){0x45, [8] = 64, [9] = protocol}, 10);
        memcpy(f->data + AT_IP4_SRC, &from, 4);
        memcpy(f->data + AT_IP4_SRC + 4, &to, 4);
    }
}

static void hand_in(const struct frame *f)
{
    struct pbuf *p = in_pages(f, PAGE_SIZE);

    if (p)
        net_input(&dev, p, 0);
}

static void end_honest(struct frame *f)
{
    bool v6 = read_be16(f->data + AT_ETH_TYPE) == ETH_IP6;

    if (v6)
        write_be16(f->data + AT_IP6_LENGTH, (uint16_t)(f->len - ETH_BYTES - IP6_BYTES));
    else
        write_be16(f->data + AT_IP4_LENGTH, (uint16_t)(f->len - ETH_BYTES));
    frame_fix(f);
    hand_in(f);
}

/* Says where it is, to who has asked and to who will. */
static void introduce(struct frame *f)
{
    static const uint8_t solicited[4] = {0x60};
    uint32_t ours = our_ip4(), peer = PEER4;
    uint8_t *m;

    begin_honest(f, true, IP6_NEXTH_ICMP6, 0);
    m = put(f, 32);
    m[0] = ICMP6_TYPE_NS;
    memcpy(m + 8, f->data + AT_IP6_SRC + 16, 16);
    memcpy(m + 24, (uint8_t[]){1, 1, 2, 0, 0, 0, 0, 1}, 8);
    end_honest(f);
    m[0] = ICMP6_TYPE_NA;
    memcpy(m + 4, solicited, 4);
    memcpy(m + 8, peer6, 16);
    m[24] = 2;
    end_honest(f);
    ethernet(f, 0x0806);
    m = put(f, 28);
    memcpy(m, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1}, 14);
    memcpy(m + 14, &peer, 4);
    memcpy(m + 18, dev.mac, 6);
    memcpy(m + 24, &ours, 4);
    hand_in(f);
}

/* Serves DHCP: an offer, then an acknowledgement, with a lease of an hour. */
static void lease(struct frame *f)
{
    static const uint8_t options[] = {53,  1,   0,  54, 4, 10, 0, 0, 1, 51, 4, 0,
                                      0,   14,  16, 3,  4, 10, 0, 0, 1, 1,  4, 255,
                                      255, 255, 0,  6,  4, 10, 0, 0, 1, 255};
    uint8_t *m;

    begin_honest(f, false, PROTOCOL_UDP, UINT32_MAX);
    udp_header(f, DHCP_SERVER, DHCP_CLIENT);
    write_be16(f->data + f->len - 4, UDP_BYTES + 240 + sizeof(options));
    m = put(f, 240 + sizeof(options));
    memcpy(m, (uint8_t[]){2, 1, 6}, 3);
    memcpy(m + 4, asked.dhcp_xid, 4);
    memcpy(m + 16, (uint8_t[]){10, 0, 0, 2}, 4);
    memcpy(m + 28, dev.mac, 6);
    memcpy(m + 236, (uint8_t[]){99, 130, 83, 99}, 4);
    memcpy(m + 240, options, sizeof(options));
    m[242] = asked.dhcp_type == 1 ? 2 : 5;
    end_honest(f);
}

static void resolve(struct frame *f)
{
    static const uint8_t answer[] = "\0\0\x81\x80\0\1\0\1\0\0\0\0\7example\3org\0\0\1\0\1"
                                    "\xc0\x0c\0\1\0\1\0\0\1\0\0\4\12\0\0\7";

    begin_honest(f, false, PROTOCOL_UDP, our_ip4());
    udp_header(f, DNS_SERVER, asked.dns_port);
    write_be16(f->data + f->len - 4, UDP_BYTES + sizeof(answer) - 1);
    memcpy(put(f, sizeof(answer) - 1), answer, sizeof(answer) - 1);
    memcpy(f->data + ETH_BYTES + IP4_BYTES + UDP_BYTES, asked.dns_id, 2);
    end_honest(f);
}

/* The next segment that the other end of a connection sends, with so many octets. */
static void honest_segment(struct frame *f, const struct tcp_pcb *pcb, uint8_t flags, size_t len)
{
    uint8_t *tcp;

    begin_honest(f, IP_IS_V6_VAL(pcb->local_ip), PROTOCOL_TCP, our_ip4());
    tcp = put(f, TCP_BYTES + len);
    write_be16(tcp, pcb->remote_port);
    write_be16(tcp + 2, pcb->local_port);
    write_be32(tcp + AT_TCP_SEQ, pcb->rcv_nxt);
    write_be32(tcp + AT_TCP_ACK, pcb->snd_nxt);
    tcp[AT_TCP_OFFSET] = TCP_BYTES / 4 << 4;
    tcp[AT_TCP_FLAGS] = TCP_ACK | flags;
    write_be16(tcp + AT_TCP_WINDOW, 65000);
    end_honest(f);
}

/* A SYN to the echo app, and the acknowledgement of what it answers. */
static void open_one(struct frame *f, bool v6)
{
    static uint16_t port = 20000;
    struct tcp_pcb asker = {.remote_port = port++, .local_port = 7, .rcv_nxt = 5000};
    uint8_t *tcp;

    IP_SET_TYPE_VAL(asker.local_ip, v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    begin_honest(f, v6, PROTOCOL_TCP, our_ip4());
    tcp = put(f, TCP_BYTES + 8);
    write_be16(tcp, asker.remote_port);
    write_be16(tcp + 2, asker.local_port);
    write_be32(tcp + AT_TCP_SEQ, asker.rcv_nxt - 1);
    tcp[AT_TCP_OFFSET] = (TCP_BYTES + 8) / 4 << 4;
    tcp[AT_TCP_FLAGS] = TCP_SYN;
    write_be16(tcp + AT_TCP_WINDOW, 65000);
    memcpy(tcp + TCP_BYTES, (uint8_t[]){2, 4, 5, 180, 1, 3, 3, 6}, 8); /* MSS 1460, scale 6 */
    end_honest(f);
    fake_run();
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (pcb->remote_port == asker.remote_port && pcb->state == SYN_RCVD)
            asker.snd_nxt = pcb->snd_nxt;
    if (asker.snd_nxt)
        honest_segment(f, &asker, 0, 0);
}

/* A segment may have been the end of the connection. */
static bool is_open(const struct tcp_pcb *pcb)
{
    const struct tcp_pcb *other = tcp_active_pcbs;

    while (other && other != pcb)
        other = other->next;
    return other && other->state == ESTABLISHED;
}

static void talk_honestly(struct frame *f, uint8_t how)
{
    struct tcp_pcb *pcb = some_connection();
    unsigned count = 1 + (how & 31);

    if (!pcb)
        return;
    if (pcb->state == SYN_SENT) { /* of our client's */
        honest_segment(f, pcb, TCP_SYN, 0);
    } else if (how & 64) {
        honest_segment(f, pcb, how & 32 ? TCP_FIN : 0, 0);
    } else {
        while (count-- && is_open(pcb))
            honest_segment(f, pcb, TCP_PSH, how & 32 ? 1460 : count);
    }
}

static void be_honest(unsigned what)
{
    static struct frame f;
    uint8_t how = fuzz_u8();

    switch (what) {
    case 0:
        introduce(&f);
        break;
    case 1:
        lease(&f);
        break;
    case 2:
        resolve(&f);
        break;
    case 3:
        for (unsigned n = 1 + (how >> 1 & 15); n--;)
            open_one(&f, how & 1);
        break;
    default:
        talk_honestly(&f, how);
    }
}

/* --- the app's other side: a client ------------------------------------------------------------ */

static struct tcp_pcb *client;
static unsigned lookups; /* under way */

static err_t client_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    if (!p) {
        client = NULL;
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        if (tcp_close(pcb) == ERR_OK)
            return ERR_OK;
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void client_failed(void *arg, err_t err)
{
    client = NULL;
}

static void start_client(void)
{
    ip_addr_t peer = IPADDR4_INIT(PEER4);

    if (fuzz_u8() & 1)
        IP_ADDR6_HOST(&peer, 0xfd000000, 0, 0, 1);
    client = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (!client)
        return;
    tcp_recv(client, client_received);
    tcp_err(client, client_failed);
    if (tcp_connect(client, &peer, 80, NULL) != ERR_OK) {
        tcp_abort(client); /* client_failed() is called */
        client = NULL;
    }
}

static void found(const char *name, const ip_addr_t *ip, void *arg)
{
    lookups--;
}

static void look_up(void)
{
    ip_addr_t ip = IPADDR4_INIT(PEER4);

    dns_setserver(0, &ip);
    ck_assert(!LWIP_HOOK_NETCONN_EXTERNAL_RESOLVE("example.org", &ip, 0, NULL));
    lookups += dns_gethostbyname("example.org", &ip, found, NULL) == ERR_INPROGRESS;
}

static void client_step(void)
{
    static const uint8_t text[4000];
    uint8_t how = fuzz_u8();

    if ((how & 0x81) == 0x81) {
        be_honest(how >> 1 & 7);
    } else if (how & 1) {
        look_up();
    } else if (!client) {
        start_client();
    } else if (how & 2) { /* not before it is connected: docs/network.md */
        if (client->state < ESTABLISHED)
            return;
        (void)tcp_write(client, text, (uint16_t)(fuzz_u16() % sizeof(text)),
                        how & 4 ? TCP_WRITE_FLAG_COPY : 0);
        (void)tcp_output(client);
    } else {
        struct tcp_pcb *pcb = client;

        client = NULL;
        tcp_err(pcb, NULL);
        tcp_recv(pcb, NULL);
        if (how & 4 || tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
}

/* --- the case -------------------------------------------------------------------------------- */

static void link_step(void)
{
    uint8_t how = fuzz_u8();

    net_link(&dev, false);
    if (how & 1)
        fake_run();
    dev.features = how >> 1 & 0x1f;
    dev.mtu = how & 64 ? 9000 : 1500;
    net_link(&dev, true);
}

static void step(void)
{
    static void (*const makers[])(struct frame * f) = {any_frame,   any_packet, datagram, segment,
                                                       segment,     segment,    arp,      icmp6,
                                                       dhcp_answer, dns_reply};
    static struct frame f;
    unsigned what = fuzz_below(ARRAY_SIZE(makers) + 5);

    if (what < ARRAY_SIZE(makers)) {
        makers[what](&f);
        return;
    }
    switch (what - ARRAY_SIZE(makers)) {
    case 0: {
        uint64_t n = fuzz_u8();

        fake_sleep(n * n * NSEC_PER_MSEC);
        break;
    }
    case 1:
        client_step();
        break;
    case 2:
        ring_full = fuzz_u8() & 1;
        if (!ring_full)
            net_tx_ready(&dev);
        break;
    case 3:
        fake_no_memory = fuzz_u8() & 1;
        break;
    default:
        link_step();
    }
    fake_run();
}

static void abort_connections(void)
{
    client = NULL;
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    while (tcp_bound_pcbs)
        tcp_abort(tcp_bound_pcbs);
}

static void finish(unsigned before)
{
    fake_no_memory = ring_full = false;
    fake_run();
    if (lookups)
        fake_sleep(LOOKUP_MAX);
    ck_assert_uint_eq(lookups, 0);
    abort_connections();
    net_link(&dev, false);
    net_detach(&dev);
    abort_connections();
    fake_run();
    netpage_close();
    if (fake_objects != before || netpage_stats()->pages)
        fake_sleep(IDLE_MAX);
    if (fake_objects != before)
        fuzz_show_live();
    ck_assert_uint_eq(fake_objects, before);
    ck_assert_uint_eq(netpage_stats()->pages, 0);
    ck_assert_uint_eq(fake_pages, 0);
}

void fuzz_case(void)
{
    uint8_t how = fuzz_u8();
    unsigned before;

    fake_memory = 1024;
    fake_cmdline("ip", how & 1 ? "10.0.0.2/24" : how & 2 ? "none" : NULL);
    fake_cmdline("ip6", how & 4 ? "fd00::2/64" : how & 8 ? "none" : NULL);
    dev.features = how & 16 ? 0x1f : how & 32 ? NETDEV_CSUM4 | NETDEV_CSUM6 : 0;
    if (how & 64)
        fuzz_text(dev.address, sizeof(dev.address));
    ck_assert_int_eq(app_init(1, (char *[]){"fuzz", NULL}), 0);
    netpage_open(release);
    before = fake_objects - netpage_stats()->pages;
    ck_assert_int_eq(net_attach(&dev), 0);
    net_link(&dev, true);
    fake_run();
    if (how & 128)
        fake_sleep(3 * NSEC_PER_SEC);
    while (fuzz_more())
        step();
    finish(before);
}
