/* SPDX-License-Identifier: ISC */
/*
 * lwIP keeps its connections in lists and walks them: for each segment, and for each connection that ends.
 * With this, which its tcp.c and tcp_in.c include before anything else (config/lwip-own.mk), the lists and
 * the memory of connections are ours, and a segment's connection is the first that lwIP looks at:
 * lib/net/connections.c.
 */
#ifndef NET_LWIPTCP_H
#define NET_LWIPTCP_H

#include "lwip/priv/tcp_priv.h"

/* Puts a control block on a list, takes it off. */
void net_tcp_list(struct tcp_pcb **list, struct tcp_pcb *pcb);
void net_tcp_unlist(struct tcp_pcb **list, struct tcp_pcb *pcb);
#undef TCP_REG
#define TCP_REG(list, pcb) net_tcp_list(list, pcb)
#undef TCP_RMV
#define TCP_RMV(list, pcb) net_tcp_unlist(list, pcb)

/* As lwIP's memp_malloc() and memp_free(). */
void *net_tcp_alloc(memp_t type);
void net_tcp_free(memp_t type, void *object);

/* tcp_input() is ours, and calls lwIP's. */
void net_lwip_tcp_input(struct pbuf *p, struct netif *netif);

/* The lists as lwIP sees them while it takes a segment. */
extern struct tcp_pcb **net_tcp_active, **net_tcp_waiting;

#ifdef NET_LWIP_TCP
#define memp_malloc net_tcp_alloc
#define memp_free net_tcp_free
#endif
#ifdef NET_LWIP_TCP_IN
#define tcp_input net_lwip_tcp_input
#define tcp_active_pcbs (*net_tcp_active)
#define tcp_tw_pcbs (*net_tcp_waiting)
#endif

#endif
