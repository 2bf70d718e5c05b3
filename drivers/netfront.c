/* SPDX-License-Identifier: ISC */
/*
 * The network driver: Xen's virtual network interface (xen/include/public/io/netif.h; docs/netfront.md).
 *
 * This file is its life with xenbus: what the backend offers, the rings and event channels, coming
 * and going. netfront_rx.c and netfront_tx.c move packets, netfront_page.c keeps the grants.
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

#define MTU_DEFAULT 1500
#define MTU_MIN 576
/* A frame has a 16-bit length. */
#define MTU_MAX 65520

/* The backend's keys (hardening.md, rule 16: each is bounded, a bad one is the default). */
enum { SG, GSO4, GSO6, NO_CSUM, CSUM6, SPLIT, MULTICAST, RX_COPY, OFFERS };
static const struct xenbus_key offers[OFFERS] = {
    [SG] = {.name = "feature-sg", .max = 1},
    [GSO4] = {.name = "feature-gso-tcpv4", .max = 1},
    [GSO6] = {.name = "feature-gso-tcpv6", .max = 1},
    [NO_CSUM] = {.name = "feature-no-csum-offload", .max = 1},
    [CSUM6] = {.name = "feature-ipv6-csum-offload", .max = 1},
    [SPLIT] = {.name = "feature-split-event-channels", .max = 1},
    [MULTICAST] = {.name = "feature-multicast-control", .max = 1},
    [RX_COPY] = {.name = "feature-rx-copy", .max = 1},
};

static struct netfront *of(struct xenbus_device *dev)
{
    return dev->driver_data;
}

void netfront_breach(struct netfront *nf, const char *rule, uint64_t value)
{
    if (nf->broken)
        return;
    nf->broken = true;
    nf->net.status = "the backend broke the protocol";
    log_limited(LOG_ERROR, "%s: the backend sent %s: %llu", nf->net.name, rule,
                (unsigned long long)value);
    xenbus_disable(nf->dev, rule);
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

    if (!nf->running)
        return;
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

    if (!nf->running)
        return;
    netfront_tx_reap(nf);
    judge(nf->tx_port, &nf->tx_progress);
}

static void rx_continue(struct work *w)
{
    netfront_rx_poll(container_of(w, struct netfront, rx_work));
}

static void tx_push(struct work *w)
{
    struct netfront *nf = container_of(w, struct netfront, tx_work);

    nf->tx_unpushed = 0;
    if (nf->running && ring_push(&nf->tx))
        evtchn_notify(nf->tx_port);
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
}

static void refill_late(struct timer *t)
{
    struct netfront *nf = container_of(t, struct netfront, refill_timer);

    if (nf->running)
        netfront_rx_refill(nf);
}

/* --- connecting -------------------------------------------------------------------------- */

/* "00:16:3e:01:02:03", a single host's. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    uint8_t any = 0;

    for (unsigned i = 0; i < 6; i++, text += 3) {
        unsigned value = 0;

        for (unsigned digit = 0; digit < 2; digit++) {
            char c = (char)(text[digit] | 0x20);

            if (c >= '0' && c <= '9')
                value = value * 16 + (unsigned)(c - '0');
            else if (c >= 'a' && c <= 'f')
                value = value * 16 + (unsigned)(c - 'a' + 10);
            else
                return false;
        }
        if (text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)value;
        any |= mac[i];
    }
    return any && !(mac[0] & 1);
}

/* What the toolstack wrote about the interface: ours to read, partly below the backend. */
static int read_description(struct netfront *nf)
{
    char paths[4][XENBUS_PATH_MAX + 16], mac[20], mtu[12], trusted[4];
    struct xs_read_item items[] = {
        {paths[0], mac, sizeof(mac), 0},
        {paths[1], mtu, sizeof(mtu), 0},
        {paths[2], trusted, sizeof(trusted), 0},
        {paths[3], nf->net.address, sizeof(nf->net.address), 0},
    };
    uint64_t value = MTU_DEFAULT;

    (void)fmt_print(paths[0], sizeof(paths[0]), "%s/mac", nf->dev->nodename);
    (void)fmt_print(paths[1], sizeof(paths[1]), "%s/mtu", nf->dev->nodename);
    (void)fmt_print(paths[2], sizeof(paths[2]), "%s/trusted", nf->dev->nodename);
    (void)fmt_print(paths[3], sizeof(paths[3]), "%s/ip", nf->dev->otherend);
    xs_read_many(XS_NONE, items, ARRAY_SIZE(items));
    if (items[0].result < 0 || !parse_mac(mac, nf->net.mac)) {
        log_error("%s: mac=%s is not an address of one host", nf->net.name,
                  items[0].result < 0 ? "(missing)" : mac);
        return -EINVAL;
    }
    if (items[1].result >= 0 &&
        !xs_parse_number(mtu, (size_t)items[1].result, MTU_MIN, MTU_MAX, &value))
        log_warn("%s: mtu=%s: want %u to %u; %u is used", nf->net.name, mtu, MTU_MIN, MTU_MAX,
                 MTU_DEFAULT);
    nf->net.mtu = (uint16_t)value;
    nf->bounce = items[2].result >= 0 && strcmp(trusted, "0") == 0;
    if (items[3].result < 0)
        nf->net.address[0] = '\0';
    return 0;
}

