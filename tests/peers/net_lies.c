/* SPDX-License-Identifier: ISC */
/* A netback that lies: the numbers are those of the rules in docs/hardening.md. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xen/io/xenbus.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"
#include "tests/peers/lies.h"

/* --- 1: what is read twice may differ ---------------------------------------------------------- */

/* Another processor that writes into every response of the receive ring while the guest reads it. */
static void *flip(void *arg)
{
    volatile netif_rx_sring_t *ring = ((struct netback *)arg)->rx.sring;
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (unsigned i = 0; i < 256; i++) {
            uint16_t id = ring->ring[i].rsp.id;
            uint16_t offset = ring->ring[i].rsp.offset;

            ring->ring[i].rsp.id = 0xffff;
            ring->ring[i].rsp.offset = 4095;
            ring->ring[i].rsp.id = id;
            ring->ring[i].rsp.offset = offset;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < 2);
    return NULL;
}

static void flip_responses(struct netback *nb, void *item)
{
    pthread_t thread;

    (void)item;
    if (pthread_create(&thread, NULL, flip, nb) || pthread_detach(thread))
        report_fatal("no thread");
}

/* --- 2: producer indices ---------------------------------------------------------------------- */

static void tx_ahead(struct netback *nb, void *item)
{
    (void)item;
    nb->tx.rsp_prod_pvt = nb->tx.sring->req_prod + 1;
}

static void tx_far_ahead(struct netback *nb, void *item)
{
    (void)item;
    nb->tx.rsp_prod_pvt += 0x80000000u;
}

static void tx_back(struct netback *nb, void *item)
{
    (void)item;
    nb->tx.rsp_prod_pvt = nb->tx.sring->rsp_prod - nb->tx.nr_ents - 1;
}

static void rx_ahead(struct netback *nb, void *item)
{
    (void)item;
    nb->rx.rsp_prod_pvt = nb->rx.sring->req_prod + 1;
}

static void rx_far_ahead(struct netback *nb, void *item)
{
    (void)item;
    nb->rx.rsp_prod_pvt += 0x80000000u;
}

static void rx_back(struct netback *nb, void *item)
{
    (void)item;
    nb->rx.rsp_prod_pvt = nb->rx.sring->rsp_prod - nb->rx.nr_ents - 1;
}

/* --- 3: requests are the guest's ---------------------------------------------------------------- */

/* What we have read and not answered yet is gone from the ring before we answer it. */
static void scribble(struct netback *nb, void *item)
{
    (void)item;
    for (RING_IDX i = nb->tx.rsp_prod_pvt; i != nb->tx.req_cons; i++)
        memset(RING_GET_REQUEST(&nb->tx, i), 0xff, sizeof(netif_tx_request_t));
}

/* --- 4, 5: transmit responses -------------------------------------------------------------------- */

static void tx_id_large(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_tx_response_t *)item)->id = 0xffff;
}

static void tx_id_idle(struct netback *nb, void *item)
{
    netif_tx_response_t *response = item;

    (void)nb;
    response->id = (uint16_t)((response->id + 100) % 256);
}

static void tx_id_twice(struct netback *nb, void *item)
{
    *RING_GET_RESPONSE(&nb->tx, nb->tx.rsp_prod_pvt) = *(netif_tx_response_t *)item;
    nb->tx.rsp_prod_pvt++;
}

static void tx_null(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_tx_response_t *)item)->status = NETIF_RSP_NULL;
}

static void tx_status(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_tx_response_t *)item)->status = 77;
}

static void tx_error(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_tx_response_t *)item)->status = NETIF_RSP_ERROR;
}

/* --- 4, 6: receive responses ----------------------------------------------------------------------- */

static void rx_id(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->id = 0xfff0;
}

static void rx_id_other(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->id ^= 1;
}

static void rx_offset(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->offset = 4090;
}

static void rx_offset_huge(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->offset = 0xffff;
}

static void rx_size(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->status = 4097;
}

static void rx_error(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->status = -32768;
}

static void rx_empty(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->status = 0;
}

/* The last response says that more follow: one before it would only join two packets. */
static void rx_no_end(struct netback *nb, void *item)
{
    (void)item;
    RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt - 1)->flags |= NETRXF_more_data;
}

/* A packet of more pieces than any may have, which does end. The last one is what our caller writes. */
static void rx_many(struct netback *nb, void *item)
{
    netif_rx_response_t *piece = item;
    netif_rx_request_t request;

    piece->flags |= NETRXF_more_data;
    piece->status = 1;
    for (unsigned i = 0; i < 24; i++) {
        *RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt) = *piece;
        nb->rx.rsp_prod_pvt++;
        RING_COPY_REQUEST(&nb->rx, nb->rx.req_cons, &request);
        nb->rx.req_cons++;
        piece->id = request.id;
    }
    piece->flags = 0;
}

