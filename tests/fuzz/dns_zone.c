/* SPDX-License-Identifier: ISC */
/*
 * See dns_zone.h.
 */
#include "tests/fuzz/dns_zone.h"

#include "lib/dns/access.h"
#include "lib/dns/build.h"
#include "lib/dns/image.h"
#include "lib/dns/query.h"

#include <stdlib.h>
#include <string.h>

#define SIGNED(name, type)                                                                         \
    name " RRSIG " type " 8 2 3600 20300101000000 20200101000000 1 example. AAAA\n"

/* clang-format off */
const char fuzz_zone_text[] =
    "$TTL 3600\n"
    "@ SOA ns1 host 1 2 3 4 300\n" SIGNED("@", "SOA")
    "@ NS ns1\n@ NS ns.sub\n@ MX 10 mail\n" SIGNED("@", "NS")
    "@ NSEC alias SOA NS\n" SIGNED("@", "NSEC")
    "alias CNAME x.wild\nalias2 CNAME alias\nloop CNAME loop\n"
    "d DNAME wild\ndd DNAME dd.dd\n"
    "mail A 192.0.2.2\nns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n"
    "ns1 NSEC sub A\n" SIGNED("ns1", "NSEC")
    "big TXT 0123456789012345678901234567890123456789012345678901234567890123456789\n"
    "$GENERATE 1-20 big TXT $-123456789012345678901234567890123456789012345678901234567\n"
    "_s._tcp SRV 1 2 3 mail\n"
    "sub NS ns.sub\nsub NS ns2.sub\nns.sub A 192.0.2.5\nns2.sub A 192.0.2.6\n"
    "sub NSEC *.wild NS\n" SIGNED("sub", "NSEC")
    "safe NS ns1\nsafe DS 1 8 2 00\n" SIGNED("safe", "DS")
    "*.wild MX 1 x.wild\n" SIGNED("*.wild", "MX")
    "*.wild NSEC @ MX\n" SIGNED("*.wild", "NSEC")
    "a.b.c.d.e.f HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1\n";

/* The hashes are those of RFC 5155 appendix A, of fewer names. */
#define HASH_EXAMPLE "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define HASH_NS1 "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
#define HASH_W "k8udemvp1j2f7eg6jebps17vp3n8i58h"
#define NSEC3(hash, next, types)                                                                   \
    hash " NSEC3 1 0 12 aabbccdd " next " " types "\n" SIGNED(hash, "NSEC3")
const char fuzz_nsec3_text[] =
    "$TTL 3600\n@ SOA ns1 host 1 2 3 4 300\n" SIGNED("@", "SOA")
    "@ NS ns1\n@ NSEC3PARAM 1 0 12 aabbccdd\nns1 A 192.0.2.1\n*.w MX 1 ns1\nc NS ns1.c\n"
    NSEC3(HASH_EXAMPLE, HASH_NS1, "NS SOA NSEC3PARAM RRSIG")
    NSEC3(HASH_NS1, HASH_W, "A")
    NSEC3(HASH_W, HASH_EXAMPLE, "");

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
const char fuzz_chain_text[] =
    "$ORIGIN chain.\n$TTL 3600\n@ SOA ns.far.net. host.far.net. 1 2 3 4 300\n@ NS ns.far.net.\n"
    "@ NSEC n12 SOA NS\n" SIGNED("@", "NSEC")
    "$GENERATE 0-11 n$ CNAME n${1}\n"
    "$GENERATE 0-11 n$ RRSIG \"CNAME 8 2 9 20300101000000 20200101000000 1 chain. " THOUSAND THOUSAND "\"\n"
    "n12 MX 1 mx1.mail.far.net.\nn12 MX 2 mx2.mail.far.net.\nn12 NSEC @ MX\n"
    "*.wild CNAME n0\nd DNAME wild\nout CNAME alias.example.\n"
    "sub NS ns1.mail.far.net.\nsub NS ns2.mail.far.net.\n";
/* clang-format on */

/* The input is the file z; it may include itself, and another one, i. */
struct text {
    const uint8_t *at;
    size_t left;
};

static void *text_open(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    static const char included[] = "in A 192.0.2.77\n$TTL 5\n$ORIGIN deeper\n@ TXT \"in\"\n";
    struct text *t;

    if (size < 2 || (strcmp(name, "z") != 0 && strcmp(name, "i") != 0) || (parent && !*parent))
        return NULL;
    memcpy(opened, name, 2);
    t = malloc(sizeof(*t));
    *t = *(const struct text *)ctx;
    if (*name == 'i')
        *t = (struct text){(const uint8_t *)included, sizeof(included) - 1};
    return t;
}

