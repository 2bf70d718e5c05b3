/* SPDX-License-Identifier: ISC */
/*
 * The plain question: its name exists as it stands, what it asks for is one set there, and nothing else is to be
 * said. Most questions are like that, and the answer is the question with a copy of the set behind it.
 *
 * So nothing is noted of the query: it is read where it lies, and its name compared and hashed there, eight octets at a
 * time. As the header lies in front of the name, a word that ends with the name's last octets can always be read; those in
 * front of them are masked. The names of the zone are in lower case, and most are asked for so: only what is not the same
 * as it stands is lowered.
 *
 * The general way (query.c, answer.c) would answer with the same octets, and gets what is not plain: what that is
 * costs little to find out.
 */
#include "lib/dns/counters.h"
#include "lib/dns/task.h"

/* Where a query's OPT record is, TAIL being behind its name; NULL when it has no records. */
static ALWAYS_INLINE const uint8_t *opt_of(const uint8_t *query, const uint8_t *tail)
{
    return dns_le32(query + 8) ? tail + QUESTION_TAIL : NULL;
}

/* Is the only record between AT and END, RECORDS being the last two counts of the header, an OPT record of version 0
 * without options that count? */
static bool is_plain_opt(uint32_t records, const uint8_t *at, const uint8_t *end)
{
    if (records != 0x01000000 || end - at < OPT_SIZE ||
        (dns_le64(at) & UINT64_C(0x00ff000000ffffff)) != TYPE_OPT << 16)
        return false;
    return dns_be16(at + OPT_SIZE - 2) <= (IS_ENABLED(CONFIG_DNS_EDNS) ? 0 : end - at - OPT_SIZE);
}

/*
 * Reads header, question and OPT record; returns what is behind the name and sets *labels to their number. NULL when
 * something is unusual or wrong. The header has to be that of a query with one question and no answer.
 */
static ALWAYS_INLINE const uint8_t *read_query(const uint8_t *query, size_t len, unsigned *labels)
{
    const uint8_t *at = query + HEADER_SIZE, *end;
    unsigned n;

    if (len < HEADER_SIZE + 1 + QUESTION_TAIL || query[2] & (FLAG_QR | OPCODE) ||
        dns_le32(query + 4) != DNS_BE(16, 1))
        return NULL;
    end = query + MIN(len - QUESTION_TAIL, (size_t)HEADER_SIZE + DNS_NAME_MAX);
    for (*labels = 0; (n = *at) - 1 < DNS_LABEL_MAX; ++*labels) {
        at += n + 1;
        if (at >= end)
            return NULL;
    }
    at++;
    if (n || dns_be16(at + 2) != CLASS_IN)
        return NULL;
    if (dns_le32(query + 8) && !is_plain_opt(dns_le32(query + 8), at + QUESTION_TAIL, query + len))
        return NULL;
    return at;
}

/* Is the zone's name, of N octets, that which ends at TAIL? Most need no more than two words, as they stand. */
static ALWAYS_INLINE bool is_zone_name(const uint8_t *tail, const uint8_t *name, unsigned n)
{
    if (n >= 8 && n <= 16 && dns_le64(tail - n) == dns_le64(name) &&
        dns_le64(tail - 8) == dns_le64(name + n - 8))
        return true;
    return dns_same_name(tail, name + n, n);
}

/* The first of the zones that may have the name of N octets that ends at TAIL, where several have as many labels. */
static __attribute__((noinline)) const struct dns_zone *
first_of_several(const struct dns_db *db, const uint8_t *tail, unsigned n)
{
    return db->buckets[dns_hash_end(tail, n, dns_lowered(dns_le64(tail - 8))) & db->mask];
}

/* db_find() for the name of so many labels from NAME to TAIL, with *apex where the zone's name begins. NULL also when the
 * zone has no data. */
