/* SPDX-License-Identifier: ISC */
/*
 * Time from Xen's shared records (xen/include/public/xen.h, struct vcpu_time_info and the wall
 * clock in struct shared_info): nanoseconds, without a hypercall.
 */
#ifndef XEN_CLOCK_H
#define XEN_CLOCK_H

#include <stdint.h>

/* ns since the guest's boot; never runs backwards. */
uint64_t clock_monotonic(void);
/* ns since 1970 (UTC). */
uint64_t clock_wall(void);
/* The system time at which clock_monotonic() was 0: what SCHEDOP timers are given is relative to
 * the host's boot, so it is added to a deadline. It changes when the system time is set back (as a
 * migration may do): Xen's timer, set before, is late by as much then. */
uint64_t clock_system_offset(void);
void clock_init(void);

#endif
