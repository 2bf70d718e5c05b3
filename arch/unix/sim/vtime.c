/* SPDX-License-Identifier: ISC */
/*
 * Time. The counter is not the host's (which a process cannot rely on), but made from its monotonic
 * clock, and runs half as fast again, so that a guest which takes ticks for nanoseconds is found
 * out. As Xen does, the pair (counter, system time) is published anew every second, under a version
 * that is odd meanwhile (xen/include/public/xen.h, struct vcpu_time_info).
 *
 * For tests the guest's system time can leave ours: be set forwards or back, or stand. Its records, its
 * counter and its timer have its time then; everything else here has ours.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/vtime.h"

#include <time.h>

#include <xen/xen.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/event.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define PUBLISH_INTERVAL NSEC_PER_SEC
#define TICKS_TO_NS 0xaaaaaaabu /* 2/3, times 2^32 */

static struct {
    struct timer *first; /* by time */
    struct timer publish, guest;
} timers;

/* The guest's system time. */
static struct {
    uint64_t ahead; /* of ours, modulo 2^64 */
    bool stands;
    uint64_t since; /* our time when it stopped */
    uint64_t timer; /* when its timer is due, 0: never */
    uint64_t wall;  /* what its wall clock is ahead of the host's */
} guest;

static uint64_t host_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t vtime_now(void)
{
    return host_clock(CLOCK_MONOTONIC);
}

static uint64_t tsc_at(uint64_t now)
{
    return now + now / 2;
}

/* The time of ours at which the guest's clocks are read. */
static uint64_t guest_instant(void)
{
    return guest.stands ? guest.since : vtime_now();
}

uint64_t vtime_tsc(void)
{
    return tsc_at(guest_instant());
}

uint64_t vtime_guest_now(void)
{
    return guest_instant() + guest.ahead;
}

uint64_t vtime_guest_due(uint64_t when)
{
    int64_t ours = (int64_t)(when - guest.ahead);

    if (guest.stands)
        return UINT64_MAX;
    return ours > 0 ? (uint64_t)ours : 0;
}

/* --- timers ----------------------------------------------------------------------------------- */

void vtime_disarm(struct timer *timer)
{
    struct timer **p = &timers.first;

    if (!timer->armed)
        return;
    while (*p != timer)
        p = &(*p)->next;
    *p = timer->next;
    timer->armed = false;
}

void vtime_arm(struct timer *timer, uint64_t when)
{
    struct timer **p = &timers.first;

    vtime_disarm(timer);
    while (*p && (*p)->when <= when)
        p = &(*p)->next;
    timer->when = when;
    timer->next = *p;
    timer->armed = true;
    *p = timer;
}

void vtime_run(void)
{
    uint64_t now = vtime_now();

    while (timers.first && timers.first->when <= now) {
        struct timer *timer = timers.first;

        vtime_disarm(timer);
        timer->fn(timer);
    }
}

uint64_t vtime_next(void)
{
    return timers.first ? timers.first->when : UINT64_MAX;
}

/* --- the guest's ------------------------------------------------------------------------------ */

static void publish(struct timer *timer)
{
    struct vcpu_time_info *t = &domain_shared_info()->vcpu_info[0].time;
    uint64_t now = guest_instant();

    shared_write(&t->version, t->version + 1);
    shared_fence(); /* partner: the guest's acquire of the version */
    shared_write(&t->tsc_timestamp, tsc_at(now));
    shared_write(&t->system_time, now + guest.ahead);
    shared_write(&t->tsc_to_system_mul, TICKS_TO_NS);
    shared_write(&t->tsc_shift, 0);
    shared_store_release(&t->version, t->version + 1);
    vtime_arm(timer, vtime_now() + PUBLISH_INTERVAL);
}

static void publish_wall_clock(void)
{
    struct shared_info *s = domain_shared_info();
    uint64_t base = host_clock(CLOCK_REALTIME) + guest.wall - vtime_guest_now();

    shared_write(&s->wc_version, s->wc_version + 1);
    shared_fence();
    shared_write(&s->wc_sec, (uint32_t)(base / NSEC_PER_SEC));
    shared_write(&s->wc_sec_hi, (uint32_t)(base / NSEC_PER_SEC >> 32));
    shared_write(&s->wc_nsec, (uint32_t)(base % NSEC_PER_SEC));
    shared_store_release(&s->wc_version, s->wc_version + 1);
}

static void guest_timer(struct timer *timer)
{
    (void)timer;
    guest.timer = 0;
    event_raise_virq(VIRQ_TIMER);
}

static void arm_guest_timer(void)
{
    uint64_t due = guest.timer ? vtime_guest_due(guest.timer) : UINT64_MAX;

    if (due == UINT64_MAX)
        vtime_disarm(&timers.guest);
    else
        vtime_arm(&timers.guest, due);
}

void vtime_create(void)
{
    timers.publish.fn = publish;
    timers.guest.fn = guest_timer;
    publish(&timers.publish);
    publish_wall_clock();
}

/* A time far ahead is taken for a mistake, and answered after 100 ms (Xen's do_set_timer_op(); it has Linux' jiffies
 * wrap in mind); one that is over, at once. */
long vtime_set_guest(uint64_t when)
{
    uint64_t now = vtime_guest_now();
    int64_t ahead = (int64_t)(when - now);

    if ((int64_t)when < 0 || (ahead > 0 && (uint32_t)(ahead >> 50)))
        when = now + 100 * NSEC_PER_MSEC;
    guest.timer = when;
    arm_guest_timer();
    return 0;
}

/* --- a clock that fails ----------------------------------------------------------------------- */

void vtime_step(int64_t ns)
{
    guest.ahead += (uint64_t)ns;
    publish(&timers.publish);
    arm_guest_timer();
}

void vtime_stand(bool stand)
{
    if (stand == guest.stands)
        return;
    if (stand)
        guest.since = vtime_now();
    else
        guest.ahead -= vtime_now() - guest.since; /* it goes on from where it stood */
    guest.stands = stand;
    publish(&timers.publish);
    arm_guest_timer();
}

void vtime_step_wall(int64_t ns)
{
    guest.wall += (uint64_t)ns;
    publish_wall_clock();
}
