/* SPDX-License-Identifier: ISC */
/*
 * Where the fields of a frame's headers are (RFC 791, 8200, 9293), the few that are looked at outside lwIP: by lib/net,
 * and by an app without a stack. And looking for the transport header.
 */
#ifndef LIB_NET_HEADERS_H
#define LIB_NET_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/util.h"

/* Offsets in an untagged Ethernet frame. */
#define AT_ETH_TYPE 12
#define ETH_BYTES 14
#define AT_IP4_LENGTH (ETH_BYTES + 2)
#define AT_IP4_ID (ETH_BYTES + 4)
#define AT_IP4_FRAGMENT (ETH_BYTES + 6)
#define AT_IP4_TTL (ETH_BYTES + 8)
#define AT_IP4_PROTOCOL (ETH_BYTES + 9)
#define AT_IP4_SUM (ETH_BYTES + 10)
#define AT_IP4_SRC (ETH_BYTES + 12)
#define AT_IP4_DEST (ETH_BYTES + 16)
#define IP4_BYTES 20
#define ARP_BYTES 28
#define AT_IP6_LENGTH (ETH_BYTES + 4)
#define AT_IP6_NEXT (ETH_BYTES + 6)
#define AT_IP6_HOPS (ETH_BYTES + 7)
#define AT_IP6_SRC (ETH_BYTES + 8)
#define AT_IP6_DEST (ETH_BYTES + 24)
#define IP6_BYTES 40
/* Offsets in a TCP header. */
#define AT_TCP_SEQ 4
#define AT_TCP_ACK 8
#define AT_TCP_OFFSET 12
#define AT_TCP_FLAGS 13
#define AT_TCP_WINDOW 14
#define AT_TCP_SUM 16
#define TCP_BYTES 20
#define UDP_BYTES 8

#define ETH_IP4 0x0800
#define ETH_ARP 0x0806
#define ETH_IP6 0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

static inline uint16_t read_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_be32(const uint8_t *p)
{
    return (uint32_t)read_be16(p) << 16 | read_be16(p + 2);
}

static inline void write_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* In memory's order, as the sums and masks take them. */
static inline uint16_t read_half(const uint8_t *p)
{
    uint16_t half;

    memcpy(&half, p, sizeof(half));
    return half;
}

