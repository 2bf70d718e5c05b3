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
    while (packet->count) {
        struct netpage *np = packet->pieces[--packet->count].np;

        (void)netfront_unshow(np); /* lost, should a backend have guessed the reference */
        pbuf_free(&np->custom.pbuf);
    }
}

/* --- where it lies ----------------------------------------------------------------------- */

/* The page of p's octet at from, or NULL if that is not to be shown. A published one may be to anybody. Each has one grant:
 * while it is on one device's ring, others send copies. */
static struct netpage *page_at(struct netfront *nf, struct pbuf *p, uint16_t from)
{
    struct netpage *np = netpage_published(p, from);

    if (!np)
        np = netfront_fit(nf, netpage_viewed(p));
    return np && (!np->sends || (np->domain == nf->backend && np->device == nf->net.index)) ? np
                                                                                            : NULL;
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

/* The room in front of p, in np, is there and ours (netpage.h), and not on its way out already. */
static bool has_room(const struct netpage *np, const struct pbuf *p, uint16_t len)
{
    return !np->sends && len <= NETPAGE_HEADROOM &&
           (uint8_t *)p->payload - np->page >= (ptrdiff_t)len;
}

/* Headers in a page of their own. False without memory. */
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

/* Headers in the room in front of the payload, which is the first piece. */
static void put_in_front(struct netfront_piece *first, const struct pbuf *headers)
{
    first->offset = (uint16_t)(first->offset - headers->len);
    first->size = (uint16_t)(first->size + headers->len);
    memcpy(first->np->page + first->offset, headers->payload, headers->len);
}

/* All pages of p. False if one is not to be shown, or there are too many. */
static bool add_pages(struct packet *packet, struct pbuf *p)
{
    uint16_t size;

    for (uint16_t from = 0; from < p->len; from = (uint16_t)(from + size)) {
        struct netpage *np = page_at(packet->nf, p, from);

        if (!np || packet->count == NETFRONT_TX_SLOTS)
            return false;
        size = span(p, from);
        netpage_hold(np);
        np->device = packet->nf->net.index;
        if (!add(packet, np, ((uintptr_t)p->payload + from) % PAGE_SIZE, size))
            return false;
    }
    return true;
}

/* The pieces of p, which is not empty, if its payload can go without being copied. False if not, or without memory. */
static bool use_in_place(struct packet *packet, struct pbuf *p)
{
    struct netfront *nf = packet->nf;
    const struct pbuf *headers = NULL; /* in a pbuf of their own that is copied */
    struct netpage *np = page_at(nf, p, 0);
    bool in_front = false;

    if (!np) {
        headers = p;
        p = filled(p->next);
        np = p ? page_at(nf, p, 0) : NULL;
        if (!np)
            return false;
        in_front = netpage_is_own(p, np);
        if (in_front ? !has_room(np, p, headers->len)
                     : headers->len > PAGE_SIZE || !add_headers(packet, headers))
            return false;
    }
    for (; p; p = p->next) {
        if (!add_pages(packet, p))
            return false;
    }
    if (packet->count > 1 && !nf->sg)
        return false;
    if (in_front)
        put_in_front(packet->pieces, headers);
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

    p = filled(p);
    if (!p)
        return -EMSGSIZE;
    if (!nf->bounce) {
        if (use_in_place(&packet, p))
            return (int)packet.count;
        take_back(&packet);
    }
    if (DIV_ROUND_UP(p->tot_len, PAGE_SIZE) > (nf->sg ? NETFRONT_TX_SLOTS : 1))
        return -EMSGSIZE;
    if (gather(&packet, p))
        return (int)packet.count;
    take_back(&packet);
    return -ENOMEM;
}
