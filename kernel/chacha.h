/* SPDX-License-Identifier: ISC */
/*
 * The ChaCha20 block function (RFC 8439, section 2.3).
 */
#ifndef KERNEL_CHACHA_H
#define KERNEL_CHACHA_H

#include <stdint.h>

#define CHACHA_KEY_WORDS 8
#define CHACHA_BLOCK_WORDS 16

/* One block of key stream: nonce is the RFC's 96-bit nonce. out may not overlap key or nonce. */
void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
                  uint32_t out[CHACHA_BLOCK_WORDS]);

#endif
