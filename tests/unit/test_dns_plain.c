/* SPDX-License-Identifier: ISC */
/*
 * The plain question (lib/dns/plain.c): which questions are answered that way, and that each has the answer, octet for
 * octet, and is counted as, by the general way. Built with all options, and with none (tests/unit/files.mk).
 */
#include "tests/unit/dns_zones.h"

enum { WITH_DO = 1 };

/* A zone in the hands of a test. */
struct served {
    struct dns_zone zone;
    uint8_t *image;
};

static void serve(struct served *s, const char *text)
{
    size_t size;

    s->image = make_zone(text, &s->zone, &size);
    ck_assert_ptr_null(dns_db_set(&db, &s->zone));
}

static void start_with_identity(void)
{
    static const struct dns_identity identity = {.version = "1", .id = "plain", .idle = 100};

    start();
    dns_db_identify(&db, &identity);
}

/*
 * How dns_answer() and dns_answer_fully() differ over the query, or what dns_answer_plain() did wrong to what it left alone;
 * NULL: nothing is wrong. Over UDP and TCP. *plain is the length of the plain answer. Behind the query there is no zero, and
 * around the place of its answer nothing at all.
 */
static const char *difference(const uint8_t *query, size_t len, size_t *plain)
{
    static const struct dns_client client = {.address = {192, 0, 2, 1}, .address_len = 4, .now = 9};
    const char *wrong = NULL;
    uint8_t *place = malloc(DNS_UDP_MAX), full[DNS_UDP_MAX];
    struct dns_stats counted = {0};

    memset(place, 0x81, DNS_UDP_MAX);
    memcpy(place, query, len);
    *plain = dns_answer_plain(&db, place, len, &counted);
    if (!*plain) {
        for (size_t i = len; i < DNS_UDP_MAX; i++)
            wrong = place[i] == 0x81 ? wrong : "not plain, but written behind";
        if (memcmp(place, query, len) != 0)
            wrong = "not plain, but written to";
    }
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        unsigned flags = DNS_MINIMAL | (tcp ? DNS_TCP : 0);
        struct dns_stats one = {0}, two = {0};
        size_t n, m;

        memset(place, 0x81, DNS_UDP_MAX);
        n = dns_answer(&db, &client, query, len, place, DNS_UDP_MAX, flags, &one);
        m = dns_answer_fully(&db, &client, query, len, full, DNS_UDP_MAX, flags, &two);
        if (n != m || (*plain && *plain != n))
            wrong = tcp ? "lengths over TCP" : "lengths";
        else if (memcmp(place, full, n) != 0)
            wrong = tcp ? "octets over TCP" : "octets";
        else if (memcmp(&one, &two, sizeof(one)) != 0)
            wrong = tcp ? "counters over TCP" : "counters";
    }
    free(place);
    return wrong;
}

/* The length of the plain answer to the query, or 0, when nothing is wrong with it. */
static size_t compare(const uint8_t *query, size_t len)
{
    size_t plain;
    const char *wrong = difference(query, len, &plain);

    ck_assert_msg(!wrong, "%s", wrong);
    return plain;
}

/* Puts an OPT record behind the query's LEN octets, with N octets of options, and returns the length of it all. */
static size_t put_opt(uint8_t *query, size_t len, unsigned flags, const void *options, size_t n)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 0xd0, 0, 0, 0, 0};

    query[11] = 1;
    memcpy(query + len, opt, sizeof(opt));
    query[len + 7] = flags & WITH_DO ? EDNS_DO : 0;
    dns_put_be16(query + len + 9, (uint16_t)n);
    if (n)
        memcpy(query + len + OPT_SIZE, options, n);
    return len + OPT_SIZE + n;
}

/* Are they letters? Then they are of the other case by bit 5. */
static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The name in letters as they are, all large, or every other one. */
static void change_case(uint8_t *query, size_t len, unsigned how)
{
    for (size_t i = HEADER_SIZE; how && i < len - QUESTION_TAIL; i++) {
        if (is_letter(query[i]) && (how == 1 || i % how == 0))
            query[i] ^= 0x20;
    }
}

/* Is the question plain? In letters of any case, without an OPT record and with one. */
static bool is_plain(const char *name, unsigned type)
{
    uint8_t query[DNS_UDP_MIN];
    unsigned plain = 0;

    for (unsigned how = 0; how < 4; how++) {
        size_t len = put_query(query, name, type);

        change_case(query, len, how);
        plain += compare(query, len) != 0;
        plain += compare(query, put_opt(query, len, 0, NULL, 0)) != 0;
        plain += compare(query, put_opt(query, len, WITH_DO, NULL, 0)) != 0;
    }
    ck_assert_msg(plain == 0 || plain == 12, "%s: %u of 12", name, plain);
    return plain;
}