static long text_read(void *ctx, void *handle, void *buf, size_t size)
{
    struct text *t = handle;
    size_t n = t->left < size ? t->left : size;

    (void)ctx;
    memcpy(buf, t->at, n);
    t->at += n;
    t->left -= n;
    return n;
}

static void text_close(void *ctx, void *handle)
{
    (void)ctx;
    free(handle);
}

static void no_report(void *ctx, enum dns_severity severity, const struct dns_place *place,
                      const char *message)
{
    (void)ctx;
    (void)severity;
    if (!place->file || strlen(message) > 2000)
        abort();
}

static int compile(const uint8_t *text, size_t size, uint8_t **image, size_t *image_size)
{
    static const uint8_t origin[] = "\7example";
    struct text t = {text, size};
    const struct dns_source source = {text_open, text_read, text_close, &t};
    const struct dns_sink sink = {.report = no_report};

    return dns_zone_compile(&source, "z", origin, true, &sink, image, image_size);
}

bool fuzz_serve(struct fuzz_served *s, const uint8_t *text, size_t size)
{
    size_t image_size;

    if (compile(text, size, &s->image, &image_size))
        return false;
    if (dns_zone_open(&s->zone, s->image, image_size) < 0 || dns_zone_check(&s->zone))
        abort();
    dns_db_init(&s->db, s->buckets, sizeof(s->buckets) / sizeof(s->buckets[0]));
    dns_db_set(&s->db, &s->zone);
    return true;
}

/* The offset behind the possibly compressed name at MSG[AT], which must be well-formed. */
static size_t skip_name(const uint8_t *msg, size_t len, size_t at)
{
    size_t pos = at, end = 0, octets = 0;

    for (;;) {
        if (pos >= len)
            abort();
        if (msg[pos] >= 0xc0) {
            size_t target = pos + 1 < len ? dns_be16(msg + pos) & POINTER_MAX : len;

            if (target >= pos)
                abort(); /* a pointer leads backwards */
            end = end ? end : pos + 2;
            pos = target;
            continue;
        }
        octets += msg[pos] + 1u;
        if (msg[pos] > DNS_LABEL_MAX || octets > DNS_NAME_MAX)
            abort();
        if (!msg[pos])
            return end ? end : pos + 1;
        pos += msg[pos] + 1u;
    }
}

/* Steps over the records from AT on, of which the last begins at *LAST. Aborts when one is malformed. */
static size_t skip_records(const uint8_t *msg, size_t len, size_t at, unsigned count, size_t *last)
{
    for (; count; count--) {
        *last = at;
        at = skip_name(msg, len, at) + 10;
        if (at > len || len - at < dns_be16(msg + at - 2))
            abort();
        at += dns_be16(msg + at - 2);
    }
    return at;
}

static size_t question_end(const uint8_t *msg, size_t len)
{
    return dns_be16(msg + 4) ? skip_name(msg, len, 12) + 4 : 12;
}

size_t fuzz_last_record(const uint8_t *msg, size_t len)
{
    unsigned records = dns_be16(msg + 6) + dns_be16(msg + 8) + dns_be16(msg + 10);
    size_t last = 0;

    if (len < 12 || skip_records(msg, len, question_end(msg, len), records, &last) != len)
        abort();
    return last;
}

/* Header and question are the query's. */
static void check_header(const uint8_t *query, const uint8_t *msg, size_t len)
{
    unsigned questions = dns_be16(msg + 4);
    const uint8_t kept = 0x79; /* opcode and RD */

    if (memcmp(query, msg, 2) != 0 || !(msg[2] & 0x80) || (msg[2] ^ query[2]) & kept ||
        questions > 1)
        abort();
    if (questions && memcmp(query + 12, msg + 12, question_end(msg, len) - 12) != 0)
        abort();
}

/*
 * The records of an answer are those of the question's name, and of the names to which aliases lead from there, each
 * under its own.
 */
