/* SPDX-License-Identifier: ISC */
/*
 * What has changed in a zone from one version to the next, kept for secondaries that have an older one (IXFR,
 * RFC 1995). Private to lib/dns.
 *
 * The changes of a zone follow each other up to the version that is served. At most
 * CONFIG_DNS_IXFR_VERSIONS of them and CONFIG_DNS_IXFR_KIB together are kept, the latest ones; a secondary whose
 * version is older gets the whole zone.
 */
#ifndef LIB_DNS_HISTORY_H
#define LIB_DNS_HISTORY_H

#include "lib/dns/compare.h"

/*
 * NEXT is about to be served in the place of OLD: it takes over what is known of OLD's versions, and the
 * difference between the two is made and kept; if memory is short or it is too long, none is. That takes as long
 * as walking through both; PAUSE, if not NULL, is called now and then. Both stay as they are meanwhile.
 */
void history_add(struct dns_zone *old, struct dns_zone *next, void (*pause)(void));

/* Forgets all changes of ZONE. */
void history_forget(struct dns_zone *zone);

/* The change that begins with the version SERIAL, or NULL: there is none. */
const struct dns_change *history_find(const struct dns_zone *zone, uint32_t serial);

/* Are this change and those behind it shorter than the zone itself is? */
bool history_is_short(const struct dns_zone *zone, const struct dns_change *change);

#endif
