/* SPDX-License-Identifier: ISC */
/*
 * Response-rate limiting: what is counted together, how fast counts recover, and what goes out instead.
 */
#include "tests/unit/dns_zones.h"

#include "lib/dns/limit.h"
#include "tests/unit/parse_address.h"

#include <errno.h>

enum { RATE = 10, COUNTS = 64 };

static struct limit_count counts[COUNTS];
static struct dns_limiter limiter;
static struct dns_client client;

static void prepare(void)
{
    start();
    memset(counts, 0, sizeof(counts));
    limiter = (struct dns_limiter){.counts = counts, .size = COUNTS, .rate = RATE, .slip = 2};
    client = (struct dns_client){.address = {192, 0, 2, 7}, .address_len = 4, .now = 1700000000};
}

static unsigned sent_of(unsigned n, enum limit_kind kind, uint32_t number)
{
    unsigned sent = 0;

    while (n--)
        sent += limit_answer(&limiter, &client, kind, number) == LIMIT_SEND;
    return sent;
}

/* A second's worth at once, then nothing; after a second as many again, but not while there is a debt. */
START_TEST(test_rate)
{
    ck_assert_uint_eq(sent_of(RATE + 5, LIMIT_DATA, 1), RATE);
    client.now++;
    ck_assert_uint_eq(sent_of(RATE, LIMIT_DATA, 1), RATE - 5);
    client.now += 1000;
    ck_assert_uint_eq(sent_of(3 * RATE, LIMIT_DATA, 1), RATE);
    client.now++;
    ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 0);
    client.now += 2;
    ck_assert_uint_eq(sent_of(100000, LIMIT_DATA, 1), RATE - 1);
    client.now += LIMIT_DEBT_SECONDS;
    ck_assert_uint_eq(sent_of(RATE, LIMIT_DATA, 1), 0);
    client.now += LIMIT_DEBT_SECONDS + 1;
    ck_assert_uint_eq(sent_of(RATE, LIMIT_DATA, 1), RATE);
}
END_TEST

/* Under the rate nobody is held back, however long it goes on. */
START_TEST(test_moderate)
{
    for (unsigned second = 0; second < 1000; second++, client.now++)
        ck_assert_uint_eq(sent_of(RATE, LIMIT_DATA, 1), RATE);
}
END_TEST

/* Half of what is held back slips through; or none, or all. */
START_TEST(test_slip)
{
    unsigned slipped = 0;

    limiter.slip = _i;
    sent_of(RATE, LIMIT_DATA, 1);
    for (unsigned i = 0; i < 60; i++)
        slipped += limit_answer(&limiter, &client, LIMIT_DATA, 1) == LIMIT_SLIP;
    ck_assert_uint_eq(slipped, _i ? 60 / (unsigned)_i : 0);
}
END_TEST

/* Networks and kinds have counts of their own; hosts of one network have not. */
START_TEST(test_counted_apart)
{
    struct dns_client other = client;

    ck_assert_uint_eq(sent_of(2 * RATE, LIMIT_DATA, 1), RATE);
    ck_assert_uint_eq(sent_of(2 * RATE, LIMIT_DATA, 2), RATE);
    ck_assert_uint_eq(sent_of(2 * RATE, LIMIT_NOTHING, 1), RATE);
    client.address[3] = 200;
    ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 0);
    client.address[2] = 3;
    ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 1);
    client = other;
    client.address_len = 16;
    ck_assert_uint_eq(sent_of(2 * RATE, LIMIT_DATA, 1), RATE);
    client.address[7] = 1;
    ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 0);
    client.address[6] = 1;
    ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 1);
}
END_TEST

/* More networks than there are counts: the one that asks all the time keeps its own. */
START_TEST(test_full_table)
{
    struct dns_client busy = client;
    unsigned sent = 0;

    sent_of(2 * RATE, LIMIT_DATA, 1);
    for (unsigned i = 0; i < 10 * COUNTS; i++) {
        client = busy;
        sent += sent_of(1, LIMIT_DATA, 1);
        dns_put_be32(client.address, 0x0a000000 + (i << 8));
        ck_assert_uint_eq(sent_of(1, LIMIT_DATA, 1), 1);
        if (i % 10 == 0)
            busy.now++; /* ten queries a second is its rate */
    }
    ck_assert_uint_lt(sent, COUNTS);
}
END_TEST

/* Octets of the answer to a question over UDP; 0: none. */
static size_t answer_to(const char *name, unsigned type, unsigned flags, uint8_t *answer)
{
    uint8_t query[12 + DNS_NAME_MAX + 5];

    return dns_answer(&db, &client, query, put_query(query, name, type), answer, DNS_UDP_MAX, flags,
                      &stats);
}

static const struct {
    const char *format;
    unsigned type;
} floods[] = {
    {"mail.example.org.", TYPE_A},     {"n%u.example.org.", TYPE_A},
    {"n%u.wild.example.org.", TYPE_A}, {"n%u.sub.example.org.", TYPE_A},
    {"mail.example.org.", TYPE_TXT},   {"n%u.d.example.org.", TYPE_A},
    {"n%u.example.net.", TYPE_A},      {"example.org.", TYPE_AXFR},
};

