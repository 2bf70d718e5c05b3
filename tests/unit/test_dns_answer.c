/* SPDX-License-Identifier: ISC */
/*
 * From a zone to its answers: what is answered is compared with NSD by tests/dns; here is what needs no
 * second server: exact octets, the table of zones, the image's size, proofs by RFC 5155's examples.
 */
#include "lib/dns/limit.h"
#include "tests/unit/dns_zones.h"

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

/* What is refused by its form, and an IXFR with the version that the client has (RFC 1995 section 3):
 * an OPT record in the query means one in the answer (RFC 6891 section 6.1.1), if it can be found. */
static const struct {
    unsigned opcode, questions, authority, opts, cut, type, rcode;
    bool opt;
} refusals[] = {
    {0, 1, 1, 0, 0, TYPE_IXFR, DNS_REFUSED, false}, {0, 1, 1, 1, 0, TYPE_IXFR, DNS_REFUSED, true},
    {0, 1, 2, 1, 0, TYPE_IXFR, DNS_FORMERR, true},  {0, 1, 1, 0, 1, TYPE_IXFR, DNS_FORMERR, false},
    {0, 1, 1, 1, 0, TYPE_A, DNS_FORMERR, true},     {0, 0, 0, 1, 0, TYPE_A, DNS_FORMERR, true},
    {0, 2, 0, 1, 0, TYPE_A, DNS_FORMERR, true},     {0, 1, 0, 2, 0, TYPE_A, DNS_FORMERR, false},
    {0, 1, 0, 1, 1, TYPE_A, DNS_FORMERR, false},    {0, 300, 0, 1, 0, TYPE_A, DNS_FORMERR, true},
    {2, 1, 0, 0, 0, TYPE_A, DNS_NOTIMP, false},     {2, 1, 0, 1, 0, TYPE_A, DNS_NOTIMP, true},
    {4, 1, 1, 1, 0, TYPE_SOA, DNS_NOTIMP, true},    {5, 0, 0, 1, 0, TYPE_A, DNS_NOTIMP, true},
    {5, 2, 3, 1, 0, TYPE_A, DNS_NOTIMP, true},      {5, 2, 3, 1, 1, TYPE_A, DNS_NOTIMP, false},
    {5, 2, 3, 1, 12, TYPE_A, DNS_NOTIMP, false},
};

static size_t put(uint8_t *out, size_t at, const void *octets, size_t len)
{
    memcpy(out + at, octets, len);
    return at + len;
}

