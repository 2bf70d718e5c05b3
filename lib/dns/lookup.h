/* SPDX-License-Identifier: ISC */
/*
 * Finding a name in a zone: private to lib/dns.
 *
 * A name that exists costs one probe of the hash table. For one that does not, the closest encloser
 * (RFC 4592) is found by halving: with a name all its ancestors exist (empty non-terminals are
 * nodes too), so "exists" is monotone in the number of labels, and the number of probes is the
 * logarithm of the zone's depth whatever is asked.
 */
#ifndef LIB_DNS_LOOKUP_H
#define LIB_DNS_LOOKUP_H

#include "lib/dns/dns.h"
#include "lib/dns/image.h"
#include "lib/util.h"

/* What the zone has for a name. */
struct dns_match {
    const uint8_t *node; /* the name itself, or the wildcard that stands for it, or NULL */
    const uint8_t *cut;  /* the delegation at or above the name, or the DNAME above it, or NULL */
    unsigned cut_depth;  /* labels of the cut below the apex */
    unsigned depth; /* those of the nearest existing name at or above; with CONFIG_DNS_DNSSEC */
    bool exact;     /* the node has this very name */
};

static ALWAYS_INLINE bool zone_has_name(const struct dns_zone *zone, const uint8_t *name,
                                        unsigned len)
{
    return zone->name_len == len && dns_octets_equal(zone->name, name, len);
}

/* The zone that holds KEY: of those at or above it the one with the longest name, of at most MAX labels. NULL: none. */
static ALWAYS_INLINE struct dns_zone *db_find(const struct dns_db *db, const struct dns_key *key,
                                              unsigned max)
{
    for (unsigned i = 0; i < db->depth_count; i++) {
        unsigned k = db->depth[i].labels;

        if (k <= max) {
            unsigned off = key->label[key->labels - k], len = key->len - off;
            const uint8_t *name = key->lower + off;
            struct dns_zone *z = db->depth[i].only;

            if (!z)
                z = db->buckets[dns_hash(name, len) & db->mask];
            for (; z; z = z->next) {
                if (zone_has_name(z, name, len))
                    return z;
            }
        }
    }
    return NULL;
}

/* The set of this type at NODE, or NULL: in line, and not. */
static ALWAYS_INLINE const uint8_t *node_search_set(const uint8_t *node, unsigned type)
{
    const uint8_t *set = node_first_set(node);

    for (unsigned n = node_sets(node); n && set_type(set) <= type; n--, set = set_next(set)) {
        if (set_type(set) == type)
            return set;
    }
    return NULL;
}

static inline const uint8_t *node_find_set(const uint8_t *node, unsigned type)
{
    return node_search_set(node, type);
}

/* Offset in KEY's octets of its ancestor (or itself) that has DEPTH labels below the apex. */
static inline unsigned key_offset(const struct dns_zone *zone, const struct dns_key *key,
                                  unsigned depth)
{
    return key->label[key->labels - zone->labels - depth];
}

/* Has the zone data? One of another server may not be there yet, or have expired. */
static inline bool zone_is_there(const struct dns_zone *zone)
{
    return !IS_ENABLED(CONFIG_DNS_SECONDARY) || zone->image;
}

/* The apex is the first name in canonical order. */
static inline const uint8_t *zone_apex(const struct dns_zone *zone)
{
    return zone->image + 4 * (size_t)dns_le32(zone->image + IMAGE_OFF_NODES);
}

/* db_find() for those who need not be that fast: not in line. */
struct dns_zone *dns_db_find(const struct dns_db *db, const struct dns_key *key, unsigned max);

/* The slot to look at first for a name with HASH, and the one behind SLOT. */
static ALWAYS_INLINE const uint8_t *zone_slot(const struct dns_zone *zone, uint32_t hash)
{
    return zone->slots + 4 * (size_t)slot_first(hash, zone->slot_count);
}

static ALWAYS_INLINE const uint8_t *zone_next_slot(const struct dns_zone *zone, const uint8_t *slot)
{
    slot += 4;
    return slot == zone->slots_end ? zone->slots : slot;
}

/* The node that may have a name of LEN octets with HASH, from *SLOT on, which moves to its slot; NULL: there is none. */
static ALWAYS_INLINE const uint8_t *zone_candidate(const struct dns_zone *zone, uint32_t hash,
                                                   unsigned len, const uint8_t **slot)
{
    uint32_t rest = hash * zone->node_limit, number;

    for (; (number = dns_le32(*slot)) != 0; *slot = zone_next_slot(zone, *slot)) {
        const uint8_t *node;

        /* Where what the slot has of the hash is the same, the node's number is left. */
        number ^= rest;
        if (number >= zone->node_limit)
            continue;
        node = zone->image + 4 * (size_t)number;
        if (node_name_len(node) == len)
            return node;
    }
    return NULL;
}

/* The node with the LEN octets NAME, relative to the apex and in letters of any case, or NULL. Eight octets in front of its end
 * can be read. */
const uint8_t *zone_find(const struct dns_zone *zone, const uint8_t *name, unsigned len);

/* Looks up KEY, which lies in ZONE. */
void dns_zone_match(const struct dns_zone *zone, const struct dns_key *key,
                    struct dns_match *match);

#endif
