/* SPDX-License-Identifier: ISC */
/*
 * kernel/timer.c against a model: an array searched linearly. Thousands of random arm, re-arm,
 * disarm and run operations; the heap must fire the same timers in the same order of time.
 */
#include <check.h>
#include <stdlib.h>

#include "kernel/loop.h"
#include "kernel/timer.h"
#include "lib/util.h"

#define TIMERS 200

static struct timer timers[TIMERS];
static uint64_t model[TIMERS]; /* when, or 0: not armed */
static uint64_t now, last_fired;
static unsigned fired;

uint64_t timer_now(void)
{
    return now;
}

static void on_fire(struct timer *t)
{
    size_t i = (size_t)(t - timers);

    ck_assert(model[i] != 0);
    ck_assert(t->when == model[i]);
    ck_assert(t->when <= now);
    ck_assert_msg(t->when >= last_fired, "fired out of order");
    ck_assert(!t->armed);
    last_fired = t->when;
    model[i] = 0;
    fired++;
}

static uint64_t model_next(void)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < TIMERS; i++)
        if (model[i] && model[i] < next)
            next = model[i];
    return next;
}

static void reset(void)
{
    for (size_t i = 0; i < TIMERS; i++) {
        timer_disarm(&timers[i]);
        timer_init(&timers[i], on_fire);
        model[i] = 0;
    }
    now = 1000;
    fired = 0;
}

static unsigned again;
static uint64_t again_when;

static void on_fire_again(struct timer *t)
{
    again++;
    timer_arm(t, again_when);
}

START_TEST(never_is_not_soon)
{
    struct timer t;

    timer_init(&t, on_fire_again);
    again = 0;
    now = 1000;
    timer_arm_in(&t, UINT64_MAX - 10);
    timer_run(now);
    ck_assert_uint_eq(again, 0);
    ck_assert_uint_eq(timer_next(), UINT64_MAX);
    timer_disarm(&t);
}
END_TEST

/* One that arms itself for now, or for the past, waits for the next turn like everybody. */
START_TEST(once_a_turn)
{
    struct timer t;

    timer_init(&t, on_fire_again);
    now = 1000;
    again_when = _i ? 0 : now;
    timer_arm(&t, 1);
    for (unsigned turn = 1; turn < 5; turn++) {
        timer_run(now++);
        ck_assert_uint_eq(again, turn);
    }
    timer_disarm(&t);
}
END_TEST

START_TEST(random_operations_match_the_model)
{
    reset();
    srand(7);
    for (int step = 0; step < 50000; step++) {
        size_t i = (size_t)rand() % TIMERS;

        switch (rand() % 4) {
        case 0:
        case 1:
            model[i] = now + (uint64_t)rand() % 5000;
            timer_arm(&timers[i], model[i]);
            break;
        case 2:
            timer_disarm(&timers[i]);
            model[i] = 0;
            break;
        default:
            now += (uint64_t)rand() % 500;
            last_fired = 0;
            timer_run(now);
            ck_assert(model_next() > now);
        }
        ck_assert_uint_eq(timer_next(), model_next());
    }
    ck_assert_uint_gt(fired, 1000);
}
END_TEST

static unsigned rearmed;

static void rearm(struct timer *t)
{
    if (++rearmed < 3)
        timer_arm_in(t, 10);
}

START_TEST(a_timer_may_arm_itself_again)
{
    struct timer t;

    reset();
    timer_init(&t, rearm);
    timer_arm_in(&t, 10);
    for (int i = 0; i < 5; i++) {
        now += 10;
        timer_run(now);
    }
    ck_assert_uint_eq(rearmed, 3);
    ck_assert_uint_eq(timer_next(), UINT64_MAX);
}
END_TEST

static void disarm_other(struct timer *t)
{
    (void)t;
    timer_disarm(&timers[0]);
    model[0] = 0;
}

START_TEST(a_due_timer_may_be_disarmed_by_another)
{
    struct timer t;

    reset();
    timer_init(&t, disarm_other);
    timer_arm(&t, now + 1);
    model[0] = now + 2;
    timer_arm(&timers[0], model[0]);
    now += 10;
    timer_run(now);
    ck_assert_uint_eq(fired, 0);
}
END_TEST

START_TEST(disarming_twice_is_harmless)
{
    reset();
    model[3] = now + 5;
    timer_arm(&timers[3], model[3]);
    timer_disarm(&timers[3]);
    timer_disarm(&timers[3]);
    ck_assert_uint_eq(timer_next(), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("timer");
    TCase *c = tcase_create("heap");
    SRunner *r;
    int failed;

    tcase_add_loop_test(c, once_a_turn, 0, 2);
    tcase_add_test(c, never_is_not_soon);
    tcase_add_test(c, random_operations_match_the_model);
    tcase_add_test(c, a_timer_may_arm_itself_again);
    tcase_add_test(c, a_due_timer_may_be_disarmed_by_another);
    tcase_add_test(c, disarming_twice_is_harmless);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
