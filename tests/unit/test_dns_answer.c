/* SPDX-License-Identifier: ISC */
/*
 * From a zone to its answers: what is answered is compared with NSD by tests/dns; here is what needs no
 * second server: exact octets, the table of zones, the image's size, and damaged images and queries.
 */
#include "tests/unit/dns_testing.h"

#include "lib/dns/image.h"
#include "lib/dns/lookup.h"
#include "lib/dns/query.h"

#include <errno.h>

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

static uint32_t random_number(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

/* Compiles TEXT and opens its image, which is in a block of exactly its size. */
static uint8_t *make_zone(const char *text, struct dns_zone *zone, size_t *size)
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

static size_t put_query(uint8_t *query, const char *name, unsigned type)
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

static size_t ask(const char *name, unsigned type, unsigned flags, uint8_t *answer)
{
    uint8_t query[12 + DNS_NAME_MAX + 5];

    return dns_answer(&db, NULL, query, put_query(query, name, type), answer, DNS_UDP_MAX, flags,
                      &stats);
}

/* The same with DO set. */
static size_t ask_signed(const char *name, unsigned type, uint8_t *answer, size_t cap,
                         unsigned flags)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 0xff, 0xff, 0, 0, EDNS_DO, 0, 0, 0};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)];
    size_t len = put_query(query, name, type);

    memcpy(query + len, opt, sizeof(opt));
    query[11] = 1;
    return dns_answer(&db, NULL, query, len + sizeof(opt), answer, cap, flags, &stats);
}

static void start(void)
{
    dns_db_init(&db, buckets, BUCKETS);
    memset(&stats, 0, sizeof(stats));
    random_state = 1;
}

START_TEST(test_octets)
{
    static const uint8_t expected[] = "\x12\x34\x85\x00\0\1\0\1\0\0\0\0"
                                      "\4MAIL\7eXample\3org\0\0\1\0\1"
                                      "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\2";
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);

    dns_db_set(&db, &zone);
    ck_assert_uint_eq(ask("MAIL.eXample.org.", TYPE_A, DNS_MINIMAL, answer), sizeof(expected) - 1);
    ck_assert_mem_eq(answer, expected, sizeof(expected) - 1);
    free(image);
}
END_TEST

/* An MX below the owner's name, asked for through an alias which is itself compressed. */
START_TEST(test_chain_octets)
{
    static const uint8_t expected[] =
        "\x12\x34\x85\x00\0\1\0\2\0\0\0\1"
        "\3www\4deep\7example\3org\0\0\x0f\0\1"
        "\xc0\x0c\0\5\0\1\0\0\x0e\x10\0\7\4host\xc0\x10" /* at 38: host at 50, pointer to deep */
        "\xc0\x32\0\x0f\0\1\0\0\x0e\x10\0\7\0\1\2mx\xc0\x32" /* at 57: mx at 71 */
        "\xc0\x47\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\x09";
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);
    const uint8_t *ns;

    dns_db_set(&db, &zone);
    /* Without the authority section, but with addresses. */
    ns = node_find_set(zone_apex(&zone), TYPE_NS);
    ck_assert_ptr_nonnull(ns);
    ck_assert_uint_gt(ask("www.deep.example.org.", TYPE_MX, 0, answer), sizeof(expected) - 1);
    ck_assert_mem_eq(answer + 12, expected + 12, 76 - 12);
    ck_assert_uint_eq(dns_be16(answer + 6), 2);
    free(image);
}
END_TEST

