/* SPDX-License-Identifier: ISC */
/*
 * SHA-1: see sha1.h.
 */
#include "lib/dns/sha1.h"

#include "lib/dns/wire.h"

enum { BLOCK = 64, LENGTH = 8 };

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

static void add_block(uint32_t state[5], const uint8_t block[BLOCK])
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned t = 0; t < 16; t++)
        w[t] = dns_be32(block + 4 * t);
    for (unsigned t = 16; t < 80; t++)
        w[t] = ROTATE(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t f, next;

        if (t < 20)
            f = (d ^ (b & (c ^ d))) + 0x5a827999;
        else if (t < 40)
            f = (b ^ c ^ d) + 0x6ed9eba1;
        else if (t < 60)
            f = ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
        else
            f = (b ^ c ^ d) + 0xca62c1d6;
        next = ROTATE(a, 5) + f + e + w[t];
        e = d;
        d = c;
        c = ROTATE(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* A message being hashed: its octets are gathered into blocks. */
struct message {
    uint32_t state[5];
    unsigned used;
    uint8_t block[BLOCK];
};

static void add(struct message *m, const uint8_t *data, size_t len)
{
    while (len) {
        size_t n = BLOCK - m->used < len ? BLOCK - m->used : len;

        memcpy(m->block + m->used, data, n);
        m->used += n;
        data += n;
        len -= n;
        if (m->used == BLOCK) {
            add_block(m->state, m->block);
            m->used = 0;
        }
    }
}

void sha1(const uint8_t *data, size_t len, const uint8_t *more, size_t more_len,
          uint8_t hash[SHA1_SIZE])
{
    struct message m = {.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
    uint64_t bits = 8 * (uint64_t)(len + more_len);

    add(&m, data, len);
    add(&m, more, more_len);
    add(&m, (const uint8_t[]){0x80}, 1);
    if (m.used > BLOCK - LENGTH) {
        memset(m.block + m.used, 0, BLOCK - m.used);
        add_block(m.state, m.block);
        m.used = 0;
    }
    memset(m.block + m.used, 0, BLOCK - LENGTH - m.used);
    dns_put_be32(m.block + BLOCK - LENGTH, bits >> 32);
    dns_put_be32(m.block + BLOCK - LENGTH + 4, bits);
    add_block(m.state, m.block);
    for (unsigned i = 0; i < 5; i++)
        dns_put_be32(hash + 4 * i, m.state[i]);
}