/* A whole answer with all kinds of pointers, as it is meant to be. */
START_TEST(test_octets_of_pointers)
{
    static const char text[] = "$TTL 3600\n@ SOA a b 1 2 3 4 5\n@ NS a.x.\n"
                               "h MX 1 a.h\nh MX 2 b.a.h\nh MX 3 c\nh MX 4 @\n";
    static const uint8_t expected[] =
        "\x12\x34\x84\0\0\1\0\4\0\0\0\0\1H\7example\3org\0\0\x0f\0\1"
        "\xc0\x0c\0\x0f\0\1\0\0\x0e\x10\0\6\0\1\1a\xc0\x0c" /* at 31: a at 45 */
        "\xc0\x0c\0\x0f\0\1\0\0\x0e\x10\0\6\0\2\1b\xc0\x2d" /* at 49 */
        "\xc0\x0c\0\x0f\0\1\0\0\x0e\x10\0\6\0\3\1c\xc0\x0e" /* to the apex */
        "\xc0\x0c\0\x0f\0\1\0\0\x0e\x10\0\4\0\4\xc0\x0e";
    uint8_t message[DNS_UDP_MAX];
    struct served s;
    size_t len = put_query(message, "H.example.org.", TYPE_MX);

    serve(&s, text);
    message[2] = 0;
    ck_assert_uint_eq(dns_answer_plain(&db, message, len, &stats), sizeof(expected) - 1);
    ck_assert_mem_eq(message, expected, sizeof(expected) - 1);
    free(s.image);
}
END_TEST

static const char pointers_text[] =
    "$TTL 3600\n@ SOA ns1 host 1 2 3 4 300\n@ NS ns.elsewhere.\n@ MX 10 mail\n@ MX 20 a.mail\n"
    "@ MX 30 b.a.mail\nmail A 192.0.2.1\na.mail A 192.0.2.2\n"
    "p CNAME mail\nself CNAME self\nout CNAME www.elsewhere.\nup CNAME @\n"
    "s.p2 MX 1 p2\ns.p2 MX 2 x.p2\ns.p2 MX 3 y.x.p2\ns.p2 MX 4 s.p2\ns.p2 MX 5 @\n"
    "_sip._tcp SRV 1 2 3 mail\n_sip._tcp SRV 1 2 4 a.mail\ns SRV 1 2 3 mail\n"
    "host.long.below CNAME other.long.below\nmore.long.below MX 1 below\n"
    "more.long.below MX 2 z.long.below\nmore.long.below MX 3 y.z.long.below\n"
    "more.long.below MX 4 w.elsewhere.\nmore.long.below MX 5 v.elsewhere.\n"
    "1 PTR mail\n2 PTR p.2\n1.reverse.0 PTR reverse.0\n12345678 MX 1 12345678\n"
    "12345678 MX 2 x\n1234567 MX 1 1234567\n1234567 MX 2 x.1234567\n"
    "123456 MX 1 123456\nl23456789 MX 1 l23456789\n"
    "*.wild MX 1 x.wild\n*.wild MX 2 y.x.wild\n*.w2 CNAME mail\n* MX 1 mail\n"
    "sub NS ns.sub\nns.sub A 192.0.2.3\nns.sub MX 1 ns.sub\nno A 192.0.2.4\n"
    "cut NS ns.elsewhere.\ncut A 192.0.2.5\nx.cut A 192.0.2.6\nlonger-than-eight NS "
    "ns.elsewhere.\n";

static const struct {
    const char *name;
    unsigned type;
    bool plain;
} pointers[] = {
    {"example.org.", TYPE_MX, true},
    {"p.example.org.", TYPE_CNAME, true},
    {"self.example.org.", TYPE_CNAME, true},
    {"out.example.org.", TYPE_CNAME, true},
    {"up.example.org.", TYPE_CNAME, true},
    {"s.p2.example.org.", TYPE_MX, true},
    {"_sip._tcp.example.org.", TYPE_SRV, true},
    {"s.example.org.", TYPE_SRV, true},
    {"host.long.below.example.org.", TYPE_CNAME, true},
    {"more.long.below.example.org.", TYPE_MX, true},
    {"1.example.org.", TYPE_PTR, true},
    {"2.example.org.", TYPE_PTR, true},
    {"1.reverse.0.example.org.", TYPE_PTR, true},
    {"12345678.example.org.", TYPE_MX, true},
    {"1234567.example.org.", TYPE_MX, true},
    {"123456.example.org.", TYPE_MX, true},
    {"l23456789.example.org.", TYPE_MX, true},
    {"*.wild.example.org.", TYPE_MX, true},
    {"*.w2.example.org.", TYPE_CNAME, true},
    {"*.example.org.", TYPE_MX, true},
    /* What follows, does not exist, is a delegation or below one, or is not the type asked for. */
    {"p.example.org.", TYPE_MX, false},
    {"p.example.org.", TYPE_ANY, false},
    {"a.wild.example.org.", TYPE_MX, false},
    {"a.w2.example.org.", TYPE_CNAME, false},
    {"nx.example.org.", TYPE_MX, false},
    {"sub.example.org.", TYPE_NS, false},
    {"ns.sub.example.org.", TYPE_MX, false},
    {"cut.example.org.", TYPE_NS, false},
    {"cut.example.org.", TYPE_A, false},
    {"x.cut.example.org.", TYPE_A, false},
    {"longer-than-eight.example.org.", TYPE_NS, false},
    {"no.example.org.", TYPE_MX, false},
    {"long.below.example.org.", TYPE_MX, false},
    {"example.org.", TYPE_DS, false},
};

START_TEST(test_pointers)
{
    struct served s;

    serve(&s, pointers_text);
    ck_assert_int_eq(is_plain(pointers[_i].name, pointers[_i].type), pointers[_i].plain);
    free(s.image);
}
END_TEST

/* Name servers' addresses go with them: those in the zone. Their set has pointers when they are, or when there are some to
 * each other's names. */
