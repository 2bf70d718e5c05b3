/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: see tcp.c.
 */
#ifndef LIB_NET_TCP_H
#define LIB_NET_TCP_H

#include <stdint.h>

#include "lwip/ip_addr.h"

/* Chooses the window; comes before lwip_init(). */
void net_tcp_init(void);

/* A SYN has arrived (and lwIP has not seen it yet); ports and seq in host order. */
void net_tcp_syn(const ip_addr_t *src, const ip_addr_t *dest, uint16_t src_port, uint16_t dest_port,
                 uint32_t seq);

#endif
