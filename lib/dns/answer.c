/* SPDX-License-Identifier: ISC */
/*
 * The answer to one question: the algorithm of RFC 1034 section 4.3.2 with wildcards by RFC 4592,
 * DNAME by RFC 6672, negative answers by RFC 2308, ANY by RFC 8482, EDNS(0) by RFC 6891, truncation by RFC 2181
 * section 9 and RFC 9471, signed zones by RFC 4035 section 3.1 and RFC 5155 section 7.2.
 *
 * The reply begins with the query's own header and question, so the case of the question is kept
 * and the question's name stands at a known place. Names in the reply point there.
 */
#include "lib/dns/denial.h"
#include "lib/dns/task.h"
#include "lib/dns/transfer.h"

#include <errno.h>

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

/* Has the answer count as one of KIND, unless it is something more special already. */
static void count_as(struct task *t, enum limit_kind kind, uint32_t number)
{
    if (IS_ENABLED(CONFIG_DNS_LIMIT) && t->kind == LIMIT_DATA) {
        t->kind = kind;
        t->number = number;
    }
}

/* Is the client to be given proofs of what the zone does not have? */
static ALWAYS_INLINE bool wants_proof(const struct task *t)
{
    return IS_ENABLED(CONFIG_DNS_DNSSEC) && t->r.dnssec && t->zone->features & FEATURE_SIGNED;
}

static void require(struct task *t, bool fits)
{
    if (!fits)
        t->r.flags |= FLAG_TC;
}

static void answer_negative(struct task *t, unsigned rcode, const struct dns_match *match)
{
    t->r.rcode = rcode;
    count_as(t, LIMIT_NOTHING, t->zone->hash);
    if (t->q.class == CLASS_ANY)
        return;
    add_required(t, SECTION_AUTHORITY, t->zone->negative_soa, apex_owner(t));
    if (!wants_proof(t))
        return;
    if (match->exact)
        require(t, denial_type(&t->r, t->zone, &t->q.key, match->depth));
    else
        require(t, denial_name(&t->r, t->zone, &t->q.key, match->depth));
}

static void answer_referral(struct task *t, const struct dns_match *match)
{
    const uint8_t *set = node_find_set(match->cut, TYPE_NS);
    uint16_t owner = owner_at(t, match->cut_depth);

    count_as(t, LIMIT_REFERRAL, dns_key_hash(&t->q.key, t->zone->labels + match->cut_depth));
    if (!t->chain)
        t->r.flags &= ~FLAG_AA;
    if (!set)
        return;
    t->r.referral = true;
    reply_want_addresses(&t->r, set);
    add_required(t, SECTION_AUTHORITY, set, owner);
    if (!wants_proof(t))
        return;
    set = node_find_set(match->cut, TYPE_DS);
    if (set)
        add_required(t, SECTION_AUTHORITY, set, owner);
    else
        require(t, denial_type(&t->r, t->zone, &t->q.key, match->cut_depth));
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
    if (!t->minimal || set_type(set) == TYPE_NS)
        reply_want_addresses(&t->r, set);
    add_required(t, SECTION_ANSWER, set, owner);
    t->positive = t->q.type != TYPE_DS && t->q.type != TYPE_DNSKEY;
}

/* All signatures at NODE. False when there are none. */
static bool answer_signatures(struct task *t, const uint8_t *node, uint16_t owner)
{
    const uint8_t *set = node_first_set(node);
    bool any = false;

    for (unsigned n = node_sets(node); n; n--, set = set_next(set)) {
        if (!set_is_signed(set))
            continue;
        any = true;
        require(t, reply_add_signatures(&t->r, set, owner));
    }
    t->positive = any;
    return any;
}

static void add_apex_ns(struct task *t)
{
    const uint8_t *ns = node_find_set(zone_apex(t->zone), TYPE_NS);

    if (!ns || reply_has(&t->r, ns, 0))
        return;
    reply_want_addresses(&t->r, ns);
    if (!reply_add(&t->r, SECTION_AUTHORITY, ns, apex_owner(t)))
        t->r.ref_count--;
}

/* A wildcard stood for the name looked at: that this does not exist is to be proved at the end. */
static void note_wildcard(struct task *t)
{
    count_as(t, LIMIT_WILDCARD, t->zone->hash);
    if (wants_proof(t) && t->wildcards < ARRAY_SIZE(t->wildcard)) {
        t->wildcard[t->wildcards++] = t->r.name_pos;
    }
}

/* Makes the name at out[pos], whose key is in t->q.key, the one to look at in ZONE. */
static void look_at(struct task *t, const struct dns_zone *zone, size_t pos)
{
    struct reply *r = &t->r;

    t->zone = zone;
    r->name_pos = reply_resolve(r, pos);
    r->name_len = key_offset(zone, &t->q.key, 0);
    r->apex_pos = reply_position(r, 0);
}

