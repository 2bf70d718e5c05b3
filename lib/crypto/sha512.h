/* SPDX-License-Identifier: ISC */
/*
 * SHA-384 and SHA-512 (FIPS 180-4). The hash is mbedTLS's; nothing else sees that library.
 */
#ifndef LIB_CRYPTO_SHA512_H
#define LIB_CRYPTO_SHA512_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA384_SIZE = 48, SHA512_SIZE = 64, SHA512_STATE = 216 };

/* A hash that is being made: sha512_begin(), sha512_add() for each part, sha512_end(). */
struct sha512 {
    uint64_t state[SHA512_STATE / 8]; /* private to sha512.c */
};

/* IS_384: a SHA-384. */
void sha512_begin(struct sha512 *h, bool is_384);
void sha512_add(struct sha512 *h, const void *octets, size_t len);
/* Writes SHA384_SIZE or SHA512_SIZE octets. */
void sha512_end(struct sha512 *h, uint8_t hash[SHA512_SIZE]);

#endif
