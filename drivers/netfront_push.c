/* SPDX-License-Identifier: ISC */
/*
 * When the network driver's requests are shown to the backend: the moderation of its interrupts.
 *
 * What a turn of the loop has put on the TX ring is shown at its end, with at most one event. But a guest that answers
 * at once, on a CPU of its own, has one packet in each turn. So it interrupts the backend's domain for each, in the
 * middle of whatever that does; and that domain, which is what limits the rate by then, gets slower. As a card does,
 * we may hold requests back until TOGETHER are there, or until a time has passed.
 *
 * Whether that helps depends on who asks: a hundred clients are served faster, one that waits for each answer is served
 * later. Only a trial can tell. Packets are counted in stretches; for a trial, one stretch goes the other way, holding
 * back or not, and the next one as before again. What is compared is how long a packet took in the three: what holds back
 * must be better than what does not by one part in GAIN, whichever of them was tried. Loads vary by themselves, but not
 * often in that order. Trials that change nothing become rarer. None is made while each packet is shown
 * alone (one client that waits), nor where as many come together in any case.
 *
 * So a request is not held back for longer than LIMIT, nor than twice as long as it takes TOGETHER to come; nor, but for
 * trials, where that does not make the whole faster; nor at less than one packet in SLOW, nor the first after a
 * REST, nor when the guest ends.
 */
#include "drivers/netfront.h"
#include "kernel/app.h"
#include "lib/net/net.h"
#include "xen/clock.h"

#define STRETCH 256 /* packets */
#define TOGETHER 8  /* requests */
#define SLOW (500 * NSEC_PER_USEC)
#define LIMIT (2 * NSEC_PER_MSEC)
#define REST (20 * NSEC_PER_MSEC) /* without a packet */
#define GAIN 8
/* Stretches until the next trial: at first, when to hold back has just been taken up or given up, and at most. */
#define PAUSE 1
#define PAUSE_TAKEN_UP 8
#define PAUSE_GIVEN_UP 32
#define PAUSE_MAX 256
/* The backend sees no more than so many requests later than it could. */
#define PUSH_AT_LEAST_EVERY 32

static bool ending; /* the guest: nothing is held back any more */

static void begin_stretch(struct netfront_push *push)
{
    push->packets = push->shows = 0;
    push->since = timer_now();
}

/* Goes on in this way, and has no opinion yet on whether it is right. */
static void set_holds(struct netfront_push *push, bool holds, unsigned pause)
{
    push->holds = holds;
    push->phase = PUSH_STEADY;
    push->pause = push->rest = pause;
}

static void begin_phase(struct netfront_push *push, enum netfront_push_phase phase)
{
    push->phase = phase;
    push->holds = !push->holds;
}

/* The trial showed that it is right as it is. */
static void keep(struct netfront_push *push)
{
    push->phase = PUSH_STEADY;
    push->pause = push->rest = MIN(2 * push->pause, push->holds ? PAUSE_GIVEN_UP : PAUSE_MAX);
}

/* Whether what was tried is to be kept up: a packet took so many ns before the trial, in it and after it. */
static bool has_paid(bool holding, uint64_t before, uint64_t in, uint64_t after)
{
    if (holding)
        return in + in / GAIN < MIN(before, after);
    return in <= MAX(before, after) + MAX(before, after) / GAIN;
}

/* Might it help? Not if each is shown alone, nor where many come together by themselves. */
static bool is_worth_a_trial(const struct netfront_push *push)
{
    return push->holds || (push->several && push->shows * TOGETHER > push->packets);
}

static bool is_other_load(uint64_t before, uint64_t now)
{
    return now > before + before / 2 || before > now + now / 2;
}

