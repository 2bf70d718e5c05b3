/* SPDX-License-Identifier: ISC */
/*
 * Zones of other servers that are not there yet, or have expired: what is asked of them gets SERVFAIL, whichever way the
 * question takes.
 */
#include "tests/unit/dns_zones.h"

/* Are there records in the answer, and is it a plain one? Any answer is the same as by the general way. */
static bool is_answered(const char *name)
{
    uint8_t query[12 + DNS_NAME_MAX + 5], one[DNS_UDP_MAX], two[DNS_UDP_MAX];
    size_t len = put_query(query, name, TYPE_A), n;
    struct dns_stats counted = {0};
    bool there;

    n = dns_answer(&db, NULL, query, len, one, DNS_UDP_MAX, DNS_MINIMAL, &counted);
    ck_assert_uint_eq(
        dns_answer_fully(&db, NULL, query, len, two, DNS_UDP_MAX, DNS_MINIMAL, &stats), n);
    ck_assert_mem_eq(one, two, n);
    there = dns_be16(one + 6) != 0;
    ck_assert_uint_eq(one[3], there ? DNS_NOERROR : DNS_SERVFAIL);
    ck_assert_int_eq(dns_answer_plain(&db, query, len, &counted) != 0, there);
    return there;
}

/* It hides what its parent has of its names; alone with its number of labels, or before and behind others in its bucket,
 * which are answered plainly. */
START_TEST(test_vacant)
{
    struct dns_zone parent, zones[3 * BUCKETS], vacant;
    unsigned children = _i ? ARRAY_SIZE(zones) : 1;
    uint8_t *images[ARRAY_SIZE(zones)], *image;
    char text[2048], name[64];
    int at = snprintf(text, sizeof(text), "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns.x.\n");
    size_t size;

    for (unsigned i = 0; i < children; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "c%u A 192.0.2.1\nx.c%u A 192.0.2.1\n",
                       i, i);
    image = make_zone(text, &parent, &size);
    dns_db_set(&db, &parent);
    for (unsigned i = 0; i < children; i++) {
        snprintf(text, sizeof(text),
                 "$ORIGIN c%u.example.org.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns.x.\n"
                 "@ A 192.0.2.2\nx A 192.0.2.2\n",
                 i);
        images[i] = make_zone(text, &zones[i], &size);
        dns_db_set(&db, &zones[i]);
    }
    for (unsigned v = 0; v < children; v++) {
        dns_zone_vacate(&vacant, zones[v].name);
        ck_assert_ptr_eq(dns_db_set(&db, &vacant), &zones[v]);
        for (unsigned i = 0; i < 2 * children; i++) {
            snprintf(name, sizeof(name), "%sc%u.example.org.", i & 1 ? "x." : "", i / 2);
            ck_assert_int_eq(is_answered(name), i / 2 != v);
        }
        ck_assert_ptr_eq(dns_db_set(&db, &zones[v]), &vacant);
    }
    for (unsigned i = 0; i < children; i++)
        free(images[i]);
    free(image);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("vacant");
    Suite *s = suite_create("dns_vacant");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_loop_test(t, test_vacant, 0, 2);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
