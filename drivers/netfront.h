/* SPDX-License-Identifier: ISC */
/*
 * Within the network driver: one interface (docs/netfront.md).
 *
 * What the backend may write is in the two ring pages and in the packet pages that are granted to
 * it, nowhere else. Everything this struct holds is private: requests are remembered here and never
 * read back (hardening.md, rule 3).
 */
#ifndef DRIVERS_NETFRONT_H
#define DRIVERS_NETFRONT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/io/netif.h>
#include <xen/xen.h>

#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/net/mem.h"
#include "lib/net/netdev.h"
#include "lib/net/netpage.h"
#include "lib/util.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/ring.h"
#include "xen/xenbus.h"

/* What fits into a ring page: the same for both, as Linux' headers have it. */
#define NETFRONT_SLOTS 256
/* Slots a packet may take: what every backend takes, and what one may send us. */
#define NETFRONT_TX_SLOTS XEN_NETIF_NR_SLOTS_MIN
#define NETFRONT_RX_SLOTS (XEN_NETIF_NR_SLOTS_MIN + 1)
/* Interfaces that are looked for by number. */
#define INTERFACES_MAX 16
/* Packets received before everyone else has a turn. */
#define NETFRONT_BUDGET 64

/* When requests are shown to the backend: netfront_push.c. Times are in ns. */
struct netfront_push {
    struct work work;   /* the end of a turn in which something was put */
    struct timer timer; /* shows what was held back */

    unsigned waiting;  /* requests put and not shown */
    unsigned held;     /* of these, put in earlier turns */
    bool holds;        /* they are held back: */
    uint64_t limit;    /* no longer than that after shown_at */
    uint64_t shown_at; /* when the last ones were shown */

    unsigned packets; /* of this stretch */
    unsigned shows;   /* and how often any were shown in it */
    bool several;     /* some were shown together, since somebody waited in vain */
    uint64_t since;   /* when it began */
    uint64_t each;    /* what one took in the last stretch that was no trial */
    uint64_t tried;   /* and in the trial */
    enum netfront_push_phase {
        PUSH_STEADY,
        PUSH_TRIAL, /* the other way */
        PUSH_BACK,  /* as before it */
    } phase;
    unsigned pause; /* stretches from one trial to the next */
    unsigned rest;  /* and from now */
};

struct netfront {
    struct netdev net;
    struct xenbus_device *dev;
    domid_t backend;
    bool running; /* the backend is connected and has broken no rule: traffic flows */
    bool bounce;  /* trusted=0: packets are copied to and from the pages the backend sees */
    bool sg;      /* a packet to the backend may take several slots */
    bool broken;  /* a rule, and this was reported */
    bool open;    /* uses the page pool */

    struct ring rx, tx;
    struct netpage *rx_ring, *tx_ring; /* the rings' own pages */
    evtchn_port_t rx_port, tx_port;    /* the same, when the backend does not split them */
    struct work rx_work;               /* the rest of a long turn */
    struct timer reap_timer, refill_timer;
    struct netfront_push push;

    /* The page behind each request, by ring slot: a response comes in its request's slot. */
    struct netpage *rx_pages[NETFRONT_SLOTS];
    unsigned rx_target, rx_most; /* requests to keep posted: now, and in large bursts */
    uint32_t rx_refilled;        /* the responses taken by the last refill */
    bool rx_starved;             /* far fewer are, for want of pages */
    bool rx_progress;            /* something came since the last event */

    struct ring_ids tx_ids;
    struct ring_id tx_id[NETFRONT_SLOTS];
    struct netpage *tx_pages[NETFRONT_SLOTS]; /* by id; NULL: a request without a page */
    unsigned tx_extras; /* extra-info slots in flight: each is answered by a null response */
    bool tx_blocked;    /* somebody was told -EBUSY */
    bool tx_progress;
};

/* The backend broke the protocol: `rule` in words, and the value that did. Traffic stops at once,
 * the device is disabled from the watch thread. */
void netfront_breach(struct netfront *nf, const char *rule, uint64_t value);

/* netfront_store.c: the interface in xenstore */

/* Fills nf->net (MAC, MTU, features, address), bounce and sg. *split: an event channel for each
 * ring. -EINVAL, -EOPNOTSUPP (logged), or xenstore's error. */
