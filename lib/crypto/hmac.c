/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256: see hmac.h. The hash's context is the caller's memory, so there is nothing to allocate.
 */
#include "lib/crypto/hmac.h"

#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

enum { INNER = 0x36, OUTER = 0x5c };

_Static_assert(sizeof(mbedtls_sha256_context) <= HMAC_STATE, "struct hmac has room");

static mbedtls_sha256_context *hash_of(struct hmac *h)
{
    return (mbedtls_sha256_context *)h->hash;
}

/* Begins a hash of the key. The hash functions fail only where hardware does them. */
static void begin(struct hmac *h, uint8_t mask)
{
    uint8_t block[HMAC_BLOCK];

    for (unsigned i = 0; i < HMAC_BLOCK; i++)
        block[i] = h->key[i] ^ mask;
    mbedtls_sha256_init(hash_of(h));
    (void)mbedtls_sha256_starts(hash_of(h), 0);
    (void)mbedtls_sha256_update(hash_of(h), block, HMAC_BLOCK);
    mbedtls_platform_zeroize(block, HMAC_BLOCK);
}

static void end(struct hmac *h, uint8_t *out)
{
    (void)mbedtls_sha256_finish(hash_of(h), out);
    mbedtls_sha256_free(hash_of(h));
}

void hmac_begin(struct hmac *h, const uint8_t *key, size_t len)
{
    memset(h->key, 0, HMAC_BLOCK);
    if (len > HMAC_BLOCK)
        (void)mbedtls_sha256(key, len, h->key, 0);
    else
        memcpy(h->key, key, len);
    begin(h, INNER);
}

void hmac_add(struct hmac *h, const void *octets, size_t len)
{
    (void)mbedtls_sha256_update(hash_of(h), octets, len);
}

void hmac_end(struct hmac *h, uint8_t mac[HMAC_SIZE])
{
    end(h, mac);
    begin(h, OUTER);
    (void)mbedtls_sha256_update(hash_of(h), mac, HMAC_SIZE);
    end(h, mac);
    mbedtls_platform_zeroize(h->key, HMAC_BLOCK);
}

void hmac_sha256(const uint8_t *key, size_t len, const struct octets *part, unsigned count,
                 uint8_t mac[HMAC_SIZE])
{
    struct hmac h;

    hmac_begin(&h, key, len);
    for (unsigned i = 0; i < count; i++)
        hmac_add(&h, part[i].at, part[i].len);
    hmac_end(&h, mac);
}

bool hmac_equal(const uint8_t *a, const uint8_t *b)
{
    uint8_t differ = 0;

    for (unsigned i = 0; i < HMAC_SIZE; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}
