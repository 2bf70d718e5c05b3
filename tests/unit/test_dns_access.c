/* SPDX-License-Identifier: ISC */
/*
 * Who may have zones: keys and rules from text, what they allow; and the MAC, by examples of known value.
 */
#include "lib/crypto/hmac.h"
#include "lib/dns/access.h"
#include "lib/dns/algorithm.h"
#include "lib/util.h"
#include "tests/unit/parse_address.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct dns_access rules;

/* RFC 2202 and RFC 4231: a short key, a text in parts, a key longer than a block. The first octets. */
static const struct {
    enum hmac_kind kind;
    uint8_t first[8], second[8], sixth[8];
} macs[] = {
    {HMAC_SHA256,
     {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53},
     {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e},
     {0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f}},
    {HMAC_SHA1,
     {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64},
     {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2},
     {0x90, 0xd0, 0xda, 0xce, 0x1c, 0x1b, 0xdc, 0x95}},
    {HMAC_SHA224,
     {0x89, 0x6f, 0xb1, 0x12, 0x8a, 0xbb, 0xdf, 0x19},
     {0xa3, 0x0e, 0x01, 0x09, 0x8b, 0xc6, 0xdb, 0xbf},
     {0x95, 0xe9, 0xa0, 0xdb, 0x96, 0x20, 0x95, 0xad}},
    {HMAC_SHA384,
     {0xaf, 0xd0, 0x39, 0x44, 0xd8, 0x48, 0x95, 0x62},
     {0xaf, 0x45, 0xd2, 0xe3, 0x76, 0x48, 0x40, 0x31},
     {0x4e, 0xce, 0x08, 0x44, 0x85, 0x81, 0x3e, 0x90}},
    {HMAC_SHA512,
     {0x87, 0xaa, 0x7c, 0xde, 0xa5, 0xef, 0x61, 0x9d},
     {0x16, 0x4b, 0x7a, 0x7b, 0xfc, 0xf8, 0x19, 0xe2},
     {0x80, 0xb2, 0x42, 0x63, 0xc7, 0xc1, 0xa3, 0xeb}},
};

