/* SPDX-License-Identifier: ISC */
/*
 * What of mbedTLS is compiled: SHA-256, small rather than fast.
 */
#ifndef LIB_CRYPTO_MBEDTLS_CONFIG_H
#define LIB_CRYPTO_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER

#endif
