/* SPDX-License-Identifier: ISC */
/*
 * Damaged images, queries and zone files: refused, or safe to serve. Blocks have exactly their sizes, so
 * that the sanitizer sees each octet too many.
 */
#include "tests/unit/dns_zones.h"

#include <errno.h>

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

/* Names of the zones, below their apex. */
static const char *const below[] = {
    "",   "nx.",    "a.wild.", "*.wild.", "a.b.sub.", "sub.", "e.",    "c.d.e.",    "a.c.x.w.",
    "c.", "a.z.w.", "d.",      "x.d.",    "ns1.",     "c1.",  "self.", "www.deep.", "_s._tcp."};

static void ask_all(const char *apex)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 0xff, 0xff, 0, 0, EDNS_DO, 0, 0, 0};
    static const uint8_t types[] = {TYPE_A, TYPE_MX, TYPE_DS, TYPE_RRSIG, TYPE_ANY, TYPE_NS};
    uint8_t query[12 + DNS_NAME_MAX + 5 + sizeof(opt)];

    for (unsigned i = 0; i < sizeof(below) / sizeof(below[0]) * sizeof(types); i++) {
        char name[100];
        size_t len;

        snprintf(name, sizeof(name), "%s%s", below[i / sizeof(types)], apex);
        len = put_query(query, name, types[i % sizeof(types)]);
        memcpy(query + len, opt, sizeof(opt));
        ask_exact(query, len, DNS_UDP_MIN, 0);
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

/* No set is of a type that only questions have, or the plain answer to one would be another than the general. */
START_TEST(test_types_of_questions)
{
    static const unsigned types[] = {TYPE_TXT, 127, 128, 200, 255, 256, 257};
    static const uint8_t name[] = "12345678\3big";
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(zone_text, &zone, &size);
    const uint8_t *set = node_first_set(zone_find(&zone, name + 8, 4));

    ck_assert_uint_eq(set_type(set), TYPE_TXT);
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        dns_put_le16(image + (set - image), types[i]);
        dns_put_be16(image + (set_records(set) - image) + 2, types[i]); /* its record's */
        ck_assert_msg((dns_zone_check(&zone) == 0) == (types[i] < 128 || types[i] > 255), "%u",
                      types[i]);
    }
    free(image);
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
        char name[100];
        size_t len;

        snprintf(name, sizeof(name), "%sexample.org.",
                 below[random_number() % (sizeof(below) / sizeof(below[0]))]);
        len = put_query(query, name, random_number() % 64);

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
    TCase *t = tcase_create("damage");
    Suite *s = suite_create("dns_damage");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_loop_test(t, test_damaged_images, 0, sizeof(zones) / sizeof(zones[0]));
    tcase_add_test(t, test_types_of_questions);
    tcase_add_test(t, test_cut_images);
    tcase_add_test(t, test_damaged_queries);
    tcase_add_test(t, test_damaged_text);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
