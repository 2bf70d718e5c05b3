/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum (RFC 1071) eight bytes at a time.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint16_t net_checksum(const void *data, int len);

/*
 * The ones' complement sum, not inverted, of len bytes as 16-bit words in memory's byte order; an
 * odd last byte counts as if a zero followed. What LWIP_CHKSUM is to be.
 */
uint16_t net_checksum(const void *data, int len)
{
    const uint8_t *p = data;
    size_t n = (size_t)len;
    uint64_t sum = 0, word;
    uint32_t tail = 0;

    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        sum += word;
        sum += sum < word; /* the carry comes back in: add with carry */
    }
    if (n) {
        word = 0;
        memcpy(&word, p, n);
        sum += word;
        sum += sum < word;
    }
    tail = (uint32_t)(sum >> 32) + (uint32_t)sum;
    tail += tail < (uint32_t)sum;
    tail = (tail >> 16) + (tail & 0xffff);
    return (uint16_t)((tail >> 16) + tail);
}