static const struct {
    const char *set;
    bool plain;
} servers[] = {
    {"@ NS ns\nns A 192.0.2.1\n", false},
    {"@ NS ns.elsewhere.\n", true},
    {"@ NS ns.elsewhere.\n@ NS ns.nowhere.\n", true},
    {"@ NS ns.elsewhere.\n@ NS ns2.elsewhere.\n", false},
    {"@ NS ns.elsewhere.\n@ NS ns\nns A 192.0.2.1\n", false},
};

START_TEST(test_servers)
{
    char text[256];
    struct served s;

    snprintf(text, sizeof(text), "$TTL 60\n@ SOA a b 1 2 3 4 5\n%s", servers[_i].set);
    serve(&s, text);
    ck_assert_int_eq(is_plain("example.org.", TYPE_NS), servers[_i].plain);
    free(s.image);
}
END_TEST

/* Pointers are put into an answer, not into the query where there is no room for one. */
START_TEST(test_pointers_without_room)
{
    char text[4096];
    int at = snprintf(text, sizeof(text), "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a.x.\n");
    uint8_t query[DNS_UDP_MIN];
    size_t len = put_query(query, "h.example.org.", TYPE_MX), most;
    struct served s;

    for (int i = 0; i < 40; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "h MX %d x%d.h\n", i, i);
    serve(&s, text);
    ck_assert_uint_eq(compare(query, len), 0);
    len = put_opt(query, len, 0, NULL, 0);
    most = compare(query, len);
    ck_assert_uint_gt(most, DNS_UDP_MIN);
    dns_put_be16(query + len - OPT_SIZE + 3, (uint16_t)most);
    ck_assert_uint_eq(compare(query, len), most);
    dns_put_be16(query + len - OPT_SIZE + 3, (uint16_t)(most - 1));
    ck_assert_uint_eq(compare(query, len), 0);
    free(s.image);
}
END_TEST

/* Zones of which some lie in others, some have as many labels, and all lengths that matter (5 to 40 octets) are there. What
 * the upper ones have where the lower ones are is not to be seen. */
static const struct {
    const char *origin, *more;
} origins[] = {
    {".", "www.abc A 192.0.2.99\nwww.sub.example.org A 192.0.2.99\nx\\007example\\003org A "
          "192.0.2.98\n\\007example\\003org A 192.0.2.97\nnear.bcde A 192.0.2.96\n"},
    {"abc.", ""},
    {"org.", "example A 192.0.2.99\nwww.example A 192.0.2.99\nx.sub.example A 192.0.2.99\n"
             "www\\007example A 192.0.2.95\n"},
    {"abcde.", ""},
    {"a.bcde.", ""},
    {"ab.cdef.", ""},
    {"example.org.", "sub A 192.0.2.99\nx.sub A 192.0.2.99\nlonger-than-eight.sub A 192.0.2.99\n"
                     "x.sub.example A 192.0.2.94\nwww\\003sub A 192.0.2.93\n"},
    {"another.org.", ""},
    {"sub.exam.mple.", ""},
    {"subs.exam.mple.", ""},
    {"exam.mple.", "sub A 192.0.2.99\nwww.sub A 192.0.2.99\nx.subs A 192.0.2.99\n"},
    {"sub.example.org.", "only A 192.0.2.92\n"},
    {"2.0.192.in-addr.arpa.", "1 PTR a.example.org.\n2 PTR 1\n"},
    {"a23456789.b23456789.c23456789.d2345678.", ""},
};

static const char *const prefixes[] = {
    "",
    "www.",
    "x.",
    "x.sub.",
    "www.sub.",
    "longer-than-eight.",
    "longer-than-eight.sub.",
    "x.sub.example.",
    "nx.",
    "nx.www.",
    "only.",
    "only.sub.",
    "x\\007example\\003org.",
    "\\007example\\003org.",
    "www\\003sub.",
    "www\\007example.",
    "x\\003sub\\007example\\003org.",
    "1.",
    "near.",
};

static uint8_t *make_origin(struct served *s, unsigned i)
{
    char text[1024];
    size_t size;

    snprintf(text, sizeof(text),
             "$ORIGIN %s\n$TTL 60\n@ SOA a.x. b.x. 1 2 3 4 5\n@ NS n.x.\n@ A 198.51.100.%u\n"
             "www A 198.51.100.%u\nx A 198.51.100.%u\nlonger-than-eight A 198.51.100.%u\n%s",
             origins[i].origin, i, i, i, i, origins[i].more);
    s->image = make_zone(text, &s->zone, &size);
    return s->image;
}

/* The question as its answer is: is there a set to be sent? All of them are to be sent plainly. */
static const char *ask_plain_address(const char *name, unsigned how)
{
    uint8_t query[DNS_UDP_MIN], answer[DNS_UDP_MAX];
    size_t len = put_query(query, name, TYPE_A), plain;
    const char *wrong;

    change_case(query, len, how);
    if (how == 3)
        len = put_opt(query, len, 0, NULL, 0);
    wrong = difference(query, len, &plain);
    if (wrong)
        return wrong;
    dns_answer_fully(&db, NULL, query, len, answer, sizeof(answer), DNS_MINIMAL, &stats);
    /* One whose octets, but not labels, end with a zone's name may take the general way. */
    if (plain == 0 && strchr(name, '\\'))
        return NULL;
    return (plain != 0) == (dns_be16(answer + 6) != 0) ? NULL : "plain or not";
}

