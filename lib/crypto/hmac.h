/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4). The hash is mbedTLS's; nothing else sees that library.
 */
#ifndef LIB_CRYPTO_HMAC_H
#define LIB_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HMAC_SIZE = 32 };

/* A part of a text. */
struct octets {
    const void *at;
    size_t len;
};

/* The MAC, by a key of LEN octets, of the COUNT parts one after the other. */
void hmac_sha256(const uint8_t *key, size_t len, const struct octets *part, unsigned count,
                 uint8_t mac[HMAC_SIZE]);

/* Are the two MACs the same? Takes as long whatever they are. */
bool hmac_equal(const uint8_t *a, const uint8_t *b);

#endif
