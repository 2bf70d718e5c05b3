/* SPDX-License-Identifier: ISC */
/*
 * The plain question: its name exists as it stands, what it asks for is one set there, and nothing else is to be
 * said. Most questions are like that, and the answer is the question with a copy of the set behind it.
 *
 * So nothing is noted of the query, not even where its labels are: its name is compared where it lies, as octets, with
 * those of a zone and of a node. Where it ends is known from the query's end. If all octets of it, those in front of labels
 * too, are those of a name, then it is that name, and ends there; and if not, another question would have to be asked,
 * by the general way. As the header lies in front of the name, a word that ends with the last octets of any part of it can
 * always be read; those in front of them are masked. The names of the zone are in lower case, and most are asked for so:
 * only what is not the same as it stands is lowered.
 *
 * The general way (query.c, answer.c) would answer with the same octets, and gets what is not plain: what that is
 * costs little to find out.
 */
#include "lib/dns/counters.h"
#include "lib/dns/task.h"

/* Is what begins at AT an OPT record of version 0 without options that count, and nothing behind it? */
static ALWAYS_INLINE bool is_plain_opt(const uint8_t *at, const uint8_t *end)
{
    if ((dns_le64(at) & UINT64_C(0x00ff000000ffffff)) != TYPE_OPT << 16)
        return false;
    return dns_be16(at + OPT_SIZE - 2) == end - at - OPT_SIZE &&
           (!IS_ENABLED(CONFIG_DNS_EDNS) || end - at == OPT_SIZE);
}

/* The end of the name of a query with an OPT record that has options, which are ignored; NULL when it is not plain. */
static __attribute__((noinline, unused)) const uint8_t *tail_before_options(const uint8_t *query,
                                                                            const uint8_t *end)
{
    const uint8_t *at = query + HEADER_SIZE;

    while (at < end && *at)
        at += *at + 1;
    at++;
    return end - at >= QUESTION_TAIL + OPT_SIZE && is_plain_opt(at + QUESTION_TAIL, end) ? at
                                                                                         : NULL;
}

/* Has the query an OPT record? It begins behind the question. */
static ALWAYS_INLINE bool has_opt(const uint8_t *query)
{
    return dns_le16(query + 10);
}

/*
 * Reads the header, and an OPT record; returns what would be behind the name, at least one octet behind the header. NULL when
 * something is unusual or wrong. The header has to be that of a query with one question and no answer.
 */
static ALWAYS_INLINE const uint8_t *read_query(const uint8_t *query, size_t len)
{
    const uint8_t *end = query + len, *tail = end - QUESTION_TAIL;

    /* From the flags on, with both counts of other records. */
    if (len < HEADER_SIZE + 1 + QUESTION_TAIL ||
        (dns_le64(query + 2) & (UINT64_MAX << 16 | FLAG_QR | OPCODE)) != 1 << 24)
        return NULL;
    if (has_opt(query)) {
        if (dns_le16(query + 10) != 1 << 8)
            return NULL;
        tail -= OPT_SIZE;
        if (tail <= query + HEADER_SIZE || !is_plain_opt(tail + QUESTION_TAIL, end))
            tail = IS_ENABLED(CONFIG_DNS_EDNS) ? NULL : tail_before_options(query, end);
        if (!tail)
            return NULL;
    }
    return dns_le16(tail + 2) == CLASS_IN << 8 ? tail : NULL;
}

/* N octets, at least those of a record's header: from the end, and the first word may overlap the next. */
static ALWAYS_INLINE void copy_records(uint8_t *to, const uint8_t *from, size_t n)
{
    dns_put_le64(to, dns_le64(from));
    dns_put_le64(to + n - 8, dns_le64(from + n - 8));
    for (size_t at = n - 8; at > 8;) {
        at -= 8;
        dns_put_le64(to + at, dns_le64(from + at));
    }
}

/* The octets that an answer may have in front of its OPT record, if the query has one, at OPT. */
static __attribute__((noinline)) size_t most_before_opt(const uint8_t *query, const uint8_t *opt)
{
    if (!has_opt(query))
        return DNS_UDP_MIN;
    return MIN(MAX(dns_be16(opt + 3), DNS_UDP_MIN), DNS_UDP_MAX) - OPT_SIZE;
}

/* Puts the set behind the question that ends at TAIL, if that suffices, and returns the answer's length. */
static ALWAYS_INLINE size_t put_records(uint8_t *message, const uint8_t *tail, const uint8_t *set,
                                        struct dns_stats *stats)
{
    uint8_t *to = message + (tail + QUESTION_TAIL - message);
    size_t len = to - message + set_records_len(set);
    bool opt = has_opt(message), dnssec_ok;

    if (len > DNS_UDP_MIN - OPT_SIZE && len > most_before_opt(message, to))
        return 0;
    dnssec_ok = opt && to[7] & EDNS_DO; /* before it is written over */
    if (IS_ENABLED(CONFIG_DNS_COUNTERS))
        counters_type(stats, set_type(set));
    copy_records(to, set_records(set), set_records_len(set));
    /* The rest of the header stays as it is. */
    dns_put_le16(message + 2, FLAG_QR | FLAG_AA | (message[2] & FLAG_RD));
    dns_put_be16(message + 6, set_count(set));
    if (opt)
        len += message_put_opt(message + len, DNS_NOERROR, dnssec_ok);
    return len;
}

