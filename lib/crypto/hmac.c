/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256: see hmac.h. The hash's context lies on the stack, so there is nothing to allocate.
 */
#include "lib/crypto/hmac.h"

#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5c };

/* The hash functions fail only where hardware does them. */
static void begin(mbedtls_sha256_context *hash, const uint8_t key[BLOCK], uint8_t mask)
{
    uint8_t block[BLOCK];

    for (unsigned i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ mask;
    mbedtls_sha256_init(hash);
    (void)mbedtls_sha256_starts(hash, 0);
    (void)mbedtls_sha256_update(hash, block, BLOCK);
    mbedtls_platform_zeroize(block, BLOCK);
}

static void end(mbedtls_sha256_context *hash, uint8_t *out)
{
    (void)mbedtls_sha256_finish(hash, out);
    mbedtls_sha256_free(hash);
}

void hmac_sha256(const uint8_t *key, size_t len, const struct octets *part, unsigned count,
                 uint8_t mac[HMAC_SIZE])
{
    mbedtls_sha256_context hash;
    uint8_t block[BLOCK] = {0};

    if (len > BLOCK)
        (void)mbedtls_sha256(key, len, block, 0);
    else
        memcpy(block, key, len);
    begin(&hash, block, INNER);
    for (unsigned i = 0; i < count; i++)
        (void)mbedtls_sha256_update(&hash, part[i].at, part[i].len);
    end(&hash, mac);
    begin(&hash, block, OUTER);
    (void)mbedtls_sha256_update(&hash, mac, HMAC_SIZE);
    end(&hash, mac);
    mbedtls_platform_zeroize(block, BLOCK);
}

bool hmac_equal(const uint8_t *a, const uint8_t *b)
{
    uint8_t differ = 0;

    for (unsigned i = 0; i < HMAC_SIZE; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}