/* All names in all zones, by a server that has those of SERVED. */
static void ask_for_all(struct served *s, uint32_t served)
{
    dns_db_init(&db, buckets, BUCKETS);
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++) {
        if (served & 1u << i)
            dns_db_set(&db, &s[i].zone);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(prefixes); k++) {
            char name[256];

            snprintf(name, sizeof(name), "%s%s", prefixes[k],
                     !i && *prefixes[k] ? "" : origins[i].origin);
            for (unsigned how = 0; how < 4; how++) {
                const char *wrong = ask_plain_address(name, how);

                if (wrong)
                    ck_abort_msg("zones %#x, %s (%u): %s", served, name, how, wrong);
            }
        }
    }
}

/* Servers with each of the zones, each two, each three of those that lie in each other, and all. */
START_TEST(test_zones)
{
    static struct served s[ARRAY_SIZE(origins)];
    uint32_t org = 1u << 0 | 1u << 2 | 1u << 6 | 1u << 11;

    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++)
        make_origin(&s[i], i);
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++) {
        for (unsigned k = 0; k <= i; k++)
            ask_for_all(s, 1u << i | 1u << k);
        ask_for_all(s, org | 1u << i);
        ask_for_all(s, UINT32_MAX ^ 1u << i);
    }
    ask_for_all(s, UINT32_MAX);
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++)
        free(s[i].image);
}
END_TEST

/* A zone that is gone is not found any more, whatever others there are. */
START_TEST(test_removed_zone)
{
    static struct served s[ARRAY_SIZE(origins)];

    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++)
        make_origin(&s[i], i);
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(origins); k++) {
            uint8_t query[DNS_UDP_MIN];
            size_t len = put_query(query, origins[k].origin, TYPE_A), before;

            dns_db_set(&db, &s[i].zone);
            if (k == i)
                continue;
            before = compare(query, len); /* the one that is left may have the name */
            dns_db_set(&db, &s[k].zone);
            ck_assert_uint_ne(compare(query, len), 0);
            dns_db_remove(&db, &s[k].zone);
            ck_assert_uint_eq(compare(query, len), before);
        }
        dns_db_remove(&db, &s[i].zone);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++)
        free(s[i].image);
}
END_TEST

/* The node, relative to the apex, of which this is the name. */
static const uint8_t *node_of(const struct dns_zone *zone, const char *name)
{
    uint8_t octets[8 + DNS_NAME_MAX];
    size_t len;

    memset(octets, 0, 8);
    dns_name_parse(name, (const uint8_t *)"", octets + 8);
    len = dns_name_length(octets + 8, DNS_NAME_MAX) - 1;
    return zone_find(zone, octets + 8, (unsigned)len);
}

/* Puts the node in a slot for the name HASH is of. */
static void put_slot(struct served *s, uint32_t hash, const uint8_t *node)
{
    uint8_t *slots = s->image + (s->zone.slots - s->image);
    uint32_t i = slot_first(hash, s->zone.slot_count);

    while (dns_le32(slots + 4 * i))
        i = (i + 1) % s->zone.slot_count;
    dns_put_le32(slots + 4 * i,
                 slot_value(hash, (uint32_t)((node - s->image) / 4), s->zone.node_bits));
}

/* Names that are the beginning of another one, which lies in front of them in the table and has their hash by chance: such a
 * table is forged here. The second of a pair may be the first with what is behind it in the image. */
static const struct {
    const char *asked, *other;
} alike[] = {
    {"x.", "x.z."},
    {"x.z.", "x."},
    {"x.\\000.", "x."},
    {"12345678.", "12345678.z."},
    {"longer-than-eight.", "longer-than-eight.z."},
    {"longer-than-eight.\\000.", "longer-than-eight."},
    {"y.", "x."},
    {"longer-than-nine.", "longer-than-eighx."},
};

START_TEST(test_names_with_one_hash)
{
    char text[512], name[64];
    uint8_t query[DNS_UDP_MAX];
    const uint8_t *node[2], *apex;
    size_t len;
    uint32_t hash;
    struct served s;

    snprintf(text, sizeof(text),
             "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a.x.\n%sexample.org. A 192.0.2.1\n"
             "%sexample.org. A 192.0.2.2\n",
             alike[_i].asked, alike[_i].other);
    serve(&s, text);
    node[0] = node_of(&s.zone, alike[_i].asked);
    node[1] = node_of(&s.zone, alike[_i].other);
    apex = zone_apex(&s.zone);
    ck_assert(node[0] && node[1]);
    hash = dns_hash(node_name(node[0]), node_name_len(node[0]));
    snprintf(name, sizeof(name), "%sexample.org.", alike[_i].asked);
    for (unsigned forged = 0; forged < 3; forged++) {
        len = put_query(query, name, TYPE_A);
        compare(query, len);
        len = dns_answer_plain(&db, query, len, &stats);
        ck_assert_int_eq(len != 0, forged < 2);
        if (len)
            ck_assert_uint_eq(query[len - 1], 1);
        memset(s.image + (s.zone.slots - s.image), 0, 4 * s.zone.slot_count);
        put_slot(&s, DNS_HASH_SEED, apex);
        put_slot(&s, hash, node[1]);
        if (!forged)
            put_slot(&s, hash, node[0]);
    }
    free(s.image);
}
END_TEST

