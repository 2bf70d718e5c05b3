/* SPDX-License-Identifier: ISC */
/*
 * The algorithms of TSIG (RFC 8945 section 6) by their names. Private to lib/dns.
 */
#ifndef LIB_DNS_ALGORITHM_H
#define LIB_DNS_ALGORITHM_H

#include "lib/dns/access.h"

enum { ALGORITHM_NAME_MAX = 13 }; /* octets of a name in wire form */

/* The name in wire form of a key's algorithm. */
const uint8_t *algorithm_name(const struct tsig_key *key);

/*
 * Gives KEY the algorithm of this name, as hmac-sha256, or with a number of bits to which its MACs are cut,
 * hmac-sha256-128: a multiple of 8, at least half of the hash's and 80 (section 5.2.2.1). False: it is none.
 */
bool algorithm_parse(const char *text, struct tsig_key *key);

#endif
