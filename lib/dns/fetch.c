/* SPDX-License-Identifier: ISC */
/*
 * Asking for a zone: see fetch.h. The records of all messages of a transfer, one after the other, begin and
 * end with the zone's SOA (RFC 5936 section 2.2). If the second one is an SOA, too, they are differences (RFC
 * 1995 section 4): what was removed from one version, behind its SOA, and what was added in the next, behind
 * that one's; and so on up to the version that is offered.
 */
#include "lib/dns/fetch.h"

#include "lib/dns/entry.h"
#include "lib/dns/image.h"
#include "lib/dns/rrtype.h"
#include "lib/dns/unpack.h"

#include <errno.h>

enum { SOA_TAIL = 20 }; /* octets of an SOA's numbers */

static enum fetch_result fail(struct fetch *f, const char *reason)
{
    size_t len = strlen(reason);

    len = MIN(len, FETCH_REASON_MAX - 1);
    memcpy(f->reason, reason, len);
    f->reason[len] = '\0';
    return FETCH_FAILED;
}

/* The builder's messages: the first error is the reason. Warnings are for who writes the zone. */
static void report(void *ctx, enum dns_severity severity, const struct dns_place *place,
                   const char *message)
{
    struct fetch *f = ctx;

    (void)place;
    if (severity == DNS_ERROR && !f->reason[0])
        (void)fail(f, message);
}

static void pause_builder(void *ctx)
{
    struct fetch *f = ctx;

    if (f->pause)
        f->pause();
}

/* Appends an SOA with the serial that we have (RFC 1995 section 3); the other fields mean nothing. */
static size_t put_serial(uint8_t *at, uint32_t serial)
{
    static const uint8_t soa[] = {0xc0, HEADER_SIZE, 0, TYPE_SOA, 0, CLASS_IN,
                                  0,    0,           0, 0,        0, 2 + SOA_TAIL};

    memcpy(at, soa, sizeof(soa));
    memset(at + sizeof(soa), 0, 2 + SOA_TAIL);
    dns_put_be32(at + sizeof(soa) + 2, serial);
    return sizeof(soa) + 2 + SOA_TAIL;
}

size_t fetch_begin(struct fetch *f, const struct fetch_question *q, uint8_t query[FETCH_QUERY_MAX])
{
    const struct dns_sink sink = {.report = report, .pause = pause_builder, .ctx = f};
    size_t len = HEADER_SIZE, name_len = dns_name_length(q->name, DNS_NAME_MAX);

    *f = (struct fetch){.name = q->name, .type = q->type, .id = q->id, .key = q->key};
    if (f->type != TYPE_SOA) {
        f->builder = dns_builder_new(&sink);
        if (!f->builder)
            return 0;
        dns_builder_verify(f->builder);
        if (q->room)
            dns_builder_limit(f->builder, q->room);
    }
    memset(query, 0, HEADER_SIZE);
    dns_put_be16(query, f->id);
    query[5] = 1;
    memcpy(query + len, f->name, name_len);
    len += name_len;
    dns_put_be16(query + len, f->type);
    dns_put_be16(query + len + 2, CLASS_IN);
    len += QUESTION_TAIL;
    if (f->type == TYPE_IXFR) {
        f->old = q->old;
        query[9] = 1;
        len += put_serial(query + len, dns_zone_serial(f->old));
    }
    if (IS_ENABLED(CONFIG_DNS_TSIG) && f->key)
        len += tsig_request(&f->stream, f->key, query, len, q->now);
    return len;
}

void fetch_end(struct fetch *f)
{
    dns_builder_free(f->builder);
    f->builder = NULL;
}

/* Is the question, which later messages of a transfer may leave out, the one that was asked? */
static bool question_ok(const struct fetch *f, struct message *m)
{
    unsigned count = dns_be16(m->octets + 4);
    uint8_t name[DNS_NAME_MAX];

    if (count == 0)
        return f->answered;
    if (count != 1 || !message_name(m, name) || m->len - m->pos < QUESTION_TAIL)
        return false;
    m->pos += QUESTION_TAIL;
    return dns_name_equal(name, f->name) && dns_be16(m->octets + m->pos - 4) == f->type &&
           dns_be16(m->octets + m->pos - 2) == CLASS_IN;
}

