/* SPDX-License-Identifier: ISC */
/*
 * SHA-1 (FIPS 180-4), for the hashed names of NSEC3 (RFC 5155): nothing here rests on its strength.
 */
#ifndef LIB_DNS_SHA1_H
#define LIB_DNS_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_SIZE = 20 };

/* The hash of the LEN octets at DATA followed by the MORE_LEN octets at MORE. */
void sha1(const uint8_t *data, size_t len, const uint8_t *more, size_t more_len,
          uint8_t hash[SHA1_SIZE]);

#endif
