/* SPDX-License-Identifier: ISC */
/*
 * xen/clock.c: scaling, the version loop with a writer in the middle, and time that never runs
 * backwards (hardening.md, rule 25).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "xen/clock.c"

static struct shared_info page;
struct shared_info *const arch_shared_info = &page;

static uint64_t tsc;
static void (*during_read)(void);

/* The clock reads the counter between the two reads of the version: where Xen may write. */
uint64_t arch_tsc(void)
{
    if (during_read) {
        void (*f)(void) = during_read;

        during_read = NULL;
        f();
    }
    return tsc;
}

static void set_record(uint64_t at_tsc, uint64_t ns, uint32_t mul, int8_t shift)
{
    struct vcpu_time_info *t = &page.vcpu_info[0].time;

    t->version += 2;
    t->tsc_timestamp = at_tsc;
    t->system_time = ns;
    t->tsc_to_system_mul = mul;
    t->tsc_shift = shift;
}

static void setup(void)
{
    memset(&page, 0, sizeof(page));
    memset(&timekeeper, 0, sizeof(timekeeper));
    during_read = NULL;
    tsc = 1000;
    set_record(1000, 5000, 0x80000000, 1); /* half, doubled: a tick is a ns */
    clock_init();
}

START_TEST(ticks_become_nanoseconds)
{
    ck_assert_uint_eq(clock_system_offset(), 5000);
    tsc = 3000;
    ck_assert_uint_eq(clock_monotonic(), 2000);
    set_record(3000, 7000, 0x80000000, -2); /* half, then a quarter: eight ticks a ns */
    tsc = 3000 + 80000;
    ck_assert_uint_eq(clock_monotonic(), 2000 + 10000);
}
END_TEST

START_TEST(large_distances_do_not_overflow)
{
    tsc = 1000 + (UINT64_C(1) << 60);
    ck_assert_uint_eq(clock_monotonic(), UINT64_C(1) << 60);
}
END_TEST

static void xen_writes(void)
{
    set_record(2000, 9000, 0x80000000, 1);
}

START_TEST(a_record_that_changes_is_read_again)
{
    tsc = 2500;
    during_read = xen_writes;
    ck_assert_uint_eq(clock_monotonic(), 9000 + 500 - 5000);
}
END_TEST

static void xen_ends_writing(void)
{
    page.vcpu_info[0].time.version++;
    page.vcpu_info[0].time.system_time = 6000;
}

START_TEST(a_record_being_written_is_not_used)
{
    page.vcpu_info[0].time.version++; /* odd: a write has begun */
    page.vcpu_info[0].time.system_time = 999999999;
    during_read = xen_ends_writing;
    ck_assert_uint_eq(clock_monotonic(), 1000);
}
END_TEST

START_TEST(time_never_runs_backwards)
{
    uint64_t before;

    tsc = 9000;
    before = clock_monotonic();
    set_record(9000, 5100, 0x80000000, 1); /* as after a migration to another host */
    ck_assert_uint_eq(clock_monotonic(), before);
    tsc = 30000;
    ck_assert_uint_gt(clock_monotonic(), before);
}
END_TEST

/* By an hour, to before our boot even: the guest's time goes on from where it is, at its pace. */
START_TEST(time_that_is_set_back_goes_on)
{
    uint64_t before, offset;

    tsc = 1000 + 7200 * NSEC_PER_SEC;
    before = clock_monotonic();
    offset = clock_system_offset();
    set_record(tsc, 5000 + 3600 * NSEC_PER_SEC, 0x80000000, 1);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(clock_monotonic(), before + i * NSEC_PER_SEC);
        tsc += NSEC_PER_SEC;
    }
    ck_assert_uint_eq(clock_system_offset(), offset - 3600 * NSEC_PER_SEC);
    set_record(tsc, 100, 0x80000000, 1);
    ck_assert_uint_eq(clock_monotonic(), before + 2 * NSEC_PER_SEC);
    tsc += NSEC_PER_SEC;
    ck_assert_uint_eq(clock_monotonic(), before + 3 * NSEC_PER_SEC);
    ck_assert_uint_eq(clock_monotonic() + clock_system_offset(), 100 + NSEC_PER_SEC);
}
END_TEST

/* Processors' counters differ a little: that must not look like a leap of half of all time. */
START_TEST(counter_behind_the_record)
{
    set_record(5000, 5100, 0x80000000, -1);
    tsc = 4999;
    ck_assert_uint_eq(clock_monotonic(), 100);
    tsc = 9000;
    ck_assert_uint_eq(clock_monotonic(), 100 + 1000);
}
END_TEST

START_TEST(wall_clock_adds_its_base)
{
    page.wc_sec = 100;
    page.wc_sec_hi = 1;
    page.wc_nsec = 7;
    ck_assert_uint_eq(clock_wall(), ((UINT64_C(1) << 32) + 100) * NSEC_PER_SEC + 7 + 5000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clock");
    TCase *c = tcase_create("clock");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, ticks_become_nanoseconds);
    tcase_add_test(c, large_distances_do_not_overflow);
    tcase_add_test(c, a_record_that_changes_is_read_again);
    tcase_add_test(c, a_record_being_written_is_not_used);
    tcase_add_test(c, time_never_runs_backwards);
    tcase_add_test(c, time_that_is_set_back_goes_on);
    tcase_add_test(c, counter_behind_the_record);
    tcase_add_test(c, wall_clock_adds_its_base);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
