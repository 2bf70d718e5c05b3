/* SPDX-License-Identifier: ISC */
/*
 * What of mbedTLS is compiled: hashes, small rather than fast.
 */
#ifndef LIB_CRYPTO_MBEDTLS_CONFIG_H
#define LIB_CRYPTO_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER

#ifdef CONFIG_HMAC_ALL
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#endif

#ifdef CONFIG_SHA512
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#endif

#endif
