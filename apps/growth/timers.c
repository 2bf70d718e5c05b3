/* SPDX-License-Identifier: ISC */
/* Jobs with N timers. */
#include "apps/growth/growth.h"
#include "kernel/app.h"
#include "lib/util.h"

#define MOST 100000
#define LATER (1000 * NSEC_PER_SEC)
/* While they fire, one is due in so many ns on average. */
#define BETWEEN 20000

static struct timer timers[MOST];
static uint32_t number, left;

static uint64_t any_time(void)
{
    return timer_now() + LATER + any_below(UINT32_MAX);
}

static void ends_early(struct timer *t)
{
    (void)t;
    panic("growth: a timer has fired too early");
}

static uint64_t soon(void)
{
    return timer_now() + 1 + (uint64_t)any_below(2 * BETWEEN) * number;
}

static void have(uint32_t count, void (*fn)(struct timer *t), uint64_t (*when)(void))
{
    for (uint32_t i = 0; i < number; i++)
        timer_disarm(&timers[i]);
    number = MIN(count, (uint32_t)MOST);
    for (uint32_t i = 0; i < number; i++) {
        timer_init(&timers[i], fn);
        timer_arm(&timers[i], when());
    }
    job_done(number == count);
}

static void have_timers(uint32_t count)
{
    have(count, ends_early, any_time);
}

static void set_and_cancel(uint32_t count)
{
    struct timer t;

    timer_init(&t, ends_early);
    while (count--) {
        timer_arm(&t, any_time());
        timer_disarm(&t);
    }
    job_done(true);
}

static void fires(struct timer *t)
{
    timer_arm(t, soon());
    if (left && --left == 0)
        job_done(true);
}

static void have_due(uint32_t count)
{
    have(count, fires, soon);
}

static void fire(uint32_t count)
{
    left = count;
    if (!count || !number) /* none is due */
        job_done(!count);
}

const struct job timer_jobs[] = {
    {"timers", have_timers}, {"set", set_and_cancel}, {"due", have_due}, {"fire", fire}, {0}};
