/* SPDX-License-Identifier: ISC */
/*
 * The table of zones and the search in one zone (RFC 1034 section 4.3.2, RFC 4592 section 3.3.1).
 *
 * A query looks for the zone of its longest suffix first, and only at numbers of labels which some zone's name has. A zone
 * that is alone with its number is compared with the name: in most servers that is all. Others are found by a hash.
 */
#include "lib/dns/lookup.h"

void dns_db_init(struct dns_db *db, struct dns_zone **buckets, unsigned count)
{
    memset(db, 0, sizeof(*db));
    memset(buckets, 0, count * sizeof(*buckets));
    db->buckets = buckets;
    db->mask = count - 1;
}

void dns_db_identify(struct dns_db *db, const struct dns_identity *identity)
{
    db->identity = identity;
}

void dns_db_allow(struct dns_db *db, const struct dns_access *access)
{
    db->access = access;
}

void dns_db_limit(struct dns_db *db, struct dns_limiter *limiter)
{
    db->limiter = limiter;
}

void dns_db_listen(struct dns_db *db, struct dns_listener *listener)
{
    db->listener = listener;
}

/* The pointer to the zone of this name, or to the NULL that ends its bucket. */
static struct dns_zone **find_link(const struct dns_db *db, const struct dns_zone *zone)
{
    struct dns_zone **link = &db->buckets[zone->hash & db->mask];

    while (*link && !zone_has_name(*link, zone->name, zone->name_len))
        link = &(*link)->next;
    return link;
}

static void set_depth(struct dns_depth *depth, struct dns_zone *only, unsigned labels)
{
    *depth = (struct dns_depth){.only = only, .quick_len = UINT16_MAX, .labels = (uint8_t)labels};
    if (!only || only->name_len < 8)
        return;
    depth->last = dns_le64(only->name + only->name_len - 8);
    depth->relevant = ~(0x20 * DNS_EACH);
    if (only->name_len > 16)
        return;
    depth->first = dns_le64(only->name);
    depth->quick_len = only->name_len;
}

/* Lists the numbers of labels that zones' names have, greatest first. */
static void list_depths(struct dns_db *db)
{
    db->depth_count = 0;
    for (unsigned k = DNS_LABELS_MAX + 1; k-- > 0;) {
        struct dns_zone *found = NULL;
        unsigned count = 0;

        for (unsigned i = 0; i <= db->mask && count < 2; i++) {
            for (struct dns_zone *z = db->buckets[i]; z; z = z->next) {
                if (z->labels == k) {
                    found = z;
                    count++;
                }
            }
        }
        if (!count)
            continue;
        set_depth(&db->depth[db->depth_count++], count == 1 ? found : NULL, k);
    }
}

struct dns_zone *dns_db_set(struct dns_db *db, struct dns_zone *zone)
{
    struct dns_zone **link = find_link(db, zone), *old = *link;

    zone->next = old ? old->next : NULL;
    if (IS_ENABLED(CONFIG_DNS_SECONDARY))
        zone->version = ++db->version;
    *link = zone;
    if (!old)
        list_depths(db);
    for (unsigned i = 0; old && i < db->depth_count; i++) {
        if (db->depth[i].only == old)
            set_depth(&db->depth[i], zone, zone->labels);
    }
    return old;
}

void dns_db_remove(struct dns_db *db, struct dns_zone *zone)
{
    struct dns_zone **link = find_link(db, zone);

    if (*link != zone)
        return;
    *link = zone->next;
    list_depths(db);
}

struct dns_zone *dns_db_find(const struct dns_db *db, const struct dns_key *key, unsigned max)
{
    return db_find(db, key, max);
}

const uint8_t *zone_find(const struct dns_zone *zone, const uint8_t *name, unsigned len)
{
    uint32_t hash = dns_hash_end(name + len, len);
    const uint8_t *slot = zone_slot(zone, hash), *node;

    for (; (node = zone_candidate(zone, hash, len, &slot)); slot = zone_next_slot(zone, slot)) {
        if (!len || dns_same_name(name + len, node_name(node) + len, len))
            return node;
    }
    return NULL;
}

static const uint8_t *match_at(const struct dns_zone *zone, const struct dns_key *key,
                               unsigned depth)
{
    unsigned off = key_offset(zone, key, depth);

    return zone_find(zone, key->lower + off, key_offset(zone, key, 0) - off);
}

/* The existing name nearest above KEY, which has DEPTH labels below the apex and does not exist
 * itself. */
static const uint8_t *closest_encloser(const struct dns_zone *zone, const struct dns_key *key,
                                       unsigned depth, unsigned *enclosing_depth)
{
    unsigned low = 0, high = MIN(depth, zone->max_depth + 1u);
    const uint8_t *found = zone_apex(zone);

    while (high - low > 1) {
        unsigned mid = (low + high) / 2;
        const uint8_t *node = match_at(zone, key, mid);

        if (node) {
            found = node;
            low = mid;
        } else {
            high = mid;
        }
    }
    *enclosing_depth = low;
    return found;
}

static const uint8_t *wildcard_of(const struct dns_zone *zone, const struct dns_key *key,
                                  unsigned depth)
{
    uint8_t name[DNS_NAME_PAD + 2 + DNS_NAME_MAX];
    unsigned off = key_offset(zone, key, depth), len = key_offset(zone, key, 0) - off;

    memcpy(name + DNS_NAME_PAD, "\1*", 2);
    memcpy(name + DNS_NAME_PAD + 2, key->lower + off, len);
    return zone_find(zone, name + DNS_NAME_PAD, 2 + len);
}

/*
 * The topmost delegation or DNAME on the way from the apex to KEY, of whose DEPTH labels below the
 * apex the last ENCLOSING exist. A DNAME redirects what is below it, not its owner.
 */
static void find_cut(const struct dns_zone *zone, const struct dns_key *key, unsigned depth,
                     unsigned enclosing, struct dns_match *match)
{
    for (unsigned d = 0; d <= enclosing; d++) {
        const uint8_t *node = d ? match_at(zone, key, d) : zone_apex(zone);

        if (node && (node_flags(node) & NODE_CUT || (node_is_dname(node) && d < depth))) {
            match->cut = node;
            match->cut_depth = d;
            return;
        }
    }
}

void dns_zone_match(const struct dns_zone *zone, const struct dns_key *key, struct dns_match *match)
{
    unsigned depth = key->labels - zone->labels, enclosing = depth;
    const uint8_t *node = NULL;

    match->cut = NULL;
    match->cut_depth = 0;
    if (depth <= zone->max_depth)
        node = match_at(zone, key, depth);
    match->node = node;
    match->exact = node;
    if (!node) {
        node = closest_encloser(zone, key, depth, &enclosing);
        if (node_flags(node) & NODE_WILD)
            match->node = wildcard_of(zone, key, enclosing);
    }
    if (IS_ENABLED(CONFIG_DNS_DNSSEC))
        match->depth = enclosing;
    if (node_flags(node) & (NODE_CUT | NODE_BELOW) || node_is_dname(node)) {
        find_cut(zone, key, depth, enclosing, match);
        if (match->cut && !match->exact)
            match->node = NULL;
    }
}
