/* SPDX-License-Identifier: ISC */
/*
 * What a packet is sent from: pieces of pages, each a request on the ring, one reference to each page being the ring's.
 *
 * A packet is sent from the page it lies in when it may be: its payload is in network pages, and
 * there is room in front of it for the headers, which are copied there. So a reply goes out in the
 * page the request came in, in one slot. Published pages (netpage.h) are sent from where they are too, behind headers
 * in a page of their own. Anything else (lwIP's own buffers, constants) is gathered
 * into fresh network pages, since nothing else is ever shown to a backend (hardening.md, rule 11).
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

/* Those found so far. */
struct packet {
    struct netfront *nf;
    struct netfront_piece *pieces;
    unsigned count;
};

/* The next piece, in np, of which the caller's reference becomes the ring's. False without a grant reference: it is
 * dropped. */
static bool add(struct packet *packet, struct netpage *np, size_t offset, size_t size)
{
    if (netfront_show(packet->nf, np) != 0) {
        pbuf_free(&np->custom.pbuf);
        return false;
    }
    packet->pieces[packet->count++] = (struct netfront_piece){np, (uint16_t)offset, (uint16_t)size};
    return true;
}

static void take_back(struct packet *packet)
{
    while (packet->count--) {
        struct netpage *np = packet->pieces[packet->count].np;

        if (--np->sends == 0)
            (void)netfront_end(
                np); /* should a backend have guessed the reference, the page is lost */
        pbuf_free(&np->custom.pbuf);
    }
}

/* --- where it lies ----------------------------------------------------------------------- */

/* The page of p's octet at from, or NULL if that is not to be shown. A published one may be to anybody, but has one grant:
 * while it is on one device's ring, others send copies. */
static struct netpage *page_at(struct netfront *nf, struct pbuf *p, uint16_t from)
{
    struct netpage *np = netpage_published(p, from);

    if (!np)
        return netfront_page_for(nf, p);
    return !np->sends || (np->domain == nf->backend && np->device == nf->net.index) ? np : NULL;
}

/* How many octets of p from that one on are in the page. */
static uint16_t span(const struct pbuf *p, uint16_t from)
{
    size_t in_page = PAGE_SIZE - ((uintptr_t)p->payload + from) % PAGE_SIZE;

    return (uint16_t)MIN((size_t)p->len - from, in_page);
}

/* The first of the chain that is not empty, or NULL. A datagram's first fragment may have had nothing but headers. */
static struct pbuf *filled(struct pbuf *p)
{
    while (p && !p->len)
        p = p->next;
    return p;
}

/* How a packet goes whose payload is not copied. */
struct plan {
    enum {
        WHERE_THEY_ARE, /* with the payload */
        IN_FRONT,       /* copied from a pbuf of their own to the room in front of it */
        IN_A_PAGE,      /* copied from it to a page of their own */
    } how;              /* the headers go */
    const struct pbuf *headers;
    struct pbuf *payload; /* not empty */
};

/* The room in front of p, in np, is there and ours (netpage.h), and not on its way out already. */
static bool has_room(const struct netpage *np, const struct pbuf *p, uint16_t len)
{
    return !np->sends && len <= NETPAGE_HEADROOM &&
           (uint8_t *)p->payload - np->page >= (ptrdiff_t)len;
}

/* Finds out whether p, which is not empty, can go without its payload being copied, and how. */
static bool fits_in_place(struct netfront *nf, struct pbuf *p, struct plan *plan)
{
    unsigned count = 0;
    struct netpage *np;

    if (nf->bounce)
        return false;
    *plan = (struct plan){WHERE_THEY_ARE, NULL, p};
    if (!page_at(nf, p, 0)) {
        plan->headers = p;
        plan->payload = p = filled(p->next);
        np = p ? page_at(nf, p, 0) : NULL;
        if (!np)
            return false;
        plan->how = netpage_is_published(np) ? IN_A_PAGE : IN_FRONT;
        count = plan->how == IN_A_PAGE;
        if (plan->how == IN_FRONT ? !has_room(np, p, plan->headers->len)
                                  : plan->headers->len > PAGE_SIZE)
            return false;
    }
    for (; p; p = p->next) {
        for (uint16_t from = 0; from < p->len; from = (uint16_t)(from + span(p, from))) {
            if (!page_at(nf, p, from) || ++count > NETFRONT_TX_SLOTS)
                return false;
        }
    }
    return count == 1 || nf->sg;
}

/* A page of their own. False without memory. */
static bool add_headers(struct packet *packet, const struct pbuf *p)
{
    struct netpage *np = netpage_get(true);

    if (!np)
        return false;
    (void)netpage_pbuf(np, 0, p->len);
    if (!add(packet, np, 0, p->len))
        return false;
    memcpy(np->page, p->payload, p->len); /* now: to grant it may have zeroed it */
    return true;
}

/* The octets of p from one on that are in one page. */
static bool add_span(struct packet *packet, struct pbuf *p, uint16_t from)
{
    struct netpage *np = page_at(packet->nf, p, from);

    netpage_hold(np);
    np->device = (uint16_t)packet->nf->net.index;
    return add(packet, np, ((uintptr_t)p->payload + from) % PAGE_SIZE, span(p, from));
}

/* The pieces of what fits in place. False without memory. */
static bool use_in_place(struct packet *packet, const struct plan *plan)
{
    struct netfront_piece *first = packet->pieces;

    if (plan->how == IN_A_PAGE && !add_headers(packet, plan->headers))
        return false;
    for (struct pbuf *p = plan->payload; p; p = p->next) {
        for (uint16_t from = 0; from < p->len; from = (uint16_t)(from + span(p, from))) {
            if (!add_span(packet, p, from))
                return false;
        }
    }
    if (plan->how == IN_FRONT) {
        uint16_t len = plan->headers->len;

        first->offset = (uint16_t)(first->offset - len);
        first->size = (uint16_t)(first->size + len);
        memcpy(first->np->page + first->offset, plan->headers->payload, len);
    }
    return true;
}

/* --- where it does not ------------------------------------------------------------------- */

/* Copies p into fresh pages. False without memory. */
static bool gather(struct packet *packet, struct pbuf *p)
{
    uint16_t size;

    for (uint16_t from = 0; from < p->tot_len; from = (uint16_t)(from + size)) {
        struct netpage *np = netpage_get(true);

        if (!np)
            return false;
        size = (uint16_t)MIN((size_t)p->tot_len - from, PAGE_SIZE);
        (void)netpage_pbuf(np, 0, size);
        if (!add(packet, np, 0, size))
            return false;
        pbuf_copy_partial(p, np->page, size, from); /* now, as above */
    }
    return true;
}

int netfront_pieces(struct netfront *nf, struct pbuf *p, struct netfront_piece *pieces)
{
    struct packet packet = {.nf = nf, .pieces = pieces};
    size_t pages = DIV_ROUND_UP(p->tot_len, PAGE_SIZE);
    struct plan plan;
    bool done;

    p = filled(p);
    if (!p)
        return -EMSGSIZE;
    if (fits_in_place(nf, p, &plan)) {
        done = use_in_place(&packet, &plan);
    } else {
        if (pages > (nf->sg ? NETFRONT_TX_SLOTS : 1))
            return -EMSGSIZE;
        done = gather(&packet, p);
    }
    if (done)
        return (int)packet.count;
    take_back(&packet);
    return -ENOMEM;
}
