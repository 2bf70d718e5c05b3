/* SPDX-License-Identifier: ISC */
/*
 * The builder's second half: puts the image (image.h) of the tree of names (tree.h) together.
 *
 * First all nodes are written one after the other, with room for references to other nodes; then
 * the hash table, when the nodes' places are known; at last the references, found by the same
 * look-up that answers queries.
 */
#include "lib/dns/lookup.h"
#include "lib/dns/rrtype.h"
#include "lib/dns/writer.h"

#include <errno.h>
#include <stdlib.h>

static void pad_to(struct writer *w, size_t align)
{
    writer_put(w, NULL, ROUND_UP(w->len, align) - w->len);
}

static uint32_t set_end(struct dns_builder *b, uint32_t from, uint32_t end)
{
    unsigned type = rec_set_type(builder_rec(b, from));

    while (++from < end && rec_set_type(builder_rec(b, from)) == type)
        builder_step(b);
    return from;
}

/* Notes the name that the next sets may point to: the owner, but for a label "*", which no question
 * has. */
static void set_owner_name(struct set_writer *s, const uint8_t *name, unsigned len)
{
    unsigned skip = len && !memcmp(name, "\1*", 2) ? 2 : 0;
    const struct dns_builder *b = s->w->b;
    uint8_t owner[KEY_MAX];

    s->owner_len = len - skip;
    memcpy(owner, name + skip, s->owner_len);
    memcpy(owner + s->owner_len, b->apex, b->apex_len);
    dns_key_parse(&s->owner, owner, s->owner_len + b->apex_len);
}

static void write_node(struct set_writer *s, struct leaf *leaf)
{
    struct writer *w = s->w;
    struct dns_builder *b = w->b;
    uint8_t name[KEY_MAX], header[NODE_HEADER];
    uint32_t end = leaf->first + leaf->count, next;
    size_t at = w->len;
    unsigned sets = 0;

    leaf->number = at / 4;
    header[0] = leaf->flags;
    header[1] =
        builder_name(builder_rec(b, leaf->first)->octets, b->apex_key_len, leaf->key_len, name);
    writer_put(w, header, sizeof(header));
    writer_put(w, name, header[1]);
    set_owner_name(s, name, header[1]);
    for (uint32_t from = leaf->first; from < end && !w->failed; from = next) {
        builder_step(b);
        next = set_end(b, from, end);
        if (builder_rec(b, from)->type == TYPE_RRSIG) {
            builder_report(b, DNS_WARNING, builder_rec(b, from),
                           "a signature of what is not there is left out", NULL);
            b->features |= FEATURE_PARTIAL;
            continue;
        }
        if (builder_rec(b, from)->type == TYPE_NSEC)
            leaf->nsec = true;
        writer_put_set(s, from, next, writer_ttl(b, from, next));
        sets++;
    }
    if (!w->failed)
        dns_put_le16(w->data + at + 2, sets);
    pad_to(w, 4);
}

/* The hash table is less than five sevenths full. */
static uint32_t slots_for(uint32_t names)
{
    return names + 2 * (names / 5) + 2;
}

static uint32_t hash_of_leaf(const struct dns_builder *b, const struct leaf *leaf)
{
    uint8_t name[KEY_MAX];

    return dns_hash(name, builder_name(builder_rec(b, leaf->first)->octets, b->apex_key_len,
                                       leaf->key_len, name));
}

/* Used slots in a row. A million numbered names take 176 at most, unless somebody has chosen them by their hashes. */
enum { RUN_MAX = 4096 };

/* Is there a run of used slots so long that each look-up which ends in it would take long? */
static bool is_crowded(struct dns_builder *b, const uint8_t *slots, uint32_t count)
{
    unsigned run = 0;

    for (uint32_t i = 0; i < count && run <= RUN_MAX; i++) {
        builder_step(b);
        run = dns_le32(slots + 4 * (size_t)i) ? run + 1 : 0;
    }
    return run > RUN_MAX;
}

/* False, and reported, when the names crowd in the table. */
static bool fill_slots(struct dns_builder *b, uint8_t *slots, uint32_t count, unsigned bits)
{
    bool crowded = false;

    for (uint32_t n = 0; n < b->leaf_count && !crowded; n++) {
        uint32_t hash = hash_of_leaf(b, &b->leaves[n]), run = 0;
        uint32_t i;

        builder_step(b);
        for (i = slot_first(hash, count); dns_le32(slots + 4 * (size_t)i); i = (i + 1) % count) {
            builder_step(b);
            crowded |= ++run > RUN_MAX;
        }
        dns_put_le32(slots + 4 * (size_t)i, slot_value(hash, b->leaves[n].number, bits));
    }
    if (!crowded && !is_crowded(b, slots, count))
        return true;
    builder_report(b, DNS_ERROR, b->soa, "names are chosen so that looking them up takes long",
                   NULL);
    return false;
}