START_TEST(test_refusals)
{
    static const uint8_t opt[11] = {0, 0, TYPE_OPT, 0x10},
                         soa[] = "\xc0\x0c\0\6\0\1\0\0\0\0\0\x16\0\0";
    uint8_t query[10000], answer[DNS_UDP_MAX];
    size_t first = put_query(query, "example.org.", refusals[_i].type), len = 12;

    query[2] = (uint8_t)(refusals[_i].opcode << 3);
    dns_put_be16(query + 4, refusals[_i].questions);
    dns_put_be16(query + 8, refusals[_i].authority);
    dns_put_be16(query + 10, refusals[_i].opts);
    for (unsigned i = 0; i < refusals[_i].questions; i++)
        len = i ? put(query, len, query + 12, first - 12) : first;
    for (unsigned i = 0; i < refusals[_i].authority; i++) { /* no names, five zeros */
        len = put(query, len, soa, sizeof(soa) - 1);
        memset(query + len, 0, 20);
        len += 20;
    }
    for (unsigned i = 0; i < refusals[_i].opts; i++)
        len = put(query, len, opt, sizeof(opt));
    len = dns_answer(&db, NULL, query, len - refusals[_i].cut, answer, sizeof(answer), 0, &stats);
    ck_assert_uint_ge(len, 12);
    ck_assert_uint_eq(answer[3], refusals[_i].rcode);
    ck_assert_uint_eq(dns_be16(answer + 10), refusals[_i].opt);
    if (refusals[_i].rcode != DNS_REFUSED)
        ck_assert_uint_eq(dns_be16(answer + 4), 0);
    if (refusals[_i].opt) {
        const uint8_t *end = answer + (refusals[_i].rcode == DNS_REFUSED ? first : 12);

        ck_assert_uint_eq(dns_be16(end + 1), TYPE_OPT);
        ck_assert_uint_eq(dns_be16(end + 3), DNS_UDP_MAX);
    }
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

/* What a limiter has to look at takes the long way, and none limits a client that is not known. */
static size_t ask_the_long_way(const uint8_t *query, size_t len, uint8_t *answer, size_t cap,
                               struct dns_stats *counted)
{
    static struct dns_limiter limiter;
    size_t n;

    dns_db_limit(&db, &limiter);
    n = dns_answer(&db, NULL, query, len, answer, cap, DNS_MINIMAL, counted);
    dns_db_limit(&db, NULL);
    return n;
}

/* The name and type with each kind of OPT record, in place of which there may be none. True when the answer has a set. */
static unsigned compare_ways(const char *name, unsigned type)
{
    static const uint8_t opts[][15] = {
        {0, 0, TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 0},
        {0, 0, TYPE_OPT, 4, 0xd0, 0, 0, EDNS_DO, 0, 0, 0},
        {0, 0, TYPE_OPT, 4, 0xd0, 0, 1, 0, 0, 0, 0},             /* version 1 */
        {0, 0, TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 4, 0, 3, 0, 0}, /* NSID */
    };
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opts[0])], one[DNS_UDP_MAX], two[DNS_UDP_MAX];
    uint8_t *place = malloc(DNS_UDP_MAX + sizeof(query));
    size_t len = put_query(query, name, type);
    unsigned answered = 0;

    for (unsigned i = 0; i <= ARRAY_SIZE(opts); i++) {
        struct dns_stats stats_one = {0}, stats_two = {0};
        size_t n, whole = len + (i ? 11u + opts[i - 1][10] : 0);

        query[11] = i > 0;
        if (i)
            memcpy(query + len, opts[i - 1], sizeof(opts[0]));
        n = dns_answer(&db, NULL, query, whole, one, DNS_UDP_MAX, DNS_MINIMAL, &stats_one);
        ck_assert_uint_eq(ask_the_long_way(query, whole, two, DNS_UDP_MAX, &stats_two), n);
        ck_assert_mem_eq(one, two, n);
        ck_assert_mem_eq(&stats_one, &stats_two, sizeof(stats_one));
        answered += dns_be16(one + 6) != 0;
        /* And in the query's own place. */
        memcpy(place, query, whole);
        ck_assert_uint_eq(
            dns_answer(&db, NULL, place, whole, place, DNS_UDP_MAX, DNS_MINIMAL, &stats_one), n);
        ck_assert_mem_eq(place, two, n);
        /* And over TCP. */
        memset(&stats_one, 0, sizeof(stats_one));
        memset(&stats_two, 0, sizeof(stats_two));
        n = dns_answer(&db, NULL, query, whole, one, DNS_UDP_MAX, DNS_MINIMAL | DNS_TCP,
                       &stats_one);
        ck_assert_uint_eq(dns_answer_fully(&db, NULL, query, whole, two, DNS_UDP_MAX,
                                           DNS_MINIMAL | DNS_TCP, &stats_two),
                          n);
        ck_assert_mem_eq(one, two, n);
        ck_assert_mem_eq(&stats_one, &stats_two, sizeof(stats_one));
    }
    free(place);
    return answered;
}

/* For a client whose OPT record says that it takes SIZE octets; 0: without one. True if the answer is whole. */
static bool compare_room(const char *name, unsigned type, unsigned size)
{
    static const uint8_t opt[11] = {0, 0, TYPE_OPT};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)], two[DNS_UDP_MAX],
        *one = malloc(DNS_UDP_MAX);
    size_t len = put_query(query, name, type), n;
    struct dns_stats stats = {0};
    bool whole;

    query[11] = size != 0;
    memcpy(query + len, opt, sizeof(opt));
    dns_put_be16(query + len + 3, size);
    len += size ? sizeof(opt) : 0;
    n = dns_answer(&db, NULL, query, len, one, DNS_UDP_MAX, DNS_MINIMAL, &stats);
    ck_assert_uint_le(n, MIN(MAX(size, DNS_UDP_MIN), DNS_UDP_MAX));
    ck_assert_uint_eq(ask_the_long_way(query, len, two, DNS_UDP_MAX, &stats), n);
    ck_assert_mem_eq(one, two, n);
    whole = !(one[2] & FLAG_TC);
    free(one);
    return whole;
}

