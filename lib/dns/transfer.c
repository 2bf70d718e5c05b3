/* SPDX-License-Identifier: ISC */
/*
 * Zone transfer: see transfer.h.
 *
 * The zone's image is walked from the first name to the last, so the place where a message ends is all
 * there is to remember (struct dns_transfer), and a message can be made again from the same place. A set
 * is copied as for an answer: the question is the apex, so its owner C00C needs but the labels below the
 * apex put in front of it, and names in its data are counted from there.
 *
 * A message has at most DNS_TRANSFER_MESSAGE octets unless its first set alone is larger.
 */
#include "lib/dns/transfer.h"

#include "lib/dns/access.h"
#include "lib/dns/denial.h"

/* The phases of a transfer: what comes next. */
enum { BEGIN, NODES, HASHED, END };

/* The parts of a set. */
enum { RECORDS, SIGNATURES };

/* The name whose sets are being written. */
struct owner {
    const uint8_t *labels; /* below the apex */
    unsigned len;
    bool written; /* in this message: r->name_pos is where */
};

/* Has the records after the one at RECORD say by a pointer that they are the owner's. */
static void point_to_owner(const struct reply *r, uint8_t *record)
{
    const uint8_t *end = r->out + r->pos;

    for (record += RECORD_HEADER + dns_be16(record + RECORD_HEADER - 2); record < end;
         record += RECORD_HEADER + dns_be16(record + RECORD_HEADER - 2))
        dns_put_be16(record, (uint16_t)(POINTER_BITS | r->name_pos));
}

static bool copy_part(struct reply *r, const uint8_t *set, unsigned part, uint16_t owner)
{
    if (part == SIGNATURES)
        return reply_add_signatures(r, set, owner);
    return reply_add(r, SECTION_ANSWER, set, owner);
}

/* Appends a part of a set under a name that the message does not have yet. */
static bool put_named(struct reply *r, struct owner *owner, const uint8_t *set, unsigned part)
{
    size_t start = r->pos;

    if (owner->len > r->limit - start)
        return false;
    memcpy(r->out + start, owner->labels, owner->len);
    r->name_pos = (unsigned)start;
    r->name_len = owner->len;
    r->pos += owner->len;
    if (!copy_part(r, set, part, OWNER_POINTER)) {
        r->pos = start;
        return false;
    }
    point_to_owner(r, r->out + start + owner->len);
    owner->written = true;
    return true;
}

/* Appends a part of a set. False when it does not fit. */
static bool put_part(struct reply *r, struct owner *owner, const uint8_t *set, unsigned part)
{
    bool done;

    if (!owner->len) {
        r->name_pos = HEADER_SIZE;
        r->name_len = 0;
    }
    if (owner->len && !owner->written)
        done = put_named(r, owner, set, part);
    else
        done = copy_part(r, set, part, (uint16_t)(POINTER_BITS | r->name_pos));
    r->limit = MAX(r->pos, MIN(r->limit, DNS_TRANSFER_MESSAGE));
    return done;
}

/* Appends what is left of a set. */
static bool put_set(struct reply *r, struct dns_transfer *p, struct owner *owner,
                    const uint8_t *set)
{
    if (p->part == RECORDS && !put_part(r, owner, set, RECORDS))
        return false;
    p->part = SIGNATURES;
    if (set_is_signed(set) && !put_part(r, owner, set, SIGNATURES))
        return false;
    p->part = RECORDS;
    return true;
}

/* Appends what is left of the node, and goes on to the next one. */
static bool put_node(struct task *t, struct dns_transfer *p)
{
    const uint8_t *node = t->zone->image + 4 * (size_t)p->number, *set = node_first_set(node);
    struct owner owner = {node_name(node), node_name_len(node), false};

    for (unsigned i = 0; i < node_sets(node); i++, set = set_next(set)) {
        if (i < p->set)
            continue;
        /* The SOA has come first, but for its signatures. */
        if (set_type(set) == TYPE_SOA)
            p->part = SIGNATURES;
        if (!put_set(&t->r, p, &owner, set))
            return false;
        p->set = i + 1;
    }
    p->set = 0;
    p->number = (uint32_t)((ROUND_UP((size_t)(set - t->zone->image), 4)) / 4);
    return true;
}

static bool put_nodes(struct task *t, struct dns_transfer *p)
{
    while (p->number < dns_le32(t->zone->image + IMAGE_OFF_NODES_END)) {
        if (!put_node(t, p))
            return false;
    }
    return true;
}

