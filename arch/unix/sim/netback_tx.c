/* SPDX-License-Identifier: ISC */
/*
 * netback's half of the transmit ring: requests in, frames out, responses in the order of the
 * requests. A packet's first request has the whole length, those that follow their own; extra info
 * comes behind the first (netif.h).
 */
#include "arch/unix/sim/netback.h"

#include <string.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "lib/util.h"

#define SLOTS_MAX XEN_NETIF_NR_SLOTS_MIN

struct packet {
    netif_tx_request_t slots[SLOTS_MAX];
    unsigned count, extras;
    struct nic_offload offload;
    const struct netif_extra_info *multicast;
    struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX];
};

static void respond(struct netback *nb, uint16_t id, int status)
{
    netif_tx_response_t response = {.id = id, .status = (int16_t)status};

    netback_at(nb, NETBACK_TX_RESPONSE, &response);
    *RING_GET_RESPONSE(&nb->tx, nb->tx.rsp_prod_pvt) = response;
    nb->tx.rsp_prod_pvt++;
}

static void respond_packet(struct netback *nb, const struct packet *p, int status)
{
    for (unsigned i = 0; i < p->count; i++) {
        respond(nb, p->slots[i].id, status);
        for (unsigned extra = 0; i == 0 && extra < p->extras; extra++)
            respond(nb, 0, NETIF_RSP_NULL);
    }
}

static bool more_requests(const struct netback *nb)
{
    return RING_HAS_UNCONSUMED_REQUESTS(&nb->tx);
}

/* NULL, or what is wrong. */
static const char *read_extras(struct netback *nb, struct packet *p)
{
    struct netif_extra_info *extra;

    do {
        if (!more_requests(nb) || p->extras == ARRAY_SIZE(p->extra))
            return "missing extra info";
        extra = &p->extra[p->extras++];
        memcpy(extra, RING_GET_REQUEST(&nb->tx, nb->tx.req_cons), sizeof(*extra));
        nb->tx.req_cons++;
        switch (extra->type) {
        case XEN_NETIF_EXTRA_TYPE_GSO:
            if (!extra->u.gso.size)
                return "segments of size 0";
            p->offload.gso_size = extra->u.gso.size;
            p->offload.gso = extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ? 4 : 6;
            break;
        case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
        case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
            p->multicast = extra;
            break;
        default:
            return "extra info of an invalid type";
        }
    } while (extra->flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return NULL;
}

static const char *read_packet(struct netback *nb, struct packet *p)
{
    netif_tx_request_t *slot;

    *p = (struct packet){0};
    do {
        const char *wrong;

        if (p->count == SLOTS_MAX)
            return "too many slots";
        if (!more_requests(nb))
            return "need more slots";
        slot = &p->slots[p->count++];
        RING_COPY_REQUEST(&nb->tx, nb->tx.req_cons, slot);
        nb->tx.req_cons++;
        if (p->count == 1 && (slot->flags & NETTXF_extra_info) && (wrong = read_extras(nb, p)))
            return wrong;
        if (p->multicast)
            return NULL;
        if (p->count > 1 && slot->size > p->slots[0].size)
            return "invalid size of a slot";
        if (p->count > 1) /* the first one keeps what is its own */
            p->slots[0].size = (uint16_t)(p->slots[0].size - slot->size);
    } while (slot->flags & NETTXF_more_data);
    for (unsigned i = 0; i < p->count; i++)
        if ((unsigned)p->slots[i].offset + p->slots[i].size > PAGE_SIZE)
            return "a packet crosses a page boundary";
    p->offload.blank = p->slots[0].flags & NETTXF_csum_blank;
    p->offload.valid = p->slots[0].flags & NETTXF_data_validated;
    return NULL;
}

static int copy_packet(const struct packet *p, uint8_t *frame, size_t *len)
{
    *len = 0;
    for (unsigned i = 0; i < p->count; i++) {
        const netif_tx_request_t *slot = &p->slots[i];

        if (grant_copy_from(frame + *len, slot->gref, slot->offset, slot->size))
            return NETIF_RSP_ERROR;
        *len += slot->size;
    }
    return *len >= 14 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
}

static int change_groups(struct netback *nb, const struct netif_extra_info *extra)
{
    for (unsigned i = 0; i < nb->group_count; i++) {
        if (memcmp(nb->groups[i], extra->u.mcast.addr, 6))
            continue;
        if (extra->type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL)
            memcpy(nb->groups[i], nb->groups[--nb->group_count], 6);
        return NETIF_RSP_OKAY;
    }
    if (extra->type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL)
        return NETIF_RSP_OKAY;
    if (nb->group_count == NETBACK_GROUPS)
        return NETIF_RSP_ERROR;
    memcpy(nb->groups[nb->group_count++], extra->u.mcast.addr, 6);
    return NETIF_RSP_OKAY;
}

static int send(struct netback *nb, const struct packet *p)
{
    static uint8_t frame[SLOTS_MAX * PAGE_SIZE];
    size_t len;
    int status;

    if (p->multicast)
        return change_groups(nb, p->multicast);
    status = copy_packet(p, frame, &len);
    if (status == NETIF_RSP_OKAY) {
        nb->count.sent++;
        nic_write(&nb->nic, frame, len, &p->offload);
    }
    return status;
}

static void push(struct netback *nb)
{
    int notify;

    netback_at(nb, NETBACK_TX_PUSH, NULL);
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&nb->tx, notify);
    if (notify)
        event_notify(nb->tx_port.guest_port ? &nb->tx_port : &nb->rx_port);
}

void netback_tx_run(struct netback *nb)
{
    int more = 1;

    while (nb->connected && !nb->disabled && !nb->stalled && !nb->tx_stalled && more) {
        struct packet p;
        const char *wrong;

        if (nb->tx.sring->req_prod - nb->tx.req_cons > nb->tx.nr_ents) {
            netback_fatal(nb, "impossible number of requests");
            return;
        }
        while (more_requests(nb)) {
            wrong = read_packet(nb, &p);
            if (wrong) {
                netback_fatal(nb, wrong);
                return;
            }
            respond_packet(nb, &p, send(nb, &p));
        }
        push(nb);
        RING_FINAL_CHECK_FOR_REQUESTS(&nb->tx, more);
    }
}