static void check_owners(const uint8_t *msg, size_t len)
{
    uint8_t name[DNS_NAME_MAX], next[DNS_NAME_MAX] = {0}, owner[DNS_NAME_MAX];
    size_t at = question_end(msg, len);
    unsigned type = dns_be16(msg + at - 4), octets;

    (void)dns_name_expand(msg, len, 12, name);
    for (unsigned n = dns_be16(msg + 6); n && type != TYPE_AXFR && type != TYPE_IXFR; n--) {
        size_t fields = skip_name(msg, len, at), data = fields + 10;
        unsigned covered = dns_be16(msg + fields);

        if (covered == TYPE_RRSIG)
            covered = dns_be16(msg + data);
        (void)dns_name_expand(msg, len, at, owner);
        if (*next && dns_name_equal(owner, next))
            memcpy(name, next, sizeof(name));
        if (!dns_name_equal(owner, name) &&
            (covered != TYPE_DNAME || !dns_name_under(*next ? next : name, owner, &octets)))
            abort();
        if (dns_be16(msg + fields) == TYPE_CNAME)
            (void)dns_name_expand(msg, len, data, next);
        at = data + dns_be16(msg + data - 2);
    }
}

static void check_stats(const struct dns_stats *stats)
{
    uint64_t answered = 0;

    for (unsigned i = 0; i < DNS_RCODES; i++)
        answered += stats->rcode[i];
    if (stats->queries != answered + stats->dropped + stats->limited - stats->slipped)
        abort();
}

void fuzz_allow(struct dns_db *db)
{
    /* Everybody whose address begins with a 0, and who has a key, without it, too. */
    static struct dns_access access = {.rule[0].prefix = {.address_len = 4, .bits = 8}, .rules = 1};

    if (!access.keys && access_add_keys(&access, "key.example:c2VjcmV0"))
        abort();
    dns_db_allow(db, &access);
}

size_t fuzz_answer(const struct dns_db *db, const struct dns_client *client, const uint8_t *query,
                   size_t len, uint8_t *out, size_t cap, unsigned flags)
{
    static struct dns_stats stats;
    size_t limit = flags & DNS_TCP ? cap : MIN(cap, DNS_UDP_MAX), n;
    struct dns_query q;

    n = dns_answer(db, client, query, len, out, cap, flags, &stats);
    check_stats(&stats);
    if (!n)
        return 0;
    if (!(flags & DNS_TCP)) {
        (void)dns_query_parse(&q, query, len);
        limit = MIN(limit, q.udp_size);
    }
    if (n > limit)
        abort();
    check_header(query, out, n);
    (void)fuzz_last_record(out, n);
    if (dns_be16(out + 4))
        check_owners(out, n);
    return n;
}

size_t fuzz_answer_twice(const struct dns_db *db, const struct dns_client *client,
                         const uint8_t *query, size_t len, uint8_t *out, size_t cap, unsigned flags)
{
    struct dns_transfer place = {0}, *now = client->transfer;
    uint8_t *again = malloc(cap);
    size_t n;

    if (now)
        place = *now;
    n = fuzz_answer(db, client, query, len, out, cap, flags);
    if (now) {
        struct dns_transfer after = *now;

        *now = place;
        place = after;
    }
    if (fuzz_answer(db, client, query, len, again, cap, flags) != n || memcmp(out, again, n) != 0)
        abort();
    if (now && memcmp(now, &place, sizeof(place)) != 0)
        abort();
    free(again);
    return n;
}

void fuzz_ask(const struct dns_db *db, const uint8_t *query, size_t len, size_t cap, unsigned flags)
{
    struct dns_transfer place = {0};
    const struct dns_client client = {
        .address_len = 4, .now = FUZZ_NOW, .transfer = flags & DNS_TCP ? &place : NULL};
    uint8_t *exact = malloc(len ? len : 1), *out = malloc(cap);
    size_t n;

    memcpy(exact, query, len);
    do {
        n = fuzz_answer_twice(db, &client, exact, len, out, cap, flags);
        if (!n && place.more)
            abort();
    } while (place.more);
    free(exact);
    free(out);
}

/* --- whole zones --------------------------------------------------------------------------- */

/* Adds octets to a hash (FNV-1a). */
static void add(uint64_t *sum, const uint8_t *octets, size_t len)
{
    while (len--)
        *sum = (*sum ^ *octets++) * 0x100000001b3u;
}

static size_t add_name(uint64_t *sum, const uint8_t *msg, size_t len, size_t at)
{
    uint8_t name[DNS_NAME_MAX];
    unsigned n = dns_name_expand(msg, len, at, name);

    for (unsigned i = 0; i < n; i++)
        name[i] = dns_lower(name[i]);
    add(sum, name, n);
    return skip_name(msg, len, at);
}

