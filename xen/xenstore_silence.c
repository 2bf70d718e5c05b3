/* SPDX-License-Identifier: ISC */
/*
 * A store that says nothing (docs/xenstore.md): it is busy, being restarted, or has failed to send an
 * event. While a request waits, the ring is looked at without an event too: after a second, and later
 * and later. A silence of a quarter of a minute is logged; it costs what waits for the store, and
 * nothing else.
 *
 * The timer is armed by the first request and runs out by itself: a reply only takes note, but when it
 * has been long in coming.
 */
#include "xen/xenstore_internal.h"

#include "kernel/log.h"
#include "kernel/timer.h"
#include "lib/util.h"

#define LOG_MODULE "xenstore"

#define LOOK_FIRST NSEC_PER_SEC
#define LOOK_MAX (64 * NSEC_PER_SEC)
#define LONG (15 * NSEC_PER_SEC) /* a request's first four looks */

static struct {
    struct timer timer;
    uint64_t since; /* the last reply, or when there was first anything to reply to */
    uint64_t after; /* ns to the next look */
    bool logged;
} silence;

static void look(struct timer *t)
{
    uint64_t lasts;

    if (!xenstore_look())
        return;
    lasts = timer_now() - silence.since;
    if (lasts >= LONG && !silence.logged) {
        silence.logged = true;
        log_warn("the store has not answered for %lu s", lasts / NSEC_PER_SEC);
    }
    silence.after = MIN(2 * silence.after, LOOK_MAX);
    timer_arm_in(t, silence.after);
}

void xenstore_silence_begins(void)
{
    if (silence.timer.armed)
        return;
    silence.after = LOOK_FIRST;
    silence.since = timer_now();
    timer_init(&silence.timer, look);
    timer_arm_in(&silence.timer, LOOK_FIRST);
}

void xenstore_silence_ends(void)
{
    silence.since = timer_now();
    if (silence.after > LOOK_FIRST) {
        silence.after = LOOK_FIRST;
        timer_arm_in(&silence.timer, LOOK_FIRST);
    }
    if (silence.logged)
        log_warn("the store answers again");
    silence.logged = false;
}
