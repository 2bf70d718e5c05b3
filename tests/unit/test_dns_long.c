/* SPDX-License-Identifier: ISC */
/*
 * Long answers over TCP: names that stand beyond what compression pointers reach, with the owners that they have to
 * have, and nothing left out.
 */
#include "tests/unit/dns_zones.h"

#include <stdarg.h>

static uint8_t tcp_answer[DNS_TCP_MAX];

/* Text that is written piece by piece. */
struct text {
    char *start, *at;
};

static void add_text(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    t->at += vsprintf(t->at, format, args);
    va_end(args);
}

static void add_signatures(struct text *t, const char *owner, const char *type, unsigned count,
                           unsigned octets)
{
    for (unsigned i = 0; i < count; i++) {
        add_text(t, "%s RRSIG %s 8 2 3600 20300101000000 20200101000000 %u example.org. ", owner,
                 type, i);
        memset(t->at, 'A', octets * 4 / 3);
        t->at += octets * 4 / 3;
        add_text(t, "\n");
    }
}

static uint8_t *serve_text(struct text *t, struct dns_zone *zone)
{
    size_t size;
    uint8_t *image = make_zone(t->start, zone, &size);

    dns_db_set(&db, zone);
    free(t->start);
    return image;
}

static struct text begin_text(void)
{
    struct text t;

    t.start = t.at = malloc(1 << 20);
    add_text(&t, "$TTL 3600\n@ SOA ns.far.net. host.far.net. 1 2 3 4 300\n@ NS ns.far.net.\n");
    return t;
}

/* A record of an answer. */
struct record {
    char owner[DNS_TEXT_MAX + 1];
    unsigned type;
    size_t data;
};

/* Reads the record at *at; each name is to be well-formed. */
static void read_record(const uint8_t *msg, size_t len, size_t *at, struct record *record)
{
    uint8_t name[DNS_NAME_MAX];
    size_t pos = *at;

    ck_assert_uint_gt(dns_name_expand(msg, len, pos, name), 0);
    dns_name_text(name, record->owner);
    while (msg[pos] && msg[pos] < 0xc0)
        pos += msg[pos] + 1u;
    pos += msg[pos] ? 2 : 1;
    record->type = dns_be16(msg + pos);
    record->data = pos + 10;
    *at = record->data + dns_be16(msg + pos + 8);
    ck_assert_uint_le(*at, len);
}

static void name_at(const uint8_t *msg, size_t len, size_t at, char *text)
{
    uint8_t name[DNS_NAME_MAX];

    ck_assert_uint_gt(dns_name_expand(msg, len, at, name), 0);
    dns_name_text(name, text);
}

/* Asks over TCP, with DO. Nothing is cut. */
static size_t ask_all(const char *name, unsigned type)
{
    size_t len = ask_signed(name, type, tcp_answer, sizeof(tcp_answer), DNS_TCP);

    ck_assert_uint_eq(tcp_answer[2] & FLAG_TC, 0);
    return len;
}

/*
 * Checks that the answer section is NAME's: each record's owner is the name looked at, and aliases lead from one to
 * the next. NAME becomes the last one; returns the records of TYPE that it has.
 */
static unsigned follow_answer(size_t len, char *name, unsigned type)
{
    size_t at = 12 + strlen(name) + 1 + 4;
    char target[DNS_TEXT_MAX + 1] = "";
    unsigned found = 0;

    for (unsigned n = dns_be16(tcp_answer + 6); n; n--) {
        struct record record;

        read_record(tcp_answer, len, &at, &record);
        if (!strcmp(record.owner, target))
            strcpy(name, target);
        ck_assert_str_eq(record.owner, name);
        if (record.type == TYPE_CNAME)
            name_at(tcp_answer, len, record.data, target);
        found += record.type == type;
    }
    if (!found && *target)
        strcpy(name, target);
    return found;
}

/* The ends of a chain of aliases with long signatures: a set that points to its own names, no such name, no data,
 * a referral, a wildcard with a proof. */
static const struct {
    const char *target, *end;
    unsigned rcode, found, authority;
} chain_ends[] = {
    {"last", "last.example.org.", DNS_NOERROR, 2, TYPE_NS},
    {"nowhere", "nowhere.example.org.", DNS_NXDOMAIN, 0, TYPE_SOA},
    {"none", "none.example.org.", DNS_NOERROR, 0, TYPE_SOA},
    {"x.sub", "x.sub.example.org.", DNS_NOERROR, 0, TYPE_NS},
    {"x.wild", "x.wild.example.org.", DNS_NOERROR, 2, TYPE_NSEC},
};

/* Checks the authority section: the first record is of TYPE, and names what it is to name. */
static void check_authority(size_t len, const char *name, unsigned type)
{
    size_t at = 12 + strlen(name) + 1 + 4;
    char target[DNS_TEXT_MAX + 1];
    struct record record;

    for (unsigned n = dns_be16(tcp_answer + 6); n; n--)
        read_record(tcp_answer, len, &at, &record);
    for (unsigned i = 0, n = dns_be16(tcp_answer + 8); i < n; i++) {
        read_record(tcp_answer, len, &at, &record);
        ck_assert(i || record.type == type);
        if (record.type == TYPE_SOA || record.type == TYPE_NSEC) {
            ck_assert_str_eq(record.owner, "example.org.");
            name_at(tcp_answer, len, record.data, target);
            ck_assert_str_eq(target, record.type == TYPE_SOA ? "ns.far.net." : "last.example.org.");
        } else if (record.type == TYPE_NS) {
            bool apex = !strcmp(record.owner, "example.org.");

            if (!apex)
                ck_assert_str_eq(record.owner, "sub.example.org.");
            name_at(tcp_answer, len, record.data, target);
            ck_assert_str_eq(target, apex ? "ns.far.net."
                                     : i  ? "ns2.mail.far.net."
                                          : "ns1.mail.far.net.");
        }
    }
}

