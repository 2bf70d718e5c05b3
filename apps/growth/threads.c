/* SPDX-License-Identifier: ISC */
/* Jobs with N threads. */
#include "apps/growth/growth.h"
#include "kernel/app.h"
#include "lib/util.h"

#define MOST 10000
#define STACK 2048 /* with its guard page two pages */

static struct wait_queue queues[MOST]; /* one a thread */
static uint32_t number, left;
static struct work wake_next;

static void waits(void *arg)
{
    struct wait_queue *q = arg;

    for (;;) {
        wait_queue_sleep(q);
        work_post(&wake_next);
    }
}

/* They are never fewer than before. */
static void have_threads(uint32_t count)
{
    for (; number < MIN(count, (uint32_t)MOST); number++) {
        wait_queue_init(&queues[number]);
        if (!thread_create("waits", waits, &queues[number], STACK))
            break;
    }
    job_done(number == count);
}

static void gives_way(void *arg)
{
    (void)arg;
    while (left--)
        thread_yield();
    job_done(true);
}

static void switch_threads(uint32_t count)
{
    left = count;
    if (!thread_create("gives way", gives_way, NULL, 0))
        job_done(false);
}

/* Between two turns of the loop, when the one that was woken before waits again. */
static void wake_any(struct work *w)
{
    (void)w;
    if (left--)
        wait_queue_wake_one(&queues[any_below(number)]);
    else
        job_done(true);
}

static void wake(uint32_t count)
{
    if (!number) { /* nobody waits */
        job_done(false);
        return;
    }
    left = count;
    work_init(&wake_next, wake_any);
    work_post(&wake_next);
}

static void create_another(void *arg)
{
    (void)arg;
    if (!left--)
        job_done(true);
    else if (!thread_create("short", create_another, NULL, STACK))
        job_done(false);
}

static void create(uint32_t count)
{
    left = count;
    create_another(NULL);
}

const struct job thread_jobs[] = {
    {"threads", have_threads}, {"switch", switch_threads}, {"wake", wake}, {"create", create}, {0}};