START_TEST(test_hmac)
{
    const struct octets hi = {"Hi There", 8};
    const struct octets what[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
    const struct octets larger = {"Test Using Larger Than Block-Size Key - Hash Key First", 54};
    uint8_t key[131], mac[HMAC_MAX];

    memset(key, 0x0b, 20);
    hmac_make(macs[_i].kind, key, 20, &hi, 1, mac);
    ck_assert_mem_eq(mac, macs[_i].first, 8);
    hmac_make(macs[_i].kind, (const uint8_t *)"Jefe", 4, what, 2, mac);
    ck_assert_mem_eq(mac, macs[_i].second, 8);
    memset(key, 0xaa, sizeof(key));
    hmac_make(macs[_i].kind, key, sizeof(key), &larger, 1, mac);
    ck_assert_mem_eq(mac, macs[_i].sixth, 8);
}
END_TEST

/* A key's algorithm, and how long its MACs are. */
static const struct {
    const char *key, *algorithm;
    unsigned mac_len;
} algorithms[] = {
    {"a:AAAA", "hmac-sha256", 32},
    {"hmac-sha1:a:AAAA", "hmac-sha1", 20},
    {"hmac-sha224:a:AAAA", "hmac-sha224", 28},
    {"hmac-sha384:a:AAAA", "hmac-sha384", 48},
    {"hmac-sha512:a:AAAA", "hmac-sha512", 64},
    {"hmac-sha256-128:a:AAAA", "hmac-sha256", 16},
    {"hmac-sha1-80:a:AAAA", "hmac-sha1", 10},
    {"hmac-sha512-256:a:AAAA", "hmac-sha512", 32},
    {"hmac-sha256-256:a:AAAA", "hmac-sha256", 32},
};

START_TEST(test_algorithms)
{
    const uint8_t *name;

    rules = (struct dns_access){0};
    ck_assert_ptr_null(access_add_keys(&rules, algorithms[_i].key));
    name = algorithm_name(&rules.key[0]);
    ck_assert_uint_eq(name[0], strlen(algorithms[_i].algorithm));
    ck_assert_str_eq((const char *)name + 1, algorithms[_i].algorithm);
    ck_assert_uint_eq(rules.key[0].mac_len, algorithms[_i].mac_len);
}
END_TEST

static const struct {
    const char *keys, *rules;
    bool good;
} lists[] = {
    {"a.b:AAAA", "@a.b", true},
    {"A.:AAA=,b:AA==", "@B.,10.0.0.0/8@a,2001:db8::/32", true},
    {"", "192.0.2.1,::1", true},
    {"a:AAAA,A:AAAA", "", false},
    {"a:AAA", "", false},
    {"a:AAB=", "", false},
    {"a:A===", "", false},
    {"a:", "", false},
    {"a", "", false},
    {":AAAA", "", false},
    {"a..b:AAAA", "", false},
    {"a:AAAA*AAA", "", false},
    {"0123456789012345678901234567890123456789012345678901234567890123:AAAA", "", false},
    {"", "10.0.0.0/33", false},
    {"", "10.0.0.0/", false},
    {"", "10.0.0.0/0", false},
    {"", "10.0.0.0/8x", false},
    {"", "10.0.0", false},
    {"", "@a", false},
    {"a:AAAA", "@", false},
    {"a:AAAA", "10.0.0.1,,10.0.0.2", false},
    {"a:AAAA", "@aa", false},
    {"hmac-md5:a:AAAA", "", false},
    {"hmac-sha256x:a:AAAA", "", false},
    {"hmac-sha256-120:a:AAAA", "", false},
    {"hmac-sha1-72:a:AAAA", "", false},
    {"hmac-sha256-264:a:AAAA", "", false},
    {"hmac-sha256-132:a:AAAA", "", false},
    {"hmac-sha256-:a:AAAA", "", false},
    {"hmac-sha256-0128:a:AAAA", "", false},
    {"hmac-sha256-1x8:a:AAAA", "", false},
    {"hmac-sha512::AAAA", "", false},
    {":a:AAAA", "", false},
    {"hmac-sha512:a:AAAA:AAAA", "", false},
};

START_TEST(test_lists)
{
    const char *wrong;

    rules = (struct dns_access){0};
    wrong = access_add_keys(&rules, lists[_i].keys);
    if (!wrong)
        wrong = access_add_rules(&rules, lists[_i].rules, parse_address);
    ck_assert_msg(!wrong == lists[_i].good, "%s: %s", lists[_i].keys, wrong);
}
END_TEST

START_TEST(test_rules)
{
    static const struct {
        const char *address;
        int key;
        bool allowed;
    } cases[] = {
        {"10.1.255.3", -1, true},        {"10.2.0.0", -1, false},   {"10.0.255.255", -1, false},
        {"192.0.2.1", 0, true},          {"192.0.2.1", 1, true},    {"192.0.2.1", -1, false},
        {"192.0.2.2", 0, false},         {"198.51.100.1", 1, true}, {"2001:db8:7fff::1", -1, true},
        {"2001:db8:8000::1", -1, false},
    };

    struct dns_client client = {0};

    rules = (struct dns_access){0};
    ck_assert_ptr_null(access_add_keys(&rules, "a:AAAA,b:AAAA"));
    ck_assert_ptr_null(
        access_add_rules(&rules, "10.1.0.0/16,192.0.2.1@a,@b,2001:db8::/33", parse_address));
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        client.address_len = (uint8_t)parse_address(cases[i].address, client.address);
        ck_assert_msg(
            access_allows(&rules, &client, cases[i].key < 0 ? NULL : &rules.key[cases[i].key]) ==
                cases[i].allowed,
            "%s", cases[i].address);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("access");
    Suite *s = suite_create("dns_access");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, test_hmac, 0, ARRAY_SIZE(macs));
    tcase_add_loop_test(t, test_algorithms, 0, ARRAY_SIZE(algorithms));
    tcase_add_loop_test(t, test_lists, 0, ARRAY_SIZE(lists));
    tcase_add_test(t, test_rules);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
