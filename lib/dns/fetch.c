/* SPDX-License-Identifier: ISC */
/*
 * Asking for a zone: see fetch.h. Parsing of messages by RFC 1035 section 4.1, of transfers by RFC 5936
 * section 2.2: the records of all messages, one after the other, begin and end with the zone's SOA.
 */
#include "lib/dns/fetch.h"

#include "lib/dns/image.h"
#include "lib/dns/rrtype.h"

#include <errno.h>

enum { FIELDS = 10, SOA_TAIL = 20 }; /* octets: behind a record's name; of an SOA's numbers */

/* A message being read. Each function that moves `pos` has looked whether what it passes is there. */
struct message {
    const uint8_t *octets;
    size_t len, pos;
};

/* A record of it. */
struct entry {
    uint8_t owner[DNS_NAME_MAX];
    size_t at, fields, data; /* where it is, what is behind its name, and its data */
    unsigned type, class, len;
    uint32_t ttl;
};

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

size_t fetch_begin(struct fetch *f, const uint8_t *name, unsigned type, uint16_t id,
                   const struct tsig_key *key, uint32_t now, uint8_t query[FETCH_QUERY_MAX])
{
    const struct dns_sink sink = {.report = report, .pause = pause_builder, .ctx = f};
    size_t len = HEADER_SIZE;

    *f = (struct fetch){.name = name, .type = (uint16_t)type, .id = id, .key = key};
    f->name_len = dns_name_length(name, DNS_NAME_MAX);
    if (type == TYPE_AXFR) {
        f->builder = dns_builder_new(&sink);
        if (!f->builder)
            return 0;
    }
    memset(query, 0, HEADER_SIZE);
    dns_put_be16(query, id);
    query[5] = 1;
    memcpy(query + len, name, f->name_len);
    len += f->name_len;
    dns_put_be16(query + len, f->type);
    dns_put_be16(query + len + 2, CLASS_IN);
    len += QUESTION_TAIL;
    if (IS_ENABLED(CONFIG_DNS_TSIG) && key)
        len += tsig_request(&f->stream, key, query, len, now);
    return len;
}

void fetch_end(struct fetch *f)
{
    dns_builder_free(f->builder);
    f->builder = NULL;
}

/* Steps over a name, which may be compressed, and gives it without compression; its octets, or 0. */
static unsigned read_name(struct message *m, uint8_t *name)
{
    unsigned len = dns_name_expand(m->octets, m->len, m->pos, name);

    if (!len)
        return 0;
    while (m->octets[m->pos] && m->octets[m->pos] < 0xc0)
        m->pos += m->octets[m->pos] + 1u;
    m->pos += m->octets[m->pos] ? 2 : 1;
    return len;
}

static bool read_entry(struct message *m, struct entry *e)
{
    const uint8_t *fields;

    e->at = m->pos;
    if (!read_name(m, e->owner) || m->len - m->pos < FIELDS)
        return false;
    fields = m->octets + m->pos;
    e->fields = m->pos;
    e->type = dns_be16(fields);
    e->class = dns_be16(fields + 2);
    e->ttl = dns_be32(fields + 4);
    e->len = dns_be16(fields + 8);
    e->data = m->pos + FIELDS;
    if (m->len - e->data < e->len)
        return false;
    m->pos = e->data + e->len;
    return true;
}

