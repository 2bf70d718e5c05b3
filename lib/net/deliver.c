/* SPDX-License-Identifier: ISC */
/*
 * The short way in. Most of what a server over UDP hears is plain: a datagram whole in one frame, without IP
 * options or extension headers, from one host to an address of this one. Whose it is stands at known places,
 * and the layers that lwIP would pass it through, each of which looks for what may be there instead, have
 * nothing to add. What is checked here is what they would check; whoever fails a check is lwIP's to judge.
 *
 * The app does not notice: lwIP's ip_current_...() say what they would have said.
 */
#include <string.h>

#include "lib/net/interface.h"

#include "lwip/udp.h"

/* Does it hear who asks any address of ours over the question's version of IP? */
static bool hears_all(const struct udp_pcb *pcb)
{
    if (!IP_IS_ANY_TYPE_VAL(pcb->local_ip) &&
        IP_IS_V6_VAL(pcb->local_ip) != (net_question.headers.version == 6))
        return false;
    return ip_addr_isany(&pcb->local_ip) && pcb->netif_idx == NETIF_NO_INDEX &&
           !(pcb->flags & UDP_FLAGS_CONNECTED);
}

/* The one server at the port, should it hear everybody; who hears some only is lwIP's to find. */
static struct udp_pcb *find_server(uint16_t port)
{
    struct udp_pcb *found = NULL;

    for (struct udp_pcb *pcb = udp_pcbs; pcb; pcb = pcb->next) {
        if (pcb->local_port != port)
            continue;
        if (found || !hears_all(pcb) || !pcb->recv)
            return NULL;
        found = pcb;
    }
    return found;
}

#if LWIP_IPV4
/* Whether LEN octets of IPv4, of which those of the header are there, came whole from one host to us (RFC 791,
 * RFC 1122 section 3.2.1.3; guard.c has looked at the sender already). */
static bool is_plain4(const struct netif *netif, const uint8_t *frame, size_t len)
{
    uint32_t from, to;

    memcpy(&from, frame + AT_IP4_SRC, sizeof(from));
    memcpy(&to, frame + AT_IP4_DEST, sizeof(to));
    if (frame[ETH_BYTES] != 0x45 || !to || to != netif_ip4_addr(netif)->addr ||
        frame[AT_IP4_SRC] >= 224 ||
        (from | netif_ip4_netmask(netif)->addr) == UINT32_MAX || /* perhaps a broadcast address */
        len != read_be16(frame + AT_IP4_LENGTH) || !sum_is_ones(headers_sum_ip4(frame)))
        return false;
    ip_addr_set_ip4_u32_val(ip_data.current_iphdr_src, from);
    ip_addr_set_ip4_u32_val(ip_data.current_iphdr_dest, to);
    ip_data.current_ip4_header = (const struct ip_hdr *)(frame + ETH_BYTES);
    ip_data.current_ip_header_tot_len = IP4_BYTES;
    return true;
}
#endif

#if LWIP_IPV6
/* An address without a zone: global (RFC 4291 section 2.4) or unique local (RFC 4193). */
static bool is_global(const uint8_t ip[16])
{
    return ip[0] >> 5 == 1 || ip[0] >> 1 == 0xfc >> 1;
}

static void set_current6(ip_addr_t *current, const uint8_t ip[16])
{
    IP_SET_TYPE(current, IPADDR_TYPE_V6);
    memcpy(ip_2_ip6(current)->addr, ip, 16);
    ip6_addr_clear_zone(ip_2_ip6(current));
}

static bool is_plain6(const struct netif *netif, uint8_t *frame, size_t len)
{
    const uint8_t *from = frame + AT_IP6_SRC, *to = frame + AT_IP6_DEST;

    if (frame[ETH_BYTES] >> 4 != 6 || len != IP6_BYTES + (size_t)read_be16(frame + AT_IP6_LENGTH) ||
        !is_global(from) || !is_global(to) || !net_has_ip6(netif, to))
        return false;
    set_current6(&ip_data.current_iphdr_src, from);
    set_current6(&ip_data.current_iphdr_dest, to);
    ip_data.current_ip6_header = (struct ip6_hdr *)(frame + ETH_BYTES);
    ip_data.current_ip_header_tot_len = IP6_BYTES;
    return true;
}
#endif

static bool is_plain_packet(const struct netif *netif, uint8_t *frame, size_t len)
{
#if LWIP_IPV4
    if (net_question.headers.version == 4)
        return is_plain4(netif, frame, len);
#endif
#if LWIP_IPV6
    return is_plain6(netif, frame, len);
#else
    return false;
#endif
}

/* Over IPv4 it may be left out (RFC 768); over IPv6 lwIP says what to think of that. */
bool net_udp_sum_right(const uint8_t *ends, const uint8_t *udp, uint16_t len, bool v4)
{
    const uint8_t pseudo[] = {0, PROTOCOL_UDP, (uint8_t)(len >> 8), (uint8_t)len};
    uint64_t sum;

    if (!read_be16(udp + 6))
        return v4;
    sum = (uint64_t)net_checksum(pseudo, sizeof(pseudo)) +
          net_checksum(ends, (int)(udp + len - ends));
    return sum_is_ones(sum);
}

bool net_deliver(struct net_interface *nif, struct pbuf *p, bool checked)
{
    uint8_t *frame = p->payload, *udp = frame + net_question.headers.transport;
    struct netif *netif = &nif->netif;
    struct udp_pcb *pcb;
    bool v4 = net_question.headers.version == 4;
    uint16_t len;

    if (!net_question.frame || net_question.headers.protocol != PROTOCOL_UDP || p->next ||
        (frame[0] | frame[6]) & 1) /* groups: one of many that hear it, or nobody to answer */
        return false;
    len = read_be16(udp + 4);
    if (len < UDP_BYTES || udp + len > frame + p->len)
        return false;
    pcb = find_server(read_be16(udp + 2));
    if (!pcb || !is_plain_packet(netif, frame, (size_t)(udp + len - frame - ETH_BYTES)) ||
        !(checked || net_udp_sum_right(frame + (v4 ? AT_IP4_SRC : AT_IP6_SRC), udp, len, v4)))
        return false;
    ip_data.current_netif = ip_data.current_input_netif = netif;
    net_question.plain = true;
    p->if_idx = netif_get_index(netif);
    p->payload = udp + UDP_BYTES;
    p->len = p->tot_len = (u16_t)(len - UDP_BYTES);
    pcb->recv(pcb->recv_arg, pcb, p, ip_current_src_addr(), read_be16(udp));
    net_question.plain = false;
    ip_data.current_netif = ip_data.current_input_netif = NULL;
#if LWIP_IPV4
    ip_data.current_ip4_header = NULL;
#endif
#if LWIP_IPV6
    ip_data.current_ip6_header = NULL;
#endif
    return true;
}
