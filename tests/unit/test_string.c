/* SPDX-License-Identifier: ISC */
/*
 * arch/x86_64/string.c against plain loops: every size around each boundary, every alignment, every
 * overlap, with guard bytes on both sides.
 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

/* Other names, so that this program keeps its own functions. */
#define memcpy tested_memcpy
#define memmove tested_memmove
#define memset tested_memset
#define memcmp tested_memcmp
#pragma GCC diagnostic ignored "-Wmissing-declarations"
/* The alias names its target as text, which no macro reaches. */
#define alias(name) alias("tested_" name)
#include "arch/x86_64/string.c"
#undef alias
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define SIZE_MAX_TESTED 300
#define ROOM (3 * SIZE_MAX_TESTED)

static uint8_t ours[ROOM], model[ROOM];

static void fill(uint8_t *p)
{
    for (int i = 0; i < ROOM; i++)
        p[i] = (uint8_t)(i * 7 + i / 256);
}

static void expect_equal(const char *what, size_t to, size_t from, size_t n)
{
    for (int i = 0; i < ROOM; i++)
        if (ours[i] != model[i]) /* an assertion a byte would take minutes */
            ck_abort_msg("%s of %zu from %zu to %zu: byte %d", what, n, from, to, i);
}

static void model_move(size_t to, size_t from, size_t n)
{
    uint8_t copy[SIZE_MAX_TESTED];

    for (size_t i = 0; i < n; i++)
        copy[i] = model[from + i];
    for (size_t i = 0; i < n; i++)
        model[to + i] = copy[i];
}

START_TEST(moving_any_size_and_alignment)
{
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++)
        for (size_t to = 0; to < 9; to++)
            for (size_t from = 0; from < 9; from++) {
                fill(ours);
                fill(model);
                ck_assert_ptr_eq(tested_memcpy(ours + 450 + to, ours + 100 + from, n),
                                 ours + 450 + to);
                model_move(450 + to, 100 + from, n);
                expect_equal("memcpy", 450 + to, 100 + from, n);
            }
}
END_TEST

START_TEST(moving_with_any_overlap)
{
    for (size_t n = 0; n <= 150; n++)
        for (size_t to = 100; to <= 400; to += to < 230 || to > 270 ? 7 : 1) {
            fill(ours);
            fill(model);
            ck_assert_ptr_eq(tested_memmove(ours + to, ours + 250, n), ours + to);
            model_move(to, 250, n);
            expect_equal("memmove", to, 250, n);
        }
}
END_TEST

START_TEST(setting_any_size_and_alignment)
{
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++)
        for (size_t to = 0; to < 9; to++) {
            fill(ours);
            fill(model);
            ck_assert_ptr_eq(tested_memset(ours + 50 + to, 0x7fe5, n), ours + 50 + to);
            for (size_t i = 0; i < n; i++)
                model[50 + to + i] = 0xe5;
            expect_equal("memset", 50 + to, 0, n);
        }
}
END_TEST

START_TEST(comparing_any_size_and_difference)
{
    uint8_t *a = malloc(40), *b = malloc(40); /* the sanitizer watches their ends */

    for (size_t n = 0; n <= 40; n++) {
        uint8_t *p = a + 40 - n, *q = b + 40 - n;

        for (size_t i = 0; i < n; i++)
            p[i] = q[i] = (uint8_t)(i * 37);
        ck_assert_int_eq(tested_memcmp(p, q, n), 0);
        for (size_t i = 0; i < n; i++) {
            p[i]++; /* wraps to 0 for some: then it is the smaller one */
            ck_assert_int_eq(tested_memcmp(p, q, n) < 0, p[i] < q[i]);
            ck_assert_int_eq(tested_memcmp(p, q, n) > 0, p[i] > q[i]);
            ck_assert_int_eq(tested_memcmp(q, p, n) > 0, p[i] < q[i]);
            p[i]--;
        }
    }
    free(a);
    free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("string");
    TCase *t = tcase_create("string");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, moving_any_size_and_alignment);
    tcase_add_test(t, moving_with_any_overlap);
    tcase_add_test(t, setting_any_size_and_alignment);
    tcase_add_test(t, comparing_any_size_and_difference);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
