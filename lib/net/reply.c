/* SPDX-License-Identifier: ISC */
/*
 * The short way back. A server over UDP answers the datagram that it was just given, and all that
 * its answer's headers need is in the question's, which lie in front of it: the addresses, turned
 * round. lwIP would ask for a route, choose an interface and look for the neighbour's Ethernet
 * address, at twice the cost of everything that remains.
 *
 * The answer goes to the neighbour that the question came from, as every reply on a point-to-point
 * link does. Only what is plain goes this way: a datagram that came whole in one frame, without IP
 * options or extension headers, to an address of this host alone, and an answer that needs no
 * fragments. Everything else takes lwIP's way.
 */
#include <string.h>

#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"

#include "lwip/inet_chksum.h"
#include "lwip/udp.h"

bool net_asked_alone(void)
{
    const ip_addr_t *asked = ip_current_dest_addr();

#if LWIP_IPV4
    if (!IP_IS_V6(asked) && ip4_addr_eq(ip_2_ip4(asked), netif_ip4_addr(ip_current_input_netif())))
        return true;
#endif
    return !ip_addr_ismulticast(asked) && !ip_addr_isbroadcast(asked, ip_current_input_netif());
}

/* Whether the datagram that lwIP shows to the app is the one in net_question.frame. */
static bool is_plain(void)
{
    const uint8_t *frame = net_question.frame;

    if (!frame || frame[6] & 1) /* a group is nobody to send to */
        return false;
#if LWIP_IPV4
    if (net_question.headers.version == 4)
        return frame + ETH_BYTES == (const uint8_t *)ip4_current_header() &&
               frame[ETH_BYTES] == 0x45;
#endif
#if LWIP_IPV6
    return frame + ETH_BYTES == (const uint8_t *)ip6_current_header();
#else
    return false;
#endif
}

/* What the answer takes from the question: both IP addresses and, right behind them, both ports. */
struct ends {
    uint8_t neighbour[6];
    uint8_t octets[36];
};

#if LWIP_IPV4
static void turn4(uint8_t *frame, const struct ends *ends, const struct udp_pcb *pcb, size_t len)
{
    static uint16_t id;
    u16_t sum;

    frame[ETH_BYTES] = 0x45;
    frame[ETH_BYTES + 1] = pcb->tos;
    write_be16(frame + AT_IP4_LENGTH, (uint16_t)(IP4_BYTES + len));
    write_be16(frame + AT_IP4_ID, id++);
    write_be16(frame + AT_IP4_FRAGMENT, 0);
    frame[AT_IP4_TTL] = pcb->ttl;
    frame[AT_IP4_PROTOCOL] = PROTOCOL_UDP;
    write_be16(frame + AT_IP4_SUM, 0);
    memcpy(frame + AT_IP4_SRC, ends->octets + 4, 4);
    memcpy(frame + AT_IP4_DEST, ends->octets, 4);
    memcpy(frame + AT_IP4_DEST + 4, ends->octets + 10, 2);
    memcpy(frame + AT_IP4_DEST + 6, ends->octets + 8, 2);
    sum = inet_chksum(frame + ETH_BYTES, IP4_BYTES);
    memcpy(frame + AT_IP4_SUM, &sum, sizeof(sum));
}
#endif

#if LWIP_IPV6
static void turn6(uint8_t *frame, const struct ends *ends, const struct udp_pcb *pcb, size_t len)
{
    write_be16(frame + ETH_BYTES, (uint16_t)(6 << 12 | pcb->tos << 4));
    write_be16(frame + ETH_BYTES + 2, 0); /* the flow label */
    write_be16(frame + AT_IP6_LENGTH, (uint16_t)len);
    frame[AT_IP6_NEXT] = PROTOCOL_UDP;
    frame[AT_IP6_HOPS] = pcb->ttl;
    memcpy(frame + AT_IP6_SRC, ends->octets + 16, 16);
    memcpy(frame + AT_IP6_DEST, ends->octets, 16);
    memcpy(frame + AT_IP6_DEST + 16, ends->octets + 34, 2);
    memcpy(frame + AT_IP6_DEST + 18, ends->octets + 32, 2);
}
#endif

/* All headers of an answer whose UDP header and payload have len bytes. The question's may lie where the
 * answer's come to: so the first to be written is nothing that is still to be read. */
static void turn(uint8_t *frame, const struct udp_pcb *pcb, uint16_t len)
{
    const uint8_t *question = net_question.frame;
    uint8_t version = net_question.headers.version, *udp = frame + net_question.headers.transport;
    struct ends ends;
    uint8_t *pseudo;
    uint16_t sum;

    memcpy(ends.neighbour, question + 6, 6);
    if (version == 4)
        memcpy(ends.octets, question + AT_IP4_SRC, 12);
    else
        memcpy(ends.octets, question + AT_IP6_SRC, 36);
    memcpy(frame, ends.neighbour, 6);
    memcpy(frame + 6, net_question.nif->netif.hwaddr, 6);
    write_be16(frame + AT_ETH_TYPE, version == 4 ? ETH_IP4 : ETH_IP6);
#if LWIP_IPV4
    if (version == 4)
        turn4(frame, &ends, pcb, len);
#endif
#if LWIP_IPV6
    if (version == 6)
        turn6(frame, &ends, pcb, len);
#endif
    write_be16(udp + 4, len);
    /* The pseudo-header (RFC 768, RFC 8200 section 8.1) is the addresses, which lie in front of UDP's,
     * and these two numbers. */
    write_be16(udp + 6, (uint16_t)(PROTOCOL_UDP + len));
    pseudo = frame + (version == 4 ? AT_IP4_SRC : AT_IP6_SRC);
    sum = inet_chksum(pseudo, (u16_t)(udp - pseudo + len));
    sum = sum ? sum : 0xffff; /* 0 would say that there is none */
    memcpy(udp + 6, &sum, sizeof(sum));
}

/* Over IPv6 what any path takes; lwIP knows of those that take more. */
static uint16_t mtu(const struct netif *netif)
{
#if LWIP_IPV6
    if (net_question.headers.version == 6)
        return MIN(netif_mtu6(netif), (u16_t)IP6_MIN_MTU_LENGTH);
#endif
    return netif->mtu;
}

/* The page's room in front of the payload is for headers, and no packet is on its way out from it. */
static bool has_room(struct pbuf *p, uint16_t head)
{
    const struct netpage *np = netpage_of(p);

    return np && !np->sends && !p->next && (uint8_t *)p->payload - np->page >= head;
}

err_t net_udp_reply(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *to, uint16_t port)
{
    static const struct netdev_offload offload = {.valid = true};
    uint16_t len = (uint16_t)(p->tot_len + UDP_BYTES);
    uint16_t head = (uint16_t)(net_question.headers.transport + UDP_BYTES);

    if (!is_plain() || !net_asked_alone() || !has_room(p, head) || /* by lwIP's way */
        p->tot_len + head > mtu(&net_question.nif->netif) + ETH_BYTES)
        return udp_sendto_if_src(pcb, p, to, port, ip_current_input_netif(),
                                 ip_current_dest_addr());
    pbuf_add_header_force(p, head);
    turn(p->payload, pcb, len);
    return net_send(net_question.nif, p, &offload);
}