/* The zone that answers for the name in t->q.key. The parent does for a DS (RFC 4035 section 3.1.4.1). */
static const struct dns_zone *zone_of_name(const struct task *t)
{
    const struct dns_key *key = &t->q.key;
    const struct dns_zone *zone = NULL;

    if (t->q.type == TYPE_DS && key->labels)
        zone = dns_db_find(t->db, key, key->labels - 1);
    return zone ? zone : dns_db_find(t->db, key, key->labels);
}

/* Proves for each name that a wildcard stood for that it does not exist itself. */
static void prove_wildcards(struct task *t)
{
    const struct dns_zone *zone = t->zone;
    unsigned last = t->r.name_pos;

    for (unsigned i = 0; i < t->wildcards; i++) {
        struct dns_match match;

        if (!reply_read_name(&t->r, t->wildcard[i], &t->q.key))
            return;
        look_at(t, zone_of_name(t), t->wildcard[i]);
        dns_zone_match(t->zone, &t->q.key, &match);
        require(t, denial_wildcard(&t->r, t->zone, &t->q.key, match.depth));
    }
    if (reply_read_name(&t->r, last, &t->q.key))
        look_at(t, zone, last);
}

/*
 * Makes the name at out[target], an alias's data, the one to look at. False when it is not to be
 * followed: too many were, the reply has got so long that no set can follow which points to names of its own,
 * it leads nowhere new, or to no zone of ours. The client then asks for the target itself.
 */
static bool follow(struct task *t, size_t target)
{
    struct reply *r = &t->r;
    const struct dns_zone *zone;

    if (++t->chain > CHAIN_MAX || r->pos >= RELOC_SELF_MAX ||
        !reply_next_name(r, target, &t->q.key))
        return false;
    zone = zone_of_name(t);
    if (!zone || !zone_is_there(zone))
        return false;
    look_at(t, zone, target);
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
    count_as(t, LIMIT_WILDCARD, t->zone->hash);
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
    /* A question for a CNAME, or for any type, is answered by this one (RFC 1034 section 3.6.2). */
    return !err && t->q.type != TYPE_CNAME && t->q.type != TYPE_ANY &&
           follow(t, alias + RECORD_HEADER);
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
        answer_negative(t, DNS_NXDOMAIN, &match);
        return false;
    }
    if (IS_ENABLED(CONFIG_DNS_DNSSEC) && t->q.type == TYPE_RRSIG &&
        answer_signatures(t, match.node, owner)) {
        if (!match.exact)
            note_wildcard(t);
        return false;
    }
    set = t->q.type == TYPE_ANY ? any_set(match.node) : node_find_set(match.node, t->q.type);
    if (!set && node_flags(match.node) & NODE_CNAME) {
        set = node_find_set(match.node, TYPE_CNAME);
        if (!set || reply_has(&t->r, set, match.exact ? 0 : owner))
            return false;
        if (!match.exact)
            note_wildcard(t);
        return follow_cname(t, set, owner);
    }
    if (!set) {
        answer_negative(t, DNS_NOERROR, &match);
        return false;
    }
    if (!match.exact)
        note_wildcard(t);
    answer_positive(t, set, owner);
    return false;
}

void answer_question(struct task *t)
{
    struct dns_query *q = &t->q;

    t->r.rcode = DNS_REFUSED;
    if (IS_ENABLED(CONFIG_DNS_EDNS) && q->class == CLASS_CHAOS && chaos_answer(t))
        return;
    if (q->class != CLASS_IN && q->class != CLASS_ANY)
        return;
    if (q->type >= TYPE_META && q->type < TYPE_ANY) {
        if (IS_ENABLED(CONFIG_DNS_XFR) && q->class == CLASS_IN &&
            (q->type == TYPE_AXFR || q->type == TYPE_IXFR))
            transfer_answer(t);
        else if (IS_ENABLED(CONFIG_DNS_EDNS))
            t->edns.error = EDNS_NOT_SUPPORTED;
        return;
    }
    t->zone = zone_of_name(t);
    if (!t->zone)
        return;
    t->r.rcode = DNS_SERVFAIL;
    if (!zone_is_there(t->zone)) {
        if (IS_ENABLED(CONFIG_DNS_EDNS))
            t->edns.error = EDNS_INVALID_DATA;
        return;
    }
    t->r.rcode = DNS_NOERROR;
    if (IS_ENABLED(CONFIG_DNS_LIMIT))
        t->number = dns_key_hash(&q->key, q->key.labels);
    t->r.flags |= FLAG_AA;
    t->r.name_pos = HEADER_SIZE;
    t->r.name_len = key_offset(t->zone, &q->key, 0);
    t->r.apex_pos = HEADER_SIZE + t->r.name_len;
    while (answer_name(t))
        ;
    if (IS_ENABLED(CONFIG_DNS_DNSSEC) && t->wildcards)
        prove_wildcards(t);
    if (q->class == CLASS_ANY)
        t->r.flags &= ~FLAG_AA;
    else if (t->positive && !t->minimal && !(t->r.flags & FLAG_TC))
        add_apex_ns(t);
    if (t->r.ref_count && !(t->r.flags & FLAG_TC))
        reply_add_addresses(&t->r, t->zone);
}
