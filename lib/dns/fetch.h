/* SPDX-License-Identifier: ISC */
/*
 * A question to another server about a zone that it has: for its SOA (RFC 1034 section 4.3.5), for all of it
 * (AXFR, RFC 5936), or for what has changed (IXFR, RFC 1995). Messages only: who calls has the connection and the clock. Private to lib/dns.
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
    FETCH_SOA_MAX = 34, /* octets of the SOA in an IXFR */
    FETCH_QUERY_MAX = HEADER_SIZE + DNS_NAME_MAX + QUESTION_TAIL + FETCH_SOA_MAX + TSIG_REQUEST_MAX,
    FETCH_REASON_MAX = 160,
};

enum fetch_result { FETCH_MORE, FETCH_DONE, FETCH_FAILED };

/* Which record comes next: the first one, the second, one of a whole zone, one that was removed or added. */
enum fetch_part { FETCH_FIRST, FETCH_SECOND, FETCH_WHOLE, FETCH_REMOVED, FETCH_ADDED, FETCH_END };

struct fetch_question {
    const uint8_t *name;        /* of the zone, wire form, lower case; stays alive */
    uint16_t type;              /* SOA, AXFR or IXFR */
    uint16_t id;                /* of the message */
    const struct dns_zone *old; /* of an IXFR: the version that is there; stays alive */
    const struct tsig_key *key; /* NULL: nothing is signed */
    uint32_t now;               /* seconds since the epoch */
    size_t room;                /* octets of memory that the records may take; 0: any number */
};

struct fetch {
    const uint8_t *name;
    uint16_t type;
    uint16_t id;
    const struct dns_zone *old;
    const struct tsig_key *key;
    enum fetch_part part;
    uint32_t serial;             /* of the version that is offered, once an SOA has come */
    uint32_t step;               /* of the one that the differences have led to */
    bool answered;               /* a message has come */
    bool differences;            /* no whole zone has come */
    struct dns_builder *builder; /* of a transfer */
    struct tsig_stream stream;
    void (*pause)(void);           /* for the builder, or NULL; the caller's */
    char reason[FETCH_REASON_MAX]; /* of a failure */
};

/* Makes the query. Returns its length, or 0 when memory is short. */
size_t fetch_begin(struct fetch *f, const struct fetch_question *q, uint8_t query[FETCH_QUERY_MAX]);

/* Takes the next message of the answer. DONE: f->serial is known, and fetch_finish() makes the zone. */
enum fetch_result fetch_take(struct fetch *f, const uint8_t *msg, size_t len, uint32_t now);

/* Makes the image of the zone that has come, the caller's to free(). 0, or a negative errno and reason. */
int fetch_finish(struct fetch *f, uint8_t **image, size_t *size);

/* Frees what F has. Harmless when it has nothing, or is all zeros. */
void fetch_end(struct fetch *f);

#endif
