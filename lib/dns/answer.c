/* SPDX-License-Identifier: ISC */
/*
 * The answer to one query: the algorithm of RFC 1034 section 4.3.2 with wildcards by RFC 4592,
 * DNAME by RFC 6672, negative answers by RFC 2308, ANY by RFC 8482, EDNS(0) by RFC 6891, truncation by RFC 2181
 * section 9 and RFC 9471.
 *
 * The reply begins with the query's own header and question, so the case of the question is kept
 * and the question's name stands at a known place. Names in the reply point there.
 */
#include "lib/dns/query.h"
#include "lib/dns/reply.h"

#include <errno.h>

enum { CHAIN_MAX = 16 }; /* CNAMEs followed in one answer */

/* One query being answered: its question, and the name looked at now in its zone. */
struct task {
    const struct dns_db *db;
    const struct dns_zone *zone;
    bool minimal;
    unsigned chain;
    struct dns_query q;
    struct reply r;
};

static uint16_t owner_at(const struct task *t, unsigned depth)
{
    unsigned len = t->r.name_len - key_offset(t->zone, &t->q.key, depth);

    return POINTER_BITS | reply_position(&t->r, len);
}

static uint16_t apex_owner(const struct task *t)
{
    return POINTER_BITS | t->r.apex_pos;
}

static void add_required(struct task *t, enum reply_section section, const uint8_t *set,
                         uint16_t owner)
{
    if (!reply_add(&t->r, section, set, owner))
        t->r.flags |= FLAG_TC;
}

static void answer_negative(struct task *t, unsigned rcode)
{
    t->r.rcode = rcode;
    if (t->q.class != CLASS_ANY)
        add_required(t, SECTION_AUTHORITY, t->zone->negative_soa, apex_owner(t));
}

static void answer_referral(struct task *t, const struct dns_match *match)
{
    const uint8_t *set = node_find_set(match->cut, TYPE_NS);

    if (!t->chain)
        t->r.flags &= ~FLAG_AA;
    if (!set)
        return;
    t->r.referral = true;
    reply_want_addresses(&t->r, set);
    add_required(t, SECTION_AUTHORITY, set, owner_at(t, match->cut_depth));
}

/* The one set that answers ANY: the first of the common types, else the first of all. */
static const uint8_t *any_set(const uint8_t *node)
{
    static const uint8_t preferred[] = {TYPE_A, TYPE_AAAA, TYPE_SOA, TYPE_MX, TYPE_PTR};

    for (unsigned i = 0; i < ARRAY_SIZE(preferred); i++) {
        const uint8_t *set = node_find_set(node, preferred[i]);

        if (set)
            return set;
    }
    return node_sets(node) ? node_first_set(node) : NULL;
}

static void answer_positive(struct task *t, const uint8_t *set, uint16_t owner)
{
    const uint8_t *ns;

    if (!t->minimal || set_type(set) == TYPE_NS)
        reply_want_addresses(&t->r, set);
    add_required(t, SECTION_ANSWER, set, owner);
    if (t->minimal || t->r.flags & FLAG_TC || t->q.class == CLASS_ANY || t->q.type == TYPE_DS ||
        t->q.type == TYPE_DNSKEY)
        return;
    ns = node_find_set(zone_apex(t->zone), TYPE_NS);
    if (!ns || reply_has(&t->r, ns, 0))
        return;
    reply_want_addresses(&t->r, ns);
    if (!reply_add(&t->r, SECTION_AUTHORITY, ns, apex_owner(t)))
        t->r.ref_count--;
}

/*
 * Makes the name at out[target], an alias's data, the one to look at. False when it is not to be
 * followed: too many were, it leads nowhere new, or to no zone of ours.
 */
static bool follow(struct task *t, size_t target)
{
    struct reply *r = &t->r;
    const struct dns_zone *zone;

    if (++t->chain > CHAIN_MAX || !reply_next_name(r, target, &t->q.key))
        return false;
    zone = dns_db_find(t->db, &t->q.key, t->q.key.labels);
    if (!zone)
        return false;
    t->zone = zone;
    r->name_pos = reply_resolve(r, target);
    r->name_len = key_offset(zone, &t->q.key, 0);
    r->apex_pos = reply_position(r, 0);
    return true;
}

/* Adds a CNAME and looks at its target next. */
static bool follow_cname(struct task *t, const uint8_t *set, uint16_t owner)
{
    size_t target = t->r.pos + RECORD_HEADER;

    add_required(t, SECTION_ANSWER, set, owner);
    return !(t->r.flags & FLAG_TC) && follow(t, target);
}

/*
 * The name lies below a DNAME: adds it, and the CNAME that it means for this name (RFC 6672 section
 * 3.1), and looks at that one's target next.
 */
static bool follow_dname(struct task *t, const struct dns_match *match)
{
    const uint8_t *set = node_find_set(match->cut, TYPE_DNAME);
    unsigned prefix = key_offset(t->zone, &t->q.key, match->cut_depth);
    struct reply *r = &t->r;
    size_t dname, alias;
    int err;

    if (!set)
        return false;
    if (!reply_has(r, set, 0))
        add_required(t, SECTION_ANSWER, set, owner_at(t, match->cut_depth));
    dname = reply_place(r, set);
    if (!dname)
        return false;
    alias = r->pos;
    err = reply_add_alias(r, prefix, dname);
    if (err == -ENAMETOOLONG)
        r->rcode = DNS_YXDOMAIN;
    else if (err)
        r->flags |= FLAG_TC;
    /* A question for a CNAME is answered by this one. */
    return !err && t->q.type != TYPE_CNAME && follow(t, alias + RECORD_HEADER);
}

