/* SPDX-License-Identifier: ISC */
/*
 * The network driver's pages and their grants.
 *
 * A page gets its grant reference when it is first shown to a backend and keeps it until the pool
 * gives the page up: granting and ending are then plain memory accesses. A page may be shown in
 * several transmit slots at a time (np->sends), under one grant.
 *
 * A backend that closes still has our ring pages mapped, and what it has not sent yet, for some
 * moments. Such pages wait in the list `leaving` and are tried again, often at first, then every
 * PATIENCE, without end. While a backend has more than KEPT_MAX it is not connected to: who keeps
 * what it is lent gets no more (hardening.md, rule 9).
 *
 * Nothing of a packet of one backend's is shown to another: a page that comes from it is zeroed, and so is one that was
 * written here and not sent, whoever it was for (netpage_put()). With
 * trusted=0 a page is zeroed each time it is granted: nothing of any earlier packet is in it. A published page never
 * had a packet in it, and is not ours to write.
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"
#include "xen/gnttab.h"

#define LOG_MODULE "netfront"

#define TRY_AGAIN_AFTER (50 * NSEC_PER_MSEC)
#define PATIENCE (10 * NSEC_PER_SEC)
#define KEPT_MAX 16

static struct {
    struct netpage *first;
    struct timer timer;
    uint64_t patience; /* until then they are tried again often */
} leaving;

/* For the first time to this backend, or not without zeroing it. */
int netfront_grant_anew(struct netfront *nf, struct netpage *np, bool readonly)
{
    if (!np->grant) {
        int ref = gnttab_alloc();

        if (ref < 0)
            return ref;
        np->grant = (uint32_t)ref;
        np->domain = nf->backend; /* nobody has seen it */
    }
    if (!netpage_is_published(np) && (nf->bounce || np->domain != nf->backend))
        memset(np->page, 0, PAGE_SIZE);
    np->ours = false;
    np->domain = nf->backend;
    gnttab_grant(np->grant, nf->backend, np->page, readonly);
    return 0;
}

/* The page must not be granted anew, although somebody may still hold its pbuf and send it. */
static void bar(struct netpage *np)
{
    np->sends = 1;
    np->domain = DOMID_INVALID;
}

void netfront_give_up(struct netpage *np)
{
    bar(np);
    gnttab_quarantine(np->grant);
    netpage_lose(np);
}

void netfront_release(struct netpage *np)
{
    if (np->grant)
        gnttab_free(np->grant);
    np->grant = 0;
}

static void try_again(struct timer *t)
{
    struct netpage **at = &leaving.first;

    while (*at) {
        struct netpage *np = *at;

        if (gnttab_end(np->grant)) {
            at = &np->next;
            continue;
        }
        np->sends = 0;
        *at = np->next;
        pbuf_free(&np->custom.pbuf);
    }
    if (leaving.first)
        timer_arm_in(t, timer_now() < leaving.patience ? TRY_AGAIN_AFTER : PATIENCE);
}

bool netfront_may_lend(const struct netfront *nf)
{
    unsigned kept = 0;

    try_again(&leaving.timer); /* it may have let go just now */
    for (const struct netpage *np = leaving.first; np; np = np->next)
        kept += np->keeper == nf->backend;
    if (kept <= KEPT_MAX)
        return true;
    log_limited(LOG_WARN, "%s: domain %u keeps %u pages of ended connections: it is lent no more",
                nf->net.name, nf->backend, kept);
    return false;
}

void netfront_end_later(struct netpage *np)
{
    if (gnttab_end(np->grant) == 0) {
        pbuf_free(&np->custom.pbuf);
        return;
    }
    if (!leaving.timer.fn)
        timer_init(&leaving.timer, try_again);
    np->keeper = np->domain;
    bar(np);
    np->next = leaving.first;
    leaving.first = np;
    leaving.patience = timer_now() + PATIENCE;
    timer_arm_in(&leaving.timer, TRY_AGAIN_AFTER);
}
