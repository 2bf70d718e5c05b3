/* SPDX-License-Identifier: ISC */
/*
 * Signed messages: see tsig.h. What is hashed (RFC 8945 section 4.3) is the MAC before this one, if there
 * is one, with its length; the message as it was before it got the TSIG record; and fields of that record.
 *
 * A key may be one for MACs that are cut short (section 5.2.2.1): then so are ours, and longer ones are taken as well.
 *
 * An answer that cannot be signed, because the key or the MAC is wrong, says so without one, and nothing
 * else (section 5.3.2).
 */
#include "lib/dns/tsig.h"

#include "lib/dns/algorithm.h"
#include "lib/dns/image.h"

enum {
    BADSIG = 16,
    BADKEY = 17,
    BADTIME = 18,
    BADTRUNC = 22,
    MAC_MIN = 10,       /* section 5.2.2.1 */
    FUDGE = 300,        /* seconds, section 10 */
    FIELDS = 10,        /* octets between name and data: type, class, TTL, length */
    TIMES = 8,          /* of time and fudge */
    MAC_AT = TIMES + 2, /* behind the algorithm */
    ERROR_AT = 2,       /* behind the MAC: the original identifier comes first */
    DATA = TIMES + 8,   /* all but algorithm, MAC and other data */
    OTHER = 6,          /* other data of BADTIME: the server's time */
    UNSIGNED_MAX = 99,
};

static uint64_t be48(const uint8_t *p)
{
    return (uint64_t)dns_be16(p) << 32 | dns_be32(p + 2);
}

static void put_be48(uint8_t *p, uint64_t v)
{
    dns_put_be16(p, (uint16_t)(v >> 32));
    dns_put_be32(p + 2, (uint32_t)v);
}

/* Class and TTL as they are hashed. */
static const uint8_t fixed[] = {0, CLASS_ANY, 0, 0, 0, 0};

static unsigned algorithm_len(const struct tsig_key *key)
{
    return algorithm_name(key)[0] + 2;
}

static void make_mac(const struct tsig_key *key, const struct octets *part, unsigned count,
                     uint8_t mac[HMAC_MAX])
{
    hmac_make(key->algorithm, key->secret, key->secret_len, part, count, mac);
}

static unsigned read_name(const struct dns_query *q, const uint8_t *msg, size_t len,
                          uint8_t name[DNS_NAME_MAX])
{
    return dns_name_expand(msg, len, q->tsig_at, name);
}

/* Finds the record's key, NULL when it is not known. False: the name is malformed. */
static bool find_key(struct tsig *t, const struct dns_access *access, const struct dns_query *q,
                     const uint8_t *msg, size_t len)
{
    uint8_t name[DNS_NAME_MAX];
    unsigned n = read_name(q, msg, len, name);

    for (unsigned i = 0; i < n; i++)
        name[i] = dns_lower(name[i]);
    t->key = access ? access_find_key(access, name, n) : NULL;
    return n;
}

/* An answer about a wrong key or MAC. */
static int not_signed(struct tsig *t, uint16_t error)
{
    t->key = NULL;
    t->error = error;
    return DNS_NOTAUTH;
}

/* The MAC of the query, whose fields behind the algorithm are at TIMES_AT and behind the MAC at TAIL. */
static void hash_query(const struct tsig_key *key, const struct dns_query *q, const uint8_t *msg,
                       const uint8_t *times, const uint8_t *tail, const uint8_t *end,
                       uint8_t mac[HMAC_MAX])
{
    uint8_t header[HEADER_SIZE];
    const struct octets parts[] = {
        {header, HEADER_SIZE},
        {msg + HEADER_SIZE, q->tsig_at - HEADER_SIZE},
        {key->name, key->name_len},
        {fixed, sizeof(fixed)},
        {algorithm_name(key), algorithm_len(key)},
        {times, TIMES},
        {tail + ERROR_AT, (size_t)(end - tail) - ERROR_AT},
    };

    memcpy(header, msg, HEADER_SIZE);
    memcpy(header, tail, 2); /* the original identifier */
    dns_put_be16(header + 10, (uint16_t)(dns_be16(msg + 10) - 1));
    make_mac(key, parts, ARRAY_SIZE(parts), mac);
}

/* Is the message too old, or not yet made? */
static bool out_of_time(uint64_t time, const uint8_t *times, uint32_t now)
{
    int64_t age = (int64_t)now - (int64_t)time;

    return (age < 0 ? -age : age) > dns_be16(times + 6);
}

/* The fields of a TSIG record, where they are in a message. */
struct record {
    const uint8_t *algorithm, *times, *mac, *tail, *end;
    unsigned mac_len;
};

/* Finds the fields that begin at FIELDS, all of whose data is there. False: they are malformed. */
static bool parse_record(struct record *r, const uint8_t *fields)
{
    const uint8_t *data = fields + FIELDS, *end = data + dns_be16(fields + 8);
    unsigned name = dns_name_length(data, (size_t)(end - data));

    r->algorithm = data;
    r->times = data + name;
    r->end = end;
    if (!name || end - r->times < DATA || dns_be16(fields + 2) != CLASS_ANY || dns_be32(fields + 4))
        return false;
    r->mac = r->times + MAC_AT;
    r->mac_len = dns_be16(r->times + TIMES);
    r->tail = r->mac + r->mac_len;
    return end - r->times >= DATA + (long)r->mac_len && end - r->tail == 6 + dns_be16(r->tail + 4);
}

