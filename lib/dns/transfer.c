/* SPDX-License-Identifier: ISC */
/*
 * Zone transfer: see transfer.h.
 *
 * The zone's image is walked from the first name to the last, so the place where a message ends is all
 * there is to remember (struct dns_transfer), and a message can be made again from the same place. A set
 * is copied as for an answer: the question is the apex, so its owner C00C needs but the labels below the
 * apex put in front of it, and names in its data are counted from there.
 *
 * Changes (history.h) are there as they are sent, so the place is how far they were copied.
 *
 * A message has at most DNS_TRANSFER_MESSAGE octets unless its first set alone is larger.
 */
#include "lib/dns/transfer.h"

#include "lib/dns/access.h"
#include "lib/dns/denial.h"
#include "lib/dns/history.h"

/* The phases of a transfer: what comes next. */
enum { BEGIN, NODES, HASHED, CHANGES, END };

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

/* Appends the record of a change at AT under OWNER, a name that is the last one's or another. False: it does not fit. */
static bool put_change(struct reply *r, struct owner *owner, const uint8_t *at)
{
    unsigned len = at[0], data = dns_be16(at + 1 + len + CHANGE_FIELDS - 2);
    bool same = owner->written && owner->len == len && !memcmp(owner->labels, at + 1, len);
    size_t name = r->pos, need = (same ? 0 : len) + 2 + CHANGE_FIELDS + data;

    if (need > r->limit - r->pos)
        return false;
    if (!same) {
        memcpy(r->out + r->pos, at + 1, len);
        r->pos += len;
        *owner = (struct owner){at + 1, len, len && name <= POINTER_MAX};
        r->name_pos = (unsigned)name;
    }
    dns_put_be16(r->out + r->pos, same ? POINTER_BITS | r->name_pos : OWNER_POINTER);
    memcpy(r->out + r->pos + 2, at + 1 + len, CHANGE_FIELDS + data);
    r->pos += 2 + CHANGE_FIELDS + data;
    r->count[SECTION_ANSWER]++;
    r->limit = MAX(r->pos, MIN(r->limit, DNS_TRANSFER_MESSAGE));
    return true;
}

/* Appends the changes since the version p->set, the first one's from octet p->number on. */
static bool put_changes(struct task *t, struct dns_transfer *p)
{
    const struct dns_change *change = history_find(t->zone, p->set);
    struct owner owner = {NULL, 0, false};

    for (; change; change = change->next, p->number = 0) {
        p->set = change->from;
        while (p->number < change->size) {
            const uint8_t *at = change->octets + p->number;

            if (!put_change(&t->r, &owner, at))
                return false;
            at += 1 + at[0] + CHANGE_FIELDS;
            p->number = (uint32_t)(at + dns_be16(at - 2) - change->octets);
        }
    }
    return true;
}

/* Appends what is left of the zone but for its SOA. */
static bool put_zone(struct task *t, struct dns_transfer *p)
{
    if (p->phase == NODES) {
        if (!put_nodes(t, p))
            return false;
        p->phase = HASHED;
        p->number = 0;
    }
    return put_hashed(t, p);
}

/* The version that the client of an IXFR has (RFC 1995 section 3). False: it does not say. */
static bool client_serial(const struct task *t, uint32_t *serial)
{
    const uint8_t *msg = t->query;
    size_t at = t->q.authority_at;
    uint8_t name[DNS_NAME_MAX];
    const uint8_t *fields, *end;

    if (t->q.type != TYPE_IXFR || !at)
        return false;
    /* The record was stepped over when the query was parsed, so its length is right. */
    while (msg[at] && msg[at] < 0xc0)
        at += msg[at] + 1u;
    fields = msg + at + (msg[at] ? 2 : 1);
    end = fields + 10 + dns_be16(fields + 8);
    if (dns_be16(fields) != TYPE_SOA || dns_be16(fields + 8) < 22 ||
        !dns_name_expand(msg, t->query_len, (size_t)(fields + 10 - msg), name))
        return false;
    *serial = dns_be32(end - 20);
    return true;
}

