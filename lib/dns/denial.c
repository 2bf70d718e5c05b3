/* SPDX-License-Identifier: ISC */
/*
 * Proofs of non-existence (denial.h). The zone image has a sorted list of its NSEC or NSEC3 sets; the
 * one that matches or covers a name is the last that is not greater, found by halving. Names are
 * given as parts of the key that was looked up: its last labels, and perhaps "*" before them.
 *
 * The hash of a name is computed when it is needed, for at most three names and the depth of the
 * zone; the builder refuses zones with many iterations, so that a query cannot cost much.
 */
#include "lib/dns/denial.h"

#include "lib/dns/sha1.h"

/* A name on the way from the apex to a key: its labels below the apex, and whether "*" precedes. */
struct part {
    const struct dns_zone *zone;
    const struct dns_key *key;
    unsigned depth;
    bool asterisk;
};

static const uint8_t asterisk_label[] = "\1*";

/* The N-th label of a part from the right, counted from 0 at the apex; NULL: there are no more. */
static const uint8_t *part_label(const struct part *p, unsigned n)
{
    if (n < p->depth)
        return p->key->lower + key_offset(p->zone, p->key, n + 1);
    return n == p->depth && p->asterisk ? asterisk_label : NULL;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
    int order = memcmp(a + 1, b + 1, MIN(a[0], b[0]));

    return order ? order : (int)a[0] - b[0];
}

/* The canonical order (RFC 4034 section 6.1) of a node's name and a part of a key. */
static int compare(const uint8_t *node, const struct part *p)
{
    uint8_t start[DNS_LABELS_MAX];
    const uint8_t *name = node_name(node), *label;
    unsigned labels = 0;

    for (unsigned pos = 0; pos < node_name_len(node); pos += name[pos] + 1)
        start[labels++] = pos;
    for (unsigned n = 0; n < labels; n++) {
        int order;

        label = part_label(p, n);
        order = label ? compare_labels(name + start[labels - 1 - n], label) : 1;
        if (order)
            return order;
    }
    return part_label(p, labels) ? -1 : 0;
}

static const uint8_t *nsec_node(const struct dns_zone *zone, uint32_t i)
{
    return zone->image + 4 * (size_t)dns_le32(zone->denial + 4 * (size_t)i);
}

/* Octets at the end of a node's name which the key has in common with it, in whole labels of both. */
static unsigned shared_octets(const uint8_t *node, const struct part *p)
{
    unsigned apex = key_offset(p->zone, p->key, 0), left = node_name_len(node);
    unsigned depth = p->key->labels - p->zone->labels;
    const uint8_t *name = node_name(node), *key = p->key->lower;

    for (;; left -= *name + 1u, name += *name + 1u) {
        while (apex - key_offset(p->zone, p->key, depth) > left)
            depth--;
        if (apex - key_offset(p->zone, p->key, depth) == left &&
            !memcmp(name, key + apex - left, left))
            return left;
    }
}

/* Adds the NSEC that matches or covers a name. */
static bool add_nsec(struct reply *r, const struct part *p)
{
    const struct dns_zone *zone = p->zone;
    uint32_t low = 0, high = zone->denials;
    const uint8_t *node, *set;
    unsigned shared;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (compare(nsec_node(zone, mid), p) <= 0)
            low = mid;
        else
            high = mid;
    }
    node = nsec_node(zone, low);
    set = node_find_set(node, TYPE_NSEC);
    shared = shared_octets(node, p);
    return !set || reply_add_named(r, set, node_name(node), node_name_len(node) - shared, shared);
}

/* The hash of a name (RFC 5155 section 5). */
static void hash_part(const struct part *p, uint8_t hash[NSEC3_HASH])
{
    unsigned iterations = dns_le16(p->zone->nsec3), skip = p->asterisk ? 2 : 0;
    const uint8_t *salt = p->zone->nsec3 + 3, *from;
    uint8_t name[2 + DNS_NAME_MAX];

    from = p->key->lower + key_offset(p->zone, p->key, p->depth);
    memcpy(name, asterisk_label, 2);
    memcpy(name + skip, from, p->key->lower + p->key->len - from);
    sha1(name, p->key->lower + p->key->len - from + skip, salt, salt[-1], hash);
    while (iterations--)
        sha1(hash, NSEC3_HASH, salt, salt[-1], hash);
}