/* The last slot says that extra info follows. */
static void rx_extra_missing(struct netback *nb, void *item)
{
    (void)item;
    RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt - 1)->flags |= NETRXF_extra_info;
}

static void with_extra(struct netback *nb, netif_rx_response_t *first, uint8_t type, uint8_t gso)
{
    struct netif_extra_info extra = {.type = type, .u.gso = {.size = 1000, .type = gso}};
    netif_rx_request_t request;

    first->flags |= NETRXF_extra_info;
    RING_COPY_REQUEST(&nb->rx, nb->rx.req_cons, &request);
    nb->rx.req_cons++;
    *RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt) = *first;
    nb->rx.rsp_prod_pvt++;
    /* What our caller writes behind it is the extra info instead of the response. */
    memcpy(first, &extra, sizeof(extra));
}

static void rx_extra_type(struct netback *nb, void *item)
{
    with_extra(nb, item, 99, 0);
}

static void rx_extra_none(struct netback *nb, void *item)
{
    with_extra(nb, item, XEN_NETIF_EXTRA_TYPE_NONE, 0);
}

static void rx_gso_type(struct netback *nb, void *item)
{
    with_extra(nb, item, XEN_NETIF_EXTRA_TYPE_GSO, 9);
}

/* 7: what is said of the packet is not believed: segments of a packet that has none. */
static void rx_gso_untrue(struct netback *nb, void *item)
{
    with_extra(nb, item, XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_GSO_TYPE_TCPV6);
}

static void rx_blank_untrue(struct netback *nb, void *item)
{
    (void)nb;
    ((netif_rx_response_t *)item)->flags |= NETRXF_csum_blank | NETRXF_data_validated | 0xffe0;
}

/* --- 9, 10: grants ------------------------------------------------------------------------------- */

/* The page that is answered now stays mapped. */
static void rx_hold(struct netback *nb, void *item)
{
    netif_rx_request_t request;
    void *page;

    (void)item;
    RING_COPY_REQUEST(&nb->rx, nb->rx.req_cons - 1, &request);
    if (grant_map(request.gref, false, &page))
        report_fatal("the page cannot be mapped");
}

#define POSTED_MAX 256

static struct {
    struct timer timer;
    grant_ref_t refs[POSTED_MAX];
    unsigned count;
} kept;

static void let_go_of_kept(struct timer *timer)
{
    (void)timer;
    while (kept.count)
        grant_unmap(kept.refs[--kept.count], false);
}

/* All that is posted stays mapped for a while, whatever becomes of the device. */
static void rx_keep(struct netback *nb, void *item)
{
    const netif_rx_sring_t *shared = nb->rx.sring;
    netif_rx_request_t request;
    void *page;

    (void)item;
    for (RING_IDX i = nb->rx.req_cons; i != shared->req_prod; i++) {
        RING_COPY_REQUEST(&nb->rx, i, &request);
        if (kept.count == POSTED_MAX || grant_map(request.gref, false, &page))
            report_fatal("the page cannot be mapped");
        kept.refs[kept.count++] = request.gref;
    }
    kept.timer.fn = let_go_of_kept;
    vtime_arm(&kept.timer, vtime_now() + 300 * NSEC_PER_MSEC);
}

static void tx_hold(struct netback *nb, void *item)
{
    netif_tx_request_t request;
    void *page;

    (void)item;
    RING_COPY_REQUEST(&nb->tx, nb->tx.rsp_prod_pvt, &request);
    if (grant_map(request.gref, true, &page))
        report_fatal("the page cannot be mapped");
}

/* What is to be sent may be read and not written; the report is what the test looks for. */
static void tx_write(struct netback *nb, void *item)
{
    netif_tx_request_t request;
    void *page;

    (void)item;
    RING_COPY_REQUEST(&nb->tx, nb->tx.rsp_prod_pvt, &request);
    if (grant_map(request.gref, false, &page) == GNTST_okay)
        report_fatal("a page to be sent can be written");
    report("a page to be sent cannot be written");
}

static grant_ref_t old_refs[16];
static unsigned old_count;

