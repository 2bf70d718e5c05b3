/* SPDX-License-Identifier: ISC */
/*
 * Signed messages (TSIG, RFC 8945): queries are verified, their answers signed; and as
 * a client queries are signed, their answers verified. Private to lib/dns.
 */
#ifndef LIB_DNS_TSIG_H
#define LIB_DNS_TSIG_H

#include "lib/crypto/hmac.h"
#include "lib/dns/access.h"
#include "lib/dns/query.h"

/* What the TSIG record of a query says, and what that of its answer has to say. */
struct tsig {
    const struct tsig_key *key; /* NULL: the answer cannot be signed */
    const uint8_t *algorithm;   /* its name, in the query */
    uint64_t time;              /* when the query was signed, seconds */
    uint16_t error;             /* 0: the signature is good */
    uint8_t mac[HMAC_MAX]; /* of the query, or of the message of the transfer before this one */
    uint8_t mac_len;       /* octets of it that were sent */
    bool more;             /* there is such a message */
};

/*
 * Verifies the query in MSG, whose TSIG record is where Q says. t->more is set already: then the query was in
 * time when the transfer began. Returns DNS_NOERROR, DNS_FORMERR or DNS_NOTAUTH.
 */
int tsig_verify(struct tsig *t, const struct dns_access *access, const struct dns_query *q,
                const uint8_t *msg, size_t len, uint32_t now);

/* Octets that the answer's record takes. */
unsigned tsig_room(const struct tsig *t, const struct dns_query *q, const uint8_t *msg, size_t len);

/*
 * Appends the record to the answer of USED octets at OUT and returns its octets. t->mac becomes the
 * answer's. MSG of LEN octets is the query.
 */
unsigned tsig_sign(struct tsig *t, const struct dns_query *q, const uint8_t *msg, size_t len,
                   uint8_t *out, size_t used, uint32_t now);

enum {
    TSIG_REQUEST_MAX = KEY_NAME_MAX + 10 + 13 + 16 + HMAC_MAX
}; /* octets of a request's record */

/* The messages that answer a signed request, one after the other. */
struct tsig_stream {
    const struct tsig_key *key;
    struct hmac hmac; /* of the last signature and what came after it */
    bool first;       /* no signature has come yet */
    unsigned since;   /* messages since the last signature */
};

/*
 * Appends a TSIG record to the request of LEN octets at MSG, and has STREAM wait for its answer. Returns the
 * record's octets.
 */
unsigned tsig_request(struct tsig_stream *stream, const struct tsig_key *key, uint8_t *msg,
                      size_t len, uint32_t now);

/*
 * Takes the next message of the answer, whose records are well-formed; its TSIG record is at TSIG_AT, the
 * fields behind that one's name at TSIG_FIELDS, or both are 0. Returns NULL, or what is wrong. Octets are
 * to be believed when a signature that is right has come after them.
 */
const char *tsig_stream_take(struct tsig_stream *stream, const uint8_t *msg, size_t len,
                             size_t tsig_at, size_t tsig_fields, uint32_t now);

#endif
