/* SPDX-License-Identifier: ISC */
/*
 * The network driver's transmit side (xen/include/public/io/netif.h).
 *
 * A packet is pieces of pages (netfront_piece.c); each piece is a request.
 *
 * Requests are put on the ring at once and shown to the backend at the end of the loop's turn, with
 * at most one event. What the backend is done with is taken back when there is other work to do, or
 * by a timer: it need not wake us.
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"

#define LOG_MODULE "netfront"

#define REAP_AFTER (20 * NSEC_PER_MSEC)

void netfront_tx_init(struct netfront *nf)
{
    ring_init(&nf->tx, nf->tx_ring->page, PAGE_SIZE, sizeof(union netif_tx_sring_entry));
    memset(nf->tx_pages, 0, sizeof(nf->tx_pages));
    ring_ids_init(&nf->tx_ids, nf->tx_id, (uint16_t)nf->tx.size);
    nf->tx_extras = 0;
    nf->tx_blocked = false;
}

/* --- responses --------------------------------------------------------------------------- */

/* Asks for an event when `after` more responses have come. True when that is so already. */
static bool rearm(struct netfront *nf, uint32_t after)
{
    shared_write(&nf->tx.shared->rsp_event, nf->tx.rsp_cons + after);
    shared_fence(); /* arm before looking; partner: the backend's fence in its push */
    return shared_read(&nf->tx.shared->rsp_prod) - nf->tx.rsp_cons >= after;
}

/* One slot less shows the page. -EBUSY: it was the last, and the backend still uses the page. */
static int page_sent(struct netpage *np)
{
    int err = netfront_unshow(np);

    netpage_unref(np);
    return err;
}

static void handle_response(struct netfront *nf, const struct netif_tx_response *response)
{
    struct netpage *np;
    uint32_t grant;

    if (response->status == NETIF_RSP_NULL) {
        if (nf->tx_extras)
            nf->tx_extras--;
        else
            netfront_breach(nf, "a null response to nothing", response->id);
        return;
    }
    if (!ring_id_answered(&nf->tx_ids, &nf->tx, response->id)) {
        netfront_breach(nf, "a response to a transmit request that is not in flight", response->id);
        return;
    }
    np = nf->tx_pages[response->id];
    nf->tx_pages[response->id] = NULL;
    grant = np ? np->grant : 0; /* now: a page that is lost may be gone after page_sent() */
    if (np && page_sent(np) != 0) {
        netfront_breach(nf, "a page that was sent is still in use", grant);
        return;
    }
    if (response->status == NETIF_RSP_OKAY)
        return;
    netdev_drop(&nf->net, NETDEV_TX_STATUS);
    if (response->status != NETIF_RSP_DROPPED && response->status != NETIF_RSP_ERROR)
        netfront_breach(nf, "an unknown transmit status", (uint16_t)response->status);
}

/* Somebody looks again as long as something is out. */
void netfront_tx_shown(struct netfront *nf)
{
    if (!nf->reap_timer.armed)
        timer_arm_in(&nf->reap_timer, REAP_AFTER);
}

void netfront_tx_reap(struct netfront *nf)
{
    struct netif_tx_response response;
    int waiting;

    while (nf->running && (waiting = ring_responses(&nf->tx)) != 0) {
        if (waiting < 0) {
            netfront_breach(nf, "an impossible transmit index",
                            shared_read(&nf->tx.shared->rsp_prod));
            return;
        }
        nf->tx_progress = true;
        while (waiting-- && nf->running) {
            ring_get(&nf->tx, &response, sizeof(response));
            handle_response(nf, &response);
        }
        if (!nf->running)
            return;
        /* Undisturbed until the ring runs full. */
        (void)rearm(nf, nf->tx.size - nf->tx.size / 4);
    }
    if (nf->tx_blocked && ring_free(&nf->tx) > NETFRONT_TX_SLOTS) {
        nf->tx_blocked = false;
        net_tx_ready(&nf->net);
    }
    if (nf->running && nf->tx.rsp_cons != nf->tx.req_pushed)
        netfront_tx_shown(nf);
}

/* --- requests ---------------------------------------------------------------------------- */

/* Room for a packet of n slots; or -EBUSY, and an event when there is; or -ENOTCONN: there is nobody, or who is
 * there has just broken a rule. */
static int make_room(struct netfront *nf, unsigned n)
{
    if (nf->running && ring_free(&nf->tx) >= n)
        return 0;
    if (nf->running)
        netfront_tx_reap(nf);
    if (nf->running && ring_free(&nf->tx) < n) {
        nf->tx_blocked = true;
        if (rearm(nf, MAX((nf->tx.size - ring_free(&nf->tx)) / 2, 1u)))
            netfront_tx_reap(nf);
    }
    if (!nf->running)
        return -ENOTCONN;
    return ring_free(&nf->tx) >= n ? 0 : -EBUSY;
}

static ALWAYS_INLINE uint16_t slot_take(struct netfront *nf, struct netpage *np)
{
    uint16_t id = ring_id_take(&nf->tx_ids, &nf->tx); /* there is one: make_room() */

    nf->tx_pages[id] = np;
    return id;
}

