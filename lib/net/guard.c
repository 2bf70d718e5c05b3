/* SPDX-License-Identifier: ISC */
/*
 * What lwIP believes, and nobody should: addresses that no sender can have, and what messages of IPv6 say
 * about others. Such frames are refused before lwIP has them, such messages before its nd6.c has. A Packet Too Big may be
 * in fragments: what it must not do is undone when lwIP returns.
 */
#include <string.h>

#include "kernel/log.h"
#include "lib/net/headers.h"
#include "lib/net/include/lwipnd6.h"
#include "lib/net/interface.h"
#include "lib/util.h"

#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip6.h"

#define LOG_MODULE "net"

#if LWIP_IPV4
/*
 * From nobody, which lwIP would answer by a broadcast where there is DHCP (RFC 1122 section 3.2.1.3); but what asks for
 * groups may come from there, as from a switch (RFC 4541 section 2.1.1), and is answered to the group. Or from
 * ourselves: an answer to it would be heard as a question.
 */
static bool is_false4(const struct net_interface *nif, const uint8_t *frame)
{
    uint32_t from;

    memcpy(&from, frame + AT_IP4_SRC, sizeof(from));
    return from ? from == netif_ip4_addr(&nif->netif)->addr || frame[AT_IP4_SRC] == IP_LOOPBACKNET
                : frame[AT_IP4_PROTOCOL] != IP_PROTO_IGMP;
}
#endif

#if LWIP_IPV6
bool net_has_ip6(const struct netif *netif, const uint8_t ip[16])
{
    for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
            !memcmp(netif_ip6_addr(netif, i)->addr, ip, 16))
            return true;
    }
    return false;
}

static bool discovers(uint8_t type)
{
    return type >= ICMP6_TYPE_RS && type <= ICMP6_TYPE_RD;
}

/*
 * LEN octets of neighbour discovery that lwIP must not have: a Redirect, of which it does not ask whose it is; a claim to
 * an address that we have, to which it would give way (who tries an address gives way: RFC 4862 section 5.4); options
 * that are empty or end behind the message, which it would read (RFC 4861 section 4.6).
 */
static bool is_bad_discovery(const struct net_interface *nif, const uint8_t *icmp, size_t len)
{
    static const uint8_t fields[] = {8, 16, 24, 24}; /* octets before the options of 133 to 136 */
    size_t at;

    if (*icmp == ICMP6_TYPE_RD)
        return true;
    at = fields[*icmp - ICMP6_TYPE_RS];
    if (*icmp == ICMP6_TYPE_NA && len >= at && net_has_ip6(&nif->netif, icmp + 8)) {
        log_limited(LOG_WARN, "%s: another machine says that it has our IPv6 address",
                    nif->dev->name);
        return true;
    }
    while (at < len && len - at >= 8 && icmp[at + 1] && 8u * icmp[at + 1] <= len - at)
        at += 8u * icmp[at + 1];
    return at < len;
}

/*
 * lwIP calls it for all that nd6.c takes, whose checksum is right: the last place to look, for what is in fragments is
 * known when all have come. Behind other headers, or in fragments, nobody sends discovery who means well (RFC 6980).
 */
void net_nd6_input(struct pbuf *p, struct netif *netif)
{
    struct net_interface *nif = container_of(netif, struct net_interface, netif);
    const uint8_t *icmp = p->payload;

    if (discovers(*icmp) && (p->next || ip_current_header_tot_len() != IP6_HLEN ||
                             is_bad_discovery(nif, icmp, p->len))) {
        netdev_drop(nif->dev, NETDEV_RX_FALSE);
        pbuf_free(p);
        return;
    }
    nd6_input(p, netif);
}

/* From nobody, but for a question whether an address is free (RFC 4862 section 5.4.3); or from ourselves: that question of
 * ours, when it comes back, would be taken for another's. */
static bool is_false6(const struct net_interface *nif, const uint8_t *frame, size_t len)
{
    static const uint8_t nobody[16], loopback[16] = {[15] = 1};
    const uint8_t *from = frame + AT_IP6_SRC, *ip = frame + ETH_BYTES;

    if (len <= ETH_BYTES + IP6_BYTES)
        return true;
    if (!memcmp(from, nobody, 16) &&
        (frame[AT_IP6_NEXT] != IP6_NEXTH_ICMP6 || ip[IP6_BYTES] != ICMP6_TYPE_NS))
        return true;
    return !memcmp(from, loopback, 16) || net_has_ip6(&nif->netif, from) ||
           !memcmp(frame + 6, nif->netif.hwaddr, sizeof(nif->netif.hwaddr));
}

/* What lwIP knew before a message came. */
static struct {
    struct nd6_destination_cache_entry path[LWIP_ND6_NUM_DESTINATIONS];
    uint16_t mtu;
} known;

void net_note_ip6(const struct net_interface *nif)
{
    memcpy(known.path, destination_cache, sizeof(known.path));
    known.mtu = netif_mtu6(&nif->netif);
}

/*
 * A Packet Too Big. RFC 8201 section 4: less than 1280 is not heard (with 48 octets lwIP would cut a packet into fragments
 * of nothing, for ever), nor is more than is known. And when a router says that the link takes less, no path takes more.
 */
void net_restore_ip6(struct net_interface *nif)
{
    bool narrow = netif_mtu6(&nif->netif) < known.mtu;

    if (narrow)
        nd6_clear_destination_cache();
    for (unsigned i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
        struct nd6_destination_cache_entry *path = &destination_cache[i], *was = &known.path[i];
        uint16_t most;

        if (!ip6_addr_eq(&path->destination_addr, &was->destination_addr))
            continue;
        most = was->pmtu ? was->pmtu : known.mtu; /* a large segment leaves 0 (tso.c) */
        if (path->pmtu < IP6_MIN_MTU_LENGTH || path->pmtu > most)
            path->pmtu = most;
        narrow |= path->pmtu < most;
    }
    if (narrow)
        net_make_sums();
}
#endif

bool net_is_false(const struct net_interface *nif, const uint8_t *frame, size_t len)
{
    switch (read_be16(frame + AT_ETH_TYPE)) {
#if LWIP_IPV4
    case ETH_IP4:
        return is_false4(nif, frame);
#endif
#if LWIP_IPV6
    case ETH_IP6:
        return is_false6(nif, frame, len);
#endif
    default:
        return false;
    }
}