/* Whatever flags a query has, also those that only an answer should have. */
static void compare_flags(const char *name, unsigned type)
{
    static const uint8_t second[] = {0, 0x10, 0x20, 0x40, 0x80, 0x0f, 0xff};
    uint8_t query[12 + DNS_NAME_MAX + 5], one[DNS_UDP_MAX], two[DNS_UDP_MAX];
    size_t len = put_query(query, name, type);

    for (unsigned first = 0; first < 0x80; first++) { /* with QR it gets no answer */
        for (unsigned i = 0; i < ARRAY_SIZE(second); i++) {
            struct dns_stats stats = {0};
            size_t n;

            query[2] = (uint8_t)first;
            query[3] = second[i];
            n = dns_answer(&db, NULL, query, len, one, DNS_UDP_MAX, DNS_MINIMAL, &stats);
            ck_assert_uint_eq(ask_the_long_way(query, len, two, DNS_UDP_MAX, &stats), n);
            ck_assert_mem_eq(one, two, n);
            if (!(first & 0x78)) {
                ck_assert_uint_eq(one[2], 0x84 | (first & FLAG_RD));
                ck_assert_uint_eq(one[3], 0);
            }
        }
    }
}

/* A plain question has the same answer by plain.c as by answer.c. */
START_TEST(test_plain_answers)
{
    static const uint16_t types[] = {TYPE_A,   TYPE_AAAA, TYPE_MX,    TYPE_NS,     TYPE_CNAME,
                                     TYPE_SOA, 16,        TYPE_SRV,   TYPE_DNAME,  TYPE_DS,
                                     TYPE_ANY, TYPE_NSEC, TYPE_RRSIG, TYPE_DNSKEY, TYPE_AXFR};
    struct dns_zone zone, hashed;
    unsigned answered = 0;
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size), *other;

    dns_db_set(&db, &zone);
    other = make_zone(nsec3_text, &hashed, &size);
    dns_db_set(&db, &hashed);
    for (unsigned t = 0; t < ARRAY_SIZE(types); t++) {
        for (unsigned i = 0; i < ARRAY_SIZE(counts); i++)
            answered += compare_ways(counts[i].name, types[t]);
        for (unsigned i = 0; i < ARRAY_SIZE(proofs); i++)
            answered += compare_ways(proofs[i].name, types[t]);
        answered += compare_ways("MAIL.eXample.org.", types[t]);
        answered += compare_ways("xx.example.", types[t]);
        answered += compare_ways("elsewhere.", types[t]);
    }
    ck_assert_uint_gt(answered, 500);
    compare_flags("mail.example.org.", TYPE_A);
    free(image);
    image = make_zone(nsec_text, &zone, &size); /* a set with signatures, for who wants them */
    dns_db_set(&db, &zone);
    ck_assert_uint_gt(compare_ways("ns1.example.org.", TYPE_A), 0);
    free(image);
    free(other);
}
END_TEST

/* Asks for a name, in lower case and not, which is there or not; and for all that differ from it in one octet. */
static void ask_for_variants(const char *name, bool there)
{
    uint8_t query[12 + DNS_NAME_MAX + 5], one[DNS_UDP_MAX], two[DNS_UDP_MAX];
    size_t len = put_query(query, name, TYPE_A), n;

    ck_assert_uint_eq(ask_plainly(query, len) != 0, there);
    for (size_t at = 12; at < len - 5; at++) {
        static const uint8_t flips[] = {0x20, 1, 0x40, 0x80};
        bool letter = (query[at] | 0x20) >= 'a' && (query[at] | 0x20) <= 'z';

        for (unsigned i = 0; i < ARRAY_SIZE(flips); i++) {
            query[at] ^= flips[i];
            n = dns_answer(&db, NULL, query, len, one, sizeof(one), DNS_MINIMAL, &stats);
            ck_assert_uint_eq(ask_the_long_way(query, len, two, sizeof(two), &stats), n);
            ck_assert_mem_eq(one, two, n);
            if (!i && letter)
                ck_assert_uint_eq(ask_plainly(query, len) != 0, there);
            query[at] ^= flips[i];
        }
    }
}

