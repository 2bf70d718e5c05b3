/* SPDX-License-Identifier: ISC */
/*
 * Proofs that something does not exist, for clients that set DO: by NSEC (RFC 4035 section 3.1.3) or
 * NSEC3 (RFC 5155 section 7.2). Private to lib/dns.
 *
 * Each function adds to the authority section what the proof needs of a zone in which KEY lies.
 * It returns false when that does not fit. In an unsigned zone it does nothing.
 */
#ifndef LIB_DNS_DENIAL_H
#define LIB_DNS_DENIAL_H

#include "lib/dns/reply.h"

enum { DENIAL_LABEL = 33 }; /* octets of the first label of an NSEC3's owner */

/* The I-th NSEC3 set of a zone that has them, and its owner's first label. */
const uint8_t *denial_nsec3(const struct dns_zone *zone, uint32_t i, uint8_t label[DENIAL_LABEL]);

/*
 * KEY does not exist, and its nearest existing ancestor has ENCLOSER labels below the apex. No
 * wildcard stands for it, or one without a set of the type.
 */
bool denial_name(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                 unsigned encloser);

/*
 * The name DEPTH labels below the apex on the way to KEY, which exists, has no set of the type: the
 * question's name, or an unsigned delegation's without DS.
 */
bool denial_type(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                 unsigned depth);

/* KEY does not exist, so that a wildcard may stand for it. */
bool denial_wildcard(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                     unsigned encloser);

#endif
