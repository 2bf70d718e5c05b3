/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: see tcp.c.
 */
#ifndef LIB_NET_TCP_H
#define LIB_NET_TCP_H

/* Chooses the window; comes before lwip_init(). */
void net_tcp_init(void);

#endif
