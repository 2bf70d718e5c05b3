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
        db->depth[db->depth_count].only = count == 1 ? found : NULL;
        db->depth[db->depth_count++].labels = k;
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
            db->depth[i].only = zone;
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

/* The next node, from slot *I on, that may have a name of this hash, or NULL. */
static ALWAYS_INLINE const uint8_t *next_node(const struct dns_zone *zone, uint32_t hash,
                                              uint32_t *i)
{
    for (;;) {
        uint32_t slot = dns_le32(zone->slots + 4 * (size_t)*i);

        if (++*i == zone->slot_count)
            *i = 0;
        if (!slot)
            return NULL;
        /* Where what the slot has of the hash is the same, the node's number is left. */
        slot ^= hash * zone->node_limit;
        if (slot < zone->node_limit)
            return zone->image + 4 * (size_t)slot;
    }
}

__attribute__((noinline)) const uint8_t *zone_find(const struct dns_zone *zone, const uint8_t *name,
                                                   unsigned len)
{
    const uint8_t *end = name + len, *node;
    uint64_t last = dns_lower_word(dns_le64(end - 8));
    uint32_t hash = len ? dns_hash_end(end, len, last) : DNS_HASH_SEED;
    uint32_t i = slot_first(hash, zone->slot_count);

    while ((node = next_node(zone, hash, &i))) {
        const uint8_t *known = node_name(node) + len;

        if (node_name_len(node) != len)
            continue;
        if (len && (dns_le64(known - 8) ^ last) >> dns_other_bits(len))
            continue;
        if (len <= 8 || dns_same_name(end, known, len))
            break;
    }
    return node;
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