/* Names and zones' names of all lengths, alone with their number of labels and not. */
START_TEST(test_plain_names)
{
    static const char *const origins[] = {"example",
                                          "z",
                                          "a.bb",
                                          "ccc.dddd",
                                          "abc.defgh",
                                          "e@.x",
                                          "q[.y`",
                                          "eeeeeee.fffffff",
                                          "eeeeeeee.fffffff",
                                          ".",
                                          "ggggggggggggggg.hhhhhhhhhhhhhhhh"};
    static struct dns_zone zones[ARRAY_SIZE(origins)];
    uint8_t *images[ARRAY_SIZE(origins)];
    char text[4096], name[256];
    size_t size;

    for (unsigned z = 0; z < ARRAY_SIZE(origins); z++) {
        const char *dot = strcmp(origins[z], ".") ? "." : "";
        int at =
            snprintf(text, sizeof(text),
                     "$ORIGIN %s%s\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS n.s.t.\n@ A 192.0.2.1\n",
                     strcmp(origins[z], "e@.x") ? origins[z] : "e\\@.x", dot);

        for (int n = 1; n < 20; n++)
            at += snprintf(text + at, sizeof(text) - (size_t)at,
                           "%0*d A 192.0.2.2\nx.%0*dy A 192.0.2.3\n", n, 0, n, 0);
        images[z] = make_zone(text, &zones[z], &size);
    }
    for (unsigned z = 0; z < ARRAY_SIZE(origins); z++) {
        const char *dot = strcmp(origins[z], ".") ? "." : "";
        const char *origin = strcmp(origins[z], "e@.x") ? origins[z] : "e\\@.x";

        dns_db_set(&db, &zones[z]);
        snprintf(name, sizeof(name), "%s%s", origin, dot);
        ask_for_variants(name, true);
        for (int n = 1; n < 20; n++) {
            if (!*dot)
                origin = "";
            snprintf(name, sizeof(name), "%0*d.%s%s", n, 0, origin, dot);
            ask_for_variants(name, true);
            snprintf(name, sizeof(name), "x.%0*dy.%s%s", n, 0, origin, dot);
            ask_for_variants(name, true);
            snprintf(name, sizeof(name), "%0*dz.%s%s", n, 0, origin, dot);
            ask_for_variants(name, false);
        }
    }
    for (unsigned z = 0; z < ARRAY_SIZE(origins); z++)
        free(images[z]);
}
END_TEST

/* Each octet of a query, made to be another one, and each length. */
START_TEST(test_queries_that_are_nearly_plain)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 2, 9, 9};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)], one[DNS_UDP_MAX], two[DNS_UDP_MAX];
    size_t len = put_query(query, "mail.example.org.", TYPE_A), size, n;
    struct dns_zone zone;
    uint8_t *image = make_zone(zone_text, &zone, &size);
    unsigned plain = 0;

    dns_db_set(&db, &zone);
    memcpy(query + len, opt, sizeof(opt));
    for (unsigned records = 0; records < 3; records++) {
        size_t whole = len + (records ? sizeof(opt) : 0);

        query[11] = (uint8_t)records;
        for (size_t at = 0; at < whole; at++) {
            uint8_t was = query[at];

            for (unsigned value = 0; value < 256; value++) {
                query[at] = (uint8_t)value;
                n = dns_answer(&db, NULL, query, whole, one, sizeof(one), DNS_MINIMAL, &stats);
                ck_assert_uint_eq(ask_the_long_way(query, whole, two, sizeof(two), &stats), n);
                ck_assert_mem_eq(one, two, n);
                plain += ask_plainly(query, whole) != 0;
            }
            query[at] = was;
        }
        for (size_t less = 0; less < whole; less++) {
            uint8_t *exact = malloc(less ? less : 1);

            memcpy(exact, query, less);
            n = dns_answer(&db, NULL, exact, less, one, sizeof(one), DNS_MINIMAL, &stats);
            ck_assert_uint_eq(ask_the_long_way(exact, less, two, sizeof(two), &stats), n);
            ck_assert_mem_eq(one, two, n);
            ck_assert_uint_eq(ask_plainly_with(query, whole, less), 0);
            free(exact);
        }
    }
    ck_assert_uint_gt(plain, 500);
    free(image);
}
END_TEST

