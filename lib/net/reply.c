/* SPDX-License-Identifier: ISC */
/*
 * The short way back. A server over UDP answers the datagram that it was just given, and all that
 * its answer's headers need is in the question's, which lie in front of it: the addresses, turned
 * round. lwIP would ask for a route, choose an interface and look for the neighbour's Ethernet
 * address, at several times the cost.
 *
 * The answer goes to the neighbour that the question came from, as every reply on a point-to-point
 * link does. What came by the short way (deliver.c) goes back by it, should it fit one frame; everything
 * else takes lwIP's way.
 */
#include <string.h>

#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"

#include "lwip/udp.h"

bool net_asked_alone(void)
{
    const ip_addr_t *asked = ip_current_dest_addr();

    if (net_question.plain)
        return true;
    return !ip_addr_ismulticast(asked) && !ip_addr_isbroadcast(asked, ip_current_input_netif());
}

/*
 * The headers of an answer whose UDP header and payload have len octets: turn...() below. The question's may lie where
 * they come to, so whatever they take from it (both Ethernet and IP addresses, both ports) is read before anything is
 * written. They return the sum of the addresses.
 */
static void turn_ethernet(uint8_t *frame, uint64_t ours, uint64_t theirs)
{
    write_long(frame, theirs);
    /* ours has six octets in front of two of theirs, theirs six in front of the type. */
    write_long(frame + 6, (ours & 0xffffffffffff) | theirs >> 48 << 48);
}

#if LWIP_IPV4
uint16_t net_ip4_id;

static uint64_t turn4(uint8_t *frame, const struct udp_pcb *pcb, uint16_t len)
{
    const uint8_t *question = net_question.frame;
    uint64_t ours = read_long(question), theirs = read_long(question + 6);
    uint64_t ends = read_long(question + AT_IP4_SRC);
    uint32_t ports = read_word(question + AT_IP4_DEST + 4);
    uint16_t sum;

    turn_ethernet(frame, ours, theirs);
    frame[ETH_BYTES] = 0x45;
    frame[ETH_BYTES + 1] = pcb->tos;
    write_be16(frame + AT_IP4_LENGTH, (uint16_t)(IP4_BYTES + len));
    write_half(frame + AT_IP4_ID, net_ip4_id++);
    write_be16(frame + AT_IP4_FRAGMENT, 0);
    write_word(frame + AT_IP4_TTL, pcb->ttl | PROTOCOL_UDP << 8); /* and 0 for the sum */
    write_long(frame + AT_IP4_SRC, ends << 32 | ends >> 32);
    write_word(frame + AT_IP4_DEST + 4, ports << 16 | ports >> 16);
    sum = (uint16_t)~sum_fold(headers_sum_ip4(frame));
    memcpy(frame + AT_IP4_SUM, &sum, sizeof(sum));
    return ends;
}
#endif

#if LWIP_IPV6
static uint64_t turn6(uint8_t *frame, const struct udp_pcb *pcb, uint16_t len)
{
    const uint8_t *question = net_question.frame;
    uint64_t ours = read_long(question), theirs = read_long(question + 6);
    uint64_t from[2], to[2];
    uint32_t ports = read_word(question + AT_IP6_DEST + 16);

    memcpy(from, question + AT_IP6_SRC, 16);
    memcpy(to, question + AT_IP6_DEST, 16);
    turn_ethernet(frame, ours, theirs);
    write_be16(frame + ETH_BYTES, (uint16_t)(6 << 12 | pcb->tos << 4));
    write_be16(frame + ETH_BYTES + 2, 0); /* the flow label */
    write_be16(frame + AT_IP6_LENGTH, len);
    frame[AT_IP6_NEXT] = PROTOCOL_UDP;
    frame[AT_IP6_HOPS] = pcb->ttl;
    memcpy(frame + AT_IP6_SRC, to, 16);
    memcpy(frame + AT_IP6_DEST, from, 16);
    write_word(frame + AT_IP6_DEST + 16, ports << 16 | ports >> 16);
    return sum_add(sum_add(from[0], from[1]), sum_add(to[0], to[1]));
}
#endif

/*
 * All headers of the answer. The pseudo-header is the addresses and the two numbers whose sum goes to the checksum's
 * field first (RFC 768, RFC 8200 section 8.1). A backend that completes checksums adds the rest.
 */
static void turn(uint8_t *frame, const struct udp_pcb *pcb, uint16_t len, bool blank)
{
    uint8_t *udp = frame + net_question.headers.transport;
    uint64_t sum = 0;
    uint16_t folded;

#if LWIP_IPV4
    if (net_question.headers.version == 4)
        sum = turn4(frame, pcb, len);
#endif
#if LWIP_IPV6
    if (net_question.headers.version == 6)
        sum = turn6(frame, pcb, len);
#endif
    write_be16(udp + 4, len);
    write_be16(udp + 6, (uint16_t)(PROTOCOL_UDP + len));
    sum = sum_add(sum, blank ? read_half(udp + 6) : net_checksum(udp, len));
    folded = sum_fold(sum);
    if (!blank && folded != 0xffff) /* whose complement would say that there is none */
        folded = (uint16_t)~folded;
    memcpy(udp + 6, &folded, sizeof(folded));
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
    bool blank = net_question.plain && net_question.nif->completes;
    const struct netdev_offload offload = {.valid = true, .blank = blank};
    uint16_t len = (uint16_t)(p->tot_len + UDP_BYTES);
    uint16_t head = (uint16_t)(net_question.headers.transport + UDP_BYTES);

    if (!net_question.plain || !has_room(p, head) || /* by lwIP's way */
        p->tot_len + head > mtu(&net_question.nif->netif) + ETH_BYTES)
        return udp_sendto_if_src(pcb, p, to, port, ip_current_input_netif(),
                                 ip_current_dest_addr());
    p->payload = (uint8_t *)p->payload - head;
    p->len = p->tot_len = (u16_t)(p->tot_len + head);
    turn(p->payload, pcb, len, blank);
    return net_send(net_question.nif, p, &offload);
}
