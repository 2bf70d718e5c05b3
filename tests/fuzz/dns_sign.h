/* SPDX-License-Identifier: ISC */
/*
 * The client's side of signed messages (TSIG, RFC 8945), written without a look at lib/dns/tsig.c.
 */
#ifndef TESTS_FUZZ_DNS_SIGN_H
#define TESTS_FUZZ_DNS_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/crypto/hmac.h"
#include "lib/dns/access.h"

/* Octets that a record may take. */
#define FUZZ_TSIG_MAX 512

/* What a query's record says, which may be wrong. */
struct fuzz_tsig {
    const struct tsig_key *key;
    const uint8_t *algorithm; /* its name in wire form */
    uint64_t time;
    uint16_t fudge, class, error;
    uint32_t ttl;
    uint16_t id;        /* the message's own, before somebody changed it on the way */
    uint16_t mac_len;   /* octets of the MAC that are there */
    uint8_t flip;       /* changes its first octet */
    uint16_t other_len; /* octets of other data: zeros, at most 64 */
    int16_t len_wrong;  /* added to the record's length */
};

/* A record by which the LEN octets at MSG are signed as they should be. */
struct fuzz_tsig fuzz_tsig(const struct tsig_key *key, const uint8_t *msg, uint64_t now);
/* Appends it, in FUZZ_TSIG_MAX octets at most; returns the message's length then. MAC is the right one. */
size_t fuzz_sign(const struct fuzz_tsig *t, uint8_t *msg, size_t len, uint8_t mac[HMAC_MAX]);

/*
 * Does the answer MSG end with a record that KEY has signed? MAC is that of the query or, in a transfer's
 * messages but the first, of the one before, of which SENT octets were sent; both become the answer's.
 */
bool fuzz_verify(const struct tsig_key *key, const uint8_t *msg, size_t len, bool first,
                 uint8_t mac[HMAC_MAX], uint8_t *sent);

#endif
