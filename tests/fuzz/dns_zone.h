/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets of lib/dns share: a zone from text, and a look at each answer. What is not as it
 * must be ends the process.
 */
#ifndef TESTS_FUZZ_DNS_ZONE_H
#define TESTS_FUZZ_DNS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dns/dns.h"

#define FUZZ_NOW 1700000000 /* the clients' time */

/* A zone that is served alone. */
struct fuzz_served {
    struct dns_db db;
    struct dns_zone zone, *buckets[4];
    uint8_t *image; /* its owner frees it */
};

/* Compiles SIZE octets of text, a zone named example. unless it says otherwise. False: it is none. What
 * compiles must pass the check of images. */
bool fuzz_serve(struct fuzz_served *s, const uint8_t *text, size_t size);

/* Lets clients whose address begins with a 0 have whole zones. */
void fuzz_allow(struct dns_db *db);

/*
 * dns_answer(), with a look at the answer: a well-formed message with as many records as its header says,
 * header and question those of the query, the answer's owners those to which aliases lead from there, no
 * longer than CAP and, over UDP, than the client takes. And every query is counted, as one that is answered
 * or one that is not.
 */
size_t fuzz_answer(const struct dns_db *db, const struct dns_client *client, const uint8_t *query,
                   size_t len, uint8_t *out, size_t cap, unsigned flags);
/* The same; and when it is made again, from the same place in a transfer, the answer is the same. */
size_t fuzz_answer_twice(const struct dns_db *db, const struct dns_client *client,
                         const uint8_t *query, size_t len, uint8_t *out, size_t cap,
                         unsigned flags);
/* Asks in blocks of exactly their sizes, on to the end of a transfer. */
void fuzz_ask(const struct dns_db *db, const uint8_t *query, size_t len, size_t cap,
              unsigned flags);

/* Asks for a choice of names and types of the zone named example. */
void fuzz_ask_usual(const struct dns_db *db);

/* Where the last record of a well-formed message begins, 0 when it has none. */
size_t fuzz_last_record(const uint8_t *msg, size_t len);

/* The records of a transfer so far: their number, and hashes of all that they say. */
struct fuzz_tally {
    uint32_t records, soas;
    uint64_t sum;  /* in their order */
    uint64_t zone; /* in any order, but for the first: of a whole zone, each of its records once */
    /* What is added less what is taken away, if they are differences (RFC 1995 section 4), but for the
     * first record and the last one. */
    uint64_t change;
    uint64_t last;    /* the last record's */
    bool differences; /* the second is an SOA again */
    bool last_is_soa;
};
void fuzz_tally(struct fuzz_tally *tally, const uint8_t *msg, size_t len);
/* Has the zone transferred: all of its records, between two SOAs. */
void fuzz_take_zone(const struct dns_db *db, const struct dns_zone *zone, struct fuzz_tally *tally);

/* A zone with every kind of name: a wildcard, aliases, delegations, signed with NSEC in form. */
extern const char fuzz_zone_text[];
/* One that is signed with NSEC3. */
extern const char fuzz_nsec3_text[];
/* One named chain.: aliases with long signatures, 18 KiB of them from n0 to n12. */
extern const char fuzz_chain_text[];

#endif
