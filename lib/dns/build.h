/* SPDX-License-Identifier: ISC */
/*
 * Makes a zone image of records, which may come in any order and from anywhere: a master file, a
 * zone transfer.
 */
#ifndef LIB_DNS_BUILD_H
#define LIB_DNS_BUILD_H

#include "lib/dns/zonefile.h"

struct dns_builder;

/* A builder for one zone, which reports what is wrong to SINK->report. NULL when memory is short.
 */
struct dns_builder *dns_builder_new(const struct dns_sink *sink);
void dns_builder_free(struct dns_builder *b);

/*
 * Takes a copy of a record. The zone's name is the owner of its SOA. One with `remove` set takes away what is
 * the same and came before, but for its TTL, and that has to be there.
 * Returns 0, also when the record was reported as wrong (finishing will fail then), -ENOMEM or -ENOSPC.
 */
int dns_builder_add(struct dns_builder *b, const struct dns_record *record,
                    const struct dns_place *place);

/* Has records that would take more than so many octets of memory, with those that are there, be refused by -ENOSPC. */
void dns_builder_limit(struct dns_builder *b, size_t octets);

/* Has finishing compare the zone with its digest (ZONEMD), if it has one; with CONFIG_DNS_ZONEMD. */
void dns_builder_verify(struct dns_builder *b);

/* How many records there are. */
uint32_t dns_builder_count(const struct dns_builder *b);

/*
 * Has those from the FROM-th on count as if they had come before the others, which are differences from them:
 * what these add must not be there before.
 */
void dns_builder_put_first(struct dns_builder *b, uint32_t from);

/*
 * Checks the zone and makes its image, which the caller frees with free().
 * Returns 0; -EINVAL when errors were reported; -ENOMEM; -EFBIG.
 */
int dns_builder_finish(struct dns_builder *b, uint8_t **image, size_t *size);

/*
 * Reads a master file and makes the image of its zone, with `verify` after dns_builder_verify(). Returns as
 * dns_zonefile_read and _finish do.
 */
int dns_zone_compile(const struct dns_source *source, const char *name, const uint8_t *origin,
                     bool verify, const struct dns_sink *sink, uint8_t **image, size_t *size);

#endif
