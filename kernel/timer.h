/* SPDX-License-Identifier: ISC */
/*
 * One-shot timers on the monotonic clock, run by the event loop, never from the upcall.
 * The struct belongs to the caller and must live while armed. Arming is O(1), firing O(log n).
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
    uint64_t when; /* ns, monotonic */
    void (*fn)(struct timer *t);
    struct timer *child, *next, *prev; /* pairing heap: first child, sibling, parent or left */
    bool armed;
};

/* Monotonic time in ns since boot as the loop read it last, at the start of this turn: cheap and
 * good enough for time-outs. clock_monotonic() of xen/clock.h reads the time itself. */
uint64_t timer_now(void);

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Fires once, at or after `when` (absolute). Re-arms an armed timer. */
void timer_arm(struct timer *t, uint64_t when);
/* As timer_arm(), ns after timer_now(): what a turn has taken so far counts. */
void timer_arm_in(struct timer *t, uint64_t ns);
void timer_disarm(struct timer *t);

#endif