static bool has_address(const uint8_t *node)
{
    return node_find_set(node, TYPE_A) || node_find_set(node, TYPE_AAAA);
}

/*
 * The node whose addresses go with the target of REC, or NULL; warns when an address is missing.
 * Only NS records may refer to glue, and it must be there when the target lies below their owner.
 */
static const uint8_t *find_target(struct dns_builder *b, const struct dns_zone *zone,
                                  const struct rec *rec, bool below)
{
    const uint8_t *target = rec_data(rec) + dns_type_target(rec->type);
    struct dns_match match;
    struct dns_key key;

    dns_key_parse(&key, target, dns_name_length(target, DNS_NAME_MAX));
    dns_zone_match(zone, &key, &match);
    if (match.cut && node_is_dname(match.cut))
        return NULL;
    if (match.node && has_address(match.node))
        return !match.cut || rec->type == TYPE_NS ? match.node : NULL;
    if (match.cut && below && rec->type == TYPE_NS)
        builder_report(b, DNS_WARNING, rec, "glue is missing: no address for", target);
    else if (!match.cut && match.node && node_flags(match.node) & NODE_CNAME)
        builder_report(b, DNS_WARNING, rec, "the record points to an alias:", target);
    else if (!match.cut)
        builder_report(b, DNS_WARNING, rec, "no address in the zone for", target);
    return NULL;
}

/* Replaces the record's index in each reference of SET by the number of the node which it means. */
static void resolve_set(struct dns_builder *b, const struct dns_zone *zone, const uint8_t *set)
{
    const uint8_t *end, *refs = set_refs(set, &end);

    for (uint8_t *ref = (uint8_t *)refs; ref < end; ref += REF_SIZE) {
        const struct rec *rec = builder_rec(b, dns_le32(ref + 2));
        uint8_t key[KEY_MAX];
        unsigned len = builder_key(rec_data(rec) + dns_type_target(rec->type), key);
        bool below = len >= rec->key_len && !memcmp(key, rec->octets, rec->key_len);
        const uint8_t *node = find_target(b, zone, rec, below);

        builder_step(b);
        dns_put_le32(ref + 2, node ? (node - zone->image) / 4 : 0);
        if (below)
            dns_put_le16(ref, dns_le16(ref) | REF_NEEDED);
    }
}

static void resolve_refs(struct dns_builder *b, const struct dns_zone *zone)
{
    for (uint32_t n = 0; n < b->leaf_count; n++) {
        const uint8_t *node = zone->image + 4 * (size_t)b->leaves[n].number, *set;
        unsigned left = node_sets(node);

        builder_step(b);
        for (set = node_first_set(node); left; left--, set = set_next(set))
            resolve_set(b, zone, set);
    }
}

/* The index of the SOA: it is one of the apex's records, which come first. */
static uint32_t soa_index(struct dns_builder *b)
{
    uint32_t i = b->leaves[0].first;

    for (; builder_rec(b, i)->type != TYPE_SOA; i++)
        builder_step(b);
    return i;
}

/* Writes the NSEC3 sets. */
static void write_hashed(struct set_writer *s)
{
    struct writer *w = s->w;
    struct dns_builder *b = w->b;

    set_owner_name(s, b->apex, 0);
    for (uint32_t i = 0; i < b->hashed_count && !w->failed; i++) {
        struct hashed *h = &b->hashed[i];

        builder_step(b);
        h->number = w->len / 4;
        writer_put_set(s, h->first, h->first + h->count,
                       writer_ttl(b, h->first, h->first + h->count));
        pad_to(w, 4);
    }
}

static void write_le32(struct writer *w, uint32_t v)
{
    uint8_t le[4];

    dns_put_le32(le, v);
    writer_put(w, le, sizeof(le));
}

/* Writes the denial entries; returns their number. */
static uint32_t write_denial(struct writer *w)
{
    struct dns_builder *b = w->b;
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->hashed_count; i++, count++) {
        builder_step(b);
        writer_put(w, b->hashed[i].hash, NSEC3_HASH);
        write_le32(w, b->hashed[i].number);
    }
    for (uint32_t i = 0; i < b->leaf_count && b->features & FEATURE_NSEC; i++) {
        builder_step(b);
        if (!b->leaves[i].nsec || b->leaves[i].flags & NODE_BELOW)
            continue;
        write_le32(w, b->leaves[i].number);
        count++;
    }
    return count;
}