static ALWAYS_INLINE const struct dns_zone *find_zone(const struct dns_db *db, const uint8_t *name,
                                                      const uint8_t *tail, unsigned labels,
                                                      const uint8_t **apex)
{
    for (unsigned i = 0; i < db->depth_count; i++) {
        const struct dns_zone *z = db->depth[i].only;
        const uint8_t *at = name;

        if (labels < db->depth[i].labels)
            continue;
        for (unsigned k = labels - db->depth[i].labels; k; k--)
            at += *at + 1;
        if (!z)
            z = first_of_several(db, tail, tail - at);
        for (; z; z = z->next) {
            if (z->name_len == tail - at && is_zone_name(tail, z->name, z->name_len)) {
                *apex = at;
                return zone_is_there(z) ? z : NULL;
            }
        }
    }
    return NULL;
}

/* Is the set one that answers a question for its type plainly? It asks for no more than data, and the answer is not from
 * the parent's zone, has no addresses beside it and no pointers to be counted. */
static ALWAYS_INLINE bool is_plain_set(const uint8_t *set)
{
    switch (set_type(set)) {
    case TYPE_NS:
    case TYPE_DS:
        return false;
    default:
        return set_type(set) < TYPE_META && !set_fixups_len(set);
    }
}

/* The set that answers the question, or NULL. */
static ALWAYS_INLINE const uint8_t *find_set(const struct dns_db *db, const uint8_t *query,
                                             const uint8_t *tail, unsigned labels)
{
    const uint8_t *apex, *node, *set, *opt;
    const struct dns_zone *zone = find_zone(db, query + HEADER_SIZE, tail, labels, &apex);

    if (!zone)
        return NULL;
    if (IS_ENABLED(CONFIG_DNS_DNSSEC) && zone->features & FEATURE_SIGNED) {
        opt = opt_of(query, tail);
        if (opt && opt[7] & EDNS_DO)
            return NULL;
    }
    node = zone_find(zone, query + HEADER_SIZE, apex - query - HEADER_SIZE);
    if (!node || node_flags(node) & (NODE_CUT | NODE_BELOW | NODE_DNAME))
        return NULL;
    set = node_search_set(node, dns_be16(tail));
    return set && is_plain_set(set) ? set : NULL;
}

/* N octets, at least those of a record's header: the last word overlaps the one before it. */
static ALWAYS_INLINE void copy_records(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t at = 0; at < n - 8; at += 8)
        dns_put_le64(to + at, dns_le64(from + at));
    dns_put_le64(to + n - 8, dns_le64(from + n - 8));
}

size_t dns_answer_plain(const struct dns_db *db, uint8_t *message, size_t len,
                        struct dns_stats *stats)
{
    unsigned labels, most = DNS_UDP_MIN;
    const uint8_t *tail = read_query(message, len, &labels), *set, *opt;
    bool dnssec_ok;
    uint8_t *to;

    if (!tail)
        return 0;
    set = find_set(db, message, tail, labels);
    if (!set)
        return 0;
    opt = opt_of(message, tail);
    if (opt)
        most = MIN(MAX(dns_be16(opt + 3), DNS_UDP_MIN), DNS_UDP_MAX) - OPT_SIZE;
    to = message + (tail + QUESTION_TAIL - message);
    len = to - message + set_records_len(set);
    if (len > most)
        return 0;
    stats->queries++;
    stats->rcode[DNS_NOERROR]++;
    if (IS_ENABLED(CONFIG_DNS_COUNTERS))
        counters_type(stats, set_type(set));
    dnssec_ok = opt && opt[7] & EDNS_DO; /* before it is written over */
    copy_records(to, set_records(set), set_records_len(set));
    /* The rest of the header stays as it is. */
    dns_put_le16(message + 2, FLAG_QR | FLAG_AA | (message[2] & FLAG_RD));
    dns_put_be16(message + 6, set_count(set));
    if (opt)
        len += message_put_opt(message + len, DNS_NOERROR, dnssec_ok);
    return len;
}
