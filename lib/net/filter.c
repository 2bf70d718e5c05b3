/* SPDX-License-Identifier: ISC */
/*
 * The multicast filter of a backend that has one (xen/include/public/io/netif.h): it passes only
 * the groups that lwIP has joined. lwIP calls these functions when it joins and leaves.
 */
#include <errno.h>

#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"

#include "lwip/igmp.h"
#include "lwip/mld6.h"

#define LOG_MODULE "net"

static void filter(struct netif *netif, const uint8_t mac[6], bool add)
{
    struct net_interface *nif = netif->state;
    struct netdev *dev = nif->dev;
    int err;

    if (!(dev->features & NETDEV_MULTICAST) || !netif_is_link_up(netif))
        return;
    err = dev->multicast(dev, mac, add);
    if (err == -EBUSY)
        nif->filter_again = true;
    else if (err)
        log_limited(LOG_WARN, "%s: cannot %s a multicast address: error %d", dev->name,
                    add ? "add" : "remove", -err);
}

#if LWIP_IGMP
err_t net_filter4(struct netif *netif, const ip4_addr_t *group, enum netif_mac_filter_action action)
{
    uint32_t addr = read_be32((const uint8_t *)group);
    uint8_t mac[6] = {0x01, 0x00, 0x5e, (addr >> 16) & 0x7f, (addr >> 8) & 0xff, addr & 0xff};

    filter(netif, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}
#endif

#if LWIP_IPV6_MLD
err_t net_filter6(struct netif *netif, const ip6_addr_t *group, enum netif_mac_filter_action action)
{
    uint8_t mac[6] = {0x33, 0x33};

    memcpy(mac + 2, &group->addr[3], 4);
    filter(netif, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}
#endif

void net_filter_all(struct net_interface *nif)
{
    struct netif *netif = &nif->netif;

    nif->filter_again = false;
#if LWIP_IGMP
    for (struct igmp_group *g = netif_igmp_data(netif); g; g = g->next)
        net_filter4(netif, &g->group_address, NETIF_ADD_MAC_FILTER);
#endif
#if LWIP_IPV6_MLD
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};

    filter(netif, all_nodes, true);
    for (struct mld_group *g = netif_mld6_data(netif); g; g = g->next)
        net_filter6(netif, &g->group_address, NETIF_ADD_MAC_FILTER);
#endif
}