/* put_records() for a set with pointers, the question's name having LEN octets below the apex. Not for NS, whose addresses
 * would go with it. */
static __attribute__((noinline)) size_t put_pointers(uint8_t *message, const uint8_t *tail,
                                                     const uint8_t *set, unsigned len,
                                                     struct dns_stats *stats)
{
    const uint8_t *reloc = set_fixups(set);
    unsigned base = tail + QUESTION_TAIL - message;
    size_t size = set_type(set) == TYPE_NS ? 0 : put_records(message, tail, set, stats);

    for (unsigned i = size ? dns_le16(reloc) : 0; i; i--) {
        unsigned entry = dns_le16(reloc += 2);
        uint8_t *at = message + base + (entry & ~RELOC_SELF);
        unsigned value = dns_be16(at);

        dns_put_be16(at, entry & RELOC_SELF
                             ? value + base
                             : POINTER_BITS | (HEADER_SIZE + len - (value & POINTER_MAX)));
    }
    return size;
}

static ALWAYS_INLINE size_t put_set(uint8_t *message, const uint8_t *tail, const uint8_t *set,
                                    unsigned len, struct dns_stats *stats)
{
    return set_fixups_len(set) ? put_pointers(message, tail, set, len, stats)
                               : put_records(message, tail, set, stats);
}

/* Do the zone's answers to the query carry signatures? */
static ALWAYS_INLINE bool is_to_be_signed(const struct dns_zone *zone, const uint8_t *query,
                                          const uint8_t *tail)
{
    return IS_ENABLED(CONFIG_DNS_DNSSEC) && zone->features & FEATURE_SIGNED && has_opt(query) &&
           tail[QUESTION_TAIL + 7] & EDNS_DO;
}

/* The set that answers the question for what NODE has, or NULL. */
static ALWAYS_INLINE const uint8_t *find_set(const uint8_t *node, const uint8_t *tail)
{
    return node_flags(node) & (NODE_CUT | NODE_BELOW) ? NULL
                                                      : node_search_set(node, dns_be16(tail));
}

/* find_zone() for any names. Where several zones have as many labels they are found by a hash. */
static __attribute__((noinline)) const struct dns_zone *
search_zone(const struct dns_db *db, const uint8_t *name, const uint8_t *tail)
{
    const uint8_t *at = name;
    unsigned labels = 0, n;

    if (tail - name > DNS_NAME_MAX)
        return NULL;
    for (; at < tail && *at; at += *at + 1)
        labels++;
    if (at != tail - 1)
        return NULL;
    for (unsigned i = 0; i < db->depth_count; i++) {
        const struct dns_zone *z = db->depth[i].only;

        if (labels < db->depth[i].labels)
            continue;
        at = name;
        for (unsigned k = labels - db->depth[i].labels; k; k--)
            at += *at + 1;
        n = tail - at;
        if (!z)
            z = db->buckets[dns_hash_end(tail, n) & db->mask];
        for (; z; z = z->next) {
            if (z->name_len == n && dns_same_name(tail, z->name + n, n))
                return z;
        }
    }
    return NULL;
}

/* db_find() for the name from NAME to TAIL, if it is one: the zone with the longest name that it ends with. That may
 * have no data. */
static ALWAYS_INLINE const struct dns_zone *find_zone(const struct dns_db *db, const uint8_t *name,
                                                      const uint8_t *tail)
{
    const struct dns_depth *depth = db->depth;

    for (unsigned i = db->depth_count; i; i--, depth++) {
        uint64_t other = dns_le64(tail - 8) ^ depth->last;

        if (!other && depth->quick_len <= tail - name &&
            dns_le64(tail - depth->quick_len) == depth->first)
            return depth->only;
        /* But for the case of letters it may be this one. */
        if (!(other & depth->relevant))
            return search_zone(db, name, tail);
    }
    return NULL;
}

size_t dns_answer_plain(const struct dns_db *db, uint8_t *message, size_t len,
                        struct dns_stats *stats)
{
    const uint8_t *name = message + HEADER_SIZE, *tail = read_query(message, len);
    const uint8_t *node = NULL, *set;
    const struct dns_zone *zone = tail ? find_zone(db, name, tail) : NULL;
    unsigned n;

    if (!zone || !zone_is_there(zone) || is_to_be_signed(zone, message, tail))
        return 0;
    n = tail - name - zone->name_len;
    if (n - 1 < 8) {
        uint64_t word = dns_le64(name + n - 8) & dns_last_octets(n);
        uint32_t hash = dns_hash_word(DNS_HASH_SEED, word) >> 32;
        const uint8_t *slot = zone_slot(zone, hash);

        node = zone_candidate(zone, hash, n, &slot);
        if (!node)
            return 0;
        if ((dns_le64(node_name(node) + n - 8) & dns_last_octets(n)) != word)
            node = NULL;
    } else if (!n && dns_be16(tail) == TYPE_DS) {
        return 0; /* it is the parent's */
    }
    if (!node)
        node = zone_find(zone, name, n);
    set = node ? find_set(node, tail) : NULL;
    return set ? put_set(message, tail, set, n, stats) : 0;
}
