/* SPDX-License-Identifier: ISC */
/*
 * Opening and verifying zone images (layout: image.h).
 *
 * dns_zone_check proves that no look-up can leave the image. It walks the nodes from first to last,
 * so every node's bounds are checked, and looks each node's own name up. As the number of used
 * slots equals the number of nodes, each used slot then belongs to exactly one node and none points
 * elsewhere. A reference is right when looking up the name at its target leads back to the target.
 */
#include "lib/dns/image.h"
#include "lib/dns/dns.h"
#include "lib/dns/lookup.h"

#include <errno.h>
#include <limits.h>

/* Finds what proves non-existence. False when it is not inside the image. */
static bool open_denial(struct dns_zone *zone)
{
    unsigned entry = zone->features & FEATURE_NSEC3 ? NSEC3_ENTRY : 4;
    uint64_t at = 4 * (uint64_t)dns_le32(zone->image + IMAGE_OFF_DENIAL), end;
    uint32_t nsec3 = dns_le32(zone->image + IMAGE_OFF_NSEC3);

    zone->denials = dns_le32(zone->image + IMAGE_OFF_DENIALS);
    zone->denial = zone->image + at;
    zone->nsec3 = zone->image + nsec3;
    end = at + (uint64_t)entry * zone->denials;
    if (end > zone->size - DNS_NAME_PAD || (uint64_t)nsec3 + 3 > zone->size ||
        (uint64_t)nsec3 + 3 + zone->nsec3[2] > zone->size ||
        dns_le16(zone->nsec3) > NSEC3_ITERATIONS_MAX)
        return false;
    return zone->denials || !(zone->features & (FEATURE_NSEC | FEATURE_NSEC3));
}

long dns_zone_open(struct dns_zone *zone, const uint8_t *data, size_t size)
{
    struct dns_key key;
    uint64_t image_size, slots_end, soa;

    if (size < IMAGE_HEADER + IMAGE_ALIGN || memcmp(data, IMAGE_MAGIC, 8))
        return -EINVAL;
    image_size = dns_le64(data + IMAGE_OFF_SIZE);
    if (image_size > size)
        return -EMSGSIZE;
    if (data[IMAGE_OFF_FEATURES] & ~FEATURES)
        return -ENOTSUP;
    memset(zone, 0, sizeof(*zone));
    zone->image = data;
    zone->size = image_size;
    zone->name = data + IMAGE_HEADER;
    zone->node_bits = data[IMAGE_OFF_NODE_BITS];
    zone->node_limit = 1u << (zone->node_bits & 31);
    zone->max_depth = data[IMAGE_OFF_MAX_DEPTH];
    zone->slot_count = dns_le32(data + IMAGE_OFF_SLOT_COUNT);
    zone->slots = data + dns_le32(data + IMAGE_OFF_SLOTS);
    zone->slots_end = zone->slots + 4 * (size_t)zone->slot_count;
    slots_end = dns_le32(data + IMAGE_OFF_SLOTS) + 4 * (uint64_t)zone->slot_count;
    soa = dns_le32(data + IMAGE_OFF_SOA);
    if (image_size < IMAGE_HEADER + IMAGE_ALIGN || image_size % IMAGE_ALIGN ||
        image_size > LONG_MAX || zone->node_bits < 1 || zone->node_bits > 31 || !zone->slot_count ||
        slots_end > image_size || soa + SET_HEADER > image_size)
        return -EINVAL;
    zone->name_len = dns_key_parse(&key, zone->name, image_size - IMAGE_HEADER - DNS_NAME_PAD);
    if (!zone->name_len || zone->name_len != data[IMAGE_OFF_NAME_LEN])
        return -EINVAL;
    zone->labels = key.labels;
    zone->hash = dns_key_hash(&key, key.labels);
    zone->negative_soa = data + soa;
    zone->features = data[IMAGE_OFF_FEATURES];
    if (IS_ENABLED(CONFIG_DNS_DNSSEC) && !open_denial(zone))
        return -EINVAL;
    return image_size;
}

