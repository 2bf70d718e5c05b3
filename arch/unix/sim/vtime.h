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

/* The guest's system time, and when in ours it will be `when` (UINT64_MAX: it stands). */
uint64_t vtime_guest_now(void);
uint64_t vtime_guest_due(uint64_t when);
/* set_timer_op (xen.h), in the guest's time; 0: none. */
long vtime_set_guest(uint64_t when);

/* For tests: sets the guest's system time, with its timer, forwards or back; lets it stand, its counter
 * too; sets its wall clock. */
void vtime_step(int64_t ns);
void vtime_stand(bool stand);
void vtime_step_wall(int64_t ns);

#endif