static const struct {
    const char *name;
    unsigned type, rcode, flags, answer, authority, additional;
} counts[] = {
    {"example.org.", TYPE_MX, 0, FLAG_AA, 2, 2, 5},
    {"example.org.", TYPE_NS, 0, FLAG_AA, 2, 0, 3},
    {"example.org.", TYPE_TXT, 0, FLAG_AA, 0, 1, 0},
    {"nx.example.org.", TYPE_A, 3, FLAG_AA, 0, 1, 0},
    {"deep.example.org.", TYPE_A, 0, FLAG_AA, 0, 1, 0},
    {"nx.deep.example.org.", TYPE_A, 3, FLAG_AA, 0, 1, 0},
    {"a.b.c.d.e.f.nx.example.org.", TYPE_A, 3, FLAG_AA, 0, 1, 0},
    {"a.wild.example.org.", TYPE_A, 0, FLAG_AA, 1, 2, 3},
    {"a.b.wild.example.org.", TYPE_A, 0, FLAG_AA, 1, 2, 3},
    {"a.wild.example.org.", TYPE_MX, 0, FLAG_AA, 1, 2, 4},
    {"a.wild.example.org.", TYPE_TXT, 0, FLAG_AA, 0, 1, 0},
    {"a.exact.wild.example.org.", TYPE_A, 3, FLAG_AA, 0, 1, 0},
    {"sub.example.org.", TYPE_A, 0, 0, 0, 2, 2},
    {"a.b.sub.example.org.", TYPE_A, 0, 0, 0, 2, 2},
    {"ns.sub.example.org.", TYPE_A, 0, 0, 0, 2, 2},
    {"sub.example.org.", TYPE_DS, 0, FLAG_AA, 0, 1, 0},
    {"c1.example.org.", TYPE_A, 0, FLAG_AA, 2, 0, 0},
    {"self.example.org.", TYPE_A, 0, FLAG_AA, 1, 0, 0},
    {"_s._tcp.example.org.", TYPE_SRV, 0, FLAG_AA, 2, 2, 4},
    {"d.example.org.", TYPE_A, 0, FLAG_AA, 0, 1, 0},
    {"d.example.org.", TYPE_DNAME, 0, FLAG_AA, 1, 2, 3},
    {"x.d.example.org.", TYPE_A, 3, FLAG_AA, 2, 1, 0},
    {"www.d.example.org.", TYPE_MX, 0, FLAG_AA, 4, 2, 4},
    {"x.d.example.org.", TYPE_CNAME, 0, FLAG_AA, 2, 0, 0},
    {"x.d3.example.org.", TYPE_A, 0, FLAG_AA, 2, 0, 0},
    {"x.d4.example.org.", TYPE_A, 0, FLAG_AA, 19, 0, 0},
    {"example.com.", TYPE_A, 5, 0, 0, 0, 0},
    {"org.", TYPE_A, 5, 0, 0, 0, 0},
    {".", TYPE_NS, 5, 0, 0, 0, 0},
    {"example.org.", TYPE_AXFR, 5, 0, 0, 0, 0},
    {"example.org.", TYPE_IXFR, 5, 0, 0, 0, 0},
};

START_TEST(test_counts)
{
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);

    dns_db_set(&db, &zone);
    ck_assert_uint_gt(ask(counts[_i].name, counts[_i].type, 0, answer), 0);
    ck_assert_uint_eq(answer[3], counts[_i].rcode);
    ck_assert_uint_eq(answer[2] & (FLAG_AA | FLAG_TC), counts[_i].flags);
    ck_assert_uint_eq(dns_be16(answer + 6), counts[_i].answer);
    ck_assert_uint_eq(dns_be16(answer + 8), counts[_i].authority);
    ck_assert_uint_eq(dns_be16(answer + 10), counts[_i].additional);
    ck_assert_uint_eq(stats.queries, 1);
    ck_assert_uint_eq(stats.rcode[counts[_i].rcode], 1);
    free(image);
}
END_TEST

/* Does the answer have the label, in the letters of base 32hex? */
static bool has_hash(const uint8_t *answer, size_t len, const char *hash)
{
    for (size_t at = 12; at + 33 <= len; at++) {
        if (answer[at] == 32 && !memcmp(answer + at + 1, hash, 32))
            return true;
    }
    return false;
}

/* RFC 5155 appendix B: which NSEC3 records prove what. */
static const struct {
    const char *name;
    unsigned type, rcode;
    const char *hash[3];
} proofs[] = {
    {"a.c.x.w.example.", TYPE_A, 3, {HASH_X_W, HASH_EXAMPLE, HASH_A}},
    {"ns1.example.", TYPE_MX, 0, {HASH_NS1}},
    {"y.w.example.", TYPE_A, 0, {HASH_Y_W}},
    {"c.example.", TYPE_DS, 0, {HASH_A, HASH_EXAMPLE}},
    {"mc.c.example.", TYPE_MX, 0, {HASH_A, HASH_EXAMPLE}},
    {"a.z.w.example.", TYPE_MX, 0, {HASH_NS2}},
    {"a.z.w.example.", TYPE_AAAA, 0, {HASH_W, HASH_NS2, HASH_WILD_W}},
    {"example.", TYPE_DS, 0, {HASH_EXAMPLE}},
    /* Section 7.2.8: the owner of an NSEC3 is no name. */
    {HASH_NS1 ".example.", TYPE_NSEC3, 3, {HASH_EXAMPLE}},
};

START_TEST(test_hashed_proofs)
{
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size, len;
    uint8_t *image = make_zone(nsec3_text, &zone, &size);

    dns_db_set(&db, &zone);
    len = ask_signed(proofs[_i].name, proofs[_i].type, answer, sizeof(answer), DNS_MINIMAL);
    ck_assert_uint_eq(answer[3] & 15, proofs[_i].rcode);
    for (unsigned i = 0; i < 3 && proofs[_i].hash[i]; i++)
        ck_assert_msg(has_hash(answer, len, proofs[_i].hash[i]), "%s lacks %s", proofs[_i].name,
                      proofs[_i].hash[i]);
    free(image);
}
END_TEST