static const char *rcode_text(unsigned rcode)
{
    static const char *const texts[] = {
        NULL,
        "it answers FORMERR",
        "it answers SERVFAIL",
        "it answers NXDOMAIN",
        "it answers NOTIMP",
        "it answers REFUSED",
    };

    if (rcode < ARRAY_SIZE(texts))
        return texts[rcode];
    return rcode == DNS_NOTAUTH ? "it answers NOTAUTH" : "it answers with an error";
}

/* What is wrong with the header, or NULL. */
static const char *header_wrong(const struct fetch *f, const uint8_t *octets, size_t len)
{
    if (len < HEADER_SIZE)
        return "a message is cut short";
    if (dns_be16(octets) != f->id)
        return "an answer to another question";
    if (!(octets[2] & FLAG_QR) || octets[2] & 0x78)
        return "no answer";
    if (octets[2] & FLAG_TC)
        return "a truncated answer";
    return NULL;
}

/* Why the builder has failed, unless it has reported that. */
static enum fetch_result fail_by(struct fetch *f, int err)
{
    if (err == -ENOTSUP)
        return fail(f, "the zone needs CONFIG_DNS_DNAME or CONFIG_DNS_DNSSEC");
    if (err == -EFBIG)
        return fail(f, "the zone is too large");
    if (err == -ENOSPC)
        return fail(f, "it takes more than half of the free memory, or zone-max=: give it more");
    return f->reason[0] ? FETCH_FAILED : fail(f, "memory is short");
}

/* Gives a record to the builder; REMOVE: takes it away. */
static enum fetch_result give(struct fetch *f, const struct message *m, const struct entry *e,
                              bool remove)
{
    uint8_t buffer[ENTRY_DATA_MAX];
    struct dns_record record = {.owner = e->owner,
                                .ttl = e->ttl > INT32_MAX ? 0 : e->ttl, /* RFC 2181 section 8 */
                                .type = (uint16_t)e->type,
                                .remove = remove};
    size_t len;
    int err;

    record.data = entry_data(m, e, buffer, &len);
    if (!record.data)
        return fail(f, "malformed data");
    record.len = (uint16_t)len;
    err = dns_builder_add(f->builder, &record, &(struct dns_place){.file = ""});
    if (err)
        return fail_by(f, err);
    return f->reason[0] ? FETCH_FAILED : FETCH_MORE;
}

static enum fetch_result add(struct fetch *f, const struct message *m, const struct entry *e)
{
    return give(f, m, e, false);
}

/* The first record is the SOA of the version that is offered. */
static enum fetch_result take_first(struct fetch *f, const struct message *m, const struct entry *e,
                                    uint32_t serial)
{
    f->serial = serial;
    f->part = f->type == TYPE_SOA ? FETCH_END : FETCH_SECOND;
    if (f->type == TYPE_SOA)
        return FETCH_DONE;
    return add(f, m, e);
}

/* An SOA behind the first one: the end, or in an IXFR (RFC 1995 section 4) the next part. */
static enum fetch_result take_mark(struct fetch *f, uint32_t serial)
{
    switch (f->part) {
    case FETCH_SECOND:
        if (!f->old)
            break;
        if (serial != dns_zone_serial(f->old))
            return fail(f, "differences from another version");
        f->differences = true;
        f->part = FETCH_REMOVED;
        return FETCH_MORE;
    case FETCH_REMOVED:
        f->step = serial;
        f->part = FETCH_ADDED;
        return FETCH_MORE;
    case FETCH_ADDED:
        if (serial != f->step)
            return fail(f, "differences that do not follow each other");
        if (serial == f->serial)
            break;
        f->part = FETCH_REMOVED;
        return FETCH_MORE;
    default:
        break;
    }
    if (serial != f->serial)
        return fail(f, "the SOA at the end is another than at the beginning");
    f->part = FETCH_END;
    return FETCH_DONE;
}

static enum fetch_result take_soa(struct fetch *f, const struct message *m, const struct entry *e)
{
    uint8_t buffer[ENTRY_DATA_MAX];
    size_t len;
    const uint8_t *data = entry_data(m, e, buffer, &len);
    uint32_t serial;

    if (!data || !dns_rdata_ok(TYPE_SOA, data, len))
        return fail(f, "malformed SOA");
    serial = dns_be32(data + len - SOA_TAIL);
    return f->part == FETCH_FIRST ? take_first(f, m, e, serial) : take_mark(f, serial);
}

