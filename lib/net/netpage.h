/* SPDX-License-Identifier: ISC */
/*
 * Network pages: the pages that packets live in, shared with the backend (docs/network.md).
 *
 * A page holds packet data and nothing else, and is zeroed before it is first shared (hardening.md,
 * rule 11); its descriptor lives elsewhere, in private memory. The descriptor is at the same time
 * the pbuf by which lwIP and apps know the page: a received frame goes up as it is, and freeing
 * the pbuf brings the page back to the pool. The pool grows on demand, up to a share of memory.
 *
 * Sending a pbuf of this kind costs no copy: the headers are written into the page, in front of
 * the payload, and the page itself is shown to the backend. So who sends one
 *   - must not change the payload until the pbuf comes back (pbuf->ref is 1 again);
 *   - gives up the NETPAGE_HEADROOM bytes in front of the payload: a view of the packet's old
 *     headers is void after sending;
 *   - takes another for another packet: what is written into this one later might be for another backend.
 */
#ifndef LIB_NET_NETPAGE_H
#define LIB_NET_NETPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwip/pbuf.h"

#include "kernel/page.h"
#include "lib/util.h"

/* Room for the headers of Ethernet (14), IPv6 (40) and UDP (8) or TCP (20). */
#define NETPAGE_HEADROOM 80
#define NETPAGE_PAYLOAD_MAX (PAGE_SIZE - NETPAGE_HEADROOM)

struct netpage {
    struct pbuf_custom custom; /* first: the pbuf's address is the descriptor's */
    uint8_t *page;
    struct netpage *next; /* in the free list, or a list of the driver's */
    uint32_t grant;       /* the driver's: the reference that goes with the page, 0 for none */
    unsigned device;      /* the driver's: on whose ring it is sent */
    uint16_t sends;       /* the driver's: ring slots that show the page to a backend now */
    uint16_t domain;      /* the driver's: and which backend that is... */
    uint16_t keeper;      /* ...or was: it uses the page still, though the connection has ended */
    bool lost : 1;        /* see netpage_lose() */
    bool published : 1;   /* the app's for good: see netpage_publish() */
    bool ours : 1; /* written here since a backend has seen it: for one, and not for another */
};

/*
 * For apps: a pbuf of size contiguous bytes (at most NETPAGE_PAYLOAD_MAX) with headroom, content
 * undefined, one reference. NULL when the pool is exhausted: drop or answer later.
 */
struct pbuf *netpage_alloc(size_t size);

/*
 * For apps: a pbuf as netpage_alloc()'s for the answer to a datagram, of which nobody else has a reference. Where there
 * is room behind the question it is
 * the question itself: its payload is the answer's then, in the same page, and what was its payload is
 * there still. Otherwise it is another, and both are to be freed; NULL as above.
 */
struct pbuf *netpage_answer(struct pbuf *question, size_t size);

/* Puts the page of a pbuf that nobody refers to any more back. lwIP's to call. */
void netpage_free_pbuf(struct pbuf *p);

/* The page that p, of which it is known, lies in. */
static ALWAYS_INLINE struct netpage *netpage_under(struct pbuf *p)
{
    return container_of(p, struct netpage, custom.pbuf);
}

/* The same for any p (not its chain); NULL when it is of another kind. */
static ALWAYS_INLINE struct netpage *netpage_of(struct pbuf *p)
{
    if (!(p->flags & PBUF_FLAG_IS_CUSTOM) ||
        ((struct pbuf_custom *)p)->custom_free_function != netpage_free_pbuf)
        return NULL;
    return netpage_under(p);
}

#ifdef CONFIG_NET_PUBLISH
/*
 * For apps: publishes count whole pages, from start, which is a page's of the linear map (variables, page_alloc(); neither
 * constants nor malloc()). Anybody may see what they hold, and it never
 * changes from now on. What lwIP only refers to in them (TCP: tcp_write() without TCP_WRITE_FLAG_COPY) is sent from
 * where it lies. Nothing takes that back, so there is nothing to wait for either. See published.c.
 * A descriptor of 72 octets is made for each, all at once (at most NET_MEM_MAX: 1,800 pages).
 * -ENOMEM: what is sent of them is copied.
 */
