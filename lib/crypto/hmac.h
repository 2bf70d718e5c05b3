/* SPDX-License-Identifier: ISC */
/*
 * HMAC (RFC 2104) with SHA-256 and, with CONFIG_HMAC_ALL, with the other hashes of FIPS 180-4. The hashes are
 * mbedTLS's; nothing else sees that library.
 */
#ifndef LIB_CRYPTO_HMAC_H
#define LIB_CRYPTO_HMAC_H

#include "lib/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Those behind the first one with CONFIG_HMAC_ALL. */
enum hmac_kind { HMAC_SHA256, HMAC_SHA1, HMAC_SHA224, HMAC_SHA384, HMAC_SHA512 };

enum {
    HMAC_KINDS = IS_ENABLED(CONFIG_HMAC_ALL) ? 5 : 1,
    /* Of the largest: octets of a MAC, of a block, of the hash's state. */
    HMAC_MAX = IS_ENABLED(CONFIG_HMAC_ALL) ? 64 : 32,
    HMAC_BLOCK_MAX = IS_ENABLED(CONFIG_HMAC_ALL) ? 128 : 64,
    HMAC_STATE = IS_ENABLED(CONFIG_HMAC_ALL) ? 216 : 112,
};

/* A part of a text. */
struct octets {
    const void *at;
    size_t len;
};

/* A MAC that is being made: hmac_begin(), hmac_add() for each part, hmac_end(). Private to hmac.c. */
struct hmac {
    uint64_t hash[HMAC_STATE / 8];
    uint8_t key[HMAC_BLOCK_MAX];
    uint8_t kind;
};

/* Octets of a MAC. */
static inline unsigned hmac_size(enum hmac_kind kind)
{
    static const uint8_t sizes[] = {32, 20, 28, 48, 64};

    return HMAC_KINDS == 1 ? sizes[HMAC_SHA256] : sizes[kind];
}

void hmac_begin(struct hmac *h, enum hmac_kind kind, const uint8_t *key, size_t len);
void hmac_add(struct hmac *h, const void *octets, size_t len);
/* Writes hmac_size() octets. Nothing of the key is left in H afterwards. */
void hmac_end(struct hmac *h, uint8_t mac[HMAC_MAX]);

/* The MAC, by a key of LEN octets, of the COUNT parts one after the other. */
void hmac_make(enum hmac_kind kind, const uint8_t *key, size_t len, const struct octets *part,
               unsigned count, uint8_t mac[HMAC_MAX]);

/* Are the first LEN octets of two MACs the same? Takes as long whatever they are. */
bool hmac_equal(const uint8_t *a, const uint8_t *b, unsigned len);

#endif
