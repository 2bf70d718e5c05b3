/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed hash that those who do not know the key cannot
 * predict. Inline: where the length is a constant nothing is left of the handling of an odd end.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SIPHASH_KEY = 16 };

#define SIPHASH_ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static inline void siphash_mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = SIPHASH_ROTATE(v[1], 13) ^ v[0];
    v[0] = SIPHASH_ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = SIPHASH_ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = SIPHASH_ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = SIPHASH_ROTATE(v[1], 17) ^ v[2];
    v[2] = SIPHASH_ROTATE(v[2], 32);
}

/* Words are little-endian, as is every machine this runs on. */
static inline void siphash_add(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    siphash_mix(v);
    siphash_mix(v);
    v[0] ^= word;
}

static inline uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len)
{
    uint64_t k[2], word, v[4];
    const uint8_t *at = data;

    memcpy(k, key, sizeof(k));
    v[0] = k[0] ^ UINT64_C(0x736f6d6570736575);
    v[1] = k[1] ^ UINT64_C(0x646f72616e646f6d);
    v[2] = k[0] ^ UINT64_C(0x6c7967656e657261);
    v[3] = k[1] ^ UINT64_C(0x7465646279746573);
    for (size_t left = len; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        siphash_add(v, word);
    }
    word = (uint64_t)len << 56;
    memcpy(&word, at, len % 8);
    siphash_add(v, word);
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 4; i++)
        siphash_mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