/* Appends the NSEC3 sets. */
static bool put_hashed(struct task *t, struct dns_transfer *p)
{
    uint8_t label[DENIAL_LABEL];

    if (!IS_ENABLED(CONFIG_DNS_DNSSEC) || !(t->zone->features & FEATURE_NSEC3))
        return true;
    for (; p->number < t->zone->denials; p->number++) {
        struct owner owner = {label, sizeof(label), false};

        if (!put_set(&t->r, p, &owner, denial_nsec3(t->zone, p->number, label)))
            return false;
    }
    return true;
}

static bool put_soa(struct task *t)
{
    struct owner apex = {NULL, 0, false};

    return put_part(&t->r, &apex, node_find_set(zone_apex(t->zone), TYPE_SOA), RECORDS);
}

/* Appends what is left of the zone, as far as there is room. */
static bool put_zone(struct task *t, struct dns_transfer *p)
{
    switch (p->phase) {
    case BEGIN:
        if (!put_soa(t))
            return false;
        p->phase = NODES;
        p->number = dns_le32(t->zone->image + IMAGE_OFF_NODES);
        /* fall through */
    case NODES:
        if (!put_nodes(t, p))
            return false;
        p->phase = HASHED;
        p->number = 0;
        /* fall through */
    case HASHED:
        if (!put_hashed(t, p))
            return false;
        p->phase = END;
        /* fall through */
    default:
        return put_soa(t);
    }
}

/* Has the client of an IXFR this version of the zone already, or a later one (RFC 1982)? */
static bool is_current(const struct task *t)
{
    const uint8_t *msg = t->query;
    size_t at = t->q.authority_at;
    uint8_t name[DNS_NAME_MAX];
    const uint8_t *fields, *end;

    /* The record was stepped over when the query was parsed, so its length is right. */
    while (msg[at] && msg[at] < 0xc0)
        at += msg[at] + 1u;
    fields = msg + at + (msg[at] ? 2 : 1);
    end = fields + 10 + dns_be16(fields + 8);
    if (dns_be16(fields) != TYPE_SOA || dns_be16(fields + 8) < 22 ||
        !dns_name_expand(msg, t->query_len, (size_t)(fields + 10 - msg), name))
        return false;
    return (int32_t)(dns_be32(end - 20) - dns_zone_serial(t->zone)) >= 0;
}

/* Is the zone the one which the transfer began with? If not, this message ends it (RFC 5936 section 2.2). */
static bool same_version(const struct task *t, struct dns_transfer *p)
{
    if (!IS_ENABLED(CONFIG_DNS_SECONDARY) || !p)
        return true;
    if (p->phase == BEGIN)
        p->version = t->zone->version;
    p->more = p->more && p->version == t->zone->version;
    return p->version == t->zone->version;
}

void transfer_answer(struct task *t)
{
    struct dns_transfer *p = t->client ? t->client->transfer : NULL;
    const struct dns_query *q = &t->q;

    if (!t->client || !t->db->access ||
        !access_allows(t->db->access, t->client, q->tsig_at ? t->tsig->key : NULL))
        return;
    t->zone = dns_db_find(t->db, &q->key, q->key.labels);
    if (!t->zone || t->zone->labels != q->key.labels) {
        t->r.rcode = DNS_NOTAUTH;
        return;
    }
    if (q->type == TYPE_AXFR && !p)
        return; /* over UDP there is none */
    t->r.rcode = DNS_SERVFAIL;
    if (!zone_is_there(t->zone) || !same_version(t, p))
        return;
    t->r.rcode = DNS_NOERROR;
    t->r.flags |= FLAG_AA;
    t->r.apex_pos = HEADER_SIZE;
    t->r.dnssec = false; /* signatures are sent as records of their own */
    t->r.sent_count = REPLY_SENT_MAX;
    if (!p || (q->type == TYPE_IXFR && q->authority_at && is_current(t)))
        (void)put_soa(t);
    else {
        if (IS_ENABLED(CONFIG_DNS_COUNTERS) && p->phase == BEGIN)
            t->stats->transfers++;
        p->more = !put_zone(t, p);
    }
    if (p && p->more && !t->r.count[SECTION_ANSWER]) { /* what comes next fits into no message */
        t->r.rcode = DNS_SERVFAIL;
        p->more = false;
    }
}