/* Answers for the name looked at now. True when a CNAME leads to another one. */
static bool answer_name(struct task *t)
{
    struct dns_match match;
    const uint8_t *set;
    uint16_t owner = POINTER_BITS | t->r.name_pos;

    dns_zone_match(t->zone, &t->q.key, &match);
    if (match.cut && node_is_dname(match.cut))
        return follow_dname(t, &match);
    if (match.cut && !(match.cut == match.node && t->q.type == TYPE_DS)) {
        answer_referral(t, &match);
        return false;
    }
    if (!match.node) {
        answer_negative(t, DNS_NXDOMAIN);
        return false;
    }
    set = t->q.type == TYPE_ANY ? any_set(match.node) : node_find_set(match.node, t->q.type);
    if (set) {
        answer_positive(t, set, owner);
        return false;
    }
    if (node_flags(match.node) & NODE_CNAME) {
        set = node_find_set(match.node, TYPE_CNAME);
        return set && !reply_has(&t->r, set, match.exact ? 0 : owner) &&
               follow_cname(t, set, owner);
    }
    answer_negative(t, DNS_NOERROR);
    return false;
}

/* The zone that answers the question. The parent answers for a DS (RFC 4035 section 3.1.4.1). */
static const struct dns_zone *zone_of_question(const struct dns_db *db, const struct dns_query *q)
{
    const struct dns_zone *zone = dns_db_find(db, &q->key, q->key.labels);

    if (q->type == TYPE_DS && zone && zone->labels == q->key.labels && zone->labels) {
        const struct dns_zone *parent = dns_db_find(db, &q->key, q->key.labels - 1);

        if (parent)
            return parent;
    }
    return zone;
}

static void answer_question(struct task *t)
{
    struct dns_query *q = &t->q;

    t->r.rcode = DNS_REFUSED;
    if ((q->class != CLASS_IN && q->class != CLASS_ANY) || q->type == TYPE_AXFR ||
        q->type == TYPE_IXFR)
        return;
    t->zone = zone_of_question(t->db, q);
    if (!t->zone)
        return;
    t->r.rcode = DNS_NOERROR;
    t->r.flags |= FLAG_AA;
    t->r.name_pos = HEADER_SIZE;
    t->r.name_len = key_offset(t->zone, &q->key, 0);
    t->r.apex_pos = HEADER_SIZE + t->r.name_len;
    while (answer_name(t))
        ;
    if (q->class == CLASS_ANY)
        t->r.flags &= ~FLAG_AA;
    if (t->r.ref_count && !(t->r.flags & FLAG_TC))
        reply_add_addresses(&t->r, t->zone);
}

static size_t put_opt(uint8_t *out, unsigned rcode, bool dnssec_ok)
{
    out[0] = 0; /* owner: the root */
    dns_put_be16(out + 1, TYPE_OPT);
    dns_put_be16(out + 3, DNS_UDP_MAX);
    dns_put_be32(out + 5, (uint32_t)rcode >> 4 << 24 | (dnssec_ok ? EDNS_DO << 8 : 0));
    dns_put_be16(out + 9, 0); /* no options */
    return OPT_SIZE;
}

/* Completes header and OPT record; returns the length of the message. */
static size_t finish(struct task *t, const uint8_t *query, struct dns_stats *stats)
{
    struct reply *r = &t->r;
    uint8_t *out = r->out;

    if (t->q.edns)
        r->pos += put_opt(out + r->pos, r->rcode, t->q.dnssec_ok);
    out[2] = FLAG_QR | (query[2] & (0x78 | FLAG_RD)) | r->flags;
    out[3] = r->rcode & 15;
    dns_put_be16(out + 4, t->q.question_len != 0);
    dns_put_be16(out + 6, r->count[SECTION_ANSWER]);
    dns_put_be16(out + 8, r->count[SECTION_AUTHORITY]);
    dns_put_be16(out + 10, r->count[SECTION_ADDITIONAL] + t->q.edns);
    stats->rcode[r->rcode]++;
    stats->truncated += (r->flags & FLAG_TC) != 0;
    return r->pos;
}

static size_t reply_limit(const struct dns_query *q, size_t cap, unsigned flags)
{
    size_t limit = MIN(cap, DNS_TCP_MAX);

    if (!(flags & DNS_TCP))
        limit = MIN(limit, MIN(q->udp_size, DNS_UDP_MAX));
    return limit - (q->edns ? OPT_SIZE : 0);
}

size_t dns_answer(const struct dns_db *db, const uint8_t *query, size_t len, uint8_t *out,
                  size_t cap, unsigned flags, struct dns_stats *stats)
{
    struct task t;
    struct reply *r = &t.r;

    stats->queries++;
    stats->tcp += flags & DNS_TCP;
    if (len < HEADER_SIZE || query[2] & FLAG_QR) {
        stats->dropped++;
        return 0;
    }
    t.db = db;
    t.minimal = flags & DNS_MINIMAL;
    t.chain = 0;
    r->out = out;
    r->flags = 0;
    r->referral = false;
    r->sent_count = 0;
    r->ref_count = 0;
    memset(r->count, 0, sizeof(r->count));
    r->rcode = dns_query_parse(&t.q, query, len);
    if (r->rcode != DNS_NOERROR) {
        t.q.edns = false;
        t.q.question_len = 0;
    }
    r->pos = HEADER_SIZE + t.q.question_len;
    memcpy(out, query, r->pos);
    r->limit = reply_limit(&t.q, cap, flags);
    if (t.q.edns && t.q.edns_version)
        r->rcode = DNS_BADVERS;
    else if (r->rcode == DNS_NOERROR)
        answer_question(&t);
    return finish(&t, query, stats);
}
