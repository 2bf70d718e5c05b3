/* SPDX-License-Identifier: ISC */
/*
 * Pages lent to one peer (docs/grants.md).
 *
 * When a connection ends the peer may not have let go of the ring yet: it closes at its own pace. So a
 * lending outlives its connection, in the list `ended`, until all of its pages have come back: they are tried
 * again, often at first, then every PATIENCE, without end. A peer that keeps more than KEPT_MAX of them is lent
 * no more (hardening.md, rule 9). What a lending needs to know of its pages is in memory of its own and never in
 * one that is lent.
 *
 * Invariant: a page is PRIVATE (nobody else sees it), LENT, LOST (lent, given up, never to be freed), or
 * GONE: no longer the lending's.
 */
#include "xen/lending.h"

#include <errno.h>
#include <string.h>

#include "arch/types.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/timer.h"
#include "lib/list.h"
#include "lib/util.h"
#include "xen/gnttab.h"

#define LOG_MODULE "lending"

#define TRY_AGAIN_AFTER (50 * NSEC_PER_MSEC)
#define PATIENCE (10 * NSEC_PER_SEC)
#define KEPT_MAX 16

enum { PRIVATE, LENT, LOST, GONE };

struct lent {
    uint8_t *page;
    grant_ref_t ref;
    uint8_t state;
    uint8_t order; /* of the block that it was allocated in */
};

#define PAGES_MAX ((PAGE_SIZE - 64) / sizeof(struct lent))

struct lending {
    struct list node; /* in ended.list */
    domid_t dom;
    unsigned count;
    struct lent pages[PAGES_MAX];
};

_Static_assert(sizeof(struct lending) <= PAGE_SIZE, "a lending is kept in a page");

static struct {
    struct list list;
    struct timer timer;
    uint64_t patience; /* until then they are tried again often */
} ended = {.list = LIST_INIT(ended.list)};

/* Frees the block that begins here when the peer has let go of all of it. False when there is something left to
 * wait for. */
static bool block_back(struct lent *block)
{
    unsigned count = 1u << block->order, lent = 0, lost = 0;

    for (struct lent *p = block; p < block + count; p++) {
        if (p->state == LENT && gnttab_end(p->ref) == 0)
            p->state = PRIVATE;
        lent += p->state == LENT;
        lost += p->state == LOST;
    }
    if (lent)
        return false;
    for (struct lent *p = block; p < block + count; p++) {
        if (p->state == PRIVATE)
            gnttab_free(p->ref);
        p->state = GONE;
    }
    if (!lost)
        page_free(block->page, block->order);
    return true;
}

/* True when nothing is left. */
static bool give_back(struct lending *l)
{
    bool all = true;

    for (unsigned i = 0; i < l->count; i += 1u << l->pages[i].order)
        if (l->pages[i].state != GONE)
            all &= block_back(&l->pages[i]);
    return all;
}

static void try_again(struct timer *t)
{
    struct list *node, *next;

    list_for_each_safe(node, next, &ended.list) {
        struct lending *l = container_of(node, struct lending, node);

        if (!give_back(l))
            continue;
        list_del(node);
        page_free(l, 0);
    }
    if (!list_empty(&ended.list))
        timer_arm_in(t, timer_now() < ended.patience ? TRY_AGAIN_AFTER : PATIENCE);
}

/* How many pages of connections that have ended it still uses. */
static unsigned count_kept(domid_t dom)
{
    struct list *node;
    unsigned kept = 0;

    list_for_each(node, &ended.list) {
        const struct lending *l = container_of(node, struct lending, node);

        for (unsigned i = 0; i < l->count && l->dom == dom; i++)
            kept += l->pages[i].state == LENT;
    }
    return kept;
}

struct lending *lending_new(domid_t dom)
{
    unsigned kept = count_kept(dom);
    struct lending *l = NULL;

    if (kept > KEPT_MAX) { /* it may have let go just now */
        try_again(&ended.timer);
        kept = count_kept(dom);
    }
    if (kept <= KEPT_MAX)
        l = page_alloc(0);
    else
        log_limited(LOG_WARN, "domain %u keeps %u pages of ended connections: it is lent no more",
                    dom, kept);
    if (l) {
        list_init(&l->node);
        l->dom = dom;
        l->count = 0;
    }
    return l;
}

int lending_add(struct lending *l, unsigned order)
{
    unsigned first = l->count, count = 1u << order;
    uint8_t *pages;

    if (count > PAGES_MAX - first)
        return -ENOSPC;
    pages = page_alloc_zeroed(order);
    if (!pages)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        int ref = gnttab_alloc();

        if (ref < 0) {
            while (i--)
                gnttab_free(l->pages[first + i].ref);
            page_free(pages, order);
            return ref;
        }
        l->pages[first + i] =
            (struct lent){pages + i * PAGE_SIZE, (grant_ref_t)ref, PRIVATE, (uint8_t)order};
    }
    l->count += count;
    return (int)first;
}

void *lending_page(const struct lending *l, unsigned i)
{
    return l->pages[i].page;
}

grant_ref_t lending_ref(const struct lending *l, unsigned i)
{
    return l->pages[i].ref;
}

void lending_give(struct lending *l, unsigned i, bool readonly)
{
    gnttab_grant(l->pages[i].ref, l->dom, l->pages[i].page, readonly);
    l->pages[i].state = LENT;
}

int lending_take(struct lending *l, unsigned i)
{
    struct lent *p = &l->pages[i];
    int err = p->state == LENT ? gnttab_end(p->ref) : 0;

    if (err) {
        gnttab_quarantine(p->ref);
        p->state = LOST;
    } else if (p->state == LENT) {
        p->state = PRIVATE;
    }
    return err;
}

void lending_end(struct lending *l)
{
    if (!l)
        return;
    if (give_back(l)) {
        page_free(l, 0);
        return;
    }
    if (!ended.timer.fn)
        timer_init(&ended.timer, try_again);
    ended.patience = timer_now() + PATIENCE;
    list_add_tail(&ended.list, &l->node);
    timer_arm_in(&ended.timer, TRY_AGAIN_AFTER);
}
