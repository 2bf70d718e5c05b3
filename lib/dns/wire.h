/* SPDX-License-Identifier: ISC */
/*
 * Unaligned loads and stores: `le` for the zone image, `be` for DNS messages.
 * memcpy of a constant size compiles to one instruction where the machine allows it.
 */
#ifndef LIB_DNS_WIRE_H
#define LIB_DNS_WIRE_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define DNS_LE(bits, v) (v)
#define DNS_BE(bits, v) __builtin_bswap##bits(v)
#else
#define DNS_LE(bits, v) __builtin_bswap##bits(v)
#define DNS_BE(bits, v) (v)
#endif

static inline uint16_t dns_le16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return DNS_LE(16, v);
}

static inline uint32_t dns_le32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return DNS_LE(32, v);
}

static inline uint64_t dns_le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return DNS_LE(64, v);
}

static inline void dns_put_le16(uint8_t *p, uint16_t v)
{
    v = DNS_LE(16, v);
    memcpy(p, &v, sizeof(v));
}

static inline void dns_put_le32(uint8_t *p, uint32_t v)
{
    v = DNS_LE(32, v);
    memcpy(p, &v, sizeof(v));
}

static inline void dns_put_le64(uint8_t *p, uint64_t v)
{
    v = DNS_LE(64, v);
    memcpy(p, &v, sizeof(v));
}

static inline uint16_t dns_be16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return DNS_BE(16, v);
}

static inline uint32_t dns_be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return DNS_BE(32, v);
}

static inline void dns_put_be16(uint8_t *p, uint16_t v)
{
    v = DNS_BE(16, v);
    memcpy(p, &v, sizeof(v));
}

static inline void dns_put_be32(uint8_t *p, uint32_t v)
{
    v = DNS_BE(32, v);
    memcpy(p, &v, sizeof(v));
}

#endif