/* A name that has the hash of the one asked for, its length and its end, is another one nevertheless. */
START_TEST(test_plain_names_that_end_the_same)
{
    static const char text[] =
        "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.x.\nqbcdefghijkl 60 A 192.0.2.1\n";
    uint8_t query[12 + DNS_NAME_MAX + 5];
    size_t len = put_query(query, "qbcdefghijkl.example.org.", TYPE_A), size;
    struct dns_zone zone;
    uint8_t *image = make_zone(text, &zone, &size), *at = image;

    dns_db_set(&db, &zone);
    ck_assert_uint_gt(ask_plainly(query, len), 0);
    while (memcmp(at, "\x0cqbcd", 5))
        at++;
    at[1] = 'r';
    ck_assert_uint_eq(ask_plainly(query, len), 0);
    free(image);
}
END_TEST

START_TEST(test_room_for_a_plain_answer)
{
    unsigned whole[2] = {0};

    for (int more = 0; more < 40; more++) {
        char text[1200];
        struct dns_zone zone;
        size_t size;
        uint8_t *image;

        snprintf(text, sizeof(text),
                 "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.x.\nbig 60 TXT %0250d %0*d\n", 1, 190 + more,
                 2);
        image = make_zone(text, &zone, &size);
        dns_db_set(&db, &zone);
        for (unsigned edns = 0; edns < 2; edns++)
            whole[edns] += compare_room("big.example.org.", 16, edns ? DNS_UDP_MIN : 0);
        (void)compare_room("big.example.org.", 16, 5); /* counts as DNS_UDP_MIN */
        dns_db_remove(&db, &zone);
        free(image);
    }
    ck_assert_uint_gt(whole[1], 0);
    ck_assert_uint_eq(whole[0], whole[1] + 11);
    ck_assert_uint_lt(whole[0], 40);
}
END_TEST

/* The longest answer that there may be, and one that is an octet too long, for clients that would take more, too. */
START_TEST(test_most_room_for_a_plain_answer)
{
    static const uint16_t sizes[] = {DNS_UDP_MAX - 1, DNS_UDP_MAX, DNS_UDP_MAX + 1, 4096,
                                     UINT16_MAX};
    char text[1400];
    struct dns_zone zone;
    size_t size;
    uint8_t *image;

    snprintf(text, sizeof(text),
             "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.x.\n"
             "big 60 TXT %0255d %0255d %0255d %0255d %0*d\n",
             1, 2, 3, 4, 151 + _i, 5);
    image = make_zone(text, &zone, &size);
    dns_db_set(&db, &zone);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
        ck_assert_int_eq(compare_room("big.example.org.", 16, sizes[i]),
                         sizes[i] >= DNS_UDP_MAX && !_i);
    free(image);
}
END_TEST

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

/* Owners of NSEC records of which the question has the end: in whole labels, whatever octets are in one. */
static const struct {
    const char *question, *owner;
} shortened[] = {
    {"c.g.example.org.", "\1b\xc0\x0e"},
    {"f.example.org.", "\2\1f\xc0\x0e"},
    {"x.f.example.org.", "\2\1f\xc0\x10"},
};

/* clang-format off */
static const char odd_text[] =
    "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns1.x.\n" SIGNED("@", "SOA")
    "@ NSEC \\001f SOA NS\n" SIGNED("@", "NSEC")
    "\\001f A 192.0.2.1\n\\001f NSEC b.g A\n" SIGNED("\\001f", "NSEC")
    "b.g A 192.0.2.1\nb.g NSEC @ A\n" SIGNED("b.g", "NSEC");