/* The names of zones are compared with those that have their length: nothing far in front of them or behind is read. */
START_TEST(test_names_of_other_lengths)
{
    static const char *const origin[] = {"a.", "abcdefgh."},
                             *const asked[] = {
                                 "longer-than-all-there-is-behind-the-name-of-a-zone.", "b."};
    uint8_t query[DNS_UDP_MIN], octets[DNS_UDP_MIN];
    size_t front = _i ? 0 : 8,
           n = put_query(octets, origin[_i], TYPE_A) - HEADER_SIZE - QUESTION_TAIL;
    uint8_t *name = calloc(1, front + n + DNS_NAME_PAD);
    struct dns_zone zone;

    memcpy(name + front, octets + HEADER_SIZE, n);
    dns_zone_vacate(&zone, name + front);
    dns_db_set(&db, &zone);
    ck_assert_uint_eq(compare(query, put_query(query, asked[_i], TYPE_A)), 0);
    free(name);
}
END_TEST

/* The DS of a zone is its parent's, whatever the zone has: here a delegation without pointers, too. */
START_TEST(test_ds_of_apex)
{
    uint8_t query[DNS_UDP_MIN];
    size_t len = put_query(query, "example.org.", TYPE_DS);
    struct served child, parent;

    serve(&child, "$TTL 60\n@ SOA a.x. b.x. 1 2 3 4 5\n@ NS a.x.\n@ DS 1 8 2 00\n");
    ck_assert_uint_eq(compare(query, len), 0);
    serve(&parent, "$ORIGIN org.\n$TTL 60\n@ SOA a.x. b.x. 1 2 3 4 5\n@ NS a.x.\n"
                   "example NS a.x.\nexample DS 2 8 2 00\n");
    ck_assert_uint_eq(compare(query, len), 0);
    free(child.image);
    free(parent.image);
}
END_TEST

/* A zone with signatures is asked plainly by who does not want them. */
START_TEST(test_signed_zone)
{
    uint8_t query[DNS_UDP_MIN];
    size_t len = put_query(query, "ns1.example.org.", TYPE_A);
    struct served s;

    if (!IS_ENABLED(CONFIG_DNS_DNSSEC))
        return;
    serve(&s, nsec_text);
    ck_assert_uint_ne(compare(query, len), 0);
    ck_assert_uint_ne(compare(query, put_opt(query, len, 0, NULL, 0)), 0);
    ck_assert_uint_eq(compare(query, put_opt(query, len, WITH_DO, NULL, 0)), 0);
    free(s.image);
}
END_TEST

/* Octets that are no name at all, or one that ends before they do: with the ends that a zone's name has. */
static const struct {
    const char *octets;
    size_t len;
} odd[] = {
#define ODD(octets)                                                                                \
    {                                                                                              \
        octets, sizeof(octets)                                                                     \
    }
    ODD("\3www\7example\3org"), /* this one is a name */
    ODD("\3www\7example\3org\0\0\1\0\1\7example\3org"),
    ODD("\3www\7example\3org\0xyz\3www\7example\3org"),
    ODD("\3www\0\7example\3org"),
    ODD("\3www\0x\7example\3org"),
    ODD("\0\7example\3org"),
    ODD("\0\3www\7example\3org"),
    ODD("\1\3www\7example\3org"),
    ODD("\4www\7example\3org"),
    ODD("\2www\7example\3org"),
    ODD("\14x\7example\3org"),
    ODD("\15xy\7example\3org"),
    ODD("\14\7example\3org"),
    ODD("\77\7example\3org"),
    ODD("\100\7example\3org"),
    ODD("\300\14\7example\3org"),
    ODD("\300\7example\3org"),
    ODD("\377\7example\3org"),
    ODD("\7exampl\0\3org"),
    ODD("\7example\2org"),
    ODD("\7example\4org"),
    ODD("\7example\3or"),
    ODD("7example\3org"),
    ODD("\7example\3orgx"),
    ODD("\7example\3org\1"),
    ODD("\7example#org"), /* \3 but for the bit of the case */
    ODD("'example\3org"),
    ODD("\3www'example\3org"),
    ODD("#www\7example\3org"),
    ODD("\3WwW'exAmple#ORG"),
    ODD("\21longer-than-eight\7example\3org"),
    ODD("1longer-than-eight\7example\3org"),
    ODD("\21longer-than-eighT\7example#org"),
    ODD("\1a\4bcde"),
    ODD("a\4bcde"), /* behind the header's last octet, 1, the name of a zone */
    ODD("\3www\3sub\7example\3org"),
    ODD("\3www\3sub\7exaxple\3org"), /* the middle one of 17 */
    ODD("\3www\3suc\7example\3org"),
    ODD("\3org"),
    ODD("#org"),
    ODD("\1\3org"),
    ODD("\7\3org"),
    ODD(""),
    ODD("\0"),
    ODD("\0\0\0\0\0\0\0\0"),
    ODD("\1"),
    ODD("\1\1\1\1\1\1\1\1\1\1"),
};

static size_t put_octets(uint8_t *query, const void *octets, size_t n)
{
    static const uint8_t tail[] = {0, TYPE_A, 0, CLASS_IN};

    put_query(query, ".", TYPE_A);
    memcpy(query + HEADER_SIZE, octets, n);
    memcpy(query + HEADER_SIZE + n, tail, sizeof(tail));
    return HEADER_SIZE + n + sizeof(tail);
}

