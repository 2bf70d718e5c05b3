/* SPDX-License-Identifier: ISC */
/*
 * Time: the machine's clock, what Xen publishes of it to the guest, the guest's one timer, and
 * timers of the simulation's own. All times are system time: ns since some start before the guest's.
 */
#ifndef SIM_VTIME_H
#define SIM_VTIME_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
    uint64_t when;
    void (*fn)(struct timer *timer);
    bool armed;
    struct timer *next;
};

void vtime_create(void);
uint64_t vtime_now(void);
/* What the processor's time-stamp counter says. */
uint64_t vtime_tsc(void);

/* A timer that is armed already gets the new time. */
void vtime_arm(struct timer *timer, uint64_t when);
void vtime_disarm(struct timer *timer);
/* Runs what is due. */
void vtime_run(void);
/* When the next is due; UINT64_MAX: never. */
uint64_t vtime_next(void);

/* set_timer_op (xen.h). */
long vtime_set_guest(uint64_t when);

#endif
