/* SPDX-License-Identifier: ISC */
/*
 * Frames to the guest as the tests of the network write them: from the client 02:00:00:00:00:00, which is 10.0.0.1
 * and fd00::1, to 10.0.0.2 and fd00::2. Each header is written at once, and the content's place returned.
 */
#ifndef TESTS_UNIT_NET_FRAMES_H
#define TESTS_UNIT_NET_FRAMES_H

#include <stdint.h>
#include <string.h>

#include "lib/net/headers.h"

#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip6.h"

#define ARP_BYTES 28

static inline void write_be32(uint8_t *p, uint32_t v)
{
    write_be16(p, (uint16_t)(v >> 16));
    write_be16(p + 2, (uint16_t)v);
}

/* The checksum of what has this sum. */
static inline uint16_t frame_folded(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t) ~((sum >> 16) + sum);
}

static inline uint8_t *frame_ethernet(uint8_t *frame, const uint8_t mac[6], uint16_t type)
{
    static const uint8_t client[6] = {2};

    memcpy(frame, mac, 6);
    memcpy(frame + 6, client, 6);
    write_be16(frame + AT_ETH_TYPE, type);
    return frame + ETH_BYTES;
}

/* Anew, when the header has been changed. */
static inline void frame_ip4_sum(uint8_t *frame)
{
    write_be16(frame + AT_IP4_SUM, 0);
    write_be16(frame + AT_IP4_SUM, frame_folded(headers_sum(frame + ETH_BYTES, IP4_BYTES)));
}

static inline uint8_t *frame_ip4(uint8_t *frame, const uint8_t mac[6], uint8_t protocol,
                                 uint16_t content)
{
    static const uint8_t ends[] = {10, 0, 0, 1, 10, 0, 0, 2};
    uint8_t *ip = memset(frame_ethernet(frame, mac, ETH_IP4), 0, IP4_BYTES);

    ip[0] = 0x45;
    write_be16(frame + AT_IP4_LENGTH, (uint16_t)(IP4_BYTES + content));
    frame[AT_IP4_TTL] = 64;
    frame[AT_IP4_PROTOCOL] = protocol;
    memcpy(frame + AT_IP4_SRC, ends, sizeof(ends));
    frame_ip4_sum(frame);
    return ip + IP4_BYTES;
}

/* A hop limit of 255, which neighbour discovery wants. */
static inline uint8_t *frame_ip6(uint8_t *frame, const uint8_t mac[6], uint8_t next,
                                 uint16_t content)
{
    uint8_t *ip = memset(frame_ethernet(frame, mac, ETH_IP6), 0, IP6_BYTES);

    ip[0] = 0x60;
    write_be16(frame + AT_IP6_LENGTH, content);
    frame[AT_IP6_NEXT] = next;
    frame[AT_IP6_HOPS] = 255;
    frame[AT_IP6_SRC] = frame[AT_IP6_DEST] = 0xfd;
    frame[AT_IP6_SRC + 15] = 1;
    frame[AT_IP6_DEST + 15] = 2;
    return ip + IP6_BYTES;
}

/* The client says where it is, unasked: nobody has to be asked for its address. */
static inline uint16_t frame_arp(uint8_t *frame, const uint8_t mac[6])
{
    static const uint8_t arp[ARP_BYTES] = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 0,
                                           10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};

    memcpy(frame_ethernet(frame, mac, ETH_ARP), arp, sizeof(arp));
    return ETH_BYTES + sizeof(arp);
}

/* The checksum of len octets of ICMPv6, wherever they lie in the packet. */
static inline void frame_icmp6_sum(const uint8_t *frame, uint8_t *icmp, uint16_t len)
{
    write_be16(icmp + 2, 0);
    write_be16(icmp + 2, frame_folded(headers_sum(frame + AT_IP6_SRC, 32) + IP6_NEXTH_ICMP6 + len +
                                      headers_sum(icmp, len)));
}

/* The same over IPv6: the client asks for our address, and says its own. */
static inline uint16_t frame_solicitation(uint8_t *frame, const uint8_t mac[6])
{
    uint16_t len = 32;
    uint8_t *icmp = memset(frame_ip6(frame, mac, IP6_NEXTH_ICMP6, len), 0, len);

    icmp[0] = ICMP6_TYPE_NS;
    memcpy(icmp + 8, frame + AT_IP6_DEST, 16);
    icmp[24] = icmp[25] = 1; /* the source's link-layer address */
    icmp[26] = 2;
    frame_icmp6_sum(frame, icmp, len);
    return (uint16_t)(ETH_BYTES + IP6_BYTES + len);
}

/* A segment without data; its checksum is not there. */
struct frame_segment {
    uint16_t from, to;
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint8_t options_len; /* a multiple of 4 */
    const uint8_t *options;
};

static inline uint8_t *frame_tcp(uint8_t *tcp, const struct frame_segment *s)
{
    unsigned len = TCP_BYTES + s->options_len;

    memset(tcp, 0, TCP_BYTES);
    write_be16(tcp, s->from);
    write_be16(tcp + 2, s->to);
    write_be32(tcp + AT_TCP_SEQ, s->seq);
    write_be32(tcp + AT_TCP_ACK, s->ack);
    tcp[AT_TCP_OFFSET] = (uint8_t)(len / 4 << 4);
    tcp[AT_TCP_FLAGS] = s->flags;
    write_be16(tcp + AT_TCP_WINDOW, s->window);
    if (s->options_len)
        memcpy(tcp + TCP_BYTES, s->options, s->options_len);
    return tcp + len;
}

#endif
