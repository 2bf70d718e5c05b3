/* SPDX-License-Identifier: ISC */
/* Pages lent to a peer that may not give them back (hardening.md, rules 9, 11 and 12). */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "tests/unit/fake_grants.h"
#include "tests/unit/fake_kernel.h"
#include "xen/lending.h"

static struct lending *l;

static void setup(void)
{
    l = lending_new(BACKEND);
    ck_assert_ptr_nonnull(l);
}

static void lend(unsigned order, bool readonly)
{
    int first = lending_add(l, order);

    ck_assert_int_ge(first, 0);
    for (int i = first; i < first + (1 << order); i++)
        lending_give(l, (unsigned)i, readonly);
}

START_TEST(pages_are_zeroed_and_follow_one_another)
{
    fake_grants_zeroed = true;
    lend(0, false);
    lend(2, true);
    ck_assert_int_eq(lending_add(l, 0), 5);
    for (unsigned i = 2; i < 5; i++)
        ck_assert_ptr_eq(lending_page(l, i), (char *)lending_page(l, 1) + (i - 1) * 4096);
    ck_assert(!fake_grant(lending_ref(l, 0))->readonly);
    ck_assert(fake_grant(lending_ref(l, 4))->readonly);
    ck_assert(!fake_grant(lending_ref(l, 5))->live);
    lending_end(l);
    fake_grants_check();
    lending_end(NULL);
}
END_TEST

START_TEST(lent_and_taken_again_and_again)
{
    lend(1, false);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(lending_take(l, 1), 0);
        ck_assert(!fake_grant(lending_ref(l, 1))->live);
        ck_assert_int_eq(lending_take(l, 1), 0); /* harmless */
        lending_give(l, 1, i % 2);
    }
    lending_end(l);
    fake_grants_check();
}
END_TEST

START_TEST(page_in_use_is_lost)
{
    lend(0, false);
    lend(0, false);
    fake_grant(lending_ref(l, 1))->mapped = true;
    ck_assert_int_eq(lending_take(l, 1), -EBUSY);
    ck_assert(fake_grants[lending_ref(l, 1)].quarantined);
    lending_end(l);
    fake_sleep(20 * NSEC_PER_SEC);
    fake_grants_check(); /* a page and a reference, and no more */
}
END_TEST

START_TEST(peer_that_lets_go_late)
{
    lend(2, false);
    lend(0, false);
    fake_grant(lending_ref(l, 2))->mapped = true;
    lending_end(l);
    ck_assert_uint_eq(fake_pages, 5); /* the block of four, and what is known of it */
    fake_sleep(5 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_pages, 5);
    fake_grants_release();
    fake_sleep(NSEC_PER_SEC);
    fake_grants_check();
}
END_TEST

/* What it has is waited for without end, and ever more rarely. */
START_TEST(peer_that_lets_go_after_an_hour)
{
    unsigned fired;

    lend(2, false);
    lend(0, false);
    fake_grant(lending_ref(l, 2))->mapped = true;
    lending_end(l);
    fake_sleep(11 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_pages, 5);
    fired = fake_timers_fired;
    fake_sleep(3600 * NSEC_PER_SEC);
    ck_assert_uint_le(fake_timers_fired - fired, 360);
    ck_assert_uint_eq(fake_pages, 5);
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    fake_grants_check();
}
END_TEST

/* A ring and some pages may be on their way back; a peer that keeps more gets no more. */
START_TEST(peer_that_keeps_everything)
{
    for (unsigned round = 0; round < 2; round++) {
        lend(3, false);
        lend(0, false);
        for (unsigned i = 0; i < 9; i++)
            fake_grant(lending_ref(l, i))->mapped = true;
        lending_end(l);
        fake_sleep(round * 20 * NSEC_PER_SEC);
        l = lending_new(BACKEND);
        ck_assert(!l == (round == 1));
    }
    ck_assert(fake_logged("keeps 18 pages"));
    l = lending_new(BACKEND + 1);
    ck_assert_ptr_nonnull(l); /* another domain's are its own */
    lending_end(l);
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    setup();
    lending_end(l);
    fake_grants_check();
}
END_TEST

START_TEST(two_that_end_at_a_time)
{
    struct lending *first = l;

    lend(0, false);
    fake_grant(lending_ref(l, 0))->mapped = true;
    lending_end(first);
    setup();
    lend(0, false);
    fake_grant(lending_ref(l, 0))->mapped = true;
    lending_end(l);
    fake_sleep(NSEC_PER_SEC);
    fake_grants_release();
    fake_sleep(NSEC_PER_SEC);
    fake_grants_check();
}
END_TEST

START_TEST(shortages)
{
    lend(0, false);
    fake_no_memory = true;
    ck_assert_int_eq(lending_add(l, 1), -ENOMEM);
    ck_assert_ptr_null(lending_new(BACKEND));
    fake_no_memory = false;
    fake_no_grants = true;
    ck_assert_int_eq(lending_add(l, 1), -ENOSPC);
    fake_no_grants = false;
    while (lending_add(l, 4) >= 0)
        ;
    ck_assert_int_eq(lending_add(l, 4), -ENOSPC);
    lending_end(l);
    fake_grants_check();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lending");
    TCase *t = tcase_create("lending");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, pages_are_zeroed_and_follow_one_another);
    tcase_add_test(t, lent_and_taken_again_and_again);
    tcase_add_test(t, page_in_use_is_lost);
    tcase_add_test(t, peer_that_lets_go_late);
    tcase_add_test(t, peer_that_lets_go_after_an_hour);
    tcase_add_test(t, peer_that_keeps_everything);
    tcase_add_test(t, two_that_end_at_a_time);
    tcase_add_test(t, shortages);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