enum { ENDS = sizeof(chain_ends) / sizeof(chain_ends[0]), LENGTHS = 8 };

/*
 * A chain of 26 KiB is given in parts, each of which ends where pointers still reach its last name (RFC 1035
 * section 4.1.4), and none of which is cut (RFC 2181 section 9). The client asks on, by as many lengths of signatures.
 */
START_TEST(test_long_chain)
{
    unsigned end = (unsigned)_i % ENDS, asked = 0, found;
    struct text t = begin_text();
    char name[DNS_TEXT_MAX + 1] = "n0.example.org.", question[DNS_TEXT_MAX + 1], alias[16];
    struct dns_zone zone;
    size_t len;
    uint8_t *image;

    add_text(&t, "@ NSEC last SOA NS\n");
    add_signatures(&t, "@", "NSEC", 1, 6);
    for (unsigned i = 0; i < 16; i++) {
        sprintf(alias, "n%u", i);
        if (i < 15)
            add_text(&t, "%s CNAME n%u\n", alias, i + 1);
        else
            add_text(&t, "%s CNAME %s\n", alias, chain_ends[end].target);
        add_signatures(&t, alias, "CNAME", 3, 510 - 3 * ((unsigned)_i / ENDS));
    }
    add_text(&t, "last MX 1 mx1.mail.far.net.\nlast MX 2 mx2.mail.far.net.\nnone A 192.0.2.1\n"
                 "sub NS ns1.mail.far.net.\nsub NS ns2.mail.far.net.\n"
                 "*.wild MX 1 mx1.mail.far.net.\n*.wild MX 2 mx2.mail.far.net.\n");
    image = serve_text(&t, &zone);
    do {
        strcpy(question, name);
        len = ask_all(name, TYPE_MX);
        found = follow_answer(len, name, TYPE_MX);
        asked++;
    } while (!found && !dns_be16(tcp_answer + 8));
    ck_assert_str_eq(name, chain_ends[end].end);
    ck_assert_uint_eq(found, chain_ends[end].found);
    ck_assert_uint_eq(tcp_answer[3] & 15, chain_ends[end].rcode);
    check_authority(len, question, chain_ends[end].authority);
    ck_assert_uint_ge(asked, 3);
    ck_assert_uint_le(asked, 4);
    free(image);
}
END_TEST

/* A wildcard stands for a name with data up to 20 KiB: the proof behind it has whole names, and is all there. */
START_TEST(test_far_proof)
{
    struct text t = begin_text();
    struct dns_zone zone;
    struct record record;
    unsigned proofs = 0;
    size_t len, at;
    uint8_t *image;

    add_text(&t, "@ NSEC *.wild SOA NS\n*.wild NSEC @ TXT\n");
    add_signatures(&t, "*.wild", "NSEC", 2, 6);
    for (unsigned i = 0; i < 100; i++)
        add_text(&t, "*.wild TXT \"%0200u\"\n", i);
    image = serve_text(&t, &zone);
    len = ask_all("a.wild.example.org.", TYPE_TXT);
    at = 12 + sizeof("a.wild.example.org.") + 4;
    ck_assert_uint_eq(dns_be16(tcp_answer + 6), 100);
    for (unsigned n = 0; n < 100; n++) {
        read_record(tcp_answer, len, &at, &record);
        ck_assert_str_eq(record.owner, "a.wild.example.org.");
    }
    ck_assert_uint_gt(at, POINTER_MAX);
    for (unsigned n = dns_be16(tcp_answer + 8); n; n--) {
        read_record(tcp_answer, len, &at, &record);
        if (record.type != TYPE_NS) {
            ck_assert_str_eq(record.owner, "*.wild.example.org.");
            proofs++;
        }
    }
    ck_assert_uint_eq(proofs, 3);
    ck_assert_uint_le(at, len);
    free(image);
}
END_TEST

/* A delegation to so many servers that most of their names are beyond what pointers reach: all glue is there. */
START_TEST(test_far_glue)
{
    enum { SERVERS = 1400 };
    struct text t = begin_text();
    bool *seen = calloc(SERVERS, sizeof(*seen));
    struct dns_zone zone;
    struct record record;
    size_t len, at;
    uint8_t *image;

    for (unsigned i = 0; i < SERVERS; i++)
        add_text(&t, "sub NS ns%u.sub\nns%u.sub A 10.0.%u.%u\n", i, i, i >> 8, i & 255);
    image = serve_text(&t, &zone);
    len = ask_all("x.sub.example.org.", TYPE_A);
    at = 12 + sizeof("x.sub.example.org.") + 4;
    ck_assert_uint_eq(dns_be16(tcp_answer + 8), SERVERS);
    for (unsigned i = 0; i < SERVERS; i++)
        read_record(tcp_answer, len, &at, &record);
    ck_assert_uint_gt(at, POINTER_MAX);
    for (unsigned i = 0; i < SERVERS; i++) {
        unsigned server;
        char name[64];

        read_record(tcp_answer, len, &at, &record);
        ck_assert_uint_eq(record.type, TYPE_A);
        server = dns_be32(tcp_answer + record.data) & 0xffff;
        ck_assert_uint_lt(server, SERVERS);
        ck_assert(!seen[server]);
        seen[server] = true;
        sprintf(name, "ns%u.sub.example.org.", server);
        ck_assert_str_eq(record.owner, name);
    }
    free(seen);
    free(image);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("long");
    Suite *s = suite_create("dns_long");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_loop_test(t, test_long_chain, 0, ENDS * LENGTHS);
    tcase_add_test(t, test_far_proof);
    tcase_add_test(t, test_far_glue);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
