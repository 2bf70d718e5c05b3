/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: an interface, that is a device, its lwIP netif and its addresses.
 */
#ifndef LIB_NET_INTERFACE_H
#define LIB_NET_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/work.h"
#include "lib/list.h"
#include "lib/net/netdev.h"

#include "lwip/netif.h"

/* What was configured (address.c). */
struct net_config {
    bool dhcp;   /* ask for an IPv4 address */
    bool slaac;  /* take IPv6 addresses from routers' advertisements */
    bool static4, static6;
#if LWIP_IPV4
    ip4_addr_t ip4, mask4, gw4;
#endif
#if LWIP_IPV6
    ip6_addr_t ip6, gw6;
    bool has_gw6;
#endif
};

struct net_interface {
    struct netif netif;
    struct netdev *dev;
    struct list node;
    struct net_config config;
    struct work changed; /* an address came or went */
    uint16_t checksums;  /* the netif's checksum flags without those of the packet at hand */
    bool added;          /* netif_add() done */
    /* What has been logged and published. */
#if LWIP_IPV4
    ip4_addr_t shown4;
#endif
#if LWIP_IPV6
    ip6_addr_t shown6[LWIP_IPV6_NUM_ADDRESSES];
#endif
};

#if LWIP_IPV6
/* announce.c: tells the neighbours that netif has this address. */
void net_announce6(struct netif *netif, const ip6_addr_t *address);
#endif

/* All interfaces, struct net_interface.node. */
extern struct list net_interfaces;

/* address.c: reads the command line once. 0 or -EINVAL (logged). */
int net_address_init(void);
/* Fills interface->config for its device. */
void net_address_configure(struct net_interface *interface);
/* Link up: sets static addresses, starts DHCP and SLAAC. Link down: stops them. */
void net_address_start(struct net_interface *interface);
void net_address_stop(struct net_interface *interface);
/* Logs and publishes what has changed. */
void net_address_report(struct net_interface *interface);

#endif
