/* SPDX-License-Identifier: ISC */
/*
 * From an image back to records. Private to lib/dns.
 */
#ifndef LIB_DNS_UNPACK_H
#define LIB_DNS_UNPACK_H

#include "lib/dns/build.h"
#include "lib/dns/dns.h"

/* Gives the records of ZONE to B, but for the SOA. 0 or -ENOMEM. */
int unpack_zone(const struct dns_zone *zone, struct dns_builder *b);

#endif
