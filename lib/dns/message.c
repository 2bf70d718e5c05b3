/* SPDX-License-Identifier: ISC */
/*
 * The message around an answer: header and OPT record (RFC 1035 section 4.1, RFC 6891).
 */
#include "lib/dns/counters.h"
#include "lib/dns/task.h"

static size_t put_opt(struct task *t, uint8_t *out)
{
    unsigned len = message_put_opt(out, t->r.rcode, t->q.dnssec_ok), options;

    if (!IS_ENABLED(CONFIG_DNS_EDNS))
        return len;
    options = edns_put(&t->edns, t->db->identity, t->r.rcode, t->r.pos, t->max, out + len);
    dns_put_be16(out + len - 2, options);
    return len + options;
}

/*
 * Verifies a query with a TSIG record. One that is malformed, or for whose answer's record there is no
 * room, gets an answer without.
 */
static void verify(struct task *t)
{
    const struct dns_transfer *place = t->client ? t->client->transfer : NULL;
    struct reply *r = &t->r;
    unsigned room;

    *t->tsig = (struct tsig){.more = place && place->more};
    if (t->tsig->more)
        memcpy(t->tsig->mac, place->mac, DNS_MAC_MAX);
    r->rcode = (uint8_t)tsig_verify(t->tsig, t->db->access, &t->q, t->query, t->query_len,
                                    t->client ? t->client->now : 0);
    if (r->rcode == DNS_FORMERR) {
        t->q.tsig_at = 0;
        return;
    }
    room = tsig_room(t->tsig, &t->q, t->query, t->query_len);
    if (room > r->limit - r->pos) {
        t->q.tsig_at = 0;
        r->rcode = DNS_NOTAUTH;
    } else {
        r->limit -= room;
        t->max -= room;
    }
}

/* Signs the message, complete but for its TSIG record. */
static void sign(struct task *t)
{
    struct reply *r = &t->r;

    r->pos += tsig_sign(t->tsig, &t->q, t->query, t->query_len, r->out, r->pos,
                        t->client ? t->client->now : 0);
    dns_put_be16(r->out + 10, (uint16_t)(dns_be16(r->out + 10) + 1));
    if (t->client && t->client->transfer)
        memcpy(t->client->transfer->mac, t->tsig->mac, DNS_MAC_MAX);
}

/* Completes header and OPT record; returns the length of the message. */
static size_t finish(struct task *t, struct dns_stats *stats)
{
    struct reply *r = &t->r;
    uint8_t *out = r->out;

    if (t->q.edns)
        r->pos += put_opt(t, out + r->pos);
    out[2] = FLAG_QR | (t->query[2] & (0x78 | FLAG_RD)) | r->flags;
    out[3] = r->rcode & 15;
    dns_put_be16(out + 4, t->q.question_len != 0);
    dns_put_be16(out + 6, r->count[SECTION_ANSWER]);
    dns_put_be16(out + 8, r->count[SECTION_AUTHORITY]);
    dns_put_be16(out + 10, r->count[SECTION_ADDITIONAL] + t->q.edns);
    if (IS_ENABLED(CONFIG_DNS_TSIG) && t->q.tsig_at)
        sign(t);
    stats->rcode[r->rcode]++;
    stats->truncated += (r->flags & FLAG_TC) != 0;
    return r->pos;
}

static size_t reply_limit(const struct dns_query *q, size_t cap, unsigned flags)
{
    size_t limit = MIN(cap, DNS_TCP_MAX);

    if (!(flags & DNS_TCP))
        limit = MIN(limit, MIN(q->udp_size, DNS_UDP_MAX));
    return limit;
}

/* No question at all is one for a cookie (RFC 7873 section 5.4). */
static bool wants_cookie_alone(const struct dns_edns *e, const uint8_t *query)
{
    return e->cookie && !(query[2] & 0x78) && dns_be32(query + 4) == 0 && dns_be16(query + 8) == 0;
}

/*
 * What the EDNS options call for: a response code, and room for those of the answer. Beside a long question
 * and a signature there may be none: then the answer goes without.
 */
static void read_options(struct task *t, const struct dns_client *client, const uint8_t *query,
                         unsigned flags, struct dns_stats *stats)
{
    struct reply *r = &t->r;
    unsigned room;

    int rcode = edns_read(&t->edns, t->db->identity, client, query + t->q.options_at,
                          t->q.options_len, flags & DNS_TCP);
    if (r->rcode == DNS_NOERROR)
        r->rcode = (uint8_t)rcode;
    else if (rcode == DNS_NOERROR && wants_cookie_alone(&t->edns, query))
        r->rcode = t->edns.cookie_wrong ? DNS_BADCOOKIE : DNS_NOERROR;
    stats->cookies += t->edns.cookie_valid;
    room = edns_room(&t->edns, t->db->identity);
    if (room > r->limit - r->pos)
        t->edns.nsid = t->edns.cookie = t->edns.keepalive = false;
    else
        r->limit -= room;
}