/* Whatever is asked, changing the name does not help, nor do answers that could be plain; over TCP nothing is limited. */
START_TEST(test_flood)
{
    unsigned sent = 0, empty = 0, flood = (unsigned)_i / 2, flags = _i & 1 ? DNS_MINIMAL : 0;
    uint8_t answer[DNS_UDP_MAX], *image;
    struct dns_zone zone;
    char name[64];
    size_t size;

    image = make_zone(zone_text, &zone, &size);
    dns_db_set(&db, &zone);
    dns_db_limit(&db, &limiter);
    for (unsigned i = 0; i < 10 * RATE; i++) {
        size_t len;

        snprintf(name, sizeof(name), floods[flood].format, i);
        len = answer_to(name, floods[flood].type, flags, answer);
        sent += len && !(answer[2] & FLAG_TC);
        if (len && answer[2] & FLAG_TC) {
            empty++;
            ck_assert_uint_eq(len, strlen(name) + 1 + 12 + 4);
            ck_assert_uint_eq(dns_be16(answer + 6) + dns_be32(answer + 8), 0);
        }
        ck_assert_uint_ne(answer_to(name, floods[flood].type, DNS_TCP, answer), 0);
    }
    ck_assert_uint_eq(sent, RATE);
    ck_assert_uint_eq(empty, 9 * RATE / 2);
    ck_assert_uint_eq(stats.limited, 9 * RATE);
    ck_assert_uint_eq(stats.slipped, empty);
    free(image);
}
END_TEST

/* Who has shown a cookie gets every answer. */
START_TEST(test_cookie)
{
    static const struct dns_identity identity = {.secret = "sixteen octets.."};
    static const uint8_t opt[] = {0,  0, TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 12, 0,
                                  10, 0, 8,        1, 2,    3, 4, 5, 6, 7, 8};
    uint8_t answer[DNS_UDP_MIN], query[300], *image;
    struct dns_zone zone;
    size_t size, len, answer_len;

    image = make_zone(zone_text, &zone, &size);
    dns_db_set(&db, &zone);
    dns_db_identify(&db, &identity);
    dns_db_limit(&db, &limiter);
    len = put_query(query, "mail.example.org.", TYPE_A);
    memcpy(query + len, opt, sizeof(opt));
    query[11] = 1;
    answer_len = dns_answer(&db, &client, query, len + sizeof(opt), answer, sizeof(answer),
                            DNS_MINIMAL, &stats);
    /* The cookie is the last thing in the answer. */
    dns_put_be16(query + len + 9, 4 + 24);
    dns_put_be16(query + len + 13, 24);
    memcpy(query + len + 15, answer + answer_len - 24, 24);
    for (unsigned i = 0; i < 5 * RATE; i++) {
        ck_assert_uint_gt(dns_answer(&db, &client, query, len + 15 + 24, answer, sizeof(answer),
                                     DNS_MINIMAL, &stats),
                          0);
        ck_assert(!(answer[2] & FLAG_TC));
    }
    query[len + 15 + 23] ^= 1;
    for (unsigned i = 0; i < 2 * RATE; i++)
        (void)dns_answer(&db, &client, query, len + 15 + 24, answer, sizeof(answer), DNS_MINIMAL,
                         &stats);
    ck_assert_uint_eq(stats.limited, RATE + 1);
    free(image);
}
END_TEST

static const struct {
    const char *list;
    int count;
} lists[] = {
    {"", 0},
    {"192.0.2.0/24", 1},
    {"192.0.2.7,2001:db8::/32,10.0.0.0/8", 3},
    {"192.0.2.0/33", -EINVAL},
    {"192.0.2.0/", -EINVAL},
    {",192.0.2.0", -EINVAL},
    {"192.0.2.0 ", -EINVAL},
    {"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:00", -EINVAL},
    {"::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1", LIMIT_EXEMPT},
    {"::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1", -E2BIG},
};

START_TEST(test_lists)
{
    ck_assert_int_eq(prefix_parse_list(limiter.exempt, LIMIT_EXEMPT, lists[_i].list, parse_address),
                     lists[_i].count);
}
END_TEST

/* Networks without a limit get all answers, and are not counted; others, of the same /24 too, are. */
START_TEST(test_exempt)
{
    limiter.exempts = (unsigned)prefix_parse_list(limiter.exempt, LIMIT_EXEMPT,
                                                  "192.0.2.0/29,2001:db8::/33", parse_address);
    ck_assert_uint_eq(sent_of(5 * RATE, LIMIT_DATA, 1), 5 * RATE);
    client.address[3] = 8;
    ck_assert_uint_eq(sent_of(5 * RATE, LIMIT_DATA, 1), RATE);
    client.address_len = (uint8_t)parse_address("2001:db8:7fff::1", client.address);
    ck_assert_uint_eq(sent_of(5 * RATE, LIMIT_DATA, 1), 5 * RATE);
    client.address_len = (uint8_t)parse_address("2001:db8:8000::1", client.address);
    ck_assert_uint_eq(sent_of(5 * RATE, LIMIT_DATA, 1), RATE);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("limit");
    Suite *s = suite_create("dns_limit");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, prepare, NULL);
    tcase_add_test(t, test_rate);
    tcase_add_test(t, test_moderate);
    tcase_add_loop_test(t, test_slip, 0, 4);
    tcase_add_test(t, test_counted_apart);
    tcase_add_test(t, test_full_table);
    tcase_add_loop_test(t, test_flood, 0, 2 * ARRAY_SIZE(floods));
    tcase_add_test(t, test_cookie);
    tcase_add_loop_test(t, test_lists, 0, ARRAY_SIZE(lists));
    tcase_add_test(t, test_exempt);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
