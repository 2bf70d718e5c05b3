/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets of lib/dns share: a zone from text, and a look at each answer.
 */
#ifndef TESTS_FUZZ_DNS_ZONE_H
#define TESTS_FUZZ_DNS_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/dns/dns.h"

/* Compiles SIZE octets of text, a zone named example. unless it says otherwise, as dns_zone_compile. */
int fuzz_compile(const uint8_t *text, size_t size, uint8_t **image, size_t *image_size);

/* Lets fuzz_ask have whole zones. */
void fuzz_allow(struct dns_db *db);

/*
 * Asks DB in a block of exactly CAP octets. Aborts when the answer is longer, or is no well-formed
 * message with as many records as its header says.
 */
void fuzz_ask(const struct dns_db *db, const uint8_t *query, size_t len, size_t cap,
              unsigned flags);

/* Asks for a choice of names and types of the zone named example. */
void fuzz_ask_usual(const struct dns_db *db);

/* A zone with every kind of name: a wildcard, aliases, delegations, signed with NSEC in form. */
extern const char fuzz_zone_text[];

#endif
