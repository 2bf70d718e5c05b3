/* SPDX-License-Identifier: ISC */
/*
 * Writing sets of records into a reply (layout of a set: image.h).
 *
 * A set is copied as it is; then its owner is changed, if it is not the question's name, and its
 * compression pointers get their values. Pointers to names of its own need the set to begin low
 * enough in the message (RELOC_SELF_MAX); further up such a set counts as one that does not fit. Only an
 * optional one can: no name is looked at that stands there, and what has to be said of a name comes first.
 */
#include "lib/dns/reply.h"

#include <errno.h>

static void set_owner(uint8_t *record, const uint8_t *end, uint16_t owner)
{
    for (; record < end; record += RECORD_HEADER + dns_be16(record + RECORD_HEADER - 2))
        dns_put_be16(record, owner);
}

static bool is_pointer(const struct reply *r, size_t pos)
{
    return r->out[pos] >= 0xc0;
}

static unsigned pointer_target(const struct reply *r, size_t pos)
{
    return dns_be16(r->out + pos) & POINTER_MAX;
}

unsigned reply_resolve(const struct reply *r, size_t pos)
{
    while (is_pointer(r, pos))
        pos = pointer_target(r, pos);
    return pos;
}

unsigned reply_position(const struct reply *r, unsigned len)
{
    unsigned pos = r->name_pos, left = r->name_len - len;

    if (pos == HEADER_SIZE)
        return pos + left;
    while (left && r->out[pos] < left) {
        left -= r->out[pos] + 1u;
        pos = reply_resolve(r, pos + r->out[pos] + 1u);
    }
    return pos;
}

/* Writes the compression pointers of the set copied to out[pos]. */
static bool relocate(struct reply *r, const uint8_t *set)
{
    const uint8_t *reloc = set_fixups(set);
    uint8_t *records = r->out + r->pos;

    for (unsigned n = dns_le16(reloc); n; n--) {
        unsigned entry = dns_le16(reloc += 2);
        uint8_t *at = records + (entry & ~RELOC_SELF);

        if (!(entry & RELOC_SELF)) {
            dns_put_be16(at, POINTER_BITS | reply_position(r, dns_be16(at) & POINTER_MAX));
        } else {
            if (r->pos >= RELOC_SELF_MAX)
                return false;
            dns_put_be16(at, dns_be16(at) + r->pos);
        }
    }
    return true;
}

/* Remembers that SET is written at the end of the reply. */
static void note_sent(struct reply *r, const uint8_t *set, uint16_t owner)
{
    if (r->sent_count < REPLY_SENT_MAX) {
        r->sent[r->sent_count].set = set;
        if (IS_ENABLED(CONFIG_DNS_DNAME))
            r->sent[r->sent_count].pos = r->pos;
        r->sent[r->sent_count++].owner = owner;
    }
}

/* Appends the signatures of SET, for which there is room. */
static void put_signatures(struct reply *r, enum reply_section section, const uint8_t *set,
                           uint16_t owner)
{
    const uint8_t *signatures = set_signatures(set);
    unsigned len = signatures_len(signatures);
    uint8_t *to = r->out + r->pos;

    memcpy(to, signatures + SIGNATURES_HEADER, len);
    set_owner(to, to + len, owner);
    r->pos += len;
    r->count[section] += signatures_count(signatures);
}

/* The octets of SET's signatures if they are to be sent. */
static unsigned wanted_signatures(const struct reply *r, const uint8_t *set)
{
    return r->dnssec && set_is_signed(set) ? signatures_len(set_signatures(set)) : 0;
}

