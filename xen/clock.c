/* SPDX-License-Identifier: ISC */
/*
 * Time (xen/include/public/xen.h, struct vcpu_time_info): Xen publishes the system time at a recent
 * value of the time-stamp counter and the factor from its ticks to ns. The record's version is odd
 * while Xen writes it and differs if it wrote between our reads: then we read again.
 *
 * The wall clock is a base (sequence-counted in the same way) plus the system time.
 */
#include "xen/clock.h"

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/util.h"

/* Less than this is how far the counters of two processors differ. */
#define SET_BACK (10 * NSEC_PER_MSEC)

static struct {
    uint64_t boot; /* system time at clock_init(), less by what it was set back since */
    uint64_t last; /* the latest monotonic value given: it never runs backwards (rule 25) */
} timekeeper;

/* ticks * mul / 2^32, shifted first: the product needs 96 bits. */
static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

/* ns since the host's boot. */
static uint64_t system_time(void)
{
    const struct vcpu_time_info *t = &arch_shared_info->vcpu_info[0].time;
    uint32_t version;
    uint64_t now;

    do {
        int64_t delta;

        version = shared_load_acquire(&t->version) & ~1u; /* odd never equals the second read */
        delta = (int64_t)(arch_tsc() - shared_read(&t->tsc_timestamp));
        if (delta < 0) /* the stamp is another processor's, whose counter is a little ahead */
            delta = 0;
        now =
            shared_read(&t->system_time) +
            scale((uint64_t)delta, shared_read(&t->tsc_to_system_mul), shared_read(&t->tsc_shift));
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the data before the second version */
    } while (shared_read(&t->version) != version);
    return now;
}

void clock_init(void)
{
    timekeeper.boot = system_time();
}

/* To wait until a time that was set back by an hour is where it was would stop every timer for an
 * hour: ours goes on from where it is. */
uint64_t clock_monotonic(void)
{
    uint64_t system = system_time(), now = system - timekeeper.boot;

    if ((int64_t)(now - timekeeper.last) > 0)
        timekeeper.last = now;
    else if (timekeeper.last - now > SET_BACK)
        timekeeper.boot = system - timekeeper.last;
    return timekeeper.last;
}

uint64_t clock_system_offset(void)
{
    return timekeeper.boot;
}

uint64_t clock_wall(void)
{
    const struct shared_info *s = arch_shared_info;
    uint32_t version;
    uint64_t sec, nsec;

    do {
        version = shared_load_acquire(&s->wc_version) & ~1u;
        sec = shared_read(&s->wc_sec) | (uint64_t)shared_read(&s->wc_sec_hi) << 32;
        nsec = shared_read(&s->wc_nsec);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (shared_read(&s->wc_version) != version);
    return sec * NSEC_PER_SEC + nsec + system_time();
}