static void end_stretch(struct netfront_push *push)
{
    uint64_t each = (timer_now() - push->since) / push->packets, before = push->each;

    push->each = each;
    push->several |= push->shows < push->packets;
    if (each > SLOW) {
        set_holds(push, false, PAUSE);
    } else if (push->phase == PUSH_TRIAL) {
        push->each = before;
        push->tried = each;
        begin_phase(push, PUSH_BACK);
    } else if (push->phase == PUSH_BACK) {
        if (has_paid(!push->holds, before, push->tried, each))
            set_holds(push, !push->holds, push->holds ? PAUSE_GIVEN_UP : PAUSE_TAKEN_UP);
        else
            keep(push);
    } else {
        if (is_other_load(before, each))
            push->pause = push->rest = PAUSE;
        if (is_worth_a_trial(push) && --push->rest == 0)
            begin_phase(push, PUSH_TRIAL);
    }
    push->limit = MIN(2 * TOGETHER * push->each, LIMIT);
    begin_stretch(push);
}

/* Shows what has been put. True when the backend is to be told. */
static bool show(struct netfront *nf)
{
    struct netfront_push *push = &nf->push;
    uint64_t now = timer_now();

    if (now - push->shown_at > REST) {
        set_holds(push, false, PAUSE);
        begin_stretch(push);
    }
    if (push->held)
        timer_disarm(&push->timer);
    push->shown_at = now;
    push->shows++;
    push->waiting = push->held = 0;
    if (push->packets >= STRETCH)
        end_stretch(push);
    netfront_tx_shown(nf);
    return ring_push(&nf->tx);
}

/* May what has been put wait? The turn may have been a long one. */
static bool may_wait(const struct netfront_push *push)
{
    return push->holds && push->waiting < TOGETHER && !ending &&
           clock_monotonic() - push->shown_at < push->limit;
}

/* The end of a turn in which something was put. */
static void turn_ends(struct work *w)
{
    struct netfront *nf = container_of(w, struct netfront, push.work);
    struct netfront_push *push = &nf->push;

    if (!nf->running || !push->waiting)
        return;
    if (may_wait(push)) {
        push->held = push->waiting;
        if (!push->timer.armed)
            timer_arm(&push->timer, push->shown_at + push->limit);
    } else if (show(nf)) {
        evtchn_notify(nf->tx_port);
    }
}

/* Do far fewer come, now that they are held back? */
static bool is_far_behind(const struct netfront_push *push)
{
    uint64_t usual = push->packets * push->each;

    return timer_now() - push->since > usual + usual / 4 + 2 * push->limit;
}

/* The time is up, and fewer have come than would have been shown. */
static void time_is_up(struct timer *t)
{
    struct netfront *nf = container_of(t, struct netfront, push.timer);
    struct netfront_push *push = &nf->push;

    if (!nf->running)
        return;
    if (show(nf))
        evtchn_notify(nf->tx_port);
    if (!push->holds || !is_far_behind(push))
        return;
    push->holds = push->several = false;
    if (push->phase == PUSH_TRIAL)
        keep(push);
    else
        set_holds(push, false, PAUSE);
    begin_stretch(push);
}

void netfront_push_late(struct netfront *nf, unsigned slots)
{
    struct netfront_push *push = &nf->push;

    if (push->waiting == push->held)
        work_post_late(&push->work); /* the others find it posted */
    push->waiting += slots;
    push->packets++;
    if (push->waiting >= PUSH_AT_LEAST_EVERY && show(nf))
        evtchn_notify_late(nf->tx_port);
}

/* --- coming and going -------------------------------------------------------------------- */

static void guest_ends(struct shutdown_hook *hook)
{
    (void)hook;
    ending = true;
    for (unsigned i = 0; i < INTERFACES_MAX; i++) {
        const struct netdev *net = net_device(i);
        struct netfront *nf = net ? container_of(net, struct netfront, net) : NULL;

        if (nf && nf->running && nf->push.waiting && show(nf))
            evtchn_notify(nf->tx_port);
    }
}

void netfront_push_init(struct netfront_push *push)
{
    static struct shutdown_hook at_end;

    if (!at_end.fn) {
        at_end.fn = guest_ends;
        shutdown_hook_add(&at_end);
    }
    *push = (struct netfront_push){.pause = PAUSE, .rest = PAUSE};
    work_init(&push->work, turn_ends);
    timer_init(&push->timer, time_is_up);
}

void netfront_push_stop(struct netfront_push *push)
{
    work_cancel(&push->work);
    timer_disarm(&push->timer);
    netfront_push_init(push); /* of another connection nothing is known */
}
