/* SPDX-License-Identifier: ISC */
/*
 * Within kernel/: the event loop and what it drives (docs/loop.md).
 */
#ifndef KERNEL_LOOP_H
#define KERNEL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

void loop_init(void);
/* Never returns: turns for ever, sleeping when there is nothing to do. May be called from within
 * the loop, by what cannot return to it: nothing that was queued is lost. */
_Noreturn void loop_run(void);

/* timer.c: runs what is due at `now`; the time of the next, or UINT64_MAX. */
void timer_run(uint64_t now);
uint64_t timer_next(void);

/* thread.c: runs each thread that is ready once. True when any still is. */
bool thread_run_ready(void);
bool thread_any_ready(void);

#endif
