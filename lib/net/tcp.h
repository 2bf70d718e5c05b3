/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: see tcp.c.
 */
#ifndef LIB_NET_TCP_H
#define LIB_NET_TCP_H

#include <stdbool.h>

/* Chooses the window; comes before lwip_init(). */
void net_tcp_init(void);

struct tcp_pcb;
/* connections.c: is it in one of lwIP's lists of connections? */
bool net_tcp_is_listed(struct tcp_pcb *pcb);

/* ack.c: a connection ends, and the acknowledgement that it may owe with it. */
#ifdef CONFIG_NET_TCP_ACKS_TOGETHER
void net_tcp_drop_ack(const struct tcp_pcb *pcb);
/* Do any wait? */
bool net_tcp_acks_wait(void);
#else
static inline void net_tcp_drop_ack(const struct tcp_pcb *pcb)
{
}
static inline bool net_tcp_acks_wait(void)
{
    return false;
}
#endif

#endif