int tsig_verify(struct tsig *t, const struct dns_access *access, const struct dns_query *q,
                const uint8_t *msg, size_t len, uint32_t now)
{
    struct record r;
    uint8_t mac[HMAC_MAX];
    unsigned size;

    if (!parse_record(&r, msg + q->tsig_fields))
        return DNS_FORMERR;
    t->algorithm = r.algorithm;
    t->time = be48(r.times);
    t->error = 0;
    if (!find_key(t, access, q, msg, len))
        return DNS_FORMERR;
    if (!t->key || !dns_name_equal(r.algorithm, algorithm_name(t->key)))
        return not_signed(t, BADKEY);
    size = hmac_size(t->key->algorithm);
    if (r.mac_len > size || r.mac_len < MAX(MAC_MIN, size / 2)) {
        t->key = NULL;
        return DNS_FORMERR;
    }
    hash_query(t->key, q, msg, r.times, r.tail, r.end, mac);
    if (!hmac_equal(mac, r.mac, r.mac_len))
        return not_signed(t, BADSIG);
    t->mac_len = t->more ? t->key->mac_len : (uint8_t)r.mac_len;
    if (t->more)
        return DNS_NOERROR;
    memcpy(t->mac, mac, r.mac_len);
    if (out_of_time(t->time, r.times, now))
        t->error = BADTIME;
    else if (r.mac_len < t->key->mac_len)
        t->error = BADTRUNC;
    return t->error ? DNS_NOTAUTH : DNS_NOERROR;
}

unsigned tsig_room(const struct tsig *t, const struct dns_query *q, const uint8_t *msg, size_t len)
{
    uint8_t name[DNS_NAME_MAX];

    if (t->key)
        return t->key->name_len + FIELDS + algorithm_len(t->key) + DATA + t->key->mac_len + OTHER;
    return read_name(q, msg, len, name) + FIELDS + dns_name_length(t->algorithm, DNS_NAME_MAX) +
           DATA;
}

/* The MAC of the answer of USED octets; TIMES_AND_ERROR are the fields which it covers. */
static void hash_answer(struct tsig *t, const uint8_t *out, size_t used, const uint8_t *times,
                        const uint8_t *tail, size_t tail_len)
{
    const uint8_t mac_len[] = {0, t->mac_len};
    const struct octets parts[] = {
        {mac_len, sizeof(mac_len)},
        {t->mac, t->mac_len},
        {out, used},
        /* Of the later messages of a transfer only the times are hashed (section 5.3.1). */
        {t->key->name, t->more ? 0 : t->key->name_len},
        {fixed, t->more ? 0 : sizeof(fixed)},
        {algorithm_name(t->key), t->more ? 0 : algorithm_len(t->key)},
        {times, TIMES},
        {tail + ERROR_AT, t->more ? 0 : tail_len - ERROR_AT},
    };

    make_mac(t->key, parts, ARRAY_SIZE(parts), t->mac);
}

unsigned tsig_sign(struct tsig *t, const struct dns_query *q, const uint8_t *msg, size_t len,
                   uint8_t *out, size_t used, uint32_t now)
{
    uint8_t *start = out + used, *at = start, *fields, tail[6 + OTHER], times[TIMES];
    unsigned name_len = read_name(q, msg, len, at), mac_len = t->key ? t->key->mac_len : 0;
    unsigned tail_len = t->error == BADTIME ? sizeof(tail) : sizeof(tail) - OTHER;
    unsigned their_len = dns_name_length(t->algorithm, DNS_NAME_MAX);

    if (t->key)
        memcpy(at, t->key->name, name_len);
    fields = at + name_len;
    dns_put_be16(fields, TYPE_TSIG);
    dns_put_be16(fields + 2, CLASS_ANY);
    dns_put_be32(fields + 4, 0);
    dns_put_be16(fields + 8, (uint16_t)(their_len + MAC_AT + mac_len + tail_len));
    at = fields + FIELDS;
    memcpy(at, t->algorithm, their_len);
    at += their_len;
    put_be48(times, t->error ? t->time : now);
    dns_put_be16(times + 6, FUDGE);
    memcpy(tail, msg, 2);
    dns_put_be16(tail + 2, t->error);
    dns_put_be16(tail + 4, (uint16_t)(tail_len - 6));
    put_be48(tail + 6, now);
    memcpy(at, times, TIMES);
    dns_put_be16(at + TIMES, (uint16_t)mac_len);
    at += MAC_AT;
    if (t->key) {
        hash_answer(t, out, used, times, tail, tail_len);
        memcpy(at, t->mac, mac_len);
    }
    memcpy(at + mac_len, tail, tail_len);
    return (unsigned)(at + mac_len + tail_len - start);
}