START_TEST(test_odd_octets)
{
    /* The last is the root, org and example.org. */
    static const uint32_t sets[] = {1u << 0, 1u << 2,           1u << 4, 1u << 11,
                                    1u << 6, 1u << 6 | 1u << 7, 0x45};
    static struct served s[ARRAY_SIZE(origins)];

    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++) {
        make_origin(&s[i], i);
        if (sets[_i] & 1u << i)
            dns_db_set(&db, &s[i].zone);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
        uint8_t query[DNS_UDP_MIN];
        size_t len = put_octets(query, odd[i].octets, odd[i].len);

        compare(query, len);
        compare(query, put_opt(query, len, 0, NULL, 0));
        compare(query, put_opt(query, len, WITH_DO, "\0\3\0\0", 4));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(origins); i++)
        free(s[i].image);
}
END_TEST

/* What is in front of a zone's name, of all lengths, also longer ones than names may be, is labels of one length. */
START_TEST(test_lengths)
{
    struct served s;

    make_origin(&s, 6);
    dns_db_set(&db, &s.zone);
    for (size_t label = 1; label < 66; label += label < 8 || label > 60 ? 1 : 11) {
        for (size_t n = 0; n < 600; n++) {
            uint8_t query[DNS_UDP_MAX], octets[613];
            size_t len, plain;

            memset(octets, (int)label, n);
            memcpy(octets + n, s.zone.name, 13);
            len = put_octets(query, octets, n + 13);
            if (difference(query, len, &plain) || (plain != 0) != !n)
                ck_abort_msg("%zu octets %zu: %s", n, label, difference(query, len, &plain));
        }
    }
    free(s.image);
}
END_TEST

/* What is in front of a name is not of it, though it has the octets that a zone's name has. */
START_TEST(test_header_like_a_name)
{
    static const char text[] = "$ORIGIN \\000\\001\\000\\000\\000\\000\\000\\00%c.org.\n$TTL 60\n"
                               "@ SOA a b 1 2 3 4 5\n@ NS ns.x.\n@ A 192.0.2.1\n";
    uint8_t query[DNS_UDP_MIN];
    char own[256];
    struct served s, org;
    size_t len = put_query(query, "org.", TYPE_A);

    snprintf(own, sizeof(own), text, '0' + _i);
    serve(&s, own);
    query[3] = 8;
    if (_i)
        len = put_opt(query, len, 0, NULL, 0);
    ck_assert_uint_eq(compare(query, len), 0);
    make_origin(&org, 2);
    dns_db_set(&db, &org.zone);
    ck_assert_uint_ne(compare(query, len), 0);
    free(s.image);
    free(org.image);
}
END_TEST

/* The shortest query that there is. */
START_TEST(test_root)
{
    uint8_t query[DNS_UDP_MIN];
    size_t len = put_query(query, ".", TYPE_A);
    struct served s;

    make_origin(&s, 0);
    dns_db_set(&db, &s.zone);
    ck_assert_uint_ne(compare(query, len), 0);
    for (size_t less = 0; less < len; less++)
        ck_assert_uint_eq(compare(query, less), 0);
    len = put_opt(query, len, 0, NULL, 0);
    ck_assert_uint_ne(compare(query, len), 0);
    for (size_t less = 0; less < len; less++)
        ck_assert_uint_eq(compare(query, less), 0);
    free(s.image);
}
END_TEST

#define COOKIE "\0\12\0\10abcdefgh"
#define PADDING "\0\14\0\5\0\0\0\0\0"
#define NSID "\0\3\0\0"
#define SUBNET "\0\10\0\7\0\1\30\0\300\0\2"

/* Options, which are in nobody's way where they are ignored. The last ones are malformed, or look like another question with
 * an OPT record. */
static const struct {
    const char *options;
    size_t len;
} options[] = {
#define OPTIONS(octets)                                                                            \
    {                                                                                              \
        octets, sizeof(octets) - 1                                                                 \
    }
    OPTIONS(""),
    OPTIONS(COOKIE),
    OPTIONS(PADDING),
    OPTIONS(NSID),
    OPTIONS(SUBNET),
    OPTIONS(NSID COOKIE),
    OPTIONS(COOKIE PADDING),
    OPTIONS(SUBNET NSID COOKIE PADDING),
    OPTIONS("\0"),
    OPTIONS("\0\3\0"),
    OPTIONS("\0\3\0\1"),
    OPTIONS("\377\377\0\7\0\0\51\4\320\0\0"),
};

START_TEST(test_options)
{
    static const char *const names[] = {"p.example.org.", "more.long.below.example.org.",
                                        "example.org.", "nx.example.org."};
    static const unsigned types[] = {TYPE_CNAME, TYPE_MX, TYPE_MX, TYPE_A};
    bool ignored = !IS_ENABLED(CONFIG_DNS_EDNS) || !options[_i].len;
    size_t n = options[_i].len;
    struct served s;

    serve(&s, pointers_text);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        uint8_t query[DNS_UDP_MIN];
        size_t first = put_query(query, names[i], types[i]);
        size_t len = put_opt(query, first, i & WITH_DO, options[_i].options, n);

        ck_assert_int_eq(compare(query, len) != 0, ignored && i < 3);
        for (size_t less = 0; less < len; less++)
            ck_assert_uint_eq(compare(query, less), 0);
        for (unsigned wrong = 0; wrong < 300; wrong++) {
            dns_put_be16(query + first + 9, (uint16_t)wrong);
            ck_assert_int_eq(compare(query, len) != 0, ignored && i < 3 && wrong == n);
        }
        dns_put_be16(query + first + 9, (uint16_t)n);
        for (size_t at = 0; at < len; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                query[at] ^= 1u << bit;
                compare(query, len);
                query[at] ^= 1u << bit;
            }
        }
    }
    free(s.image);
}
END_TEST

