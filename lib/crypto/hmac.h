/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4). The hash is mbedTLS's; nothing else sees that library.
 */
#ifndef LIB_CRYPTO_HMAC_H
#define LIB_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HMAC_SIZE = 32, HMAC_BLOCK = 64, HMAC_STATE = 112 };

/* A part of a text. */
struct octets {
    const void *at;
    size_t len;
};

/* A MAC that is being made: hmac_begin(), hmac_add() for each part, hmac_end(). Private to hmac.c. */
struct hmac {
    uint64_t hash[HMAC_STATE / 8];
    uint8_t key[HMAC_BLOCK];
};

void hmac_begin(struct hmac *h, const uint8_t *key, size_t len);
void hmac_add(struct hmac *h, const void *octets, size_t len);
/* Nothing of the key is left in H afterwards. */
void hmac_end(struct hmac *h, uint8_t mac[HMAC_SIZE]);

/* The MAC, by a key of LEN octets, of the COUNT parts one after the other. */
void hmac_sha256(const uint8_t *key, size_t len, const struct octets *part, unsigned count,
                 uint8_t mac[HMAC_SIZE]);

/* Are the two MACs the same? Takes as long whatever they are. */
bool hmac_equal(const uint8_t *a, const uint8_t *b);

#endif
