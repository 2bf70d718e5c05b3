/* SPDX-License-Identifier: ISC */
/* xen/byte_ring.h: bytes over the end of the ring and of the indices, and indices that lie (hardening.md,
 * rules 1, 2 and 20). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "xen/byte_ring.h"

static const uint32_t bases[] = {0, 1, 1000, 0x7fffffffu, 0xfffffc00u, 0xffffffffu};

START_TEST(indices_that_lie)
{
    uint32_t cons = bases[_i];

    ck_assert_int_eq(byte_ring_used(cons, cons, 1024), 0);
    ck_assert_int_eq(byte_ring_used(cons + 1, cons, 1024), 1);
    ck_assert_int_eq(byte_ring_used(cons + 1024, cons, 1024), 1024);
    ck_assert_int_eq(byte_ring_used(cons + 1025, cons, 1024), -1);
    ck_assert_int_eq(byte_ring_used(cons - 1, cons, 1024), -1);
    ck_assert_int_eq(byte_ring_used(cons + 0x80000000u, cons, 1024), -1);
}
END_TEST

/* Every length at every place of the ring; what is not written to keeps its value. */
START_TEST(over_the_end)
{
    uint8_t ring[16], from[16], to[17];

    for (uint32_t i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)(0xa0 + i);
    for (uint32_t at = 0; at < 16; at++) {
        for (uint32_t len = 0; len <= 16; len++) {
            unsigned written = 0;

            memset(ring, 0, sizeof(ring));
            memset(to, 0, sizeof(to));
            byte_ring_put(ring, 16, bases[_i] + at, from, len);
            for (unsigned i = 0; i < 16; i++)
                written += ring[i] != 0;
            ck_assert_uint_eq(written, len);
            byte_ring_get(ring, 16, bases[_i] + at, to, len);
            ck_assert_mem_eq(to, from, len);
            ck_assert_uint_eq(to[len], 0);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("byte_ring");
    TCase *t = tcase_create("byte_ring");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, indices_that_lie, 0, 6);
    tcase_add_loop_test(t, over_the_end, 0, 6);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
