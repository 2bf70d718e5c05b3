/* SPDX-License-Identifier: ISC */
/*
 * lwIP's icmp6.c hands what it takes for neighbour discovery, and errors, to nd6_input(). With this, which it includes
 * before anything else (config/lwip-own.mk), guard.c has it first.
 */
#ifndef NET_LWIPND6_H
#define NET_LWIPND6_H

#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

/* p is a message of ICMPv6, its checksum right; what is good of it goes to nd6_input(). */
void net_nd6_input(struct pbuf *p, struct netif *netif);
#ifdef NET_LWIP_ICMP6
#define nd6_input net_nd6_input
#endif

#endif