START_TEST(test_zones)
{
    static const char sub_text[] = "$ORIGIN sub.example.org.\n$TTL 60\n"
                                   "@ SOA a b 1 2 3 4 5\n@ NS ns1.example.org.\n@ A 192.0.2.77\n";
    static const char root_text[] = "$ORIGIN .\n$TTL 60\n. SOA a b 1 2 3 4 5\n. NS a.root.\n"
                                    "a.root A 192.0.2.88\norg NS a.org\na.org A 192.0.2.89\n"
                                    "tld CNAME a.root\n";
    struct dns_zone zone, again, sub, root;
    uint8_t answer[DNS_UDP_MAX];
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);
    uint8_t *sub_image = make_zone(sub_text, &sub, &size);
    uint8_t *root_image = make_zone(root_text, &root, &size);

    ck_assert_ptr_null(dns_db_set(&db, &zone));
    ask("sub.example.org.", TYPE_A, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), 0);
    ck_assert_ptr_null(dns_db_set(&db, &sub));
    ask("sub.example.org.", TYPE_A, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), 1);
    /* The parent answers for the DS. */
    ask("sub.example.org.", TYPE_DS, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 8), 1);
    ck_assert_uint_eq(answer[2] & FLAG_AA, FLAG_AA);
    ck_assert_ptr_null(dns_db_set(&db, &root));
    ask("com.", TYPE_A, 0, answer);
    ck_assert_uint_eq(answer[3], DNS_NXDOMAIN);
    ask("x.org.", TYPE_A, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 8), 1);
    ask("tld.", TYPE_A, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), 2);
    again = zone;
    ck_assert_ptr_eq(dns_db_set(&db, &again), &zone);
    dns_db_remove(&db, &root);
    dns_db_remove(&db, &sub);
    ask("com.", TYPE_A, 0, answer);
    ck_assert_uint_eq(answer[3], DNS_REFUSED);
    ask("sub.example.org.", TYPE_A, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), 0);
    dns_db_remove(&db, &again);
    ask("sub.example.org.", TYPE_A, 0, answer);
    ck_assert_uint_eq(answer[3], DNS_REFUSED);
    free(image);
    free(sub_image);
    free(root_image);
}
END_TEST

/* Many names: each is found, none other is, and the image has less than twice the octets of the records. */
START_TEST(test_many_names)
{
    enum { NAMES = 20000, LINE = 64 };
    char *text = malloc(NAMES * LINE + 200), *at = text, name[LINE];
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size, wire = 0;
    uint8_t *image;

    at += sprintf(at, "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns.x.\n");
    for (unsigned i = 0; i < NAMES; i++) {
        int n = sprintf(name, "n%x", random_number());

        at += sprintf(at, "%s A 192.0.2.%u\n", name, i & 255);
        wire += 1 + n + sizeof("\7example\3org") + 10 + 4;
    }
    image = make_zone(text, &zone, &size);
    ck_assert_uint_lt(size, 2 * wire);
    dns_db_set(&db, &zone);
    random_state = 1;
    for (unsigned i = 0; i < NAMES; i++) {
        uint32_t n = random_number();

        sprintf(name, "n%x.example.org.", n);
        ask(name, TYPE_A, 0, answer);
        ck_assert_uint_ge(dns_be16(answer + 6), 1);
        sprintf(name, "x%x.example.org.", n);
        ask(name, TYPE_A, 0, answer);
        ck_assert_uint_eq(answer[3], DNS_NXDOMAIN);
    }
    free(image);
    free(text);
}
END_TEST

/* An octet written or read too many is found by the sanitizer: blocks have exactly their sizes. */
static void ask_exact(const uint8_t *query, size_t len, size_t cap, unsigned flags)
{
    uint8_t *in = malloc(len ? len : 1), *out = malloc(cap);
    size_t n;

    memcpy(in, query, len);
    n = dns_answer(&db, NULL, in, len, out, cap, flags, &stats);
    if (n > cap)
        ck_abort_msg("%zu octets in %zu", n, cap);
    free(in);
    free(out);
}

