/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum (RFC 1071) eight bytes at a time.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/net/headers.h"

uint16_t net_checksum(const void *data, int len);

/*
 * The ones' complement sum, not inverted, of len bytes as 16-bit words in memory's byte order; an
 * odd last byte counts as if a zero followed. What LWIP_CHKSUM is to be. Headers are most of what
 * it sees, so the rest of fewer than eight bytes is taken in three steps, without a call.
 */
uint16_t net_checksum(const void *data, int len)
{
    const uint8_t *p = data;
    size_t n = (size_t)len;
    uint64_t sum = 0, word;
    uint32_t half;

    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        sum = sum_add(sum, word);
    }
    if (n & 4) {
        memcpy(&half, p, 4);
        sum = sum_add(sum, half);
        p += 4;
    }
    if (n & 2) {
        uint16_t quarter;

        memcpy(&quarter, p, 2);
        sum = sum_add(sum, quarter);
        p += 2;
    }
    if (n & 1)
        sum = sum_add(sum, *p);
    return sum_fold(sum);
}
