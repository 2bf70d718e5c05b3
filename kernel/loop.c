/* SPDX-License-Identifier: ISC */
/*
 * The event loop: the only place where the guest's work is started and the only place where it
 * sleeps.
 *
 * A turn: handlers of pending events, work items, timers, ready threads, late work (what the turn
 * has gathered, such as notifications). Then, if nothing is left to do, sleep until an event or the
 * next timer. Events are masked during all of it; under load the loop finds them by looking at the
 * pending bits, takes no upcall and makes no hypercall to wait.
 *
 * No edge is lost: evtchn_dispatch() clears a port's bit before its handler looks for work, and
 * arch_sleep() enables events and blocks in one step.
 */
#include "kernel/loop.h"

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/list.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/hypercall.h"

#define LOG_MODULE "loop"

/* Six days. Xen takes what is more than 2^50 ns ahead for a mistake, and fires in 100 ms. */
#define FAR_AWAY (UINT64_C(1) << 49)

static struct {
    struct list work, late;
    struct list work_mark, late_mark; /* on the queue that is being run: the end of this turn's */
    uint64_t now;                     /* monotonic, read once a turn */
    uint64_t deadline;                /* what Xen's timer is set to, UINT64_MAX: nothing */
    uint64_t offset;                  /* of Xen's time then */
    bool ticking;                     /* Xen sends timer events of its own */
} loop = {
    .work = LIST_INIT(loop.work),
    .late = LIST_INIT(loop.late),
    .work_mark = LIST_INIT(loop.work_mark),
    .late_mark = LIST_INIT(loop.late_mark),
    .deadline = UINT64_MAX,
    .ticking = true,
};

void work_init(struct work *w, void (*run)(struct work *w))
{
    list_init(&w->node);
    w->run = run;
}

void work_post(struct work *w)
{
    if (list_empty(&w->node))
        list_add_tail(&loop.work, &w->node);
}

void work_post_late(struct work *w)
{
    if (list_empty(&w->node))
        list_add_tail(&loop.late, &w->node);
}

void work_cancel(struct work *w)
{
    list_del(&w->node);
}

/* Runs the items that are queued now; those they post come after the mark and wait for the next
 * turn. All stay on the queue until run, for an item may start the loop anew (app_exit()). */
static void run_work(struct list *queue, struct list *mark)
{
    struct list *node;

    if (list_empty(queue))
        return;
    list_del(mark);
    list_add_tail(queue, mark);
    while ((node = list_pop(queue)) != mark) {
        struct work *w = container_of(node, struct work, node);

        w->run(w);
    }
}

uint64_t timer_now(void)
{
    return loop.now;
}

/* The event only ends the sleep; timer_run() looks at the clock itself. The first one may be Xen's tick, and is early enough
 * to stop that: not before the guest has said a word. */
static void timer_event(void *ctx)
{
    (void)ctx;
    loop.deadline = UINT64_MAX;
    if (loop.ticking)
        (void)hv_stop_periodic_timer();
    loop.ticking = false;
}

void loop_init(void)
{
    loop.now = clock_monotonic();
    loop.offset = clock_system_offset();
    if (evtchn_bind_virq(VIRQ_TIMER, timer_event, NULL) < 0)
        panic("loop: no timer event");
}

/*
 * Sets Xen's timer for the next of ours; false when there is more to do already. A timer that Xen fires
 * before (because ours was disarmed or put off since) only costs a wake-up: cheaper than a
 * hypercall for each change.
 */
static bool set_deadline(void)
{
    uint64_t next = timer_next(), now;

    if (loop.offset != clock_system_offset()) {
        loop.offset = clock_system_offset();
        loop.deadline = UINT64_MAX;
        log_warn("the system time was set back: the timers go on");
        return false; /* the log has posted work */
    }
    if (next >= loop.deadline || next == UINT64_MAX)
        return true;
    now = clock_monotonic();
    if (next <= now)
        return false;
    next = MIN(next, now + FAR_AWAY);
    if (hv_set_timer(next + clock_system_offset()))
        return false;
    loop.deadline = next;
    return true;
}

static void turn(void)
{
    (void)evtchn_dispatch();
    run_work(&loop.work, &loop.work_mark);
    timer_run(loop.now);
    (void)thread_run_ready();
    run_work(&loop.late, &loop.late_mark);
}

static bool work_left(void)
{
    return !list_empty(&loop.work) || !list_empty(&loop.late) || thread_any_ready() ||
           evtchn_pending();
}

_Noreturn void loop_run(void)
{
    evtchn_rescan(); /* the loop that is abandoned may have been in the middle of a dispatch */
    for (;;) {
        turn();
        if (!work_left() && set_deadline())
            arch_sleep();
        loop.now = clock_monotonic();
    }
}
