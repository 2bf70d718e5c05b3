/* SPDX-License-Identifier: ISC */
/*
 * A question to another server about a zone that it has: for its SOA (RFC 1034 section 4.3.5), or for all of
 * it (AXFR, RFC 5936). Messages only: who calls has the connection and the clock. Private to lib/dns.
 *
 * Nothing that comes is believed before all of it has come. Each message is checked for its identifier,
 * question, order and signature; records go to a builder, which keeps the zone's rules; and the zone is
 * made of them at the end. What goes wrong is one line of text.
 */
#ifndef LIB_DNS_FETCH_H
#define LIB_DNS_FETCH_H

#include "lib/dns/build.h"
#include "lib/dns/query.h"
#include "lib/dns/tsig.h"

enum {
    FETCH_QUERY_MAX = HEADER_SIZE + DNS_NAME_MAX + QUESTION_TAIL + TSIG_REQUEST_MAX,
    FETCH_REASON_MAX = 160,
    FETCH_NAMED_MAX = 1200, /* octets of data that may have compressed names */
};

enum fetch_result { FETCH_MORE, FETCH_DONE, FETCH_FAILED };

struct fetch {
    const uint8_t *name; /* of the zone, wire form, lower case; the caller's */
    unsigned name_len;
    uint16_t type; /* SOA or AXFR */
    uint16_t id;
    uint32_t serial;             /* of the zone that is offered, once an SOA has come */
    uint32_t records;            /* that have come */
    unsigned soas;               /* those of them that mark begin and end */
    bool answered;               /* a message has come */
    struct dns_builder *builder; /* of an AXFR */
    const struct tsig_key *key;  /* NULL: nothing is signed */
    struct tsig_stream stream;
    void (*pause)(void);           /* for the builder, or NULL; the caller's */
    char reason[FETCH_REASON_MAX]; /* of a failure */
};

/*
 * Makes the query for the zone NAME, which stays alive, of this type and identifier; signed by KEY, unless
 * that is NULL, at the time NOW (seconds since the epoch). Returns its length, or 0 when memory is short.
 */
size_t fetch_begin(struct fetch *f, const uint8_t *name, unsigned type, uint16_t id,
                   const struct tsig_key *key, uint32_t now, uint8_t query[FETCH_QUERY_MAX]);

/* Takes the next message of the answer. DONE: f->serial is known, and fetch_finish() makes the zone. */
enum fetch_result fetch_take(struct fetch *f, const uint8_t *msg, size_t len, uint32_t now);

/* Makes the image of the zone that has come, the caller's to free(). 0, or a negative errno and reason. */
int fetch_finish(struct fetch *f, uint8_t **image, size_t *size);

/* Frees what F has. Harmless when it has nothing, or is all zeros. */
void fetch_end(struct fetch *f);

#endif
