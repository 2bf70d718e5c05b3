/* SPDX-License-Identifier: ISC */
/*
 * Tells the neighbours about a new IPv6 address of ours, with an unsolicited neighbour
 * advertisement (RFC 4861, section 7.2.6). Without it, one who remembers another machine at that
 * address (the guest before it was restarted, say) tries that for some seconds first. For IPv4 lwIP
 * sends a gratuitous ARP by itself.
 */
#include "lib/net/interface.h"

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