/* A packet page after its response: by the time of the 16th none of them may be touched. */
static void rx_late(struct netback *nb, void *item)
{
    netif_rx_request_t request;
    unsigned open = 0;

    (void)item;
    RING_COPY_REQUEST(&nb->rx, nb->rx.req_cons - 1, &request);
    if (old_count < ARRAY_SIZE(old_refs)) {
        old_refs[old_count++] = request.gref;
        return;
    }
    /* Pages are posted anew under their old references: what is posted now is open, and rightly. */
    for (unsigned i = 0; i < old_count; i++) {
        bool posted = false;

        for (RING_IDX r = nb->rx.req_cons - 1; r != nb->rx.sring->req_prod; r++)
            posted |= RING_GET_REQUEST(&nb->rx, r)->gref == old_refs[i];
        open += !posted && grant_copy_to(old_refs[i], 0, "x", 1) == GNTST_okay;
    }
    if (open)
        report_fatal("%u pages can be written after their response", open);
    report("no page can be written after its response");
}

/* 11: what the guest has posted at first holds nothing. */
static void peek(struct netback *nb, void *item)
{
    static char page[PAGE_SIZE];
    unsigned pages = 0;

    (void)item;
    for (RING_IDX r = nb->rx.req_cons; r != nb->rx.sring->req_prod; r++, pages++) {
        if (grant_copy_from(page, RING_GET_REQUEST(&nb->rx, r)->gref, 0, PAGE_SIZE))
            report_fatal("a posted page cannot be read");
        for (unsigned i = 0; i < PAGE_SIZE; i++)
            if (page[i])
                report_fatal("a posted page holds something of the guest's");
    }
    report("%u posted pages are empty", pages);
}

/* --- 13, 14: events ------------------------------------------------------------------------------- */

static struct {
    struct timer timer;
    struct netback *nb;
    unsigned left;
} storm;

static void storm_again(struct timer *timer)
{
    if (!storm.nb->rx_port.guest_port)
        return;
    event_notify(&storm.nb->rx_port);
    if (storm.nb->tx_port.guest_port)
        event_notify(&storm.nb->tx_port);
    if (--storm.left)
        vtime_arm(timer, vtime_now() + 20 * 1000);
}

/* 50,000 events a second for two seconds, with nothing to see. */
static void start_storm(struct netback *nb, void *item)
{
    (void)item;
    storm.nb = nb;
    storm.left = 100000;
    storm.timer.fn = storm_again;
    vtime_arm(&storm.timer, vtime_now());
}

/* --- 16, 18: keys and states ------------------------------------------------------------------------ */

static const char *const features[] = {
    "feature-sg",
    "feature-gso-tcpv4",
    "feature-gso-tcpv6",
    "feature-ipv6-csum-offload",
    "feature-no-csum-offload",
    "feature-split-event-channels",
    "feature-multicast-control",
    "multi-queue-max-queues",
};

static void offer_all(const struct netback *nb, const char *value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
        store_write(toolstack_backend_path("vif", nb->index, features[i]), value);
}

static void offer_huge(struct netback *nb, void *item)
{
    (void)item;
    offer_all(nb, "18446744073709551617");
}

static void offer_negative(struct netback *nb, void *item)
{
    (void)item;
    offer_all(nb, "-1");
}

static void offer_text(struct netback *nb, void *item)
{
    char text[1800];

    (void)item;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    offer_all(nb, text);
}

static void offer_empty(struct netback *nb, void *item)
{
    (void)item;
    offer_all(nb, "");
}

static void offer_nothing(struct netback *nb, void *item)
{
    (void)item;
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
        store_remove(toolstack_backend_path("vif", nb->index, features[i]));
}

static void no_copy(struct netback *nb, void *item)
{
    (void)item;
    store_write(toolstack_backend_path("vif", nb->index, "feature-rx-copy"), "0");
}

static void set_state(struct netback *nb, unsigned state)
{
    store_printf(toolstack_backend_path("vif", nb->index, "state"), "%u", state);
}

static void closed_early(struct netback *nb, void *item)
{
    (void)item;
    set_state(nb, XenbusStateClosed);
}

static void closing_early(struct netback *nb, void *item)
{
    (void)item;
    set_state(nb, XenbusStateClosing);
}

static void state_of_none(struct netback *nb, void *item)
{
    (void)item;
    set_state(nb, 4294967295u);
}

/* Every state in turn, faster than anybody can follow: events are merged. */
static void all_states(struct netback *nb, void *item)
{
    (void)item;
    for (unsigned i = 0; i < 300; i++)
        set_state(nb, i % 9);
    set_state(nb, nb->state);
}

static void vanish(struct netback *nb, void *item)
{
    (void)item;
    store_remove(toolstack_backend_path("vif", nb->index, ""));
}