/* The options are the end of another query, whole or in part, or the name goes on to the query's end, or past it. */
START_TEST(test_options_like_a_question)
{
    uint8_t query[DNS_UDP_MAX], inner[DNS_UDP_MIN];
    size_t first = put_query(query, "p.example.org.", TYPE_CNAME);
    size_t n = put_opt(inner, put_query(inner, "up.example.org.", TYPE_CNAME), 0, NULL, 0);
    struct served s;

    serve(&s, pointers_text);
    for (size_t from = 0; from < n; from++) {
        size_t len = put_opt(query, first, 0, inner + from, n - from);

        compare(query, len);
    }
    for (size_t label = 1; label < 256; label += label < 8 ? 1 : 31) {
        for (size_t len = DNS_UDP_MAX - 40; len <= DNS_UDP_MAX; len++) {
            put_query(query, ".", TYPE_A);
            query[11] = 1;
            memset(query + HEADER_SIZE, (int)label, sizeof(query) - HEADER_SIZE);
            ck_assert_uint_eq(compare(query, len), 0);
            query[DNS_UDP_MAX - 1 - (label & 15)] = 0;
            ck_assert_uint_eq(compare(query, len), 0);
        }
    }
    /* All there is room for, with an OPT record that is cut. */
    for (size_t left = 0; left < QUESTION_TAIL + OPT_SIZE; left++) {
        static const uint8_t rest[] = {0, 0, TYPE_A, 0, CLASS_IN, 0, 0, TYPE_OPT,
                                       4, 0, 0,      0, 0,        0, 0, 0};

        put_query(query, ".", TYPE_A);
        query[11] = 1;
        memset(query + HEADER_SIZE, 1, sizeof(query) - HEADER_SIZE);
        query[HEADER_SIZE] = left % 2 ? 1 : 2;
        memcpy(query + sizeof(query) - 1 - left, rest, left + 1);
        ck_assert_uint_eq(compare(query, sizeof(query)), 0);
    }
    free(s.image);
}
END_TEST

/* The record that a query has: one, an OPT record, of version 0, and of class IN what is asked. */
START_TEST(test_unusual_opt)
{
    uint8_t query[DNS_UDP_MIN];
    size_t first = put_query(query, "p.example.org.", TYPE_CNAME);
    size_t len = put_opt(query, first, 0, _i ? NSID : "", _i ? 4 : 0);
    struct served s;
    unsigned plain = 0;

    serve(&s, pointers_text);
    for (size_t at = first - QUESTION_TAIL; at < len; at++) {
        uint8_t was = query[at];

        for (unsigned value = 0; value < 256; value++) {
            query[at] = (uint8_t)value;
            plain += compare(query, len) != 0;
        }
        query[at] = was;
    }
    /* Any size, response code and flags, 5 octets; 10 others as they are. Whose options do not count, that goes for them, too. */
    if (!_i)
        ck_assert_uint_eq(plain, 5 * 256 + 10);
    else if (IS_ENABLED(CONFIG_DNS_EDNS))
        ck_assert_uint_eq(plain, 0);
    free(s.image);
}
END_TEST

/* Names of labels that are there, of parts of them, and of others; and octets. */
static size_t put_random_name(uint8_t *octets)
{
    static const char *const labels[] = {
        "\3www",  "\1x",       "\3sub",   "\7example", "\3org",  "\4mple",   "\4exam",
        "\4subs", "\3abc",     "\5abcde", "\1a",       "\4bcde", "\2ab",     "\4cdef",
        "\4arpa", "\7in-addr", "\003192", "\0010",     "\0012",  "\0011",    "\1*",
        "\1p",    "\1s",       "\5below", "\4long",    "\4host", "\7another"};
    size_t len = 0;

    for (unsigned n = random_number() % 6; n; n--) {
        const char *label = labels[random_number() % ARRAY_SIZE(labels)];

        memcpy(octets + len, label, strlen(label));
        len += strlen(label);
    }
    if (random_number() % 8 == 0)
        octets[len++] = (uint8_t)random_number();
    if (random_number() % 16 == 0)
        len += put_random_name(octets + len);
    octets[len++] = 0;
    return len;
}

static size_t put_random_query(uint8_t *query, const struct served *s, unsigned zones)
{
    static const uint16_t types[] = {TYPE_A,   TYPE_AAAA,  TYPE_MX,  TYPE_NS,  TYPE_DS,
                                     TYPE_SRV, TYPE_CNAME, TYPE_TXT, TYPE_SOA, TYPE_PTR,
                                     TYPE_ANY, UINT16_MAX, TYPE_A,   TYPE_MX,  TYPE_A};
    uint8_t octets[1024];
    size_t n = put_random_name(octets), len;
    uint32_t chance = random_number() % 8;
    uint32_t which = random_number() % (ARRAY_SIZE(pointers) + ARRAY_SIZE(prefixes));
    unsigned type = which < ARRAY_SIZE(pointers) ? pointers[which].type : TYPE_A;

    if (random_number() % 2)
        type = types[random_number() % ARRAY_SIZE(types)];
    if (chance > 3) /* the beginning of a name that some zone has, or all of it */
        dns_name_parse(which < ARRAY_SIZE(pointers) ? pointers[which].name
                                                    : prefixes[which - ARRAY_SIZE(pointers)],
                       (const uint8_t *)"", octets);
    if (chance > 3)
        n = dns_name_length(octets, DNS_NAME_MAX);
    if (chance && (chance < 4 || which >= ARRAY_SIZE(pointers))) {
        const struct dns_zone *zone = &s[random_number() % zones].zone;

        memcpy(octets + n - 1, zone->name, zone->name_len);
        n += zone->name_len - 1;
    }
    if (chance == 1)
        octets[random_number() % n] ^= (uint8_t)(1u << random_number() % 8);
    len = put_octets(query, octets, n);
    dns_put_be16(query + len - 4, (uint16_t)type);
    query[2] = random_number() & FLAG_RD;
    if (random_number() % 2)
        change_case(query, len, 1 + random_number() % 4);
    chance = random_number() % 4;
    if (chance > 1)
        len = put_opt(query, len, random_number() & WITH_DO, COOKIE NSID, chance == 2 ? 0 : 16);
    return len;
}