/* clang-format on */

START_TEST(test_shortened_owners)
{
    struct dns_zone zone;
    uint8_t answer[DNS_UDP_MAX];
    size_t size, len, at = 0, owner_len = strlen(shortened[_i].owner);
    uint8_t *image = make_zone(odd_text, &zone, &size);

    dns_db_set(&db, &zone);
    len = ask_signed(shortened[_i].question, TYPE_A, answer, sizeof(answer), DNS_MINIMAL);
    ck_assert_uint_eq(answer[3] & 15, DNS_NXDOMAIN);
    while (at + owner_len <= len && memcmp(answer + at, shortened[_i].owner, owner_len) != 0)
        at++;
    ck_assert_uint_le(at + owner_len, len);
    free(image);
}
END_TEST

/*
 * The name of a node ends where the apex begins, not within a label: here the node a is made to have the name \2a in
 * front of the apex \1x, with a slot that leads to it.
 */
START_TEST(test_name_that_straddles_the_apex)
{
    static const char text[] =
        "$ORIGIN \\001x.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns1.y.\na A 192.0.2.1\n";
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(text, &zone, &size);
    uint8_t *slots = image + (zone.slots - image);
    uint32_t apex = (uint32_t)(zone_apex(&zone) - image) / 4, node = 0;

    for (uint32_t i = 0; i < zone.slot_count; i++) {
        uint32_t n = dns_le32(slots + 4 * i) & ((1u << zone.node_bits) - 1);

        node = n && n != apex ? n : node;
        dns_put_le32(slots + 4 * i, 0);
    }
    image[4 * node + NODE_HEADER] = 2;
    for (unsigned k = 0; k < 2; k++) {
        uint32_t hash = dns_hash(image + 4 * node + NODE_HEADER, k ? 2 : 0);
        uint32_t i = slot_first(hash, zone.slot_count);

        while (dns_le32(slots + 4 * i))
            i = (i + 1) % zone.slot_count;
        dns_put_le32(slots + 4 * i, slot_value(hash, k ? node : apex, zone.node_bits));
    }
    ck_assert_int_ne(dns_zone_check(&zone), 0);
    free(image);
}
END_TEST

static struct dns_zone *find_zone(const char *name)
{
    struct dns_key key;

    ck_assert_uint_gt(dns_key_parse(&key, (const uint8_t *)name, strlen(name) + 1), 0);
    return dns_db_find(&db, &key, key.labels);
}

/* A zone that is alone with its number of labels is found without a hash: until there is another one, and again when
 * that is gone, whatever was replaced meanwhile. */
START_TEST(test_zone_alone)
{
    static const uint8_t a_name[3 + DNS_NAME_PAD] = "\1a", b_name[3 + DNS_NAME_PAD] = "\1b";
    struct dns_zone a, b[3];

    dns_zone_vacate(&a, a_name);
    for (unsigned i = 0; i < ARRAY_SIZE(b); i++)
        dns_zone_vacate(&b[i], b_name);
    ck_assert_ptr_null(dns_db_set(&db, &a));
    ck_assert_ptr_eq(find_zone("\1x\1A"), &a);
    ck_assert_ptr_null(find_zone("\1b"));
    ck_assert_ptr_null(dns_db_set(&db, &b[0]));
    ck_assert_ptr_eq(find_zone("\1a"), &a);
    ck_assert_ptr_eq(find_zone("\1x\1b"), &b[0]);
    ck_assert_ptr_eq(dns_db_set(&db, &b[1]), &b[0]);
    ck_assert_ptr_eq(find_zone("\1a"), &a);
    ck_assert_ptr_eq(find_zone("\1b"), &b[1]);
    dns_db_remove(&db, &a);
    ck_assert_ptr_null(find_zone("\1a"));
    ck_assert_ptr_eq(find_zone("\1b"), &b[1]);
    ck_assert_ptr_eq(dns_db_set(&db, &b[2]), &b[1]);
    ck_assert_ptr_eq(find_zone("\1b"), &b[2]);
    dns_db_remove(&db, &b[2]);
    ck_assert_ptr_null(find_zone("\1b"));
}
END_TEST

