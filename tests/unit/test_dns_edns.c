/* SPDX-License-Identifier: ISC */
/*
 * EDNS options: cookies by the examples of RFC 9018 appendix A, and what is malformed.
 */
#include "lib/dns/edns.h"
#include "lib/dns/wire.h"

#include <check.h>
#include <stdlib.h>

static const struct dns_identity identity = {
    .id = "server",
    .idle = 100,
    .secret = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37,
               0xbf, 0xcf},
};
static struct dns_client client;
static struct dns_edns edns;

static void start(void)
{
    client =
        (struct dns_client){.address = {198, 51, 100, 100}, .address_len = 4, .now = 1559731985};
    edns = (struct dns_edns){0};
}

/* A.1: a query with a client cookie gets both halves. */
START_TEST(test_first_cookie)
{
    static const uint8_t option[] = {0, 10, 0, 8, 0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
    static const uint8_t full[] = {0,    10,   0,    24,   0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10,
                                   0xc9, 0x57, 1,    0,    0,    0,    0x5c, 0xf7, 0x9f, 0x11,
                                   0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80};
    uint8_t out[100];

    ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), false), 0);
    ck_assert(edns.cookie && !edns.cookie_valid);
    ck_assert_uint_eq(edns_room(&edns, &identity), sizeof(full));
    ck_assert_uint_eq(edns_put(&edns, &identity, 0, 100, 512, out), sizeof(full));
    ck_assert_mem_eq(out, full, sizeof(full));
}
END_TEST

/* Too old, but by the same secret: a new one; from another address; over IPv6. */
static const struct {
    uint8_t address[16], address_len;
    uint32_t now;
    uint8_t cookie[24];
    bool valid;
} returning[] = {
    {{203, 0, 113, 203},
     4,
     1559734385,
     {0xfc, 0x93, 0xfc, 0x62, 0x80, 0x7d, 0xdb, 0x86, 1,    0xab, 0xcd, 0xef,
      0x5c, 0xf7, 0x8f, 0x71, 0xa3, 0x14, 0x22, 0x7b, 0x66, 0x79, 0xeb, 0xf5},
     false},
    {{203, 0, 113, 204},
     4,
     1559734385,
     {0xfc, 0x93, 0xfc, 0x62, 0x80, 0x7d, 0xdb, 0x86, 1,    0xab, 0xcd, 0xef,
      0x5c, 0xf7, 0x8f, 0x71, 0xa3, 0x14, 0x22, 0x7b, 0x66, 0x79, 0xeb, 0xf5},
     false},
    {{0x20, 1, 0xd, 0xb8, 2, 0x20, 0, 1, 0x59, 0xde, 0xd0, 0xf4, 0x87, 0x69, 0x82, 0xb8},
     16,
     1559741961,
     {0x22, 0x68, 0x1a, 0xb9, 0x7d, 0x52, 0xc2, 0x98, 1,    0,    0,    0,
      0x5c, 0xf7, 0xc5, 0x79, 0x26, 0x55, 0x6b, 0xd0, 0x93, 0x4c, 0x72, 0xf8},
     false},
};

START_TEST(test_returning_cookie)
{
    uint8_t option[4 + 24] = {0, 10, 0, 24};

    memcpy(option + 4, returning[_i].cookie, 24);
    memcpy(client.address, returning[_i].address, 16);
    client.address_len = returning[_i].address_len;
    client.now = returning[_i].now;
    ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), false), 0);
    ck_assert_int_eq(edns.cookie_valid, returning[_i].valid);
    ck_assert_mem_eq(edns.cookie_octets, option + 4, 8);
}
END_TEST

/* One that is young comes back as it was; an old one, or one from the future, is not believed. */
START_TEST(test_cookie_ages)
{
    static const struct {
        int32_t age;
        bool valid, kept;
    } ages[] = {{0, true, true},      {1799, true, true}, {1800, true, false}, {3600, true, false},
                {3601, false, false}, {-300, true, true}, {-301, false, false}};
    uint8_t option[4 + 24] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}, made[24];

    ck_assert_int_eq(edns_read(&edns, &identity, &client, option, 12, false), 0);
    memcpy(made, edns.cookie_octets, sizeof(made));
    memcpy(option + 4, made, sizeof(made));
    option[3] = 24;
    for (unsigned i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        start();
        client.now += ages[i].age;
        ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), false), 0);
        ck_assert_int_eq(edns.cookie_valid, ages[i].valid);
        ck_assert_int_eq(!memcmp(edns.cookie_octets, made, sizeof(made)), ages[i].kept);
    }
    for (unsigned octet = 4; octet < sizeof(option); octet++) {
        start();
        option[octet] ^= 1;
        ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), false), 0);
        ck_assert(!edns.cookie_valid);
        option[octet] ^= 1;
    }
}
END_TEST

static const struct {
    uint8_t len, octets[12];
    bool tcp;
    int rcode;
} forms[] = {
    {0, {0}, false, DNS_NOERROR},
    {3, {0, 3, 0}, false, DNS_FORMERR},
    {4, {0, 3, 0, 1}, false, DNS_FORMERR},
    {4, {0, 3, 0, 0}, false, DNS_NOERROR},
    {4, {0, 10, 0, 0}, false, DNS_FORMERR},
    {11, {0, 10, 0, 7}, false, DNS_FORMERR},
    {12, {0, 10, 0, 8}, false, DNS_NOERROR},
    {5, {0, 11, 0, 1}, true, DNS_FORMERR},
    {5, {0, 11, 0, 1}, false, DNS_NOERROR},
    {4, {0, 11, 0, 0}, true, DNS_NOERROR},
    {9, {0xff, 0, 0, 1, 9, 0, 12, 0, 0}, true, DNS_NOERROR},
    {6, {0, 8, 0, 1, 9, 0}, true, DNS_FORMERR},
};

START_TEST(test_form)
{
    uint8_t *exact = malloc(forms[_i].len + 1u);

    memcpy(exact, forms[_i].octets, forms[_i].len);
    ck_assert_int_eq(edns_read(&edns, &identity, &client, exact, forms[_i].len, forms[_i].tcp),
                     forms[_i].rcode);
    free(exact);
}
END_TEST

/* A padded message has a multiple of 468 octets, or none are added where that is too much. */
START_TEST(test_padding)
{
    static const uint8_t option[] = {0, 12, 0, 0};
    uint8_t *out = malloc(600);

    ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), true), 0);
    for (unsigned used = 12; used < 1200; used++) {
        unsigned n = edns_put(&edns, &identity, 0, used, 65535, out);

        ck_assert_uint_eq((used + 11 + n) % 468, 0);
        ck_assert_uint_ge(n, 4);
        ck_assert_uint_lt(n, 4 + 468);
    }
    ck_assert_uint_eq(edns_put(&edns, &identity, 0, 500, 935, out), 0);
    edns = (struct dns_edns){0};
    ck_assert_int_eq(edns_read(&edns, &identity, &client, option, sizeof(option), false), 0);
    ck_assert_uint_eq(edns_put(&edns, &identity, 0, 100, 1232, out), 0);
    free(out);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("edns");
    Suite *s = suite_create("dns_edns");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, test_first_cookie);
    tcase_add_loop_test(t, test_returning_cookie, 0, sizeof(returning) / sizeof(returning[0]));
    tcase_add_test(t, test_cookie_ages);
    tcase_add_loop_test(t, test_form, 0, sizeof(forms) / sizeof(forms[0]));
    tcase_add_test(t, test_padding);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
