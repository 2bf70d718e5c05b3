/* SPDX-License-Identifier: ISC */
/*
 * SHA-384 and SHA-512: see sha512.h. The functions fail only where hardware does them.
 */
#include "lib/crypto/sha512.h"

#include <mbedtls/sha512.h>

_Static_assert(sizeof(mbedtls_sha512_context) <= SHA512_STATE, "struct sha512 has room");

void sha512_begin(struct sha512 *h, bool is_384)
{
    mbedtls_sha512_context *c = (mbedtls_sha512_context *)h->state;

    mbedtls_sha512_init(c);
    (void)mbedtls_sha512_starts(c, is_384);
}

void sha512_add(struct sha512 *h, const void *octets, size_t len)
{
    (void)mbedtls_sha512_update((mbedtls_sha512_context *)h->state, octets, len);
}

void sha512_end(struct sha512 *h, uint8_t hash[SHA512_SIZE])
{
    (void)mbedtls_sha512_finish((mbedtls_sha512_context *)h->state, hash);
}
