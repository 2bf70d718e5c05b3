/* SPDX-License-Identifier: ISC */
/*
 * Who may have zones: keys and rules from text, what they allow; and the MAC, by examples of known value.
 */
#include "lib/crypto/hmac.h"
#include "lib/dns/access.h"
#include "lib/util.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct dns_access rules;

static unsigned parse_address(const char *text, uint8_t address[16])
{
    return inet_pton(AF_INET, text, address) == 1    ? 4
           : inet_pton(AF_INET6, text, address) == 1 ? 16
                                                     : 0;
}

/* RFC 4231 sections 4.2, 4.3 and 4.7: a short key, a text in parts, a key longer than a block. */
START_TEST(test_hmac)
{
    static const uint8_t first[] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53};
    static const uint8_t second[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e};
    static const uint8_t sixth[] = {0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f};
    const struct octets hi = {"Hi There", 8};
    const struct octets what[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
    const struct octets larger = {"Test Using Larger Than Block-Size Key - Hash Key First", 54};
    uint8_t key[131], mac[HMAC_SIZE];

    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, &hi, 1, mac);
    ck_assert_mem_eq(mac, first, sizeof(first));
    hmac_sha256((const uint8_t *)"Jefe", 4, what, 2, mac);
    ck_assert_mem_eq(mac, second, sizeof(second));
    memset(key, 0xaa, sizeof(key));
    hmac_sha256(key, sizeof(key), &larger, 1, mac);
    ck_assert_mem_eq(mac, sixth, sizeof(sixth));
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
    tcase_add_test(t, test_hmac);
    tcase_add_loop_test(t, test_lists, 0, ARRAY_SIZE(lists));
    tcase_add_test(t, test_rules);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
