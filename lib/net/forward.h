/* SPDX-License-Identifier: ISC */
/*
 * Sending on what was received over TCP: what an echo service, a proxy or a relay does. Without CONFIG_NET_TCP_FORWARD it is
 * copied.
 */
#ifndef LIB_NET_FORWARD_H
#define LIB_NET_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/tcp.h"

#if LWIP_TCP
#ifdef CONFIG_NET_TCP_FORWARD
/*
 * For apps: tcp_write() of p, one buffer of those that a callback of tcp_recv() was given, not empty and no chain (p->next is
 * NULL). It goes out of the page it came in, which must not be changed any more. Errors as tcp_write(); when there is
 * none, p is not the caller's any more.
 */
err_t net_tcp_forward(struct tcp_pcb *pcb, struct pbuf *p);

/* Within lib/net: what refers to the memory that p refers to, from its octet `from` on. NULL without memory. */
struct pbuf *net_refer_part(struct pbuf *p, uint16_t from);
/* And: is tcp_write() called by net_tcp_forward()? */
bool net_tcp_forwards(void);
#else
static inline err_t net_tcp_forward(struct tcp_pcb *pcb, struct pbuf *p)
{
    err_t err = tcp_write(pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY);

    if (err == ERR_OK)
        pbuf_free(p);
    return err;
}

static inline bool net_tcp_forwards(void)
{
    return false;
}

#define net_refer_part(p, from)                                                                    \
    pbuf_alloc_reference((uint8_t *)(p)->payload + (from), (u16_t)((p)->len - (from)), PBUF_ROM)
#endif
#endif

#endif