/* Has the client of an IXFR this version of the zone already, or a later one (RFC 1982)? */
static bool is_current(const struct task *t)
{
    uint32_t serial;

    return client_serial(t, &serial) && (int32_t)(serial - dns_zone_serial(t->zone)) >= 0;
}

/* The first of the changes that lead the client's version to ours, NULL if the whole zone is to be sent. */
static const struct dns_change *wanted_change(const struct task *t)
{
    const struct dns_change *change;
    uint32_t serial;

    if (!IS_ENABLED(CONFIG_DNS_IXFR) || !client_serial(t, &serial))
        return NULL;
    change = history_find(t->zone, serial);
    return change && history_is_short(t->zone, change) ? change : NULL;
}

/* Appends the SOA, and makes up what is to follow. */
static bool begin(struct task *t, struct dns_transfer *p)
{
    const struct dns_change *change = wanted_change(t);

    if (!put_soa(t))
        return false;
    p->phase = change ? CHANGES : NODES;
    p->number = change ? 0 : dns_le32(t->zone->image + IMAGE_OFF_NODES);
    p->set = change ? change->from : 0;
    return true;
}

/* Appends what is left of the transfer, as far as there is room. */
static bool put_rest(struct task *t, struct dns_transfer *p)
{
    if (p->phase == BEGIN && !begin(t, p))
        return false;
    if ((p->phase == NODES || p->phase == HASHED) && !put_zone(t, p))
        return false;
    if (IS_ENABLED(CONFIG_DNS_IXFR) && p->phase == CHANGES && !put_changes(t, p))
        return false;
    p->phase = END;
    return put_soa(t);
}

static void count(const struct task *t, bool differences)
{
    if (IS_ENABLED(CONFIG_DNS_COUNTERS)) {
        t->stats->transfers += !differences;
        t->stats->differences += differences;
    }
}

/* All changes if one datagram can have them, else the SOA alone: then the client asks over TCP (RFC 1995 section 2). */
static void put_datagram(struct task *t)
{
    struct dns_transfer place = {0};
    struct reply *r = &t->r;
    size_t start = r->pos;

    if (wanted_change(t) && put_rest(t, &place)) {
        count(t, true);
        return;
    }
    r->pos = start;
    r->count[SECTION_ANSWER] = 0;
    (void)put_soa(t);
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
        !access_allows(t->db->access, t->client, q->tsig_at ? t->tsig->key : NULL)) {
        if (IS_ENABLED(CONFIG_DNS_EDNS))
            t->edns.error = EDNS_PROHIBITED;
        return;
    }
    t->zone = dns_db_find(t->db, &q->key, q->key.labels);
    if (!t->zone || t->zone->labels != q->key.labels) {
        t->r.rcode = DNS_NOTAUTH;
        return;
    }
    if (q->type == TYPE_AXFR && !p) { /* over UDP there is none */
        if (IS_ENABLED(CONFIG_DNS_EDNS))
            t->edns.error = EDNS_NOT_SUPPORTED;
        return;
    }
    t->r.rcode = DNS_SERVFAIL;
    if (!same_version(t, p) || !zone_is_there(t->zone)) {
        if (IS_ENABLED(CONFIG_DNS_EDNS) && !zone_is_there(t->zone))
            t->edns.error = EDNS_INVALID_DATA;
        return;
    }
    t->r.rcode = DNS_NOERROR;
    t->r.flags |= FLAG_AA;
    t->r.apex_pos = HEADER_SIZE;
    t->r.dnssec = false; /* signatures are sent as records of their own */
    t->r.sent_count = REPLY_SENT_MAX;
    if (is_current(t)) {
        (void)put_soa(t);
    } else if (!p) {
        put_datagram(t);
    } else {
        if (p->phase == BEGIN)
            count(t, wanted_change(t));
        p->more = !put_rest(t, p);
    }
    if (p && p->more && !t->r.count[SECTION_ANSWER]) { /* what comes next fits into no message */
        t->r.rcode = DNS_SERVFAIL;
        p->more = false;
    }
}
