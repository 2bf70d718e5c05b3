/* SPDX-License-Identifier: ISC */
/* See frame.h. */
#include "tests/fuzz/frame.h"

#include "lib/net/headers.h"

#define ICMP 1
#define ICMP6 58
#define AT_UDP_SUM 6
#define AT_ICMP_SUM 2

static uint32_t sum_octets(const uint8_t *p, size_t len)
{
    uint32_t sum = headers_sum(p, len & ~(size_t)1);

    return len & 1 ? sum + (uint32_t)(p[len - 1] << 8) : sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}

/* Where the transport's header and its checksum are, and what it is. */
struct place {
    unsigned protocol, version;
    size_t at, sum_at, end;
};

static bool find4(const uint8_t *data, size_t len, struct place *p)
{
    size_t header = (data[ETH_BYTES] & 15u) * 4;

    if (len < ETH_BYTES + IP4_BYTES || header < IP4_BYTES || len < ETH_BYTES + header ||
        (read_be16(data + AT_IP4_FRAGMENT) & 0x3fff))
        return false;
    p->protocol = data[AT_IP4_PROTOCOL];
    p->at = ETH_BYTES + header;
    p->end = ETH_BYTES + (size_t)read_be16(data + AT_IP4_LENGTH);
    return true;
}

/* Skips hop-by-hop, routing and destination options. */
static bool find6(const uint8_t *data, size_t len, struct place *p)
{
    if (len < ETH_BYTES + IP6_BYTES)
        return false;
    p->protocol = data[AT_IP6_NEXT];
    p->at = ETH_BYTES + IP6_BYTES;
    p->end = p->at + read_be16(data + AT_IP6_LENGTH);
    while ((p->protocol == 0 || p->protocol == 43 || p->protocol == 60) && p->at + 8 <= len) {
        p->protocol = data[p->at];
        p->at += 8 + 8u * data[p->at + 1];
    }
    return true;
}

static bool find(const uint8_t *data, size_t len, struct place *p)
{
    size_t offset;

    if (len < ETH_BYTES + 1)
        return false;
    p->version = read_be16(data + AT_ETH_TYPE) == ETH_IP4 ? 4 : 6;
    if (read_be16(data + AT_ETH_TYPE) != (p->version == 4 ? ETH_IP4 : ETH_IP6) ||
        !(p->version == 4 ? find4(data, len, p) : find6(data, len, p)))
        return false;
    offset = p->protocol == PROTOCOL_TCP   ? AT_TCP_SUM
             : p->protocol == PROTOCOL_UDP ? AT_UDP_SUM
                                           : AT_ICMP_SUM;
    p->sum_at = p->at + offset;
    return p->end <= len && p->sum_at + 2 <= p->end &&
           (p->protocol == PROTOCOL_TCP || p->protocol == PROTOCOL_UDP ||
            p->protocol == (p->version == 4 ? ICMP : ICMP6));
}

/* The sum of the pseudo-header; ICMP over IPv4 has none. */
static uint32_t pseudo_sum(const uint8_t *data, const struct place *p)
{
    uint32_t sum = p->protocol + (uint32_t)(p->end - p->at);

    if (p->version == 6)
        return sum + headers_sum(data + AT_IP6_SRC, 32);
    return p->protocol == ICMP ? 0 : sum + headers_sum(data + AT_IP4_SRC, 8);
}

/* The folded sum of all that the checksum covers. */
static uint16_t transport_sum(const uint8_t *data, const struct place *p)
{
    return folded(sum_octets(data + p->at, p->end - p->at) + pseudo_sum(data, p));
}

void frame_fix(struct frame *f)
{
    size_t header = (f->data[ETH_BYTES] & 15u) * 4;
    struct place p;

    if (read_be16(f->data + AT_ETH_TYPE) == ETH_IP4 && header >= IP4_BYTES &&
        f->len >= ETH_BYTES + header) {
        write_be16(f->data + AT_IP4_SUM, 0);
        write_be16(f->data + AT_IP4_SUM, folded(headers_sum(f->data + ETH_BYTES, header)));
    }
    if (!find(f->data, f->len, &p))
        return;
    write_be16(f->data + p.sum_at, 0);
    write_be16(f->data + p.sum_at, transport_sum(f->data, &p));
}

bool frame_is_right(const uint8_t *data, size_t len)
{
    struct place p;

    if (!find(data, len, &p) || (p.protocol != PROTOCOL_TCP && p.protocol != PROTOCOL_UDP))
        return true;
    return transport_sum(data, &p) == 0;
}

bool frame_is_blank(const uint8_t *data, size_t len)
{
    struct place p;

    return find(data, len, &p) && (p.protocol == PROTOCOL_TCP || p.protocol == PROTOCOL_UDP) &&
           (folded(pseudo_sum(data, &p)) + read_be16(data + p.sum_at)) % UINT16_MAX == 0;
}