START_TEST(test_zones)
{
    static const char sub_text[] = "$ORIGIN sub.example.org.\n$TTL 60\n"
                                   "@ SOA a b 1 2 3 4 5\n@ NS ns1.example.org.\n@ A 192.0.2.77\n";
    static const char root_text[] = "$ORIGIN .\n$TTL 60\n. SOA a b 1 2 3 4 5\n. NS a.root.\n"
                                    "a.root A 192.0.2.88\norg NS a.org\na.org A 192.0.2.89\n"
                                    "tld CNAME a.root\nnull MX 0 .\n. A 192.0.2.90\n";
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
    /* A record that ends with the root's name, which is in the zone (RFC 7505). */
    ask("null.", TYPE_MX, 0, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), 1);
    ck_assert_uint_eq(dns_be16(answer + 10), 2); /* its address, and the name server's */
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

/* An alias of a delegation whose zone is served, too: the parent answers for the DS, at the end of an alias as for
 * the name itself (RFC 4035 section 3.1.4.1). */
START_TEST(test_alias_of_child)
{
    static const char *const names[] = {"child.example.org.", "al.example.org.", "x.w.example.org.",
                                        "child.d.example.org."};
    static const char parent_text[] =
        "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns1.x.\n@ NSEC al SOA\n" SIGNED(
            "@",
            "NSEC") "child NS ns1.x.\nchild DS 1 8 2 00\n" SIGNED("child",
                                                                  "DS") "al CNAME child\n*.w CNAME "
                                                                        "child\nd DNAME @\n";
    static const char child_text[] = "$ORIGIN child.example.org.\n$TTL 60\n"
                                     "@ SOA a b 1 2 3 4 5\n@ NS ns1.x.\n@ A 192.0.2.77\n";
    static const unsigned aliases[] = {0, 1, 1, 2};
    struct dns_zone parent, child;
    uint8_t answer[DNS_UDP_MAX];
    size_t size;
    uint8_t *image = make_zone(parent_text, &parent, &size);
    uint8_t *child_image = make_zone(child_text, &child, &size);

    dns_db_set(&db, &parent);
    dns_db_set(&db, &child);
    ask_signed(names[_i], TYPE_DS, answer, sizeof(answer), DNS_MINIMAL);
    ck_assert_uint_eq(answer[3], DNS_NOERROR);
    ck_assert_uint_eq(dns_be16(answer + 6), aliases[_i] + 2); /* and the DS's signature */
    ck_assert_uint_eq(dns_be16(answer + 8), _i == 2 ? 2 : 0); /* that x.w does not exist */
    ask(names[_i], TYPE_A, DNS_MINIMAL, answer);
    ck_assert_uint_eq(dns_be16(answer + 6), aliases[_i] + 1);
    free(image);
    free(child_image);
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
    tcase_add_test(t, test_plain_answers);
    tcase_add_test(t, test_plain_names);
    tcase_add_test(t, test_queries_that_are_nearly_plain);
    tcase_add_test(t, test_plain_names_that_end_the_same);
    tcase_add_test(t, test_room_for_a_plain_answer);
    tcase_add_loop_test(t, test_most_room_for_a_plain_answer, 0, 2);
    tcase_add_loop_test(t, test_refusals, 0, sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_loop_test(t, test_counts, 0, sizeof(counts) / sizeof(counts[0]));
    tcase_add_loop_test(t, test_hashed_proofs, 0, sizeof(proofs) / sizeof(proofs[0]));
    tcase_add_loop_test(t, test_shortened_owners, 0, sizeof(shortened) / sizeof(shortened[0]));
    tcase_add_test(t, test_name_that_straddles_the_apex);
    tcase_add_test(t, test_zone_alone);
    tcase_add_test(t, test_zones);
    tcase_add_loop_test(t, test_alias_of_child, 0, 4);
    tcase_add_test(t, test_many_names);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