static const uint8_t *nsec3_entry(const struct dns_zone *zone, uint32_t i)
{
    return zone->denial + NSEC3_ENTRY * (size_t)i;
}

/* The entry whose hash is the name's or the one before it, around the end of the list if need be. */
static const uint8_t *find_nsec3(const struct part *p, bool *matches)
{
    uint32_t low = 0, high = p->zone->denials;
    uint8_t hash[NSEC3_HASH];

    hash_part(p, hash);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = memcmp(nsec3_entry(p->zone, mid), hash, NSEC3_HASH);

        if (!order) {
            *matches = true;
            return nsec3_entry(p->zone, mid);
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *matches = false;
    return nsec3_entry(p->zone, (low ? low : p->zone->denials) - 1);
}

/* Writes the label of an entry's hash and returns its set. */
static const uint8_t *read_entry(const struct dns_zone *zone, const uint8_t *entry,
                                 uint8_t label[DENIAL_LABEL])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned value = 0, have = 0;

    label[0] = DENIAL_LABEL - 1;
    for (unsigned i = 1, at = 0; i <= 32; i++) {
        if (have < 5) {
            value = value << 8 | entry[at++];
            have += 8;
        }
        have -= 5;
        label[i] = digits[value >> have & 31];
    }
    return zone->image + 4 * (size_t)dns_le32(entry + NSEC3_HASH);
}

const uint8_t *denial_nsec3(const struct dns_zone *zone, uint32_t i, uint8_t label[DENIAL_LABEL])
{
    return read_entry(zone, nsec3_entry(zone, i), label);
}

static bool add_entry(struct reply *r, const struct dns_zone *zone, const uint8_t *entry)
{
    uint8_t label[DENIAL_LABEL];
    const uint8_t *set = read_entry(zone, entry, label);

    return reply_add_named(r, set, label, sizeof(label), 0);
}

/* Adds the NSEC3 that matches or covers the name. */
static bool add_nsec3(struct reply *r, const struct part *p)
{
    bool matches;

    return add_entry(r, p->zone, find_nsec3(p, &matches));
}

/*
 * Adds the closest provable encloser's NSEC3 and that which covers the name one label longer
 * (RFC 5155 section 7.2.1). Not each name of an opt-out zone has an NSEC3, so this may go up from the
 * part given, which is then the encloser found.
 */
static bool add_encloser(struct reply *r, struct part *p)
{
    struct part below = *p;
    const uint8_t *entry;
    bool matches;

    for (;; p->depth--) {
        entry = find_nsec3(p, &matches);
        below.depth = p->depth + 1;
        if (matches || !p->depth)
            break;
    }
    return add_entry(r, p->zone, entry) && add_nsec3(r, &below);
}

bool denial_name(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                 unsigned encloser)
{
    struct part p = {zone, key, key->labels - zone->labels, false};

    if (zone->features & FEATURE_NSEC) {
        if (!add_nsec(r, &p))
            return false;
        p.depth = encloser;
        p.asterisk = true;
        return add_nsec(r, &p);
    }
    if (!(zone->features & FEATURE_NSEC3))
        return true;
    p.depth = encloser;
    if (!add_encloser(r, &p))
        return false;
    p.asterisk = true;
    return add_nsec3(r, &p);
}

bool denial_type(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                 unsigned depth)
{
    struct part p = {zone, key, depth, false};
    const uint8_t *entry;
    bool matches;

    if (zone->features & FEATURE_NSEC)
        return add_nsec(r, &p);
    if (!(zone->features & FEATURE_NSEC3))
        return true;
    entry = find_nsec3(&p, &matches);
    if (matches || !depth)
        return add_entry(r, zone, entry);
    p.depth--;
    return add_encloser(r, &p);
}

bool denial_wildcard(struct reply *r, const struct dns_zone *zone, const struct dns_key *key,
                     unsigned encloser)
{
    struct part p = {zone, key, key->labels - zone->labels, false};

    if (zone->features & FEATURE_NSEC)
        return add_nsec(r, &p);
    if (!(zone->features & FEATURE_NSEC3))
        return true;
    p.depth = encloser + 1;
    return add_nsec3(r, &p);
}
