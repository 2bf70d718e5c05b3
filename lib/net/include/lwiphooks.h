/* SPDX-License-Identifier: ISC */
/*
 * What lwIP calls of ours in the middle of its work. Included by lwIP's files only.
 */
#ifndef NET_LWIPHOOKS_H
#define NET_LWIPHOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

/* Initial sequence numbers as RFC 6528 asks for (lib/net/tcp.c). */
uint32_t net_tcp_isn(const ip_addr_t *local_ip, uint16_t local_port, const ip_addr_t *remote_ip,
                     uint16_t remote_port);
#define LWIP_HOOK_TCP_ISN(lip, lport, rip, rport) net_tcp_isn((lip), (lport), (rip), (rport))

/* Only a SYN has options that count: an MSS in any other segment is against RFC 9293 (3.2), and lwIP,
 * which asks nothing of the segment that has it, would let anybody who guesses the ports change the
 * size of segments under those that are queued. Its variable for the options' length is the third
 * argument; timestamps would need another way. */
#if LWIP_TCP_TIMESTAMPS
#error "timestamps are options of every segment"
#endif
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p)                             \
    ((optlen) = TCPH_FLAGS(hdr) & TCP_SYN ? (optlen) : 0,                                          \
     net_tcp_may_come(pcb, TCPH_FLAGS(hdr), (p)->tot_len) ? ERR_OK : ERR_VAL)
struct tcp_pcb;
/* A segment with these flags and so many octets of data is taken for this connection or listener, which may have to make
 * room first (lib/net/connections.c). */
bool net_tcp_may_come(struct tcp_pcb *pcb, unsigned flags, unsigned len);
/* How many buffers a connection may have of what came out of order. */
unsigned net_tcp_ooseq_max(void);

/* Sends an acknowledgement by itself, soon (lib/net/ack.c). */
#ifdef CONFIG_NET_TCP_ACKS_TOGETHER
err_t net_tcp_acknowledge(struct tcp_pcb *pcb);
#else
#define net_tcp_acknowledge(pcb) tcp_send_empty_ack(pcb)
#endif

/* What refers to the app's memory (lib/net/forward.c), NULL without memory; and whether a buffer that does may be made
 * longer by what lies behind it in memory. */
#ifdef CONFIG_NET_TCP_FORWARD
struct pbuf *net_tcp_refer(uint16_t len);
bool net_tcp_continues(struct pbuf *p);
#else
#define net_tcp_refer(len) pbuf_alloc(PBUF_RAW, (len), PBUF_ROM)
#define net_tcp_continues(p) true
#endif

/*
 * Segments that are longer than the connection's, which the device cuts (lib/net/tso.c): how long one may be made; whether
 * one of len octets may be there (lwIP's own assertions), and what room is left in it; whether one fits into the window,
 * cut for that if need be; the first that is not acknowledged, cut to what has been lost; a new one; the octets that are
 * acknowledged with one; and sending.
 */
#ifdef CONFIG_NET_TSO
struct tcp_seg;
struct netif;
struct pbuf;
uint16_t net_tcp_segment(const struct tcp_pcb *pcb, uint8_t apiflags);
#define net_tcp_allowed(len, longest) true
#define net_tcp_space(longest, len) ((u16_t)(LWIP_MAX((longest), (len)) - (len)))
bool net_tcp_fits(struct tcp_pcb *pcb, struct tcp_seg *seg, const struct netif *netif,
                  uint32_t wnd);
struct tcp_seg *net_tcp_first(struct tcp_pcb *pcb);
#define net_tcp_created(seg) ((seg)->trimmed = 0)
#define net_tcp_octets(seg) ((seg)->len + (seg)->trimmed)
err_t net_tcp_send(const struct tcp_pcb *pcb, struct pbuf *p, const ip_addr_t *src,
                   const ip_addr_t *dest, uint8_t ttl, uint8_t tos, uint8_t protocol,
                   struct netif *netif);
#else
#define net_tcp_segment(pcb, apiflags) ((pcb)->mss)
#define net_tcp_allowed(len, longest) ((len) <= (longest))
#define net_tcp_space(longest, len) ((longest) - (len))
#define net_tcp_fits(pcb, seg, netif, wnd)                                                         \
    (lwip_ntohl((seg)->tcphdr->seqno) - (pcb)->lastack + (seg)->len <= (wnd))
#define net_tcp_first(pcb) ((pcb)->unacked)
#define net_tcp_created(seg) ((void)0)
#define net_tcp_octets(seg) ((seg)->len)
#define net_tcp_send(pcb, ...) ip_output_if(__VA_ARGS__)
#endif

/* The gateway given by gw6=, or NULL: then the advertised routers count (lib/net/address.c). */
#if LWIP_IPV6
struct netif;
const ip6_addr_t *net_gateway6(struct netif *netif);
#define LWIP_HOOK_ND6_GET_GW(netif, dest) net_gateway6(netif)
#endif

/* A lookup begins. It ends with an answer or when time is up, so the clocks must run, even if
 * nothing can be sent (lib/net/timeouts.c). 0: lwIP is to look. */
#if LWIP_DNS
int net_lookup_begins(void);
#define LWIP_HOOK_NETCONN_EXTERNAL_RESOLVE(name, addr, type, err) net_lookup_begins()
#endif

#endif
