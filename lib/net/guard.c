/* SPDX-License-Identifier: ISC */
/*
 * What lwIP believes, and nobody should: addresses that no sender can have, and what messages of IPv6 say
 * about others. Frames are refused before lwIP has them; or lwIP takes the message, which may be behind
 * extension headers or in fragments, and what it must not do is undone when it returns.
 */
#include <string.h>

#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/util.h"

#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip6.h"

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
#define DISCOVERY_FIRST ICMP6_TYPE_RS
#define DISCOVERY_LAST ICMP6_TYPE_RD

static bool is_ours(const struct netif *netif, const uint8_t ip[16])
{
    for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
            !memcmp(netif_ip6_addr(netif, i)->addr, ip, 16))
            return true;
    }
    return false;
}

/* Options that end within the message, none of them empty (RFC 4861 section 4.6); lwIP does not ask. */
static bool has_good_options(const uint8_t *icmp, const uint8_t *end)
{
    static const uint8_t start[] = {8, 16, 24, 24, 40}; /* behind the fields of 133 to 137 */
    const uint8_t *at = icmp + start[icmp[0] - DISCOVERY_FIRST];

    while (at < end && end - at >= 8 && at[1] && 8 * at[1] <= end - at)
        at += 8 * at[1];
    return at >= end;
}

/* From nobody, but for a question whether an address is free (RFC 4862 section 5.4.3); or from ourselves: that question of
 * ours, when it comes back, would be taken for another's. */
static bool is_false6(const struct net_interface *nif, const uint8_t *frame, size_t len)
{
    static const uint8_t nobody[16], loopback[16] = {[15] = 1};
    const uint8_t *from = frame + AT_IP6_SRC, *icmp = frame + ETH_BYTES + IP6_BYTES;
    bool discovers;

    if (len < ETH_BYTES + IP6_BYTES)
        return true;
    discovers = len > ETH_BYTES + IP6_BYTES && frame[AT_IP6_NEXT] == IP6_NEXTH_ICMP6 &&
                icmp[0] >= DISCOVERY_FIRST && icmp[0] <= DISCOVERY_LAST;
    if (!memcmp(from, nobody, 16) && !(discovers && icmp[0] == ICMP6_TYPE_NS))
        return true;
    if (!memcmp(from, loopback, 16) || is_ours(&nif->netif, from) ||
        !memcmp(frame + 6, nif->netif.hwaddr, sizeof(nif->netif.hwaddr)))
        return true;
    return discovers &&
           !has_good_options(icmp, MIN(frame + len, icmp + read_be16(frame + AT_IP6_LENGTH)));
}

/* What lwIP knew before a message came. */
static struct {
    struct nd6_destination_cache_entry path[LWIP_ND6_NUM_DESTINATIONS];
    uint8_t state[LWIP_IPV6_NUM_ADDRESSES];
} known;

#define REACHABLE_MAX 3600000u /* ms: RFC 4861 section 6.2.1 */

void net_note_ip6(const struct net_interface *nif)
{
    memcpy(known.path, destination_cache, sizeof(known.path));
    for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        known.state[i] = netif_ip6_addr_state(&nif->netif, i);
}

/*
 * A Packet Too Big. RFC 8201 section 4: less than 1280 is not heard (with 48 octets lwIP would cut a packet into fragments
 * of nothing, for ever), nor is more than is known. A Redirect is not heard at all: lwIP does not ask whose it is.
 */
static void restore_paths(const struct net_interface *nif)
{
    bool narrow = netif_mtu6(&nif->netif) < nif->netif.mtu;

    for (unsigned i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
        struct nd6_destination_cache_entry *path = &destination_cache[i], *was = &known.path[i];

        if (!ip6_addr_eq(&path->destination_addr, &was->destination_addr))
            continue;
        path->next_hop_addr = was->next_hop_addr;
        if (path->pmtu < IP6_MIN_MTU_LENGTH || path->pmtu > was->pmtu)
            path->pmtu = was->pmtu;
        narrow |= path->pmtu < was->pmtu;
    }
    if (narrow)
        net_make_sums();
}

void net_restore_ip6(struct net_interface *nif)
{
    restore_paths(nif);
    /* Only who has not got an address yet can lose it to another (RFC 4862 section 5.4.4). */
    for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(known.state[i]) &&
            ip6_addr_isduplicated(netif_ip6_addr_state(&nif->netif, i)))
            netif_ip6_addr_set_state(&nif->netif, (s8_t)i, known.state[i]);
    }
    reachable_time = MIN(reachable_time, REACHABLE_MAX);
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