/* Is the question, which later messages of a transfer may leave out, the one that was asked? */
static bool question_ok(const struct fetch *f, struct message *m)
{
    unsigned count = dns_be16(m->octets + 4);
    uint8_t name[DNS_NAME_MAX];

    if (count == 0)
        return f->answered;
    if (count != 1 || !read_name(m, name) || m->len - m->pos < QUESTION_TAIL)
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

/*
 * Copies data with names of any of its fields compressed to OUT without compression, at most CAP octets.
 * Returns its length, or 0 when it is malformed.
 */
static size_t expand_data(const struct message *m, const struct entry *e, const char *format,
                          uint8_t *out, size_t cap)
{
    struct message part = {m->octets, e->data + e->len, e->data};
    size_t used = 0;

    for (; *format; format++) {
        size_t left = part.len - part.pos, n;

        if ((*format | 0x20) == 'n') {
            if (cap - used < DNS_NAME_MAX)
                return 0;
            n = read_name(&part, out + used);
            if (!n || part.pos > part.len)
                return 0;
        } else {
            n = dns_field_length(*format, part.octets + part.pos, left);
            if (n > left || n > cap - used)
                return 0;
            memcpy(out + used, part.octets + part.pos, n);
            part.pos += n;
        }
        used += n;
    }
    return part.pos == part.len ? used : 0;
}

static bool has_name(const char *format)
{
    return format && (strchr(format, 'n') || strchr(format, 'N'));
}

/* Gives a record to the builder. */
static enum fetch_result add(struct fetch *f, const struct message *m, const struct entry *e)
{
    uint8_t expanded[FETCH_NAMED_MAX + 2 * DNS_NAME_MAX];
    const char *format = dns_type_format(e->type);
    struct dns_record record = {.owner = e->owner,
                                .data = m->octets + e->data,
                                .ttl = e->ttl > INT32_MAX ? 0 : e->ttl, /* RFC 2181 section 8 */
                                .type = (uint16_t)e->type,
                                .len = (uint16_t)e->len};

    /* Longer data has no compressed names: those types that may have them are short. */
    if (has_name(format) && e->len <= FETCH_NAMED_MAX) {
        record.data = expanded;
        record.len = (uint16_t)expand_data(m, e, format, expanded, sizeof(expanded));
        if (!record.len)
            return fail(f, "malformed data");
    }
    if (dns_builder_add(f->builder, &record, &(struct dns_place){.file = ""}))
        return fail(f, "memory is short");
    return f->reason[0] ? FETCH_FAILED : FETCH_MORE;
}

/* Takes the SOA of the zone, which marks begin and end. */
static enum fetch_result take_soa(struct fetch *f, const struct message *m, const struct entry *e)
{
    uint8_t data[2 * DNS_NAME_MAX + SOA_TAIL];
    size_t len = expand_data(m, e, dns_type_format(TYPE_SOA), data, sizeof(data));
    uint32_t serial;

    if (!len)
        return fail(f, "malformed SOA");
    serial = dns_be32(data + len - SOA_TAIL);
    if (++f->soas == 2) {
        if (serial != f->serial)
            return fail(f, "the SOA at the end is another than at the beginning");
        return FETCH_DONE;
    }
    f->serial = serial;
    return f->type == TYPE_SOA ? FETCH_DONE : add(f, m, e);
}

static enum fetch_result take_record(struct fetch *f, const struct message *m,
                                     const struct entry *e)
{
    if (f->type == TYPE_SOA && f->soas)
        return FETCH_DONE;
    if (f->soas == 2)
        return fail(f, "records after the SOA at the end");
    if (e->class != CLASS_IN)
        return fail(f, "a record of another class");
    f->records++;
    if (e->type == TYPE_SOA && dns_name_equal(e->owner, f->name))
        return take_soa(f, m, e);
    if (!f->soas)
        return fail(f, f->type == TYPE_SOA ? "no SOA in the answer" : "no SOA at the beginning");
    return add(f, m, e);
}

/* Takes the records of the answer section. */
static enum fetch_result take_answers(struct fetch *f, struct message *m)
{
    enum fetch_result result = FETCH_MORE;
    struct entry e;

    for (unsigned n = dns_be16(m->octets + 6); n; n--) {
        if (!read_entry(m, &e))
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
        if (!read_entry(m, &e))
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
static const char *refusal(struct fetch *f, struct message *m, unsigned rcode)
{
    const char *wrong = NULL;

    /* A signature that is not taken is told by an answer which is not signed itself. */
    if (rcode == DNS_NOTAUTH && f->key && question_ok(f, m) && !dns_be16(m->octets + 6))
        wrong = take_rest(f, m, 0);
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
        return fail(f, refusal(f, &m, msg[3] & 15));
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

int fetch_finish(struct fetch *f, uint8_t **image, size_t *size)
{
    int err = dns_builder_finish(f->builder, image, size);

    if (err == -ENOTSUP)
        (void)fail(f, "the zone needs CONFIG_DNS_DNAME or CONFIG_DNS_DNSSEC");
    else if (err == -EFBIG)
        (void)fail(f, "the zone is too large");
    else if (err && !f->reason[0])
        (void)fail(f, "memory is short");
    fetch_end(f);
    return err;
}