/* Writes iterations and salt of the NSEC3 hash; returns where. */
static uint32_t write_nsec3_params(struct writer *w)
{
    const uint8_t *data = w->b->nsec3param ? rec_data(w->b->nsec3param) : (const uint8_t[5]){0};
    size_t at = w->len;
    uint8_t le[2];

    dns_put_le16(le, dns_be16(data + 2));
    writer_put(w, le, sizeof(le));
    writer_put(w, data + 4, data[4] + 1u);
    pad_to(w, 4);
    return at;
}

/* Writes everything but the slots' contents and the references. */
static void write_body(struct set_writer *s)
{
    struct writer *w = s->w;
    struct dns_builder *b = w->b;
    uint32_t soa = soa_index(b), slots = slots_for(b->leaf_count), header[6], denial[3];
    uint32_t minimum = dns_be32(rec_data(b->soa) + b->soa->len - 4);
    uint32_t serial = dns_be32(rec_data(b->soa) + b->soa->len - 20);

    writer_put(w, NULL, IMAGE_HEADER);
    writer_put(w, b->apex, b->apex_len);
    pad_to(w, DNS_NAME_PAD);
    writer_put(w, NULL, DNS_NAME_PAD);
    header[5] = w->len;
    set_owner_name(s, b->apex, 0);
    writer_put_set(s, soa, set_end(b, soa, b->rec_count), MIN(b->soa->ttl, minimum));
    w->records = 0;
    pad_to(w, 4);
    denial[2] = write_nsec3_params(w);
    header[3] = w->len;
    header[4] = slots;
    writer_put(w, NULL, 4 * (size_t)slots);
    header[0] = w->len / 4;
    for (uint32_t n = 0; n < b->leaf_count && !w->failed; n++)
        write_node(s, &b->leaves[n]);
    header[1] = w->len / 4;
    header[2] = b->leaf_count;
    write_hashed(s);
    denial[0] = w->len / 4;
    denial[1] = write_denial(w);
    writer_put(w, NULL, DNS_NAME_PAD);
    pad_to(w, IMAGE_ALIGN);
    if (w->failed)
        return;
    memcpy(w->data, IMAGE_MAGIC, 8);
    dns_put_le64(w->data + IMAGE_OFF_SIZE, w->len);
    for (unsigned i = 0; i < ARRAY_SIZE(header); i++)
        dns_put_le32(w->data + IMAGE_OFF_NODES + 4 * i, header[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(denial); i++)
        dns_put_le32(w->data + IMAGE_OFF_DENIAL + 4 * i, denial[i]);
    dns_put_le32(w->data + IMAGE_OFF_RECORDS, w->records);
    dns_put_le32(w->data + IMAGE_OFF_SERIAL, serial);
    w->data[IMAGE_OFF_NODE_BITS] = 32 - __builtin_clz(header[1]);
    w->data[IMAGE_OFF_MAX_DEPTH] = b->max_depth;
    w->data[IMAGE_OFF_NAME_LEN] = b->apex_len;
    w->data[IMAGE_OFF_FEATURES] = b->features;
}

int builder_render(struct dns_builder *b, uint8_t **image, size_t *size)
{
    struct writer w = {.b = b};
    struct set_writer *s = calloc(1, sizeof(*s));
    struct dns_zone zone;
    int err = -ENOMEM;

    if (s) {
        s->w = &w;
        write_body(s);
    }
    free(s);
    if (s && !w.failed)
        err = b->errors ? -EINVAL : w.len / 4 > UINT32_MAX / 2 ? -EFBIG : 0;
    if (!err && b->features & ~FEATURES)
        err = -ENOTSUP;
    if (err) {
        free(w.data);
        return err;
    }
    dns_zone_open(&zone, w.data, w.len);
    if (!fill_slots(b, w.data + dns_le32(w.data + IMAGE_OFF_SLOTS), zone.slot_count,
                    zone.node_bits)) {
        free(w.data);
        return -EINVAL;
    }
    resolve_refs(b, &zone);
    /* What it grew beyond its size is of use to others. */
    *image = realloc(w.data, w.len);
    if (!*image)
        *image = w.data;
    *size = w.len;
    return 0;
}
