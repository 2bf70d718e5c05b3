/* SPDX-License-Identifier: ISC */
/*
 * ChaCha20 as RFC 8439 has it: a 4x4 matrix of words, ten times a round of its columns and a round
 * of its diagonals, and the input added at the end. The words are the little-endian reading of the
 * RFC's bytes, which on this machine is no work.
 */
#include "kernel/chacha.h"

#include <string.h>

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
                  uint32_t out[CHACHA_BLOCK_WORDS])
{
    uint32_t in[CHACHA_BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

    memcpy(in + 4, key, CHACHA_KEY_WORDS * sizeof(*key));
    in[12] = counter;
    memcpy(in + 13, nonce, 3 * sizeof(*nonce));
    memcpy(out, in, sizeof(in));
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned col = 0; col < 4; col++)
            quarter_round(out, col, 4 + col, 8 + col, 12 + col);
        for (unsigned col = 0; col < 4; col++)
            quarter_round(out, col, 4 + (col + 1) % 4, 8 + (col + 2) % 4, 12 + (col + 3) % 4);
    }
    for (unsigned i = 0; i < CHACHA_BLOCK_WORDS; i++)
        out[i] += in[i];
}