void dns_zone_vacate(struct dns_zone *zone, const uint8_t *name)
{
    struct dns_key key;

    memset(zone, 0, sizeof(*zone));
    zone->name = name;
    zone->name_len = dns_key_parse(&key, name, DNS_NAME_MAX);
    zone->labels = key.labels;
    zone->hash = dns_key_hash(&key, key.labels);
}

/* Can the header and the name of node number NODE be read? */
static bool node_readable(const struct dns_zone *zone, uint64_t node)
{
    const uint8_t *p = zone->image + 4 * node;
    size_t limit = zone->size - DNS_NAME_PAD;

    return 4 * node + NODE_HEADER <= limit && 4 * node + NODE_HEADER + node_name_len(p) <= limit;
}

/* Does a look-up of the name at node number NODE end there? The used slots are known to be
 * readable. */
static bool node_real(const struct dns_zone *zone, uint32_t node)
{
    const uint8_t *p = zone->image + 4 * (size_t)node;
    uint8_t name[2 * DNS_NAME_MAX];
    struct dns_key key;
    unsigned len;

    if (!node_readable(zone, node))
        return false;
    len = node_name_len(p);
    memcpy(name, node_name(p), len);
    memcpy(name + len, zone->name, zone->name_len);
    if (dns_key_parse(&key, name, len + zone->name_len) != len + zone->name_len ||
        key.labels < zone->labels || key.label[key.labels - zone->labels] != len)
        return false;
    return zone_find(zone, key.lower, len) == p;
}

/* Are the relocations and references of SET inside its records, and the references' nodes real? */
static bool fixups_ok(const struct dns_zone *zone, const uint8_t *set, unsigned owner_len)
{
    const uint8_t *fix = set_fixups(set), *end = set_signatures(set), *ref;
    unsigned len = set_records_len(set), relocs;

    if (fix == end)
        return true;
    if (end - fix < 2)
        return false;
    relocs = dns_le16(fix);
    ref = fix + 2 + 2 * relocs;
    if (ref > end || (end - ref) % REF_SIZE)
        return false;
    for (fix += 2; fix < ref; fix += 2) {
        unsigned at = dns_le16(fix) & ~RELOC_SELF, pointer;
        bool self = dns_le16(fix) & RELOC_SELF;

        if (at + 2 > len)
            return false;
        pointer = dns_be16(set_records(set) + at);
        if (pointer < POINTER_BITS ||
            pointer - POINTER_BITS > (self ? MIN(RELOC_SELF_MAX, at) : owner_len))
            return false;
    }
    for (; ref < end; ref += REF_SIZE) {
        uint32_t node = dns_le32(ref + 2);
        unsigned at = dns_le16(ref) & ~REF_NEEDED;

        /* The root's name is one octet; any other, and a pointer, has two at least. */
        if (at >= len || (at + 1 == len && set_records(set)[at]) ||
            (node && !node_real(zone, node)))
            return false;
    }
    return true;
}

/* Are the octets from RECORD to END records of this type? Their number, or 0. */
static unsigned count_records(const uint8_t *record, const uint8_t *end, unsigned type)
{
    unsigned count = 0;

    for (; record < end; record = record_next(record), count++) {
        if (end - record < RECORD_HEADER || record_next(record) > end)
            return 0;
        if (dns_be16(record) != OWNER_POINTER || dns_be16(record + 2) != type)
            return 0;
    }
    return count;
}

/* Are the signatures of SET, all of which lies before END, well-formed? */
static bool signatures_ok(const uint8_t *set, const uint8_t *end)
{
    const uint8_t *signatures = set_signatures(set), *records = signatures + SIGNATURES_HEADER;

    if (!set_is_signed(set))
        return true;
    if (end - signatures < SIGNATURES_HEADER || end - records < signatures_len(signatures))
        return false;
    return signatures_count(signatures) &&
           signatures_count(signatures) ==
               count_records(records, records + signatures_len(signatures), TYPE_RRSIG);
}

/*
 * Is the set at SET, with END behind the last node, well-formed? OWNER_LEN: what it may point to of
 * the owner's name before the apex.
 */
