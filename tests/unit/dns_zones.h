/* SPDX-License-Identifier: ISC */
/*
 * Zones and queries of the tests that ask lib/dns for answers.
 */
#ifndef TESTS_UNIT_DNS_ZONES_H
#define TESTS_UNIT_DNS_ZONES_H

#include "tests/unit/dns_testing.h"

#include "lib/dns/image.h"
#include "lib/dns/lookup.h"
#include "lib/dns/query.h"

#define BUCKETS 4

static const char zone_text[] =
    "$TTL 3600\n"
    "@ SOA ns1 host 1 2 3 4 300\n"
    "@ NS ns1\n@ NS ns.sub\n@ MX 10 mail\n@ MX 20 deep.mail\n"
    "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n"
    "mail A 192.0.2.2\ndeep.mail A 192.0.2.3\n"
    "www.deep CNAME host.deep\nhost.deep MX 1 mx.host.deep\nmx.host.deep A 192.0.2.9\n"
    "*.wild MX 1 x.wild\n*.wild A 192.0.2.4\nexact.wild TXT \"t\"\n"
    "sub NS ns.sub\nsub NS ns2.sub\nns.sub A 192.0.2.5\nns2.sub A 192.0.2.6\n"
    "c1 CNAME c2\nc2 CNAME c1\nself CNAME self\n"
    "_s._tcp SRV 1 2 3 mail\n_s._tcp SRV 1 2 4 mail\nbig TXT \"x\"\n"
    "d DNAME deep\nd2 DNAME d2.d2\nd3 DNAME d3\nd4 DNAME d5\nd5 DNAME d4\n";

/* Signed in form, though not in truth: signatures are carried, not checked. */
#define SIGNED(name, type)                                                                         \
    name " RRSIG " type " 8 2 3600 20300101000000 20200101000000 1 example.org. AAAA\n"
/* In the zone of RFC 5155 appendix A, with the hashes given there. */
#define HASHED(hash, next, types)                                                                  \
    hash " NSEC3 1 1 12 aabbccdd " next " " types " RRSIG\n" SIGNED(hash, "NSEC3")
#define HASH_EXAMPLE "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define HASH_NS1 "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
#define HASH_A "35mthgpgcu1qg68fab165klnsnk3dpvl"
#define HASH_X_W "b4um86eghhds6nea196smvmlo4ors995"
#define HASH_AI "gjeqe526plbf1g8mklp59enfd789njgi"
#define HASH_Y_W "ji6neoaepv8b5o6k4ev33abha8ht9fgc"
#define HASH_W "k8udemvp1j2f7eg6jebps17vp3n8i58h"
#define HASH_NS2 "q04jkcevqvmu85r014c7dkba38o0ji5r"
#define HASH_WILD_W "r53bq7cc2uvmubfu5ocmm6pers9tk9en"
#define HASH_XX "t644ebqk9bibcna874givr6joj62mlhv"

/* clang-format off */
static const char nsec_text[] =
    "$TTL 3600\n"
    "@ SOA ns1 host 1 2 3 4 300\n" SIGNED("@", "SOA")
    "@ NS ns1\n" SIGNED("@", "NS")
    "@ NSEC ns1 SOA NS\n" SIGNED("@", "NSEC")
    "ns1 A 192.0.2.1\n" SIGNED("ns1", "A")
    "ns1 NSEC sub A\n" SIGNED("ns1", "NSEC")
    "sub NS ns.sub\nns.sub A 192.0.2.2\n"
    "sub NSEC *.wild NS\n" SIGNED("sub", "NSEC")
    "*.wild MX 1 x.wild\n" SIGNED("*.wild", "MX")
    "*.wild NSEC c.d.e MX\n" SIGNED("*.wild", "NSEC")
    "c.d.e CNAME a.wild\n" SIGNED("c.d.e", "CNAME")
    "c.d.e NSEC @ CNAME\n" SIGNED("c.d.e", "NSEC");

