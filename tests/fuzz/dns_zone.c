/* SPDX-License-Identifier: ISC */
/*
 * See dns_zone.h.
 */
#include "tests/fuzz/dns_zone.h"

#include "lib/dns/access.h"
#include "lib/dns/build.h"
#include "lib/dns/image.h"

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
/* clang-format on */

struct text {
    const uint8_t *at;
    size_t left;
};

static void *text_open(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    (void)name;
    if (parent || size < 2)
        return NULL; /* there is one file only */
    memcpy(opened, "z", 2);
    return ctx;
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
    (void)handle;
}

static void no_report(void *ctx, enum dns_severity severity, const struct dns_place *place,
                      const char *message)
{
    (void)ctx;
    (void)severity;
    if (!place->file || strlen(message) > 2000)
        abort();
}

int fuzz_compile(const uint8_t *text, size_t size, uint8_t **image, size_t *image_size)
{
    static const uint8_t origin[] = "\7example";
    struct text t = {text, size};
    const struct dns_source source = {text_open, text_read, text_close, &t};
    const struct dns_sink sink = {.report = no_report};

    return dns_zone_compile(&source, "z", origin, &sink, image, image_size);
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

static void check_answer(const uint8_t *msg, size_t len)
{
    size_t at = 12;
    unsigned records = dns_be16(msg + 6) + dns_be16(msg + 8) + dns_be16(msg + 10);

    if (dns_be16(msg + 4))
        at = skip_name(msg, len, at) + 4;
    for (; records; records--) {
        at = skip_name(msg, len, at) + 10;
        if (at > len || len - at < dns_be16(msg + at - 2))
            abort();
        at += dns_be16(msg + at - 2);
    }
    if (at != len)
        abort();
}

void fuzz_allow(struct dns_db *db)
{
    /* Everybody whose address begins with a 0, and who has a key, without it, too. */
    static struct dns_access access = {.rule[0] = {.address_len = 4, .bits = 8}, .rules = 1};

    if (!access.keys && access_add_keys(&access, "key.example:c2VjcmV0"))
        abort();
    dns_db_allow(db, &access);
}

void fuzz_ask(const struct dns_db *db, const uint8_t *query, size_t len, size_t cap, unsigned flags)
{
    static struct dns_stats stats;
    struct dns_transfer place = {0};
    const struct dns_client client = {
        .address_len = 4, .now = 1700000000, .transfer = flags & DNS_TCP ? &place : NULL};
    uint8_t *exact = malloc(len ? len : 1), *out = malloc(cap);
    size_t n;

    memcpy(exact, query, len);
    do {
        n = dns_answer(db, &client, exact, len, out, cap, flags, &stats);
        if (n > cap || (!n && place.more))
            abort();
        if (n)
            check_answer(out, n);
    } while (place.more);
    free(exact);
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