static void put_extra(struct netfront *nf, const struct netif_extra_info *extra)
{
    ring_put(&nf->tx, extra, sizeof(*extra));
    nf->tx_extras++;
}

/* One slot of a packet; one reference to the page is the ring's. */
static ALWAYS_INLINE void put_slot(struct netfront *nf, struct netpage *np, unsigned offset,
                                   unsigned flags, unsigned size)
{
    const struct netif_tx_request request = {
        .gref = np->grant,
        .offset = (uint16_t)offset,
        .flags = (uint16_t)flags,
        .id = slot_take(nf, np),
        .size = (uint16_t)size,
    };

    ring_put(&nf->tx, &request, sizeof(request));
}

static unsigned flags_of(const struct netdev_offload *offload)
{
    if (offload->blank)
        return NETTXF_csum_blank | NETTXF_data_validated;
    return offload->valid ? NETTXF_data_validated : 0;
}

/* Puts the packet on the ring; there is room. */
static void put_packet(struct netfront *nf, const struct netfront_piece *pieces, unsigned count,
                       unsigned total, const struct netdev_offload *offload)
{
    bool gso = offload->gso != 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned flags = i + 1 < count ? NETTXF_more_data : 0;

        if (i == 0)
            flags |= flags_of(offload) | (gso ? NETTXF_extra_info : 0);
        put_slot(nf, pieces[i].np, pieces[i].offset, flags, i ? pieces[i].size : total);
        if (i == 0 && gso) {
            struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

            extra.u.gso.size = offload->gso_size;
            extra.u.gso.type =
                offload->gso == 4 ? XEN_NETIF_GSO_TYPE_TCPV4 : XEN_NETIF_GSO_TYPE_TCPV6;
            put_extra(nf, &extra);
        }
    }
    netfront_push_late(nf, count + gso);
}

/* Any packet. */
static __attribute__((noinline)) int send_pieces(struct netfront *nf, struct pbuf *p,
                                                 const struct netdev_offload *offload)
{
    struct netfront_piece pieces[NETFRONT_TX_SLOTS];
    int count = make_room(nf, NETFRONT_TX_SLOTS + 1);

    if (count) {
        netdev_drop(&nf->net, count == -EBUSY ? NETDEV_TX_FULL : NETDEV_TX_DOWN);
        return count;
    }
    count = netfront_pieces(nf, p, pieces);
    if (count < 0) {
        netdev_drop(&nf->net, count == -EMSGSIZE ? NETDEV_TX_LONG : NETDEV_TX_MEMORY);
        return count;
    }
    put_packet(nf, pieces, (unsigned)count, p->tot_len, offload);
    return 0;
}

/* The usual packet is one page, and goes as it is. False when something is in its way. */
static bool send_page(struct netfront *nf, struct pbuf *p, const struct netdev_offload *offload)
{
    struct netpage *np = netfront_fit(nf, netpage_of(p));

    if (!np || p->next || !p->len || np->sends || nf->bounce || offload->gso || !nf->running ||
        ring_free(&nf->tx) <= NETFRONT_TX_SLOTS || netfront_grant(nf, np, true) != 0)
        return false;
    np->sends = 1;
    np->device = nf->net.index;
    netpage_ref(np);
    put_slot(nf, np, (unsigned)((uint8_t *)p->payload - np->page), flags_of(offload), p->len);
    netfront_push_late(nf, 1);
    return true;
}

int netfront_transmit(struct netdev *net, struct pbuf *p, const struct netdev_offload *offload)
{
    struct netfront *nf = container_of(net, struct netfront, net);
    int err = send_page(nf, p, offload) ? 0 : send_pieces(nf, p, offload);

    if (!err) {
        net->stats.tx_packets++;
        net->stats.tx_bytes += p->tot_len;
    }
    return err;
}

/* A request without a packet: the extra info says it all, and the request is answered. */
int netfront_multicast(struct netdev *net, const uint8_t mac[6], bool add)
{
    struct netfront *nf = container_of(net, struct netfront, net);
    struct netif_tx_request request = {.flags = NETTXF_extra_info};
    struct netif_extra_info extra = {
        .type = add ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL,
    };
    int err = make_room(nf, 2);

    if (err)
        return err;
    memcpy(extra.u.mcast.addr, mac, sizeof(extra.u.mcast.addr));
    request.id = slot_take(nf, NULL);
    ring_put(&nf->tx, &request, sizeof(request));
    put_extra(nf, &extra);
    netfront_push_late(nf, 2);
    return 0;
}

void netfront_tx_stop(struct netfront *nf)
{
    for (unsigned i = 0; i < NETFRONT_SLOTS; i++) {
        struct netpage *np = nf->tx_pages[i];

        nf->tx_pages[i] = NULL;
        if (!np)
            continue;
        if (--np->sends == 0)
            netfront_end_later(np);
        else
            pbuf_free(&np->custom.pbuf);
    }
}