int netpage_publish(const void *start, size_t count);
#else
static inline int netpage_publish(const void *start, size_t count)
{
    return 0; /* what is sent of them is copied */
}
#endif

/* --- for drivers ------------------------------------------------------------------------- */

/*
 * A driver starts to use the pool. release(np) gives back what the driver attached to a page
 * (its grant): called when the pool is closed. Until then it does not shrink. Nested calls name the same function.
 */
void netpage_open(void (*release)(struct netpage *np));
/* The driver stops: with the last one, free pages are released and go back to the page allocator,
 * those still in use when they come back. */
void netpage_close(void);

/*
 * A free page, or NULL when the pool is exhausted. The last NETPAGE_RESERVE pages are only for
 * sending (reserve is true): a guest whose memory is full of what it received can still
 * acknowledge and answer, which is how its memory becomes free again. What is in it is what its backend (domain) has
 * seen, or nothing: who writes into it before a driver has granted it says so (ours), as a driver may never do that.
 */
#define NETPAGE_RESERVE 16
struct netpage *netpage_get(bool reserve);
/* Back to the pool; no pbuf refers to it. */
void netpage_put(struct netpage *np);
/* A backend will not let go of the page (rule 9): once its owner puts it back it is never used
 * again, and neither is its grant. */
void netpage_lose(struct netpage *np);
/* pbuf_ref() and pbuf_free() of the page's pbuf. Nearly always it is no chain: then the page goes back without the way
 * through lwIP. */
static inline void netpage_ref(struct netpage *np)
{
    np->custom.pbuf.ref++;
}

static ALWAYS_INLINE void netpage_unref(struct netpage *np)
{
    if (np->custom.pbuf.ref > 1) {
        np->custom.pbuf.ref--;
    } else if (np->custom.pbuf.next) {
        pbuf_free(&np->custom.pbuf);
    } else {
        np->custom.pbuf.ref = 0;
        netpage_put(np);
    }
}

/* Makes the page a pbuf with one reference, whose freeing puts it back. */
struct pbuf *netpage_pbuf(struct netpage *np, size_t offset, size_t len);

#ifdef CONFIG_NET_PUBLISH
/* The published page of the octet of p (one pbuf) at from, or NULL. Its own pbuf is for counting references: what p
 * says of place and length counts. */
struct netpage *netpage_published(const struct pbuf *p, uint16_t from);
/* Within netpage.c: the pool is closed. A published page keeps nothing of a driver's but while it is in use. */
void netpage_close_published(void (*release)(struct netpage *np));
#else
static inline struct netpage *netpage_published(const struct pbuf *p, uint16_t from)
{
    return NULL;
}
static inline void netpage_close_published(void (*release)(struct netpage *np))
{
}
#endif

/* The page that p's payload lies in, whether p is the page's own pbuf or shows a part of that (forward.c); NULL if
 * it lies in none. */
#ifdef CONFIG_NET_TCP_FORWARD
struct netpage *netpage_viewed(struct pbuf *p);
#else
#define netpage_viewed(p) netpage_of(p)
#endif
/* Is p the pbuf of np, which it lies in, so that what is in front of its payload may be written over? */
static inline bool netpage_is_own(struct pbuf *p, const struct netpage *np)
{
    if (!IS_ENABLED(CONFIG_NET_PUBLISH) && !IS_ENABLED(CONFIG_NET_TCP_FORWARD))
        return true;
    return netpage_of(p) == np;
}

static inline bool netpage_is_published(const struct netpage *np)
{
    return IS_ENABLED(CONFIG_NET_PUBLISH) && np->published;
}
/* One reference more. A published page that nobody refers to has none. */
void netpage_hold(struct netpage *np);

/* Few pages are left: who would keep a page for a few bytes copies them. */
bool netpage_scarce(void);

struct netpage_stats {
    unsigned pages; /* in the pool, free or not */
    unsigned free;
    unsigned max;
    unsigned lost;
    uint64_t exhausted; /* times somebody looked and none was left; who posts looks twice */
};
const struct netpage_stats *netpage_stats(void);

#endif