static bool set_ok(const struct dns_zone *zone, const uint8_t *set, unsigned owner_len,
                   const uint8_t *end)
{
    if (end - set < SET_HEADER ||
        end - set < SET_HEADER + set_records_len(set) + set_fixups_len(set))
        return false;
    /* No set is of a type that is a question only. */
    return (set_type(set) < TYPE_META || set_type(set) > TYPE_ANY) && set_count(set) &&
           set_count(set) == count_records(set_records(set), set_fixups(set), set_type(set)) &&
           set_records_len(set) <= SET_RECORDS_MAX && fixups_ok(zone, set, owner_len) &&
           signatures_ok(set, end);
}

/* Is the node at *AT well-formed? Moves *at to the next one. */
static bool node_ok(const struct dns_zone *zone, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *node = *at, *set;
    unsigned type = 0, owner_len;

    if (!node_real(zone, (node - zone->image) / 4))
        return false;
    /* The label "*" is not part of the names that a wildcard answers for. */
    owner_len = node_name_len(node);
    if (node_flags(node) & NODE_ASTERISK)
        owner_len = owner_len < 2 ? 0 : owner_len - 2;
    set = node_first_set(node);
    for (unsigned n = node_sets(node); n; n--, set = set_next(set)) {
        if (!set_ok(zone, set, owner_len, end) || set_type(set) <= type)
            return false;
        type = set_type(set);
        if (type == TYPE_CNAME && set_count(set) != 1)
            return false;
    }
    *at = zone->image + ROUND_UP((size_t)(set - zone->image), 4);
    return true;
}

/* Are there as many used slots as nodes, a free one, and can all of their nodes' names be read? */
static bool slots_ok(const struct dns_zone *zone)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < zone->slot_count; i++) {
        uint32_t slot = dns_le32(zone->slots + 4 * (size_t)i);

        used += slot != 0;
        if (slot && !node_readable(zone, slot & (zone->node_limit - 1)))
            return false;
    }
    return used == dns_zone_names(zone) && used < zone->slot_count;
}

/* Do all entries for denial lead to a node, or to a well-formed NSEC3 set? */
static bool denial_ok(const struct dns_zone *zone)
{
    for (uint32_t i = 0; i < zone->denials; i++) {
        if (zone->features & FEATURE_NSEC3) {
            uint64_t at =
                4 * (uint64_t)dns_le32(zone->denial + NSEC3_ENTRY * (uint64_t)i + NSEC3_HASH);

            if (at > zone->size || !set_ok(zone, zone->image + at, 0, zone->image + zone->size))
                return false;
        } else if (zone->features & FEATURE_NSEC) {
            if (!node_real(zone, dns_le32(zone->denial + 4 * (uint64_t)i)))
                return false;
        }
    }
    return true;
}

int dns_zone_check(const struct dns_zone *zone)
{
    const uint8_t *image = zone->image, *node, *end;
    uint64_t first = 4 * (uint64_t)dns_le32(image + IMAGE_OFF_NODES);
    uint64_t last = 4 * (uint64_t)dns_le32(image + IMAGE_OFF_NODES_END);
    uint64_t limit = zone->size - DNS_NAME_PAD;
    uint32_t nodes = 0;

    if (first >= last || last > limit || !slots_ok(zone))
        return -EINVAL;
    if (!set_ok(zone, zone->negative_soa, 0, image + limit))
        return -EINVAL;
    end = image + last;
    if (node_name_len(image + first))
        return -EINVAL;
    for (node = image + first; node < end; nodes++) {
        if (!node_ok(zone, &node, end))
            return -EINVAL;
    }
    if (nodes != dns_zone_names(zone) || (IS_ENABLED(CONFIG_DNS_DNSSEC) && !denial_ok(zone)))
        return -EINVAL;
    return 0;
}

uint32_t dns_zone_records(const struct dns_zone *zone)
{
    return dns_le32(zone->image + IMAGE_OFF_RECORDS);
}

uint32_t dns_zone_names(const struct dns_zone *zone)
{
    return dns_le32(zone->image + IMAGE_OFF_NODE_COUNT);
}

uint32_t dns_zone_serial(const struct dns_zone *zone)
{
    return dns_le32(zone->image + IMAGE_OFF_SERIAL);
}

void dns_zone_text(const struct dns_zone *zone, char *text)
{
    dns_name_text(zone->name, text);
}
