/* SPDX-License-Identifier: ISC */
/*
 * Timers, in a pairing heap: a tree in which no timer is due before its parent. The links are in
 * the timers themselves, so nothing is allocated. `prev` of a node is its left sibling, or its
 * parent if it is the first child; the root has none.
 */
#include "kernel/timer.h"

#include <stddef.h>

#include "kernel/loop.h"
#include "lib/util.h"

static struct timer *root;
/* While timers run: later than all that run in this turn. (A callback that never returns, as with
 * app_exit(), leaves it behind: the next turn is later.) */
static uint64_t earliest;

/* Makes the later of two trees the first child of the earlier: the common root. */
static struct timer *meld(struct timer *a, struct timer *b)
{
    struct timer *later;

    if (!a || !b)
        return a ? a : b;
    if (b->when < a->when) {
        later = a;
        a = b;
    } else {
        later = b;
    }
    later->next = a->child;
    if (a->child)
        a->child->prev = later;
    later->prev = a;
    a->child = later;
    return a;
}

/* One tree out of a list of siblings: melds them in pairs from the left, then the pairs from the
 * right, which is what keeps removal logarithmic on average. */
static struct timer *meld_siblings(struct timer *first)
{
    struct timer *pairs = NULL, *result = NULL;

    while (first) {
        struct timer *a = first, *b = first->next, *pair;

        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        pair = meld(a, b);
        pair->next = pairs; /* a stack: the last pair comes out first */
        pairs = pair;
    }
    while (pairs) {
        struct timer *pair = pairs;

        pairs = pair->next;
        pair->next = NULL;
        result = meld(result, pair);
    }
    return result;
}

/* Takes a timer that is not the root out of its siblings. */
static void cut(struct timer *t)
{
    if (t->prev->child == t)
        t->prev->child = t->next;
    else
        t->prev->next = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

void timer_disarm(struct timer *t)
{
    struct timer *children;

    if (!t->armed)
        return;
    t->armed = false;
    children = meld_siblings(t->child);
    t->child = NULL;
    if (t == root) {
        root = children;
    } else {
        cut(t);
        root = meld(root, children);
    }
}

void timer_arm(struct timer *t, uint64_t when)
{
    timer_disarm(t);
    t->when = when > earliest ? when : earliest;
    t->armed = true;
    root = meld(root, t);
}

void timer_arm_in(struct timer *t, uint64_t ns)
{
    timer_arm(t, add_saturated(timer_now(), ns));
}

uint64_t timer_next(void)
{
    return root ? root->when : UINT64_MAX;
}

void timer_run(uint64_t now)
{
    earliest = now + 1;
    while (root && root->when <= now) {
        struct timer *t = root;

        timer_disarm(t);
        t->fn(t);
    }
    earliest = 0;
}