static const char nsec3_text[] =
    "$ORIGIN example.\n$TTL 3600\n"
    "@ SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n" SIGNED("@", "SOA")
    "@ NS ns1\n" SIGNED("@", "NS")
    "@ NSEC3PARAM 1 0 12 aabbccdd\n" SIGNED("@", "NSEC3PARAM")
    HASHED(HASH_EXAMPLE, HASH_NS1, "NS SOA")
    HASHED(HASH_NS1, HASH_A, "A")
    HASHED(HASH_A, HASH_X_W, "NS DS")
    HASHED(HASH_X_W, HASH_AI, "MX")
    HASHED(HASH_AI, HASH_Y_W, "A")
    HASHED(HASH_Y_W, HASH_W, "")
    HASHED(HASH_W, HASH_NS2, "")
    HASHED(HASH_NS2, HASH_WILD_W, "A")
    HASHED(HASH_WILD_W, HASH_XX, "MX")
    HASHED(HASH_XX, HASH_EXAMPLE, "A")
    "ns1 A 192.0.2.1\nai A 192.0.2.9\nx.w MX 1 xx\nx.y.w MX 1 xx\n*.w MX 1 ai\n"
    "a NS ns1.a\na DS 1 8 2 00\nns1.a A 192.0.2.5\nc NS ns1.c\nns1.c A 192.0.2.7\n"
    "xx A 192.0.2.10\nns2 A 192.0.2.2\n";
/* clang-format on */

static struct dns_db db;
static struct dns_zone *buckets[BUCKETS];
static struct dns_stats stats;
static uint64_t random_state;

static inline uint32_t random_number(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

/* Compiles TEXT and opens its image, which is in a block of exactly its size. */
static inline uint8_t *make_zone(const char *text, struct dns_zone *zone, size_t *size)
{
    const struct text_file files[] = {{"z", text, 0}, {0}};
    uint8_t *image, *exact;

    ck_assert_msg(compile_files(files, &image, size) == 0, "%s", messages);
    exact = malloc(*size);
    memcpy(exact, image, *size);
    free(image);
    ck_assert_int_eq(dns_zone_open(zone, exact, *size), *size);
    ck_assert_int_eq(dns_zone_check(zone), 0);
    return exact;
}

static inline size_t put_query(uint8_t *query, const char *name, unsigned type)
{
    static const uint8_t header[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    size_t len;

    memcpy(query, header, sizeof(header));
    if (dns_name_parse(name, (const uint8_t *)"", query + sizeof(header)))
        ck_abort_msg("not a name: %s", name);
    len = sizeof(header) + dns_name_length(query + sizeof(header), DNS_NAME_MAX);
    dns_put_be16(query + len, type);
    dns_put_be16(query + len + 2, CLASS_IN);
    return len + 4;
}

static inline size_t ask(const char *name, unsigned type, unsigned flags, uint8_t *answer)
{
    uint8_t query[12 + DNS_NAME_MAX + 5];

    return dns_answer(&db, NULL, query, put_query(query, name, type), answer, DNS_UDP_MAX, flags,
                      &stats);
}

/* The same with DO set. */
static inline size_t ask_signed(const char *name, unsigned type, uint8_t *answer, size_t cap,
                                unsigned flags)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 0xff, 0xff, 0, 0, EDNS_DO, 0, 0, 0};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)];
    size_t len = put_query(query, name, type);

    memcpy(query + len, opt, sizeof(opt));
    query[11] = 1;
    return dns_answer(&db, NULL, query, len + sizeof(opt), answer, cap, flags, &stats);
}

/* The length of the plain answer to what is asked, the first LEN of these octets; 0 if it is none: then they are as they
 * were. */
static inline size_t ask_plainly_with(const uint8_t *octets, size_t all, size_t len)
{
    struct dns_stats counted = {0};
    uint8_t *place = malloc(DNS_UDP_MAX);
    size_t n;

    memcpy(place, octets, all);
    n = dns_answer_plain(&db, place, len, &counted);
    if (!n)
        ck_assert_mem_eq(place, octets, all);
    free(place);
    return n;
}

static inline size_t ask_plainly(const uint8_t *query, size_t len)
{
    return ask_plainly_with(query, len, len);
}

static inline void start(void)
{
    dns_db_init(&db, buckets, BUCKETS);
    memset(&stats, 0, sizeof(stats));
    random_state = 1;
}

#endif
