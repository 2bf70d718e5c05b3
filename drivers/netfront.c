/* SPDX-License-Identifier: ISC */
/*
 * The network driver: Xen's virtual network interface (xen/include/public/io/netif.h; docs/netfront.md).
 *
 * This file is its life with xenbus: the rings and event channels, coming and going. What both ends
 * write about themselves is in netfront_store.c, packets are moved by netfront_rx.c and
 * netfront_tx.c, netfront_page.c keeps the grants.
 *
 * Invariant: connect() and disconnect() may follow each other any number of times, at any point of
 * each other's work; after disconnect() nothing of the device is live but pages that the backend
 * has not let go of yet.
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "xen/gnttab.h"
#include "xen/xenstore.h"

#define LOG_MODULE "netfront"

static struct netfront *of(struct xenbus_device *dev)
{
    return dev->driver_data;
}

void netfront_breach(struct netfront *nf, const char *rule, uint64_t value)
{
    if (nf->broken)
        return;
    nf->broken = true;
    nf->running = false; /* the rings are not touched any more; the rest is disconnect()'s */
    nf->net.status = "the backend broke the protocol";
    xenbus_disable(nf->dev, rule, value);
}

/* --- events ------------------------------------------------------------------------------ */

/* An event that comes when nothing has happened since the last one is spurious (rule 14). */
static void judge(evtchn_port_t port, bool *progress)
{
    if (*progress)
        evtchn_useful(port);
    else
        evtchn_spurious(port);
    *progress = false;
}

static void rx_event(void *ctx)
{
    struct netfront *nf = ctx;

    if (!nf->running) {
        evtchn_spurious(nf->rx_port);
        return;
    }
    netfront_rx_poll(nf);
    if (nf->rx_port == nf->tx_port) {
        netfront_tx_reap(nf);
        nf->rx_progress |= nf->tx_progress;
        nf->tx_progress = false;
    }
    judge(nf->rx_port, &nf->rx_progress);
}

static void tx_event(void *ctx)
{
    struct netfront *nf = ctx;

    if (!nf->running) {
        evtchn_spurious(nf->tx_port);
        return;
    }
    netfront_tx_reap(nf);
    judge(nf->tx_port, &nf->tx_progress);
}

static void rx_continue(struct work *w)
{
    netfront_rx_poll(container_of(w, struct netfront, rx_work));
}

/* Some time after sending: takes back what is done, and has the backend say when the rest is. */
static void reap_late(struct timer *t)
{
    struct netfront *nf = container_of(t, struct netfront, reap_timer);

    if (!nf->running)
        return;
    netfront_tx_reap(nf);
    if (nf->tx.rsp_cons != nf->tx.req_pushed && ring_rearm(&nf->tx))
        timer_arm_in(t, NSEC_PER_MSEC);
    else
        timer_disarm(t); /* the event will do */
}

static void refill_late(struct timer *t)
{
    struct netfront *nf = container_of(t, struct netfront, refill_timer);

    if (nf->running)
        netfront_rx_refill(nf);
}

/* What came meanwhile comes with an event; but a backend that has failed to send one sends none for
 * whatever it adds, as it has not been asked to. */
static void look(struct netdev *net)
{
    struct netfront *nf = container_of(net, struct netfront, net);

    if (nf->running)
        netfront_rx_poll(nf);
}

/* --- connecting -------------------------------------------------------------------------- */

static int make_ports(struct netfront *nf, bool split)
{
    int port = evtchn_alloc_unbound(nf->backend, rx_event, nf);

    if (port < 0)
        return port;
    nf->rx_port = nf->tx_port = (evtchn_port_t)port;
    if (!split)
        return 0;
    port = evtchn_alloc_unbound(nf->backend, tx_event, nf);
    if (port < 0)
        return port;
    nf->tx_port = (evtchn_port_t)port;
    return 0;
}

static struct netpage *make_ring(struct netfront *nf)
{
    struct netpage *np = netpage_get(true);

