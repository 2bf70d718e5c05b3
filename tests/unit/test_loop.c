/* SPDX-License-Identifier: ISC */
/*
 * kernel/loop.c: when it sleeps, what Xen's timer is set to before, and who runs in a turn.
 */
#include <check.h>
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_hypercall.h"

#include "kernel/loop.c"
#include "kernel/thread.h"

#define OFFSET UINT64_C(5000000000000) /* of Xen's system time to ours */

static uint64_t now, offset = OFFSET;
static unsigned logged;
static uint64_t set[8]; /* what Xen's timer was set to */
static unsigned sets, stops, refusals, sleeps, turns;
static jmp_buf asleep;

uint64_t clock_monotonic(void)
{
    return now;
}

uint64_t clock_system_offset(void)
{
    return offset;
}

unsigned evtchn_dispatch(void)
{
    ck_assert_msg(++turns < 100, "the loop never sleeps");
    return 0;
}

bool evtchn_pending(void)
{
    return false;
}

void evtchn_rescan(void)
{
}

int evtchn_bind_virq(unsigned virq, evtchn_handler *fn, void *ctx)
{
    return 1;
}

bool thread_run_ready(void)
{
    return false;
}

bool thread_any_ready(void)
{
    return false;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    logged++;
}

void panic(const char *fmt, ...)
{
    abort();
}

long fake_hypercall(unsigned op, uintptr_t ns, uintptr_t a2, uintptr_t a3, uintptr_t a4)
{
    if (op == __HYPERVISOR_vcpu_op) {
        ck_assert_uint_eq(ns, VCPUOP_stop_periodic_timer);
        stops++;
        return 0;
    }
    ck_assert_uint_eq(op, __HYPERVISOR_set_timer_op);
    if (refusals && refusals--)
        return -EINVAL;
    ck_assert_uint_lt(sets, ARRAY_SIZE(set));
    set[sets++] = ns;
    return 0;
}

void arch_sleep(void)
{
    sleeps++;
    longjmp(asleep, 1);
}

static void run_until_asleep(void)
{
    turns = 0;
    if (setjmp(asleep) == 0)
        loop_run();
}

static unsigned ran;

static void count(struct timer *t)
{
    ran++;
}

static void setup(void)
{
    now = NSEC_PER_SEC;
    loop_init();
}

START_TEST(sleeps_until_the_next_timer)
{
    struct timer t;

    run_until_asleep();
    ck_assert_uint_eq(sets, 0); /* nothing to wake up for */
    timer_init(&t, count);
    timer_arm_in(&t, NSEC_PER_SEC);
    run_until_asleep();
    ck_assert_uint_eq(set[0], 2 * NSEC_PER_SEC + OFFSET);
    timer_arm_in(&t, 2 * NSEC_PER_SEC);
    run_until_asleep();
    ck_assert_uint_eq(sets, 1); /* put off: Xen's comes early, which is cheaper */
    timer_event(NULL);
    now = 3 * NSEC_PER_SEC;
    run_until_asleep();
    ck_assert_uint_eq(ran, 1);
    ck_assert_uint_eq(sleeps, 4);
}
END_TEST

/* The first event may have been Xen's own; from then on there are none of these. */
START_TEST(stops_the_tick)
{
    struct timer t;

    timer_init(&t, count);
    timer_arm_in(&t, NSEC_PER_SEC);
    run_until_asleep();
    ck_assert_uint_eq(stops, 0);
    for (unsigned i = 1; i < 4; i++) {
        timer_event(NULL);
        run_until_asleep();
        ck_assert_uint_eq(stops, 1);
        ck_assert_uint_eq(sets, i + 1); /* anew: that event may have been ours */
    }
}
END_TEST

START_TEST(far_away) /* more than 2^50 ns ahead Xen would fire in 100 ms */
{
    struct timer t;

    timer_init(&t, count);
    timer_arm_in(&t, UINT64_C(1) << 60);
    for (unsigned i = 0; i < 3; i++) {
        run_until_asleep();
        ck_assert_uint_eq(sets, i + 1);
        ck_assert_uint_gt(set[i], now + OFFSET);
        ck_assert_uint_lt(set[i], now + OFFSET + (UINT64_C(1) << 50));
        now = set[i] - OFFSET;
        timer_event(NULL);
    }
    ck_assert_uint_eq(ran, 0);
}
END_TEST

START_TEST(set_back) /* Xen's timer, set before, would be an hour late */
{
    struct timer t;

    timer_init(&t, count);
    timer_arm_in(&t, 2 * NSEC_PER_SEC);
    run_until_asleep();
    offset -= 3600 * NSEC_PER_SEC;
    now += NSEC_PER_SEC;
    run_until_asleep();
    ck_assert_uint_eq(sets, 2);
    ck_assert_uint_eq(set[1], 3 * NSEC_PER_SEC + offset);
    run_until_asleep();
    ck_assert_uint_eq(sets, 2);
    ck_assert_uint_eq(logged, 1);
    ck_assert_uint_eq(ran, 0);
}
END_TEST

START_TEST(no_sleep_without_a_timer) /* that Xen refused to set */
{
    struct timer t;

    timer_init(&t, count);
    timer_arm_in(&t, NSEC_PER_SEC);
    refusals = 3;
    run_until_asleep();
    ck_assert_uint_eq(refusals, 0);
    ck_assert_uint_eq(sets, 1);
    ck_assert_uint_eq(turns, 4);
}
END_TEST

static unsigned order[8], ordered;
static struct work works[3];

static void note(struct work *w)
{
    order[ordered++] = (unsigned)(w - works);
    if (w == &works[0] && ordered < 4)
        work_post(w);
}

START_TEST(work_once_a_turn_and_late_work_last)
{
    static const unsigned want[] = {0, 1, 2, 0};

    for (unsigned i = 0; i < 3; i++)
        work_init(&works[i], note);
    work_post_late(&works[2]);
    work_post(&works[0]);
    work_post(&works[1]);
    work_post(&works[1]);
    run_until_asleep();
    ck_assert_uint_eq(ordered, 4);
    ck_assert_mem_eq(order, want, sizeof(want));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loop");
    TCase *c = tcase_create("turns");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, sleeps_until_the_next_timer);
    tcase_add_test(c, stops_the_tick);
    tcase_add_test(c, far_away);
    tcase_add_test(c, set_back);
    tcase_add_test(c, no_sleep_without_a_timer);
    tcase_add_test(c, work_once_a_turn_and_late_work_last);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