const struct net_lie net_lies[] = {
    {"1-rx-flip", NETBACK_RX_PUSH, false, flip_responses},
    {"2-tx-ahead", NETBACK_TX_PUSH, false, tx_ahead},
    {"2-tx-far-ahead", NETBACK_TX_PUSH, false, tx_far_ahead},
    {"2-tx-back", NETBACK_TX_PUSH, false, tx_back},
    {"2-rx-ahead", NETBACK_RX_PUSH, false, rx_ahead},
    {"2-rx-far-ahead", NETBACK_RX_PUSH, false, rx_far_ahead},
    {"2-rx-back", NETBACK_RX_PUSH, false, rx_back},
    {"3-scribble", NETBACK_TX_RESPONSE, true, scribble},
    {"4-tx-id-large", NETBACK_TX_RESPONSE, false, tx_id_large},
    {"4-tx-id-idle", NETBACK_TX_RESPONSE, false, tx_id_idle},
    {"4-tx-id-twice", NETBACK_TX_RESPONSE, false, tx_id_twice},
    {"4-rx-id", NETBACK_RX_RESPONSE, false, rx_id},
    {"4-rx-id-other", NETBACK_RX_RESPONSE, false, rx_id_other},
    {"5-tx-null", NETBACK_TX_RESPONSE, false, tx_null},
    {"5-tx-status", NETBACK_TX_RESPONSE, false, tx_status},
    {"5-tx-error", NETBACK_TX_RESPONSE, false, tx_error},
    {"6-rx-offset", NETBACK_RX_RESPONSE, false, rx_offset},
    {"6-rx-offset-huge", NETBACK_RX_RESPONSE, false, rx_offset_huge},
    {"6-rx-size", NETBACK_RX_RESPONSE, false, rx_size},
    {"6-rx-error", NETBACK_RX_RESPONSE, false, rx_error},
    {"6-rx-empty", NETBACK_RX_RESPONSE, false, rx_empty},
    {"6-rx-no-end", NETBACK_RX_PUSH, false, rx_no_end},
    {"6-rx-many", NETBACK_RX_RESPONSE, false, rx_many},
    {"6-rx-extra-missing", NETBACK_RX_PUSH, false, rx_extra_missing},
    {"6-rx-extra-type", NETBACK_RX_RESPONSE, false, rx_extra_type},
    {"6-rx-extra-none", NETBACK_RX_RESPONSE, false, rx_extra_none},
    {"6-rx-gso-type", NETBACK_RX_RESPONSE, false, rx_gso_type},
    {"7-rx-gso-untrue", NETBACK_RX_RESPONSE, false, rx_gso_untrue},
    {"7-rx-blank-untrue", NETBACK_RX_RESPONSE, true, rx_blank_untrue},
    {"9-rx-hold", NETBACK_RX_RESPONSE, false, rx_hold},
    {"9-tx-hold", NETBACK_TX_RESPONSE, false, tx_hold},
    {"9-rx-keep", NETBACK_CONNECT, false, rx_keep},
    {"10-tx-write", NETBACK_TX_RESPONSE, false, tx_write},
    {"10-rx-late", NETBACK_RX_RESPONSE, true, rx_late},
    {"11-peek", NETBACK_CONNECT, false, peek},
    {"14-storm", NETBACK_RX_PUSH, false, start_storm},
    {"16-huge", NETBACK_OFFER, false, offer_huge},
    {"16-negative", NETBACK_OFFER, false, offer_negative},
    {"16-text", NETBACK_OFFER, false, offer_text},
    {"16-empty", NETBACK_OFFER, false, offer_empty},
    {"16-nothing", NETBACK_OFFER, false, offer_nothing},
    {"16-no-copy", NETBACK_OFFER, false, no_copy},
    {"18-closed-at-offer", NETBACK_OFFER, false, closed_early},
    {"18-closed-at-connect", NETBACK_CONNECT, false, closed_early},
    {"18-closed-in-traffic", NETBACK_RX_RESPONSE, false, closed_early},
    {"18-closing-at-connect", NETBACK_CONNECT, false, closing_early},
    {"18-closing-in-traffic", NETBACK_TX_RESPONSE, false, closing_early},
    {"18-no-state-at-offer", NETBACK_OFFER, false, state_of_none},
    {"18-no-state-at-connect", NETBACK_CONNECT, false, state_of_none},
    {"18-no-state-in-traffic", NETBACK_RX_RESPONSE, false, state_of_none},
    {"18-vanish-at-offer", NETBACK_OFFER, false, vanish},
    {"18-vanish-at-connect", NETBACK_CONNECT, false, vanish},
    {"18-vanish-in-traffic", NETBACK_TX_RESPONSE, false, vanish},
    {"19-all-states", NETBACK_RX_RESPONSE, false, all_states},
};
const unsigned net_lie_count = ARRAY_SIZE(net_lies);