/* Has the client shown that it is who it says? Not by a signature which is old, and may be another's. */
static bool is_known(const struct task *t)
{
    if (IS_ENABLED(CONFIG_DNS_TSIG) && t->q.tsig_at && t->tsig->key && !t->tsig->error)
        return true;
    return IS_ENABLED(CONFIG_DNS_EDNS) && t->edns.cookie_valid;
}

/* Counts the answer; false when it is not to be sent. One that slips through is emptied. */
static bool limit(struct task *t, const struct dns_client *client, struct dns_stats *stats)
{
    struct reply *r = &t->r;
    enum limit_verdict verdict;

    if (!t->db->limiter || !client || is_known(t))
        return true;
    if (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN) {
        t->kind = LIMIT_ERROR;
        t->number = r->rcode;
    }
    verdict = limit_answer(t->db->limiter, client, t->kind, t->number);
    if (verdict == LIMIT_SEND)
        return true;
    stats->limited++;
    if (verdict == LIMIT_DROP)
        return false;
    stats->slipped++;
    r->pos = HEADER_SIZE + t->q.question_len;
    memset(r->count, 0, sizeof(r->count));
    r->flags |= FLAG_TC;
    return true;
}

/* Tells who listens of a NOTIFY. */
static void answer_notify(struct task *t)
{
    struct dns_listener *listener = t->db->listener;
    const struct tsig_key *key = IS_ENABLED(CONFIG_DNS_TSIG) && t->q.tsig_at ? t->tsig->key : NULL;

    t->r.flags |= FLAG_AA;
    if (t->q.type != TYPE_SOA)
        t->r.rcode = DNS_FORMERR;
    else if (!listener || t->q.class != CLASS_IN)
        t->r.rcode = DNS_NOTAUTH;
    else
        t->r.rcode = (uint8_t)listener->notified(listener, &t->q.key, t->client, key);
}

/* Finds the answer to what is not plain. False when none is to be sent. */
static bool find_answer(struct task *t, const struct dns_client *client, unsigned flags,
                        struct dns_stats *stats)
{
    struct reply *r = &t->r;
    bool wrong_signature = false;

    t->minimal = flags & DNS_MINIMAL;
    t->positive = false;
    t->chain = 0;
    t->wildcards = 0;
    r->referral = false;
    r->dnssec = IS_ENABLED(CONFIG_DNS_DNSSEC) && t->q.dnssec_ok;
    r->sent_count = 0;
    r->ref_count = 0;
    if (IS_ENABLED(CONFIG_DNS_COUNTERS))
        t->stats = stats;
    if (IS_ENABLED(CONFIG_DNS_LIMIT)) {
        t->kind = LIMIT_DATA;
        t->number = 0;
    }
    if (IS_ENABLED(CONFIG_DNS_TSIG) && t->q.tsig_at) {
        verify(t);
        wrong_signature = r->rcode != DNS_NOERROR;
    }
    if (t->q.edns && t->q.edns_version && !wrong_signature)
        r->rcode = DNS_BADVERS;
    else if (IS_ENABLED(CONFIG_DNS_EDNS) && t->q.edns)
        read_options(t, client, t->query, flags, stats);
    if (r->rcode == DNS_NOERROR && IS_ENABLED(CONFIG_DNS_SECONDARY) && t->q.notify)
        answer_notify(t);
    else if (r->rcode == DNS_NOERROR && t->q.question_len)
        answer_question(t);
    return !IS_ENABLED(CONFIG_DNS_LIMIT) || flags & DNS_TCP || limit(t, client, stats);
}

size_t dns_answer_fully(const struct dns_db *db, const struct dns_client *client,
                        const uint8_t *query, size_t len, uint8_t *out, size_t cap, unsigned flags,
                        struct dns_stats *stats)
{
    struct task t;
    struct reply *r = &t.r;
    struct tsig tsig;

    stats->queries++;
    stats->tcp += flags & DNS_TCP;
    if (len < HEADER_SIZE || query[2] & FLAG_QR) {
        stats->dropped++;
        return 0;
    }
    r->rcode = (uint8_t)dns_query_parse(&t.q, query, len);
    if (IS_ENABLED(CONFIG_DNS_COUNTERS) && t.q.question_len)
        counters_type(stats, t.q.type);
    if (IS_ENABLED(CONFIG_DNS_XFR)) {
        t.client = client;
        t.tsig = &tsig;
    }
    if (IS_ENABLED(CONFIG_DNS_EDNS))
        t.edns = (struct dns_edns){0};
    t.db = db;
    t.query = query;
    t.query_len = len;
    t.max = reply_limit(&t.q, cap, flags);
    r->out = out;
    r->flags = 0;
    r->count[SECTION_ANSWER] = r->count[SECTION_AUTHORITY] = r->count[SECTION_ADDITIONAL] = 0;
    r->pos = HEADER_SIZE + t.q.question_len;
    r->limit = t.max - (t.q.edns ? OPT_SIZE : 0);
    if (out == query) /* which is looked at while the answer is written */
        t.query = memmove(out + cap, query, len);
    else
        memcpy(out, query, r->pos);
    return find_answer(&t, client, flags, stats) ? finish(&t, stats) : 0;
}