static int read_offers(struct netfront *nf)
{
    struct xenbus_key keys[OFFERS];

    memcpy(keys, offers, sizeof(keys));
    xenbus_read_keys(nf->dev, keys, OFFERS);
    if (!keys[RX_COPY].value) {
        log_error("%s: the backend cannot copy packets to us (feature-rx-copy)", nf->net.name);
        return -EOPNOTSUPP;
    }
    nf->sg = keys[SG].value;
    if (!nf->sg && nf->net.mtu > MTU_DEFAULT)
        nf->net.mtu = MTU_DEFAULT;
    nf->net.features = (keys[NO_CSUM].value ? 0 : NETDEV_CSUM4) |
                       (keys[CSUM6].value ? NETDEV_CSUM6 : 0) |
                       (keys[GSO4].value && nf->sg ? NETDEV_GSO4 : 0) |
                       (keys[GSO6].value && nf->sg ? NETDEV_GSO6 : 0) |
                       (keys[MULTICAST].value ? NETDEV_MULTICAST : 0);
    nf->rx_port = nf->tx_port = 0;
    return (int)keys[SPLIT].value;
}

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

/* A key to write below our directory. */
struct answer {
    const char *key;
    char value[12];
};

static void number(struct answer *a, const char *key, unsigned value)
{
    a->key = key;
    (void)fmt_print(a->value, sizeof(a->value), "%u", value);
}

static int write_answers(struct netfront *nf)
{
    struct answer answers[12];
    char paths[ARRAY_SIZE(answers)][XENBUS_PATH_MAX + 32];
    struct xs_write_item items[ARRAY_SIZE(answers)];
    unsigned n = 0;

    number(&answers[n++], "tx-ring-ref", nf->tx_ring->grant);
    number(&answers[n++], "rx-ring-ref", nf->rx_ring->grant);
    if (nf->rx_port == nf->tx_port) {
        number(&answers[n++], "event-channel", nf->rx_port);
    } else {
        number(&answers[n++], "event-channel-tx", nf->tx_port);
        number(&answers[n++], "event-channel-rx", nf->rx_port);
    }
    number(&answers[n++], "request-rx-copy", 1);
    number(&answers[n++], "feature-rx-notify", 1);
    number(&answers[n++], "feature-sg", 1);
    number(&answers[n++], "feature-gso-tcpv4", IS_ENABLED(CONFIG_NETFRONT_GSO));
    number(&answers[n++], "feature-gso-tcpv6", IS_ENABLED(CONFIG_NETFRONT_GSO));
    number(&answers[n++], "feature-ipv6-csum-offload", 1);
    number(&answers[n++], "request-multicast-control", !!(nf->net.features & NETDEV_MULTICAST));
    for (unsigned i = 0; i < n; i++) {
        (void)fmt_print(paths[i], sizeof(paths[i]), "%s/%s", nf->dev->nodename, answers[i].key);
        items[i] = (struct xs_write_item){paths[i], answers[i].value, 0};
    }
    return xs_write_many(XS_NONE, items, n);
}

static int connect(struct xenbus_device *dev)
{
    struct netfront *nf = of(dev);
    int split, err;

    nf->backend = dev->otherend_id;
    nf->broken = nf->running = false;
    err = read_description(nf);
    if (err)
        return err;
    split = read_offers(nf);
    if (split < 0)
        return split;
    err = make_ports(nf, split);
    if (!err)
        err = make_rings(nf);
    if (!err)
        err = write_answers(nf);
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
    work_cancel(&nf->tx_work);
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
    nf->net.status = "the backend is not ready";
    work_init(&nf->rx_work, rx_continue);
    work_init(&nf->tx_work, tx_push);
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
