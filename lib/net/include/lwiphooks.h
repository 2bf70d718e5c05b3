/* SPDX-License-Identifier: ISC */
/*
 * What lwIP calls of ours in the middle of its work. Included by lwIP's files only.
 */
#ifndef NET_LWIPHOOKS_H
#define NET_LWIPHOOKS_H

#include <stdbool.h>
#include <stdint.h>

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
    ((optlen) = TCPH_FLAGS(hdr) & TCP_SYN ? (optlen) : 0, net_tcp_may_come(pcb) ? ERR_OK : ERR_VAL)
struct tcp_pcb;
/* A segment for this connection is taken (lib/net/tcp.c). */
bool net_tcp_may_come(const struct tcp_pcb *pcb);

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
