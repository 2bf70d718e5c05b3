/* SPDX-License-Identifier: ISC */
/*
 * Network devices and the stack (docs/network.md): a device becomes an lwIP netif when its link
 * first comes up, and stays one until it is detached. Frames are frame.c's, addresses address.c's.
 */
#include "lib/net/net.h"

#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/gso.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/tcp.h"
#include "lib/net/timeouts.h"

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"

#define LOG_MODULE "net"

/* Then it is time to say why there is no network. */
#define EXPLAIN_AFTER (5 * NSEC_PER_SEC)

struct list net_interfaces = LIST_INIT(net_interfaces);
static struct timer explain_timer;

/* --- devices ----------------------------------------------------------------------------- */

static void status_changed(struct netif *netif)
{
    struct net_interface *nif = netif->state;

    work_post(&nif->changed);
}

static void report(struct work *w)
{
    net_report(container_of(w, struct net_interface, changed));
}

/* lwIP's netif_add() calls this to have the netif filled. */
static err_t fill_netif(struct netif *netif)
{
    netif->name[0] = 'v';
    netif->name[1] = 'i';
    netif->hwaddr_len = 6;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->linkoutput = net_link_output;
#if LWIP_IPV4
    netif->output = etharp_output;
#endif
#if LWIP_IGMP
    netif->flags |= NETIF_FLAG_IGMP;
    netif->igmp_mac_filter = net_filter4;
#endif
#if LWIP_IPV6
    netif->output_ip6 = ethip6_output;
    netif->flags |= NETIF_FLAG_MLD6;
    netif->mld_mac_filter = net_filter6;
#endif
#if LWIP_NETIF_HOSTNAME
    netif->hostname = app_name;
#endif
    return ERR_OK;
}

/* What the backend offers may differ from the last time. */
static void take_device(struct net_interface *nif)
{
    struct netdev *dev = nif->dev;

    if (dev->mtu < nif->netif.mtu)
        net_make_sums(); /* connections have segments for the MTU that was */
    memcpy(nif->netif.hwaddr, dev->mac, sizeof(dev->mac));
    nif->netif.mtu = dev->mtu;
#if LWIP_IPV6
    nif->netif.mtu6 = dev->mtu;
    nd6_clear_destination_cache(); /* it has paths' MTUs */
#endif
    net_choose_offloads(nif);
}

static void add_netif(struct net_interface *nif)
{
    netif_add_noaddr(&nif->netif, nif, fill_netif, ethernet_input);
    netif_set_status_callback(&nif->netif, status_changed);
    if (!netif_default || netif_default->name[0] != 'v')
        netif_set_default(&nif->netif);
    nif->added = true;
}

void net_link(struct netdev *dev, bool up)
{
    struct net_interface *nif = dev->interface;
    bool first = !nif->added;

    if (!up) {
        if (nif->added && netif_is_link_up(&nif->netif)) {
            log_info("%s: link down: %s", dev->name, dev->status);
            netif_set_link_down(&nif->netif);
            net_announce_stop(nif);
        }
        return;
    }
    if (first)
        add_netif(nif);
    take_device(nif);
    log_info("%s: link up, MAC %02x:%02x:%02x:%02x:%02x:%02x, MTU %u", dev->name, dev->mac[0],
             dev->mac[1], dev->mac[2], dev->mac[3], dev->mac[4], dev->mac[5], dev->mtu);
    netif_set_link_up(&nif->netif);
    if (IS_ENABLED(CONFIG_MULTICAST))
        net_filter_all(nif);
    if (first) {
        netif_set_up(&nif->netif);
        net_address_configure(nif);
        net_address_start(nif);
    } else {
        net_announce_again(nif); /* another backend, or another bridge */
    }
    net_timeouts_changed();
}

int net_attach(struct netdev *dev)
{
    struct net_interface *nif;

    net_init();
    nif = net_mem_calloc(1, sizeof(*nif));
    if (!nif)
        return -ENOMEM;
    nif->dev = dev;
    nif->serves = NET_SERVE_NONE;
    dev->interface = nif;
    work_init(&nif->changed, report);
    net_announce_init(nif);
    list_add_tail(&net_interfaces, &nif->node);
    return 0;
}

void net_detach(struct netdev *dev)
{
    struct net_interface *nif = dev->interface;

    if (!nif)
        return;
    if (nif->added) {
        net_gso_free(nif);
        net_address_stop(nif);
        netif_remove(&nif->netif);
        net_report(nif);
    }
    log_info("%s: removed", dev->name);
    work_cancel(&nif->changed);
    net_announce_stop(nif);
    list_del(&nif->node);
    net_mem_free(nif);
    dev->interface = NULL;
    if (!netif_default && !list_empty(&net_interfaces)) {
        nif = container_of(net_interfaces.next, struct net_interface, node);
        if (nif->added)
            netif_set_default(&nif->netif);
    }
}

/* --- the stack --------------------------------------------------------------------------- */

static bool has_address(struct netif *netif)
{
#if LWIP_IPV4
    if (!ip4_addr_isany_val(*netif_ip4_addr(netif)))
        return true;
#endif
#if LWIP_IPV6
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
            return true;
    }
#endif
    return false;
}

const struct netdev *net_device(unsigned n)
{
    struct list *at;

    list_for_each(at, &net_interfaces) {
        const struct netdev *dev = container_of(at, struct net_interface, node)->dev;

        if (dev->index == n)
            return dev;
    }
    return NULL;
}

void net_look(void)
{
    struct list *at, *next;

    list_for_each_safe(at, next, &net_interfaces) {
        struct netdev *dev = container_of(at, struct net_interface, node)->dev;

        if (dev->look)
            dev->look(dev);
    }
}

bool net_is_up(void)
{
    struct list *at;

    list_for_each(at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (nif->added && netif_is_link_up(&nif->netif) && has_address(&nif->netif))
            return true;
    }
    return false;
}

/* Says once, some seconds after the start, why there is no network. */
static void explain(struct timer *t)
{
    struct list *at;

    (void)t;
    if (list_empty(&net_interfaces))
        log_warn("no network: the guest has no vif (vif = [ 'bridge=...' ] in its xl config)");
    list_for_each(at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (!nif->added || !netif_is_link_up(&nif->netif))
            log_warn("%s: no network: %s", nif->dev->name, nif->dev->status);
        else if (!has_address(&nif->netif))
            log_warn("%s: no address yet: %s", nif->dev->name,
                     nif->config.dhcp    ? "no DHCP server has answered, still asking"
                     : nif->config.slaac ? "no router has advertised a prefix"
                                         : "none is configured");
    }
}

int net_init(void)
{
    static bool done;
    static int result;

    if (done)
        return result;
    done = true;
#if LWIP_TCP
    net_tcp_init();
#endif
    lwip_init();
    result = net_address_init();
    net_frame_init();
    timer_init(&explain_timer, explain);
    timer_arm_in(&explain_timer, EXPLAIN_AFTER);
    return result;
}

LIBRARY(net); /* so that its keys are not taken for the app's arguments */
