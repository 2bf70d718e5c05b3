/* SPDX-License-Identifier: ISC */
/* lib/net/headers.h: what a frame's headers are, against the same read field by field. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/headers.h"
#include "lib/util.h"

#define CASES 2000000
#define LEN_MAX 80

static bool read_fields(const uint8_t *f, size_t len, struct headers *h)
{
    unsigned type = f[12] << 8 | f[13], ihl = f[14] & 15;

    *h = (struct headers){0};
    if (len < 34)
        return false;
    if (type == 0x0800) {
        if (((f[20] << 8 | f[21]) & 0x3fff) || ihl < 5)
            return false;
        *h = (struct headers){4, f[23], (uint16_t)(14 + 4 * ihl)};
    } else if (type == 0x86dd) {
        *h = (struct headers){6, f[20], 54};
    } else {
        return false;
    }
    return (h->protocol == 6 && len >= h->transport + 20u) ||
           (h->protocol == 17 && len >= h->transport + 8u);
}

static uint8_t one_of(const uint8_t *values, size_t count)
{
    size_t i = (size_t)rand() % (count + 1);

    return i < count ? values[i] : (uint8_t)rand();
}

#define ONE_OF(...) one_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

START_TEST(same_as_field_by_field)
{
    unsigned found[2][2] = {0}; /* by version and protocol */

    srand(1);
    for (unsigned n = 0; n < CASES; n++) {
        uint8_t frame[LEN_MAX] = {0};
        size_t len = 30 + (size_t)rand() % (LEN_MAX - 29);
        struct headers is = {0}, want;
        bool v6 = rand() & 1;

        frame[12] = v6 ? ONE_OF(0x86, 0x86, 8) : ONE_OF(8, 8, 0x86);
        frame[13] = v6 ? ONE_OF(0xdd, 0xdd, 0) : ONE_OF(0, 0, 0xdd);
        frame[14] = v6 ? ONE_OF(0x60) : ONE_OF(0x45, 0x45, 0x46, 0x44, 0x65);
        frame[15] = (uint8_t)rand();
        frame[20] = v6 ? ONE_OF(0, 6, 17) : ONE_OF(0, 0, 0x40, 0x80, 0x20, 1);
        frame[21] = v6 ? ONE_OF(64) : ONE_OF(0, 0, 1);
        frame[22] = (uint8_t)rand();
        frame[23] = ONE_OF(6, 17, 17, 1);
        ck_assert_int_eq(headers_parse(frame, len, &is), read_fields(frame, len, &want));
        if (!read_fields(frame, len, &want))
            continue;
        ck_assert_uint_eq(is.version, want.version);
        ck_assert_uint_eq(is.protocol, want.protocol);
        ck_assert_uint_eq(is.transport, want.transport);
        found[is.version == 6][is.protocol == 17]++;
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_gt(found[i / 2][i % 2], 1000);
}
END_TEST

START_TEST(sums_fold)
{
    srand(2);
    for (unsigned n = 0; n < CASES; n++) {
        uint64_t sum = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 13 ^ (uint64_t)rand(), slow;

        if (n % 4 == 0)
            sum |= UINT64_C(0xffffffff) << 32 >> (rand() % 33);
        if (n % 16 == 0)
            sum = n % 32 ? UINT64_MAX << (rand() % 64) : UINT64_MAX >> (rand() % 64);
        for (slow = sum; slow >> 16;)
            slow = (slow >> 16) + (slow & 0xffff);
        ck_assert_uint_eq(sum_fold(sum), slow);
    }
    ck_assert_uint_eq(sum_fold(0), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("headers");
    TCase *c = tcase_create("headers");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 60);
    tcase_add_test(c, same_as_field_by_field);
    tcase_add_test(c, sums_fold);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