bool reply_add(struct reply *r, enum reply_section section, const uint8_t *set, uint16_t owner)
{
    unsigned len = set_records_len(set), signatures = wanted_signatures(r, set);
    uint8_t *to = r->out + r->pos;

    if (len + signatures > r->limit - r->pos) {
        /* What is only helpful may go without its signatures (RFC 4035 section 3.1.1). */
        if (section != SECTION_ADDITIONAL || len > r->limit - r->pos)
            return false;
        signatures = 0;
    }
    memcpy(to, set_records(set), len);
    if (set_fixups_len(set) && !relocate(r, set))
        return false;
    if (owner != OWNER_POINTER)
        set_owner(to, to + len, owner);
    note_sent(r, set, owner);
    r->pos += len;
    r->count[section] += set_count(set);
    if (signatures)
        put_signatures(r, section, set, owner);
    return true;
}

bool reply_add_signatures(struct reply *r, const uint8_t *set, uint16_t owner)
{
    if (signatures_len(set_signatures(set)) > r->limit - r->pos)
        return false;
    put_signatures(r, SECTION_ANSWER, set, owner);
    return true;
}

/* The owner of sets with names of their own, which is no pointer. */
enum { OWNER_NAMED = 1 };

/*
 * Appends records under a name: LEN octets of labels and the pointer REST; then pointers to it, if it stands where
 * they can point to (RFC 1035 section 4.1.4).
 */
static void put_named(struct reply *r, const uint8_t *record, const uint8_t *end, size_t owner,
                      const uint8_t *labels, unsigned len, uint16_t rest)
{
    uint8_t *to = r->out + r->pos;

    while (record < end) {
        unsigned n = record_next(record) - record;

        if (owner > POINTER_MAX || to == r->out + owner) {
            memcpy(to, labels, len);
            to += len;
        } else if (len) {
            rest = POINTER_BITS | owner;
        }
        memcpy(to, record, n);
        dns_put_be16(to, rest);
        record += n;
        to += n;
    }
    r->pos = to - r->out;
}

bool reply_add_named(struct reply *r, const uint8_t *set, const uint8_t *labels, unsigned len,
                     unsigned shared)
{
    unsigned signed_len = wanted_signatures(r, set), count = set_count(set);
    uint16_t rest = POINTER_BITS | (shared ? reply_position(r, shared) : r->apex_pos);
    const uint8_t *signatures = set_signatures(set), *records = signatures + SIGNATURES_HEADER;
    size_t owner = r->pos;

    if (reply_has(r, set, OWNER_NAMED))
        return true;
    if (signed_len)
        count += signatures_count(signatures);
    if (len * (owner > POINTER_MAX ? count : 1) + set_records_len(set) + signed_len >
        r->limit - owner)
        return false;
    note_sent(r, set, OWNER_NAMED);
    put_named(r, set_records(set), set_fixups(set), owner, labels, len, rest);
    put_named(r, records, records + signed_len, owner, labels, len, rest);
    r->count[SECTION_AUTHORITY] += count;
    return true;
}

bool reply_has(const struct reply *r, const uint8_t *set, uint16_t owner)
{
    for (unsigned i = 0; i < r->sent_count; i++) {
        if (r->sent[i].set == set && (!owner || r->sent[i].owner == owner))
            return true;
    }
    return false;
}

size_t reply_place(const struct reply *r, const uint8_t *set)
{
    for (unsigned i = 0; i < r->sent_count; i++) {
        if (r->sent[i].set == set)
            return r->sent[i].pos;
    }
    return 0;
}

/* Appends the first LEN octets, whole labels, of the name being answered. */
static void put_prefix(struct reply *r, unsigned len)
{
    unsigned pos = r->name_pos;

    while (len && r->out[pos] < len) {
        unsigned n = r->out[pos] + 1u;

        memcpy(r->out + r->pos, r->out + pos, n);
        r->pos += n;
        len -= n;
        pos = reply_resolve(r, pos + n);
    }
}