static void ask_all(const char *apex)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 0xff, 0xff, 0, 0, EDNS_DO, 0, 0, 0};
    static const char *const below[] = {"",       "nx.", "a.wild.", "*.wild.",  "a.b.sub.",
                                        "sub.",   "e.",  "c.d.e.",  "a.c.x.w.", "c.",
                                        "a.z.w.", "d.",  "x.d.",    "ns1."};
    static const uint8_t types[] = {TYPE_A, TYPE_MX, TYPE_DS, TYPE_RRSIG, TYPE_ANY, TYPE_NS};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)];

    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t len = put_query(query, counts[i].name, counts[i].type);

        ask_exact(query, len, DNS_UDP_MIN, 0);
        ask_exact(query, len, DNS_TCP_MAX, DNS_TCP);
        dns_put_be16(query + len - 4, TYPE_ANY);
        ask_exact(query, len, DNS_UDP_MIN, 0);
    }
    for (unsigned i = 0; i < sizeof(below) / sizeof(below[0]) * sizeof(types); i++) {
        char name[100];
        size_t len;

        snprintf(name, sizeof(name), "%s%s", below[i / sizeof(types)], apex);
        len = put_query(query, name, types[i % sizeof(types)]);
        memcpy(query + len, opt, sizeof(opt));
        query[11] = 1;
        ask_exact(query, len + sizeof(opt), DNS_UDP_MIN, 0);
        ask_exact(query, len + sizeof(opt), DNS_TCP_MAX, DNS_TCP);
    }
}

static const struct {
    const char *text, *apex;
} zones[] = {{zone_text, "example.org."}, {nsec_text, "example.org."}, {nsec3_text, "example."}};

/* Damages octets of an image; what dns_zone_check accepts must be safe to serve. */
START_TEST(test_damaged_images)
{
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(zones[_i].text, &zone, &size), *damaged = malloc(size);
    unsigned accepted = 0;

    for (unsigned round = 0; round < 5000; round++) {
        memcpy(damaged, image, size);
        for (unsigned n = 1 + random_number() % 3; n; n--)
            damaged[random_number() % size] = random_number() % 4 ? random_number() : 0xff;
        if (dns_zone_open(&zone, damaged, size) < 0 || dns_zone_check(&zone))
            continue;
        accepted++;
        start();
        random_state = round;
        dns_db_set(&db, &zone);
        ask_all(zones[_i].apex);
    }
    ck_assert_uint_gt(accepted, 100);
    free(image);
    free(damaged);
}
END_TEST

START_TEST(test_cut_images)
{
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);

    for (size_t n = 0; n < size; n++) {
        uint8_t *part = malloc(n ? n : 1);

        memcpy(part, image, n);
        ck_assert_int_lt(dns_zone_open(&zone, part, n), 0);
        free(part);
    }
    image[0]++;
    ck_assert_int_eq(dns_zone_open(&zone, image, size), -EINVAL);
    free(image);
}
END_TEST

START_TEST(test_damaged_queries)
{
    static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 4, 0, 10, 0, 0};
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size), query[600];

    dns_db_set(&db, &zone);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned which = random_number() % (sizeof(counts) / sizeof(counts[0]));
        size_t len = put_query(query, counts[which].name, counts[which].type);

        memcpy(query + len, opt, sizeof(opt));
        query[11] = 1;
        len += sizeof(opt);
        for (unsigned n = random_number() % 4; n; n--)
            query[random_number() % len] = random_number();
        if (random_number() % 4 == 0)
            len = random_number() % (len + 1);
        ask_exact(query, len, DNS_UDP_MIN, random_number() & (DNS_TCP | DNS_MINIMAL));
    }
    free(image);
}
END_TEST

/* Damages the text of a zone: no image, or one that passes the check. */
START_TEST(test_damaged_text)
{
    static const char interesting[] = "\n\t \"();\\.$@*0129aAZ-_:#\xff\x01";
    char text[sizeof(zone_text)];
    const struct text_file files[] = {{"z", text, sizeof(text) - 1}, {0}};
    unsigned made = 0;

    for (unsigned round = 0; round < 4000; round++) {
        struct dns_zone zone;
        uint8_t *image;
        size_t size;

        memcpy(text, zone_text, sizeof(text));
        for (unsigned n = 1 + random_number() % 4; n; n--)
            text[random_number() % (sizeof(text) - 1)] =
                interesting[random_number() % (sizeof(interesting) - 1)];
        if (compile_files(files, &image, &size))
            continue;
        made++;
        ck_assert_int_eq(dns_zone_open(&zone, image, size), size);
        ck_assert_int_eq(dns_zone_check(&zone), 0);
        start();
        random_state = round;
        dns_db_set(&db, &zone);
        ask_all("example.org.");
        free(image);
    }
    ck_assert_uint_gt(made, 100);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("answer");
    Suite *s = suite_create("dns_answer");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, test_octets);
    tcase_add_test(t, test_chain_octets);
    tcase_add_loop_test(t, test_counts, 0, sizeof(counts) / sizeof(counts[0]));
    tcase_add_loop_test(t, test_hashed_proofs, 0, sizeof(proofs) / sizeof(proofs[0]));
    tcase_add_test(t, test_zones);
    tcase_add_test(t, test_many_names);
    tcase_add_loop_test(t, test_damaged_images, 0, sizeof(zones) / sizeof(zones[0]));
    tcase_add_test(t, test_cut_images);
    tcase_add_test(t, test_damaged_queries);
    tcase_add_test(t, test_damaged_text);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