/* Has the stream begin anew behind a signature. */
static void restart(struct tsig_stream *s, const uint8_t *mac, unsigned len)
{
    const uint8_t mac_len[] = {0, (uint8_t)len};

    hmac_begin(&s->hmac, s->key->algorithm, s->key->secret, s->key->secret_len);
    hmac_add(&s->hmac, mac_len, sizeof(mac_len));
    hmac_add(&s->hmac, mac, len);
    s->since = 0;
}

unsigned tsig_request(struct tsig_stream *stream, const struct tsig_key *key, uint8_t *msg,
                      size_t len, uint32_t now)
{
    unsigned name_len = algorithm_len(key);
    uint8_t *fields = msg + len + key->name_len, *times = fields + FIELDS + name_len;
    uint8_t *mac = times + MAC_AT, *tail = mac + key->mac_len, whole[HMAC_MAX], other[4] = {0};
    const struct octets parts[] = {
        {msg, len},
        {key->name, key->name_len},
        {fixed, sizeof(fixed)},
        {algorithm_name(key), name_len},
        {times, TIMES},
        {other, sizeof(other)},
    };

    memcpy(msg + len, key->name, key->name_len);
    dns_put_be16(fields, TYPE_TSIG);
    dns_put_be16(fields + 2, CLASS_ANY);
    dns_put_be32(fields + 4, 0);
    dns_put_be16(fields + 8, (uint16_t)(name_len + DATA + key->mac_len));
    memcpy(fields + FIELDS, algorithm_name(key), name_len);
    put_be48(times, now);
    dns_put_be16(times + 6, FUDGE);
    dns_put_be16(times + TIMES, key->mac_len);
    make_mac(key, parts, ARRAY_SIZE(parts), whole);
    memcpy(mac, whole, key->mac_len);
    memcpy(tail, msg, 2);
    memcpy(tail + ERROR_AT, other, sizeof(other));
    dns_put_be16(msg + 10, (uint16_t)(dns_be16(msg + 10) + 1));
    stream->key = key;
    stream->first = true;
    restart(stream, mac, key->mac_len);
    return (unsigned)(tail + 6 - (msg + len));
}

/* What an answer says of the request's signature, or NULL. */
static const char *error_text(unsigned error)
{
    switch (error) {
    case 0:
        return NULL;
    case BADSIG:
        return "it does not take the signature (BADSIG)";
    case BADKEY:
        return "it does not know the key (BADKEY)";
    case BADTIME:
        return "its clock is another than ours (BADTIME)";
    default:
        return "it does not take the signature";
    }
}

/* Adds the message before its TSIG record, as it was signed. */
static void add_message(struct hmac *h, const uint8_t *msg, size_t tsig_at, const uint8_t *tail)
{
    uint8_t header[HEADER_SIZE];

    memcpy(header, msg, HEADER_SIZE);
    memcpy(header, tail, 2); /* the original identifier */
    dns_put_be16(header + 10, (uint16_t)(dns_be16(msg + 10) - 1));
    hmac_add(h, header, HEADER_SIZE);
    hmac_add(h, msg + HEADER_SIZE, tsig_at - HEADER_SIZE);
}

const char *tsig_stream_take(struct tsig_stream *stream, const uint8_t *msg, size_t len,
                             size_t tsig_at, size_t tsig_fields, uint32_t now)
{
    const struct tsig_key *key = stream->key;
    uint8_t name[DNS_NAME_MAX], mac[HMAC_MAX];
    struct record r;

    if (!tsig_at) {
        hmac_add(&stream->hmac, msg, len);
        /* Between two signatures there are at most 99 messages without (section 5.3.1). */
        return stream->first || ++stream->since > UNSIGNED_MAX ? "the answer is not signed" : NULL;
    }
    if (!parse_record(&r, msg + tsig_fields) || !dns_name_expand(msg, len, tsig_at, name))
        return "malformed signature";
    if (error_text(dns_be16(r.tail + ERROR_AT)))
        return error_text(dns_be16(r.tail + ERROR_AT));
    if (!dns_name_equal(name, key->name) || !dns_name_equal(r.algorithm, algorithm_name(key)) ||
        r.mac_len < key->mac_len || r.mac_len > hmac_size(key->algorithm))
        return "the answer is signed by another key";
    add_message(&stream->hmac, msg, tsig_at, r.tail);
    if (stream->first) {
        hmac_add(&stream->hmac, key->name, key->name_len);
        hmac_add(&stream->hmac, fixed, sizeof(fixed));
        hmac_add(&stream->hmac, algorithm_name(key), algorithm_len(key));
    }
    hmac_add(&stream->hmac, r.times, TIMES);
    if (stream->first)
        hmac_add(&stream->hmac, r.tail + ERROR_AT, (size_t)(r.end - r.tail) - ERROR_AT);
    hmac_end(&stream->hmac, mac);
    if (!hmac_equal(mac, r.mac, r.mac_len))
        return "wrong signature";
    if (out_of_time(be48(r.times), r.times, now))
        return "the signature is too old";
    stream->first = false;
    restart(stream, mac, r.mac_len);
    return NULL;
}