int netfront_read_offers(struct netfront *nf, bool *split);
/* Tells the backend the rings, the ports and what we can. */
int netfront_write_answers(struct netfront *nf);

/* netfront_page.c: pages and their grants */

/* For the first time to this backend, or not without zeroing it. -ENOSPC when there is no reference for it. */
int netfront_grant_anew(struct netfront *nf, struct netpage *np, bool readonly);
/* Grants np to the backend, which nearly always has had it before. -ENOSPC as above. */
static ALWAYS_INLINE int netfront_grant(struct netfront *nf, struct netpage *np, bool readonly)
{
    if (!np->grant || np->domain != nf->backend || nf->bounce)
        return netfront_grant_anew(nf, np, readonly);
    if (readonly)
        np->ours = false;
    gnttab_grant_again(np->grant, readonly);
    return 0;
}
/* Puts page and reference in quarantine: the backend does not let go of them. */
void netfront_give_up(struct netpage *np);
/* Ends the grant. -EBUSY: page and reference are in quarantine. */
static ALWAYS_INLINE int netfront_end(struct netpage *np)
{
    int err = gnttab_end(np->grant);

    if (err)
        netfront_give_up(np);
    return err;
}
/* Ends it as soon as the backend lets go, which one that is closing does soon; then the page's
 * last reference of ours is dropped. */
void netfront_end_later(struct netpage *np);
/* Whether nf's backend still uses so few pages of connections that have ended that it gets others. */
bool netfront_may_lend(const struct netfront *nf);
/* The page goes back to the page allocator: so does its reference. For netpage_open(). */
void netfront_release(struct netpage *np);

/* netfront_sysrq.c, with CONFIG_SYSRQ: adds the command, once. */
void netfront_sysrq_init(void);

/* netfront_bare.c: does the packet end where it arrives, and so free its page? A segment without data does, as bare
 * acknowledgements are, ARP, ICMP, and a datagram, but that of a socket, of which a few wait. How long TCP's data is kept, or a fragment, others
 * have a say in. Its headers are in one piece, in a page. */
bool netfront_is_bare(const struct pbuf *p);

/* netfront_rx.c */
void netfront_rx_init(struct netfront *nf);
void netfront_rx_refill(struct netfront *nf);
/* Handles what has come, up to the budget. */
void netfront_rx_poll(struct netfront *nf);
void netfront_rx_stop(struct netfront *nf);

/* netfront_piece.c: what a packet is sent from */

struct netfront_piece {
    struct netpage *np; /* shown to the backend; the ring has a reference */
    uint16_t offset, size;
};
/* Fills pieces[NETFRONT_TX_SLOTS] and returns their number. -EMSGSIZE: it is too long, or empty. -ENOMEM. */
int netfront_pieces(struct netfront *nf, struct pbuf *p, struct netfront_piece *pieces);

/* np, which may be NULL, if it may be shown as it is, as no other backend's packets were in it. */
static inline struct netpage *netfront_fit(const struct netfront *nf, struct netpage *np)
{
    return np && (!np->grant || np->domain == nf->backend) ? np : NULL;
}

/* Shows np to the backend once more. -ENOSPC when there is no reference for it. */
static inline int netfront_show(struct netfront *nf, struct netpage *np)
{
    int err = np->sends ? 0 : netfront_grant(nf, np, true);

    if (!err)
        np->sends++;
    return err;
}

/* Takes that back once. -EBUSY: the backend still uses it, and the page is lost. */
static inline int netfront_unshow(struct netpage *np)
{
    return --np->sends ? 0 : netfront_end(np);
}

/* netfront_push.c */
void netfront_push_init(struct netfront_push *push);
/* So many more requests are on the ring; they will be shown at the end of the turn, or a little later. */
void netfront_push_late(struct netfront *nf, unsigned slots);
void netfront_push_stop(struct netfront_push *push);

/* netfront_tx.c */
void netfront_tx_init(struct netfront *nf);
int netfront_transmit(struct netdev *net, struct pbuf *p, const struct netdev_offload *offload);
int netfront_multicast(struct netdev *net, const uint8_t mac[6], bool add);
/* Requests have been shown: what becomes of them will be looked at. */
void netfront_tx_shown(struct netfront *nf);
/* Takes back what the backend is done with. */
void netfront_tx_reap(struct netfront *nf);
void netfront_tx_stop(struct netfront *nf);

#endif