    if (!np)
        return NULL;
    (void)netpage_pbuf(np, 0, 0);
    memset(np->page, 0, PAGE_SIZE); /* before it is shown: it may have held packets */
    if (netfront_grant(nf, np, false) == 0)
        return np;
    pbuf_free(&np->custom.pbuf);
    return NULL;
}

static int make_rings(struct netfront *nf)
{
    if (!nf->open) {
        netpage_open(netfront_release);
        nf->open = true;
    }
    nf->rx_ring = make_ring(nf);
    nf->tx_ring = make_ring(nf);
    if (!nf->rx_ring || !nf->tx_ring)
        return -ENOMEM;
    netfront_rx_init(nf);
    netfront_tx_init(nf);
    netfront_rx_refill(nf);
    return 0;
}

static int connect(struct xenbus_device *dev)
{
    struct netfront *nf = of(dev);
    bool split;
    int err;

    nf->backend = dev->otherend_id;
    nf->broken = nf->running = false;
    nf->rx_port = nf->tx_port = 0;
    err = netfront_may_lend(nf) ? netfront_read_offers(nf, &split) : -EBUSY;
    if (!err)
        err = make_ports(nf, split);
    if (!err)
        err = make_rings(nf);
    if (!err)
        err = netfront_write_answers(nf);
    if (!err)
        nf->net.status = "waiting for the backend to connect";
    return err;
}

static int connected(struct xenbus_device *dev)
{
    struct netfront *nf = of(dev);

    nf->running = true;
    nf->net.status = "up";
    net_link(&nf->net, true);
    work_post(&nf->rx_work);
    return 0;
}

static void drop_ring(struct netpage **ring)
{
    if (*ring)
        netfront_end_later(*ring);
    *ring = NULL;
}

static void disconnect(struct xenbus_device *dev)
{
    struct netfront *nf = of(dev);

    nf->running = false;
    if (!nf->broken)
        nf->net.status = "the backend is not connected";
    net_link(&nf->net, false);
    work_cancel(&nf->rx_work);
    netfront_push_stop(&nf->push);
    timer_disarm(&nf->reap_timer);
    timer_disarm(&nf->refill_timer);
    if (nf->tx_port != nf->rx_port)
        evtchn_unbind(nf->tx_port);
    evtchn_unbind(nf->rx_port);
    nf->rx_port = nf->tx_port = 0;
    netfront_rx_stop(nf);
    netfront_tx_stop(nf);
    drop_ring(&nf->rx_ring);
    drop_ring(&nf->tx_ring);
    if (nf->open)
        netpage_close();
    nf->open = false;
}

/* --- the device -------------------------------------------------------------------------- */

static int probe(struct xenbus_device *dev)
{
    struct netfront *nf = net_mem_calloc(1, sizeof(*nf));
    int err;

    if (!nf)
        return -ENOMEM;
    nf->dev = dev;
    nf->net.index = dev->index;
    (void)fmt_print(nf->net.name, sizeof(nf->net.name), "%s", dev->name);
    nf->net.transmit = netfront_transmit;
    nf->net.multicast = netfront_multicast;
    nf->net.look = look;
    nf->net.status = "the backend is not ready";
    if (IS_ENABLED(CONFIG_SYSRQ))
        netfront_sysrq_init();
    work_init(&nf->rx_work, rx_continue);
    netfront_push_init(&nf->push);
    timer_init(&nf->reap_timer, reap_late);
    timer_init(&nf->refill_timer, refill_late);
    err = net_attach(&nf->net);
    if (err) {
        net_mem_free(nf);
        return err;
    }
    dev->driver_data = nf;
    return 0;
}

static void remove_device(struct xenbus_device *dev)
{
    struct netfront *nf = of(dev);

    net_detach(&nf->net);
    dev->driver_data = NULL;
    net_mem_free(nf);
}

XENBUS_DRIVER(netfront_driver) = {
    .type = "vif",
    .probe = probe,
    .connect = connect,
    .connected = connected,
    .disconnect = disconnect,
    .remove = remove_device,
};