int reply_add_alias(struct reply *r, unsigned prefix, size_t dname)
{
    size_t target = dname + RECORD_HEADER, at = r->pos;
    unsigned len = dns_name_length(r->out + target, r->pos - target);

    if (!len)
        return -EMSGSIZE;
    if (prefix + len > DNS_NAME_MAX)
        return -ENAMETOOLONG;
    if (RECORD_HEADER + prefix + 2 > r->limit - r->pos)
        return -EMSGSIZE;
    dns_put_be16(r->out + at, POINTER_BITS | r->name_pos);
    dns_put_be16(r->out + at + 2, TYPE_CNAME);
    memcpy(r->out + at + 4, r->out + dname + 4, 6); /* class and TTL */
    dns_put_be16(r->out + at + 10, prefix + 2);
    r->pos = at + RECORD_HEADER;
    put_prefix(r, prefix);
    dns_put_be16(r->out + r->pos, POINTER_BITS | target);
    r->pos += 2;
    r->count[SECTION_ANSWER]++;
    return 0;
}

void reply_want_addresses(struct reply *r, const uint8_t *set)
{
    if (r->ref_count < REPLY_REFS_MAX) {
        r->ref[r->ref_count].set = set;
        r->ref[r->ref_count++].pos = r->pos;
    }
}

/* Adds addresses of NODE for a name that no pointer reaches: a referral's. False when they do not fit. */
static bool add_far_address(struct reply *r, const uint8_t *node, const uint8_t *set)
{
    unsigned len = node_name_len(node);

    if (!r->referral || len * set_count(set) + set_records_len(set) > r->limit - r->pos)
        return false;
    put_named(r, set_records(set), set_fixups(set), POINTER_MAX + 1, node_name(node), len,
              POINTER_BITS | r->apex_pos);
    r->count[SECTION_ADDITIONAL] += set_count(set);
    return true;
}

/* Adds NODE's addresses of one type, for the name at out[name]. False when they do not fit. */
static bool add_address(struct reply *r, const uint8_t *node, unsigned type, size_t name)
{
    const uint8_t *set = node_find_set(node, type);
    size_t at = is_pointer(r, name) ? pointer_target(r, name) : name;
    uint16_t owner = POINTER_BITS | at;
    bool asterisk = node_flags(node) & NODE_ASTERISK;

    /* What has been sent can no longer be told, and a set appears once (RFC 2181 section 5). */
    if (r->sent_count == REPLY_SENT_MAX && !r->referral)
        return true;
    /* One wildcard may stand for several names; any other set has one owner. */
    if (!set || reply_has(r, set, asterisk ? owner : 0))
        return true;
    if (at <= POINTER_MAX)
        return reply_add(r, SECTION_ADDITIONAL, set, owner);
    /* Who has no proofs to write under such names does not need the code: delegations to 600 servers are rare. */
    return IS_ENABLED(CONFIG_DNS_DNSSEC) && !asterisk && add_far_address(r, node, set);
}

static void add_refs(struct reply *r, const struct dns_zone *zone, const uint8_t *set, size_t pos,
                     unsigned type)
{
    const uint8_t *end, *ref = set_refs(set, &end);

    for (; ref < end; ref += REF_SIZE) {
        unsigned entry = dns_le16(ref);
        uint32_t node = dns_le32(ref + 2);

        if (!node ||
            add_address(r, zone->image + 4 * (size_t)node, type, pos + (entry & ~REF_NEEDED)))
            continue;
        if (r->referral && entry & REF_NEEDED)
            r->flags |= FLAG_TC;
    }
}

void reply_add_addresses(struct reply *r, const struct dns_zone *zone)
{
    for (unsigned i = 0; i < r->ref_count; i++) {
        add_refs(r, zone, r->ref[i].set, r->ref[i].pos, TYPE_A);
        add_refs(r, zone, r->ref[i].set, r->ref[i].pos, TYPE_AAAA);
    }
}

bool reply_read_name(const struct reply *r, size_t pos, struct dns_key *key)
{
    uint8_t name[DNS_NAME_MAX];
    unsigned len = dns_name_expand(r->out, r->pos, pos, name);

    return len && dns_key_parse(key, name, len) == len;
}

bool reply_next_name(const struct reply *r, size_t pos, struct dns_key *key)
{
    uint32_t hash = dns_key_hash(key, key->labels);

    return reply_read_name(r, pos, key) && dns_key_hash(key, key->labels) != hash;
}
