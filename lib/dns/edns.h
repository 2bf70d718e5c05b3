/* SPDX-License-Identifier: ISC */
/*
 * EDNS options (RFC 6891 section 6.1.2): cookies (RFC 7873, RFC 9018), NSID (RFC 5001), TCP keepalive
 * (RFC 7828), padding (RFC 7830), extended errors (RFC 8914). Others, client subnet too, are ignored.
 * Private to lib/dns.
 */
#ifndef LIB_DNS_EDNS_H
#define LIB_DNS_EDNS_H

#include "lib/dns/dns.h"

enum { COOKIE_SIZE = 24, CLIENT_COOKIE = 8 }; /* octets: both halves, the client's */

/* Extended errors (RFC 8914 section 4) that the response code alone does not tell. */
enum { EDNS_PROHIBITED = 18, EDNS_NOT_SUPPORTED = 21, EDNS_INVALID_DATA = 24 };

/* What the options of a query ask for. */
struct dns_edns {
    bool nsid;
    bool keepalive;
    bool padding;
    bool cookie;       /* the answer gets the one below */
    bool cookie_valid; /* the client has shown that it receives what is sent to its address */
    bool cookie_wrong; /* it sent a server's half that is not ours, or too old */
    uint8_t cookie_octets[COOKIE_SIZE];
    uint8_t error; /* extended, to be told; 0: the one that the response code means, if any */
};

/* Reads the LEN octets of options that CLIENT sent. Returns DNS_NOERROR or DNS_FORMERR. */
int edns_read(struct dns_edns *e, const struct dns_identity *identity,
              const struct dns_client *client, const uint8_t *options, size_t len, bool tcp);

/* Octets to leave for the options that the answer must have. */
unsigned edns_room(const struct dns_edns *e, const struct dns_identity *identity);

/*
 * Writes the answer's options to OUT and returns their octets. The message has USED octets before its OPT
 * record and may have MAX.
 */
unsigned edns_put(const struct dns_edns *e, const struct dns_identity *identity, unsigned rcode,
                  size_t used, size_t max, uint8_t *out);

#endif