/* Adds a record as if no name in it were compressed; returns where it ends. */
static size_t add_record(uint64_t *sum, const uint8_t *msg, size_t len, size_t at)
{
    size_t data, end;
    unsigned type, names = 0;

    at = add_name(sum, msg, len, at);
    type = dns_be16(msg + at);
    add(sum, msg + at, 8);
    data = at + 10;
    end = data + dns_be16(msg + at + 8);
    if (type == TYPE_MX) {
        add(sum, msg + data, 2);
        data += 2;
    }
    if (type == TYPE_NS || type == TYPE_CNAME || type == TYPE_PTR || type == TYPE_MX)
        names = 1;
    if (type == TYPE_SOA)
        names = 2;
    while (names--)
        data = add_name(sum, msg, len, data);
    add(sum, msg + data, end - data);
    return end;
}

void fuzz_tally(struct fuzz_tally *tally, const uint8_t *msg, size_t len)
{
    size_t at = question_end(msg, len);

    for (unsigned n = dns_be16(msg + 6); n; n--) {
        size_t fields = skip_name(msg, len, at);

        tally->change += tally->soas & 1 ? tally->last : -tally->last;
        tally->last_is_soa = dns_be16(msg + fields) == TYPE_SOA;
        tally->soas += tally->last_is_soa;
        if (!tally->records++ && !tally->last_is_soa)
            abort();
        if (tally->records == 2)
            tally->differences = tally->last_is_soa;
        tally->last = 0;
        at = add_record(&tally->last, msg, len, at);
        add(&tally->sum, (const uint8_t *)&tally->last, sizeof(tally->last));
        if (tally->records == 1)
            tally->last = 0;
        tally->zone += tally->last;
    }
}

void fuzz_take_zone(const struct dns_db *db, const struct dns_zone *zone, struct fuzz_tally *tally)
{
    uint8_t query[12 + DNS_NAME_MAX + 4] = {[5] = 1};
    size_t len = 12 + dns_name_length(zone->name, DNS_NAME_MAX);
    struct dns_transfer place = {0};
    const struct dns_client client = {.address_len = 4, .now = FUZZ_NOW, .transfer = &place};
    uint8_t *out = malloc(DNS_TCP_MAX);

    memcpy(query + 12, zone->name, len - 12);
    dns_put_be16(query + len, TYPE_AXFR);
    dns_put_be16(query + len + 2, CLASS_IN);
    *tally = (struct fuzz_tally){0};
    do {
        size_t n = fuzz_answer_twice(db, &client, query, len + 4, out, DNS_TCP_MAX, DNS_TCP);

        if (n < 12 || out[3] & 15)
            abort();
        fuzz_tally(tally, out, n);
    } while (place.more);
    if (tally->records != dns_zone_records(zone) + 1 || !tally->last_is_soa)
        abort();
    free(out);
}

void fuzz_ask_usual(const struct dns_db *db)
{
    static const char *const names[] = {"example.",         "nx.example.",    "a.wild.example.",
                                        "*.wild.example.",  "alias.example.", "alias2.example.",
                                        "x.sub.example.",   "safe.example.",  "x.d.example.",
                                        "x.dd.example.",    "big.example.",   "_s._tcp.example.",
                                        "c.d.e.f.example.", "loop.example."};
    static const uint8_t types[] = {TYPE_A,     TYPE_MX,  TYPE_TXT, TYPE_DS,
                                    TYPE_RRSIG, TYPE_ANY, TYPE_AXFR};
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 0xff, 0xff, 0, 0, 0x80, 0, 0, 0};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) * sizeof(types); i++) {
        uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)] = {0, 0, 0, 0, 0, 1};
        size_t len;

        dns_name_parse(names[i / sizeof(types)], NULL, query + 12);
        len = 12 + dns_name_length(query + 12, DNS_NAME_MAX);
        dns_put_be16(query + len, types[i % sizeof(types)]);
        dns_put_be16(query + len + 2, CLASS_IN);
        fuzz_ask(db, query, len + 4, DNS_UDP_MIN, 0);
        memcpy(query + len + 4, opt, sizeof(opt));
        query[11] = 1;
        fuzz_ask(db, query, len + 4 + sizeof(opt), DNS_UDP_MAX, 0);
        fuzz_ask(db, query, len + 4 + sizeof(opt), DNS_TCP_MAX, DNS_TCP);
    }
}
