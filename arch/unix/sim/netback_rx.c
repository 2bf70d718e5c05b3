/* SPDX-License-Identifier: ISC */
/*
 * netback's half of the receive ring: a frame is copied into as many of the guest's pages as it
 * takes, and the responses follow in the order of the requests; extra info takes a slot of its own
 * behind the first. While the guest has posted too few pages frames wait outside.
 */
#include "arch/unix/sim/netback.h"

#include <poll.h>
#include <string.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "lib/util.h"

#define BUDGET 64
#define FRAME_SMALL 1518 /* without segmentation */

unsigned netback_posted(const struct netback *nb)
{
    RING_IDX n = nb->connected ? nb->rx.sring->req_prod - nb->rx.req_cons : 0;

    return n <= nb->rx.nr_ents ? n : 0;
}

/* The most that the next frame may need. */
static unsigned slots_needed(const struct netback *nb)
{
    return nb->sg ? DIV_ROUND_UP(NIC_FRAME_MAX, PAGE_SIZE) + 1
                  : DIV_ROUND_UP(FRAME_SMALL, PAGE_SIZE);
}

static void respond(struct netback *nb, netif_rx_response_t response)
{
    netback_at(nb, NETBACK_RX_RESPONSE, &response);
    *RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt) = response;
    nb->rx.rsp_prod_pvt++;
}

static void put_gso(struct netback *nb, const struct nic_offload *offload)
{
    struct netif_extra_info extra = {
        .type = XEN_NETIF_EXTRA_TYPE_GSO,
        .u.gso = {.size = offload->gso_size,
                  .type = offload->gso == 4 ? XEN_NETIF_GSO_TYPE_TCPV4 : XEN_NETIF_GSO_TYPE_TCPV6},
    };

    nb->rx.req_cons++; /* its page is not used */
    netback_at(nb, NETBACK_RX_RESPONSE, &extra);
    memcpy(RING_GET_RESPONSE(&nb->rx, nb->rx.rsp_prod_pvt), &extra, sizeof(extra));
    nb->rx.rsp_prod_pvt++;
}

static void deliver(struct netback *nb, const uint8_t *frame, size_t len,
                    const struct nic_offload *offload)
{
    size_t done = 0;

    while (done < len) {
        netif_rx_request_t request;
        netif_rx_response_t response = {0};
        size_t size = MIN(len - done, (size_t)PAGE_SIZE);

        RING_COPY_REQUEST(&nb->rx, nb->rx.req_cons, &request);
        nb->rx.req_cons++;
        response.id = request.id;
        response.status =
            grant_copy_to(request.gref, 0, frame + done, size) ? NETIF_RSP_ERROR : (int16_t)size;
        if (!done)
            response.flags = (offload->blank ? NETRXF_csum_blank : 0) |
                             (offload->valid ? NETRXF_data_validated : 0) |
                             (offload->gso ? NETRXF_extra_info : 0);
        if (done + size < len)
            response.flags |= NETRXF_more_data;
        respond(nb, response);
        if (!done && offload->gso)
            put_gso(nb, offload);
        done += size;
    }
}

static bool passes_filter(const struct netback *nb, const uint8_t *frame)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (!nb->filter || !(frame[0] & 1) || !memcmp(frame, all, 6))
        return true;
    for (unsigned i = 0; i < nb->group_count; i++)
        if (!memcmp(frame, nb->groups[i], 6))
            return true;
    return false;
}

/* Whether the guest has agreed to take such a frame. */
static bool fits(const struct netback *nb, size_t len, const struct nic_offload *offload)
{
    if (len < 14 || (len > PAGE_SIZE && !nb->sg))
        return false;
    return !offload->gso || (offload->gso == 4 ? nb->gso4 : nb->gso6);
}

static void push(struct netback *nb)
{
    int notify;

    netback_at(nb, NETBACK_RX_PUSH, NULL);
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&nb->rx, notify);
    if (notify)
        event_notify(&nb->rx_port);
}

/* Whether the guest has room; if not it is to send an event when it has. */
static bool has_room(struct netback *nb)
{
    if (netback_posted(nb) >= slots_needed(nb))
        return true;
    nb->rx.sring->req_event = nb->rx.req_cons + slots_needed(nb);
    shared_fence(); /* partner: the fence in the guest's push */
    return netback_posted(nb) >= slots_needed(nb);
}

void netback_rx_run(struct netback *nb)
{
    static uint8_t frame[NIC_FRAME_MAX];
    unsigned budget = BUDGET;
    bool room = false, any = false;

    if (!nb->connected || nb->disabled || nb->stalled || nb->nic.fd < 0)
        return;
    while (budget-- && (room = has_room(nb))) {
        struct nic_offload offload;
        ssize_t n = nic_read(&nb->nic, frame, &offload);

        if (n < 0)
            break;
        if (!fits(nb, (size_t)n, &offload))
            continue;
        if (!passes_filter(nb, frame)) {
            nb->count.filtered++;
            continue;
        }
        nb->count.received++;
        deliver(nb, frame, (size_t)n, &offload);
        any = true;
    }
    if (any)
        push(nb);
    nb->input.events = room ? POLLIN : 0;
}
