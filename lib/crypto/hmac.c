/* SPDX-License-Identifier: ISC */
/*
 * HMAC: see hmac.h. The hash's context is the caller's memory, so there is nothing to allocate. The hash functions
 * fail only where hardware does them.
 */
#include "lib/crypto/hmac.h"

#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

enum { INNER = 0x36, OUTER = 0x5c };

_Static_assert(sizeof(mbedtls_sha256_context) <= HMAC_STATE, "struct hmac has room");
_Static_assert(!IS_ENABLED(CONFIG_HMAC_ALL) || (sizeof(mbedtls_sha1_context) <= HMAC_STATE &&
                                                sizeof(mbedtls_sha512_context) <= HMAC_STATE),
               "struct hmac has room for all");

/* Which of mbedTLS's hashes makes the MAC: known when this is compiled if there is but one. */
static bool is_sha1(enum hmac_kind kind)
{
    return IS_ENABLED(CONFIG_HMAC_ALL) && kind == HMAC_SHA1;
}

static bool is_sha512(enum hmac_kind kind)
{
    return IS_ENABLED(CONFIG_HMAC_ALL) && (kind == HMAC_SHA384 || kind == HMAC_SHA512);
}

static void hash_begin(struct hmac *h)
{
    void *hash = h->hash;

    if (is_sha1(h->kind)) {
        mbedtls_sha1_init(hash);
        (void)mbedtls_sha1_starts(hash);
    } else if (is_sha512(h->kind)) {
        mbedtls_sha512_init(hash);
        (void)mbedtls_sha512_starts(hash, h->kind == HMAC_SHA384);
    } else {
        mbedtls_sha256_init(hash);
        (void)mbedtls_sha256_starts(hash, IS_ENABLED(CONFIG_HMAC_ALL) && h->kind == HMAC_SHA224);
    }
}

void hmac_add(struct hmac *h, const void *octets, size_t len)
{
    void *hash = h->hash;

    if (is_sha1(h->kind))
        (void)mbedtls_sha1_update(hash, octets, len);
    else if (is_sha512(h->kind))
        (void)mbedtls_sha512_update(hash, octets, len);
    else
        (void)mbedtls_sha256_update(hash, octets, len);
}

static void hash_end(struct hmac *h, uint8_t *out)
{
    void *hash = h->hash;

    if (is_sha1(h->kind)) {
        (void)mbedtls_sha1_finish(hash, out);
        mbedtls_sha1_free(hash);
    } else if (is_sha512(h->kind)) {
        (void)mbedtls_sha512_finish(hash, out);
        mbedtls_sha512_free(hash);
    } else {
        (void)mbedtls_sha256_finish(hash, out);
        mbedtls_sha256_free(hash);
    }
}

static unsigned block_size(enum hmac_kind kind)
{
    return is_sha512(kind) ? 128 : 64;
}

/* Begins a hash of the key. */
static void begin(struct hmac *h, uint8_t mask)
{
    uint8_t block[HMAC_BLOCK_MAX];

    for (unsigned i = 0; i < HMAC_BLOCK_MAX; i++)
        block[i] = h->key[i] ^ mask;
    hash_begin(h);
    hmac_add(h, block, block_size(h->kind));
    mbedtls_platform_zeroize(block, sizeof(block));
}

void hmac_begin(struct hmac *h, enum hmac_kind kind, const uint8_t *key, size_t len)
{
    h->kind = (uint8_t)kind;
    memset(h->key, 0, sizeof(h->key));
    if (len > block_size(kind)) {
        hash_begin(h);
        hmac_add(h, key, len);
        hash_end(h, h->key);
    } else {
        memcpy(h->key, key, len);
    }
    begin(h, INNER);
}

void hmac_end(struct hmac *h, uint8_t mac[HMAC_MAX])
{
    hash_end(h, mac);
    begin(h, OUTER);
    hmac_add(h, mac, hmac_size(h->kind));
    hash_end(h, mac);
    mbedtls_platform_zeroize(h->key, sizeof(h->key));
}

void hmac_make(enum hmac_kind kind, const uint8_t *key, size_t len, const struct octets *part,
               unsigned count, uint8_t mac[HMAC_MAX])
{
    struct hmac h;

    hmac_begin(&h, kind, key, len);
    for (unsigned i = 0; i < count; i++)
        hmac_add(&h, part[i].at, part[i].len);
    hmac_end(&h, mac);
}

bool hmac_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
    uint8_t differ = 0;

    for (unsigned i = 0; i < len; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}
