/* SPDX-License-Identifier: ISC */
/*
 * Tells the neighbours about an address of ours: with an ARP announcement (RFC 5227, section 2.3)
 * or an unsolicited neighbour advertisement (RFC 4861, section 7.2.6). Without it, one who remembers
 * another machine at that address (the guest before it was restarted, say) tries that for some
 * seconds first.
 *
 * Each is sent twice, as RFC 5227 wants: at once, and ANNOUNCE_INTERVAL later. The first may be
 * lost: the backend can be connected before dom0's bridge forwards what comes from its port. (The
 * first one for IPv4 is lwIP's own.)
 */
#include "kernel/app.h"
#include "lib/net/interface.h"

#include "lwip/etharp.h"

#define ANNOUNCE_INTERVAL (2 * NSEC_PER_SEC) /* RFC 5227, section 1.1 */

#if LWIP_IPV6
#include <string.h>

#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/nd6.h"

#define HOP_LIMIT 255 /* the receiver checks that nobody has forwarded it */

void net_announce6(struct netif *netif, const ip6_addr_t *address)
{
    struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct na_header) + 8, PBUF_RAM);
    struct na_header *na;
    ip6_addr_t all_nodes;
    uint8_t *option;

    if (!p)
        return; /* only an optimisation */
    ip6_addr_set_allnodes_linklocal(&all_nodes);
    ip6_addr_assign_zone(&all_nodes, IP6_MULTICAST, netif);
    memset(p->payload, 0, p->len);
    na = p->payload;
    na->type = ICMP6_TYPE_NA;
    na->flags = ND6_FLAG_OVERRIDE;
    memcpy(&na->target_address, address->addr, 16);
    option = (uint8_t *)(na + 1);
    option[0] = ND6_OPTION_TYPE_TARGET_LLADDR;
    option[1] = 1; /* times eight bytes */
    memcpy(option + 2, netif->hwaddr, 6);
    na->chksum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->len, address, &all_nodes);
    (void)ip6_output_if(p, address, &all_nodes, HOP_LIMIT, 0, IP6_NEXTH_ICMP6, netif);
    pbuf_free(p);
}
#endif

static void announce(struct netif *netif, unsigned which)
{
#if LWIP_IPV4
    if ((which & ANNOUNCE_IP4) && !ip4_addr_isany(netif_ip4_addr(netif)))
        (void)etharp_gratuitous(netif);
#endif
#if LWIP_IPV6
    for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if ((which & ANNOUNCE_IP6(i)) && ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
            net_announce6(netif, netif_ip6_addr(netif, i));
    }
#endif
}

static void time_to_announce(struct timer *t)
{
    struct net_interface *nif = container_of(t, struct net_interface, announce_timer);

    announce(&nif->netif, nif->announce[0]);
    nif->announce[0] = nif->announce[1];
    nif->announce[1] = 0;
    if (nif->announce[0])
        timer_arm_in(t, ANNOUNCE_INTERVAL);
}

void net_announce_init(struct net_interface *nif)
{
    timer_init(&nif->announce_timer, time_to_announce);
}

void net_announce_later(struct net_interface *nif, unsigned which)
{
    /* What comes while the timer runs neither puts it off nor goes with it, too soon. */
    nif->announce[nif->announce_timer.armed] |= (uint8_t)which;
    if (!nif->announce_timer.armed)
        timer_arm_in(&nif->announce_timer, ANNOUNCE_INTERVAL);
}

void net_announce_again(struct net_interface *nif)
{
    announce(&nif->netif, ANNOUNCE_ALL & ~ANNOUNCE_IP4);
    net_announce_later(nif, ANNOUNCE_ALL);
}

void net_announce_stop(struct net_interface *nif)
{
    timer_disarm(&nif->announce_timer);
    nif->announce[0] = nif->announce[1] = 0;
}