static inline uint32_t read_word(const uint8_t *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint64_t read_long(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

static inline void write_half(uint8_t *p, uint16_t half)
{
    memcpy(p, &half, sizeof(half));
}

static inline void write_word(uint8_t *p, uint32_t word)
{
    memcpy(p, &word, sizeof(word));
}

static inline void write_long(uint8_t *p, uint64_t word)
{
    memcpy(p, &word, sizeof(word));
}

/* What was found: TCP or UDP, whole, and where its header starts in the frame. */
struct headers {
    uint8_t version;  /* of IP: 4 or 6 */
    uint8_t protocol; /* PROTOCOL_TCP or PROTOCOL_UDP */
    uint16_t transport;
};

/* Most frames are UDP over IPv4, without options and in one piece. That stands in two words, of which the masks, in
 * memory's order, leave type, version and length of the header; fragment and protocol. */
static inline bool headers_is_udp4(const uint8_t *frame)
{
    return (read_word(frame + AT_ETH_TYPE) & 0x00ffffff) == 0x00450008 &&
           (read_word(frame + AT_IP4_FRAGMENT) & 0xff00ff3f) == PROTOCOL_UDP << 24;
}

/*
 * Looks for a TCP or UDP header in the first len bytes of a frame. False when there is none: no
 * IP, another protocol, a fragment, IPv6 with extension headers, or cut off before the end of the
 * header's fixed part.
 */
static inline bool headers_parse(const uint8_t *frame, size_t len, struct headers *h)
{
    if (len < ETH_BYTES + IP4_BYTES)
        return false;
    if (len >= ETH_BYTES + IP4_BYTES + UDP_BYTES && headers_is_udp4(frame)) {
        *h = (struct headers){4, PROTOCOL_UDP, ETH_BYTES + IP4_BYTES};
        return true;
    }
    if (read_be16(frame + AT_ETH_TYPE) == ETH_IP4) {
        unsigned words = frame[ETH_BYTES] & 0xf;

        /* The fragment offset, and "more fragments". */
        if ((read_be16(frame + AT_IP4_FRAGMENT) & 0x3fff) || words < 5)
            return false;
        h->version = 4;
        h->protocol = frame[AT_IP4_PROTOCOL];
        h->transport = (uint16_t)(ETH_BYTES + words * 4);
    } else if (read_be16(frame + AT_ETH_TYPE) == ETH_IP6) {
        h->version = 6;
        h->protocol = frame[AT_IP6_NEXT];
        h->transport = ETH_BYTES + IP6_BYTES;
    } else {
        return false;
    }
    if (h->protocol == PROTOCOL_TCP)
        return len >= (size_t)h->transport + TCP_BYTES;
    return h->protocol == PROTOCOL_UDP && len >= (size_t)h->transport + UDP_BYTES;
}

/* The Internet checksum (RFC 1071) is a ones' complement sum of 16-bit words, and may be made of larger
 * ones: in the order in which they lie in memory, the carry coming back in. */
static inline uint64_t sum_add(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* A number and the same one with its halves exchanged: in the upper half of their sum both halves are added up, and the
 * carry of the lower half is that of the upper one. */
static ALWAYS_INLINE uint16_t sum_fold(uint64_t sum)
{
    uint32_t half;

    sum += sum << 32 | sum >> 32;
    half = (uint32_t)(sum >> 32);
    half += half << 16 | half >> 16;
    return (uint16_t)(half >> 16);
}

/* A number of 32 bits, in the same way. */
static ALWAYS_INLINE uint16_t sum_fold32(uint32_t sum)
{
    return (uint16_t)((sum + (sum << 16 | sum >> 16)) >> 16);
}

/* The sum of eight octets, so small that a dozen 16-bit words can be added without a carry. */
static ALWAYS_INLINE uint32_t sum_halves(uint64_t octets)
{
    uint64_t sum = (octets >> 32) + (uint32_t)octets;

    return (uint32_t)(sum >> 16) + (uint16_t)sum;
}

/* Does a sum that is not 0 fold to 0xffff? Then it is a multiple of that: times the inverse modulo 2^64 it is the
 * quotient, and of other numbers it is more than any quotient. */
static ALWAYS_INLINE bool sum_is_ones(uint64_t sum)
{
    return sum * UINT64_C(0xfffefffefffeffff) <= UINT64_MAX / 0xffff;
}

/* An Ethernet address as a number, of which the lower two octets are 0. */
static inline uint64_t headers_mac(const uint8_t *mac)
{
    return (uint64_t)read_half(mac + 4) << 48 | (uint64_t)read_word(mac) << 16;
}

/* That of the receiver of a frame, at its beginning. */
static ALWAYS_INLINE uint64_t headers_receiver(const uint8_t *frame)
{
    return read_long(frame) << 16;
}

/* Are these two Ethernet addresses the same? */
static inline bool headers_same_mac(const uint8_t *a, const uint8_t *b)
{
    return read_word(a) == read_word(b) && read_half(a + 4) == read_half(b + 4);
}

/* Of a frame's IPv4 header without options. */
static ALWAYS_INLINE uint64_t headers_sum_ip4(const uint8_t *frame)
{
    const uint8_t *ip = frame + ETH_BYTES;

    return sum_add(sum_add(read_long(ip), read_long(ip + 8)), read_word(ip + 16));
}

/* The 16-bit words of an even number of bytes, added up. */
static inline uint32_t headers_sum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += read_be16(p + i);
    return sum;
}

/* Leaves the sum of the pseudo-header in the TCP checksum's field; segment: TCP's bytes. */
static inline void headers_blank_tcp(uint8_t *frame, const struct headers *h, uint16_t segment)
{
    uint32_t sum =
        h->version == 4 ? headers_sum(frame + AT_IP4_SRC, 8) : headers_sum(frame + AT_IP6_SRC, 32);

    sum += PROTOCOL_TCP + segment;
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    write_be16(frame + h->transport + AT_TCP_SUM, (uint16_t)sum);
}

#endif