static enum fetch_result take_record(struct fetch *f, const struct message *m,
                                     const struct entry *e)
{
    if (f->type == TYPE_SOA && f->part == FETCH_END)
        return FETCH_DONE; /* its signature, for one */
    if (f->part == FETCH_END)
        return fail(f, "records after the SOA at the end");
    if (e->class != CLASS_IN)
        return fail(f, "a record of another class");
    if (e->type == TYPE_SOA && dns_name_equal(e->owner, f->name))
        return take_soa(f, m, e);
    if (f->part == FETCH_FIRST)
        return fail(f, f->type == TYPE_SOA ? "no SOA in the answer" : "no SOA at the beginning");
    if (f->part == FETCH_SECOND)
        f->part = FETCH_WHOLE;
    return give(f, m, e, f->part == FETCH_REMOVED);
}

/* Takes the records of the answer section. */
static enum fetch_result take_answers(struct fetch *f, struct message *m)
{
    enum fetch_result result = FETCH_MORE;
    struct entry e;

    for (unsigned n = dns_be16(m->octets + 6); n; n--) {
        if (!message_entry(m, &e))
            return fail(f, "a malformed record");
        result = take_record(f, m, &e);
        if (result == FETCH_FAILED)
            return result;
    }
    return result;
}

/* Steps over the other sections to the end of the message; the last record may be its signature. */
static const char *take_rest(struct fetch *f, struct message *m, uint32_t now)
{
    unsigned count = dns_be16(m->octets + 8) + dns_be16(m->octets + 10);
    struct entry e = {.type = 0};

    for (unsigned n = count; n; n--) {
        if (!message_entry(m, &e))
            return "a malformed record";
        if (e.type == TYPE_TSIG && n != 1)
            return "malformed signature";
    }
    if (!IS_ENABLED(CONFIG_DNS_TSIG) || !f->key)
        return NULL;
    if (!count || e.type != TYPE_TSIG)
        e.at = e.fields = 0;
    return tsig_stream_take(&f->stream, m->octets, m->len, e.at, e.fields, now);
}

/* Why an answer has this response code. It may be without the question. */
static const char *refusal(struct fetch *f, struct message *m, unsigned rcode, uint32_t now)
{
    const char *wrong = NULL;

    /* A signature that is not taken is told by an answer which is not signed itself. */
    if (rcode == DNS_NOTAUTH && f->key && question_ok(f, m) && !dns_be16(m->octets + 6))
        wrong = take_rest(f, m, now);
    return wrong ? wrong : rcode_text(rcode);
}

enum fetch_result fetch_take(struct fetch *f, const uint8_t *msg, size_t len, uint32_t now)
{
    struct message m = {msg, len, HEADER_SIZE};
    const char *wrong = header_wrong(f, msg, len);
    enum fetch_result result;

    if (wrong)
        return fail(f, wrong);
    if (msg[3] & 15)
        return fail(f, refusal(f, &m, msg[3] & 15, now));
    if (!question_ok(f, &m))
        return fail(f, "an answer to another question");
    if (f->type == TYPE_SOA && !(msg[2] & FLAG_AA))
        return fail(f, "it is not authoritative for the zone");
    f->answered = true;
    result = take_answers(f, &m);
    if (result == FETCH_FAILED)
        return result;
    wrong = take_rest(f, &m, now);
    if (wrong)
        return fail(f, wrong);
    if (result == FETCH_DONE && IS_ENABLED(CONFIG_DNS_TSIG) && f->key && f->stream.since)
        return fail(f, "the end is not signed");
    if (result == FETCH_MORE && f->type == TYPE_SOA)
        return fail(f, "no SOA in the answer");
    return result;
}

/* The differences are from our version: its records, but the SOA, come before them. */
static int put_old_zone_first(struct fetch *f)
{
    uint32_t count = dns_builder_count(f->builder);
    int err = unpack_zone(f->old, f->builder);

    dns_builder_put_first(f->builder, count);
    return err;
}

int fetch_finish(struct fetch *f, uint8_t **image, size_t *size)
{
    int err = f->differences ? put_old_zone_first(f) : 0;

    if (!err)
        err = dns_builder_finish(f->builder, image, size);
    if (err)
        (void)fail_by(f, err);
    fetch_end(f);
    return err;
}
