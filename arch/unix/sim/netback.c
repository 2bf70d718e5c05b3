/* SPDX-License-Identifier: ISC */
/*
 * netback and xenbus: what it offers, how it follows the frontend's state (Linux' frontend_changed()
 * in drivers/net/xen-netback/xenbus.c), connecting and letting go.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/netback.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

static struct netback *backs[NIC_MAX];
void (*netback_hook)(struct netback *nb, enum netback_step step, void *item);

struct netback *netback_of(unsigned index)
{
    return index < NIC_MAX ? backs[index] : NULL;
}

static const char *back_path(const struct netback *nb, const char *key)
{
    return toolstack_backend_path("vif", nb->index, key);
}

static const char *front_path(const struct netback *nb, const char *key)
{
    return toolstack_path("device/vif/%u/%s", nb->index, key);
}

static uint64_t front_number(const struct netback *nb, const char *key, uint64_t def)
{
    return store_read_number(front_path(nb, key), 0, UINT32_MAX, def);
}

static void set_state(struct netback *nb, unsigned state)
{
    if (nb->state == state)
        return;
    nb->state = state;
    if (store_read(back_path(nb, "frontend"))) /* not when the toolstack has removed it */
        store_printf(back_path(nb, "state"), "%u", state);
}

static void offer(struct netback *nb)
{
    static const char *const always[] = {"feature-sg", "feature-rx-copy",
                                         "feature-multicast-control",
                                         "feature-split-event-channels"};
    static const char *const segments[] = {"feature-gso-tcpv4", "feature-gso-tcpv6"};

    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        store_write(back_path(nb, always[i]), "1");
    for (size_t i = 0; i < ARRAY_SIZE(segments); i++)
        store_write(back_path(nb, segments[i]), nb->nic.header ? "1" : "0");
    store_write(back_path(nb, "feature-ipv6-csum-offload"), "1");
    store_write(back_path(nb, "multi-queue-max-queues"), "1");
    store_write(back_path(nb, "hotplug-status"), "connected");
    netback_at(nb, NETBACK_OFFER, NULL);
    set_state(nb, XenbusStateInitWait);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void tx_event(struct event_port *port)
{
    netback_tx_run(container_of(port, struct netback, tx_port));
}

static void rx_event(struct event_port *port)
{
    struct netback *nb = container_of(port, struct netback, rx_port);

    if (!nb->tx_port.guest_port)
        netback_tx_run(nb);
    netback_rx_run(nb);
}

static bool bind_ports(struct netback *nb)
{
    uint64_t both = front_number(nb, "event-channel", 0);
    uint64_t tx = front_number(nb, "event-channel-tx", 0);
    uint64_t rx = front_number(nb, "event-channel-rx", both);

    if (event_bind(&nb->rx_port, (uint32_t)rx))
        return false;
    return !tx || event_bind(&nb->tx_port, (uint32_t)tx) == 0;
}

/* Rings that were in use before, as when the driver was bound anew and the frontend has not noticed yet,
 * go on behind what has been answered (xenvif_map_frontend_data_rings()). */
static bool attach_rings(struct netback *nb, netif_tx_sring_t *tx, netif_rx_sring_t *rx)
{
    BACK_RING_ATTACH(&nb->tx, tx, tx->rsp_prod, PAGE_SIZE);
    BACK_RING_ATTACH(&nb->rx, rx, rx->rsp_prod, PAGE_SIZE);
    return tx->req_prod - nb->tx.req_cons <= nb->tx.nr_ents &&
           rx->req_prod - nb->rx.req_cons <= nb->rx.nr_ents;
}

static bool map_rings(struct netback *nb)
{
    void *tx, *rx;

    nb->tx_ref = (grant_ref_t)front_number(nb, "tx-ring-ref", 0);
    nb->rx_ref = (grant_ref_t)front_number(nb, "rx-ring-ref", 0);
    if (grant_map(nb->tx_ref, false, &tx))
        return false;
    if (grant_map(nb->rx_ref, false, &rx)) {
        grant_unmap(nb->tx_ref, false);
        return false;
    }
    if (attach_rings(nb, tx, rx))
        return true;
    grant_unmap(nb->tx_ref, false);
    grant_unmap(nb->rx_ref, false);
    return false;
}

static void let_go(struct netback *nb)
{
    event_unbind(&nb->tx_port);
    event_unbind(&nb->rx_port);
    if (nb->connected) {
        grant_unmap(nb->tx_ref, false);
        grant_unmap(nb->rx_ref, false);
        report_debug("vif%u: disconnected", nb->index);
    }
    nb->connected = false;
    nb->input.events = 0;
}

/* What came while nobody was connected is old. */
static void flush(const struct netback *nb)
{
    static uint8_t frame[NIC_FRAME_MAX];
    struct nic_offload offload;

    while (nb->nic.fd >= 0 && nic_read(&nb->nic, frame, &offload) >= 0)
        ;
}

static void connect(struct netback *nb)
{
    if (!front_number(nb, "request-rx-copy", 0) || !map_rings(nb)) {
        report("vif%u: the frontend's rings cannot be used", nb->index);
        set_state(nb, XenbusStateClosing);
        return;
    }
    nb->connected = true;
    nb->disabled = false;
    nb->sg = front_number(nb, "feature-sg", 0);
    nb->gso4 = front_number(nb, "feature-gso-tcpv4", 0);
    nb->gso6 = front_number(nb, "feature-gso-tcpv6", 0);
    nb->csum = !front_number(nb, "feature-no-csum-offload", 0);
    nb->filter = front_number(nb, "request-multicast-control", 0);
    nb->group_count = 0;
    if (!bind_ports(nb)) {
        report("vif%u: the frontend's event channels cannot be used", nb->index);
        let_go(nb);
        set_state(nb, XenbusStateClosing);
        return;
    }
    nic_accept(&nb->nic, nb->csum, nb->sg && nb->gso4, nb->sg && nb->gso6);
    flush(nb);
    netback_at(nb, NETBACK_CONNECT, NULL);
    set_state(nb, XenbusStateConnected);
    report_debug("vif%u: connected", nb->index);
    netback_rx_run(nb);
}

/* --- the frontend's state --------------------------------------------------------------------- */

static void close_device(struct netback *nb)
{
    let_go(nb);
    set_state(nb, XenbusStateClosed);
}

static void frontend_changed(struct store_listener *listener)
{
    struct netback *nb = container_of(listener, struct netback, frontend);

    if (nb->stalled)
        return;
    switch (front_number(nb, "state", XenbusStateUnknown)) {
    case XenbusStateInitialising:
        let_go(nb);
        if (nb->state != XenbusStateInitWait)
            offer(nb);
        break;
    case XenbusStateInitialised:
    case XenbusStateConnected:
        if (!nb->connected && nb->state == XenbusStateInitWait)
            connect(nb);
        break;
    case XenbusStateClosing:
        let_go(nb);
        set_state(nb, XenbusStateClosing);
        break;
    case XenbusStateClosed:
    case XenbusStateUnknown:
        if (nb->state != XenbusStateClosed)
            close_device(nb);
        break;
    default:
        break;
    }
}

void netback_stop(struct netback *nb, bool restart)
{
    let_go(nb);
    nb->stalled = nb->tx_stalled = false;
    set_state(nb, restart ? XenbusStateInitialising : XenbusStateClosed);
    if (restart)
        offer(nb);
}

void netback_crash(struct netback *nb)
{
    let_go(nb);
    nb->stalled = true;
}

void netback_stall(struct netback *nb, bool only_tx)
{
    if (only_tx)
        nb->tx_stalled = true;
    else
        nb->stalled = true;
    if (nb->stalled)
        nb->input.events = 0;
}

void netback_resume(struct netback *nb)
{
    nb->stalled = nb->tx_stalled = false;
    frontend_changed(&nb->frontend);
    netback_tx_run(nb);
    netback_rx_run(nb);
}

void netback_fatal(struct netback *nb, const char *why)
{
    report("vif%u: fatal error; disabling device: %s", nb->index, why);
    nb->disabled = true;
    nb->input.events = 0;
}

static void input_ready(struct sched_fd *sfd, short revents)
{
    if (revents & (POLLERR | POLLHUP)) /* the far side has gone: an unplugged cable */
        sched_remove(sfd);
    else
        netback_rx_run(container_of(sfd, struct netback, input));
}

void netback_create(unsigned index, const struct nic *nic, const struct vif_config *config)
{
    struct netback *nb = calloc(1, sizeof(*nb));

    if (!nb)
        report_fatal("no memory for vif%u", index);
    backs[index] = nb;
    nb->index = index;
    nb->nic = *nic;
    nb->config = *config;
    nb->tx_port = (struct event_port){.name = "vif-tx", .fn = tx_event};
    nb->rx_port = (struct event_port){.name = "vif-rx", .fn = rx_event};
    nb->input = (struct sched_fd){.fd = nic->fd, .fn = input_ready};
    if (nic->fd >= 0)
        sched_add(&nb->input);
    nb->frontend.fn = frontend_changed;
    snprintf(nb->frontend.path, sizeof(nb->frontend.path), "%s", front_path(nb, "state"));
    store_listen(&nb->frontend);
}
