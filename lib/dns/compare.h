/* SPDX-License-Identifier: ISC */
/*
 * The difference between two images of a zone, however the second one has come. Private to lib/dns.
 */
#ifndef LIB_DNS_COMPARE_H
#define LIB_DNS_COMPARE_H

#include "lib/dns/dns.h"

/*
 * From one version to the next, as IXFR has it: the SOA of the old one, the records that are gone, the SOA of
 * the new one, the records that are new. A record is an octet that tells the length of its owner's labels below
 * the apex, those labels, type, class, TTL and length, and data without compression.
 */
struct dns_change {
    struct dns_change *next; /* the later one, or NULL */
    uint32_t from, to;       /* serials */
    uint32_t size;           /* octets of the records */
    uint8_t octets[];
};

enum { CHANGE_FIELDS = 10 }; /* octets between owner and data of a record */

/*
 * The difference between OLD and NEXT, the caller's to free(), or NULL: memory is short, it has more than MAX
 * octets, or large sets are in another order. It takes as long as walking through both, and a second more at most;
 * PAUSE, if not NULL, is called now and then.
 */
struct dns_change *compare_zones(const struct dns_zone *old, const struct dns_zone *next,
                                 size_t max, void (*pause)(void));

#endif
