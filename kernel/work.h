/* SPDX-License-Identifier: ISC */
/*
 * Work items: a function to be run once by the event loop, soon. Event handlers, timers and app
 * code post them; the loop runs them in posting order, each at most once a turn, so an item that
 * posts itself again gives everyone else a turn first. This is how a driver bounds its work per
 * wake-up and how anything leaves a context in which it must not block.
 */
#ifndef KERNEL_WORK_H
#define KERNEL_WORK_H

#include <stdbool.h>

#include "lib/list.h"

struct work {
    struct list node; /* linked while queued */
    void (*run)(struct work *w);
};

void work_init(struct work *w, void (*run)(struct work *w));
/* Queues w; does nothing when it is queued already. Never fails. */
void work_post(struct work *w);
/* Takes w off the queue if it is on it. After this run() is not called until posted again. */
void work_cancel(struct work *w);

/* As work_post(), but run after everything else of this turn, just before the loop sleeps or
 * starts over: for flushing what a turn has gathered (ring notifications). */
void work_post_late(struct work *w);

#endif