static const unsigned chosen[] = {6, 11, 4, 7, 2, 12, 10, 8, 0};

/* Servers with eight zones of nine, in turn; their answers to many questions, the same in each run. */
START_TEST(test_random)
{
    static struct served s[ARRAY_SIZE(chosen)];
    uint8_t query[DNS_UDP_MAX], bad[DNS_UDP_MAX];
    const char *wrong = NULL;
    size_t len, bad_len = 0, size;
    unsigned plain = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(chosen); i++) {
        if (i)
            make_origin(&s[i], chosen[i]);
        else
            s[0].image = make_zone(pointers_text, &s[0].zone, &size);
        if (i != (unsigned)_i)
            dns_db_set(&db, &s[i].zone);
    }
    random_state = (uint64_t)_i;
    for (unsigned i = 0; i < 10000 && !wrong; i++) {
        size_t n;

        len = put_random_query(query, s, ARRAY_SIZE(chosen));
        wrong = difference(query, len, &n);
        plain += n != 0;
        if (wrong) {
            memcpy(bad, query, len);
            bad_len = len;
        }
    }
    for (size_t i = 0; i < bad_len; i++)
        printf("%02x", bad[i]);
    ck_assert_msg(!wrong, "zones without number %d: %s in the answer to the above", _i, wrong);
    ck_assert_uint_gt(plain, 400);
    for (unsigned i = 0; i < ARRAY_SIZE(chosen); i++)
        free(s[i].image);
}
END_TEST

/* A hash from either end is the same one, of these octets and no others, and of letters of any case. */
START_TEST(test_hash)
{
    unsigned n = (unsigned)_i;
    uint8_t octets[8 + 40 + 8], *alone = malloc(8 + n);
    uint8_t *name = octets + 8;
    uint32_t hash;

    for (unsigned i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)('a' + random_number() % 26);
    for (unsigned i = 0; i < n; i += 5)
        name[i] = (uint8_t)('0' + random_number() % 10);
    hash = dns_hash(name, n);
    ck_assert_uint_eq(dns_hash_end(name + n, n), hash);
    for (unsigned i = 0; i < n; i++) {
        uint8_t was = name[i];

        for (unsigned c = '0'; c <= 'z'; c += c == '9' ? 'A' - '9' : c == 'Z' ? 'a' - 'Z' : 1) {
            name[i] = (uint8_t)c;
            ck_assert_int_eq(dns_hash(name, n) == hash, dns_lower(name[i]) == was);
            ck_assert_uint_eq(dns_hash_end(name + n, n), dns_hash(name, n));
        }
        name[i] = was;
    }
    /* What is in front and behind does not matter, and is read on one side alone. */
    memcpy(alone + 8, name, n);
    memset(alone, 0xff, 8);
    ck_assert_uint_eq(dns_hash_end(alone + 8 + n, n), hash);
    memcpy(alone, name, n);
    memset(alone + n, 0xff, 8);
    ck_assert_uint_eq(dns_hash(alone, n), hash);
    free(alone);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("plain");
    Suite *s = suite_create("dns_plain");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, start_with_identity, NULL);
    tcase_add_test(t, test_octets_of_pointers);
    tcase_add_loop_test(t, test_pointers, 0, ARRAY_SIZE(pointers));
    tcase_add_loop_test(t, test_servers, 0, ARRAY_SIZE(servers));
    tcase_add_test(t, test_pointers_without_room);
    tcase_add_test(t, test_zones);
    tcase_add_test(t, test_removed_zone);
    tcase_add_loop_test(t, test_names_of_other_lengths, 0, 2);
    tcase_add_test(t, test_ds_of_apex);
    tcase_add_test(t, test_signed_zone);
    tcase_add_loop_test(t, test_names_with_one_hash, 0, ARRAY_SIZE(alike));
    tcase_add_loop_test(t, test_odd_octets, 0, 7);
    tcase_add_test(t, test_lengths);
    tcase_add_loop_test(t, test_header_like_a_name, 0, 2);
    tcase_add_test(t, test_root);
    tcase_add_loop_test(t, test_options, 0, ARRAY_SIZE(options));
    tcase_add_test(t, test_options_like_a_question);
    tcase_add_loop_test(t, test_unusual_opt, 0, 2);
    tcase_add_loop_test(t, test_random, 0, ARRAY_SIZE(chosen));
    tcase_add_loop_test(t, test_hash, 0, 41);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
