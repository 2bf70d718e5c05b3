/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: large TCP segments out of small ones. See gso.c.
 */
#ifndef LIB_NET_GSO_H
#define LIB_NET_GSO_H

#include <stdbool.h>

#include "lib/net/headers.h"

struct net_gso;
struct net_interface;
struct pbuf;

enum net_gso_verdict {
    NET_GSO_PASS,  /* not taken: send it */
    NET_GSO_TAKEN, /* copied: it will be sent by the end of the turn */
    NET_GSO_BUSY,  /* the ring is full: what was taken earlier must go first */
};

#ifdef CONFIG_NET_GSO
/* Offers p, a frame with a TCP segment whose headers are h. */
enum net_gso_verdict net_gso_take(struct net_gso *g, struct pbuf *p, const struct headers *h);
/* Sends what is collected. False: the ring is full, it is kept. */
bool net_gso_flush(struct net_gso *g);

/* The link has come up: makes interface->gso, NULL when the device does not cut segments. */
void net_gso_configure(struct net_interface *interface);
void net_gso_free(struct net_interface *interface);
#else
static inline enum net_gso_verdict net_gso_take(struct net_gso *g, struct pbuf *p,
                                                const struct headers *h)
{
    return NET_GSO_PASS;
}
static inline bool net_gso_flush(struct net_gso *g)
{
    return true;
}
static inline void net_gso_configure(struct net_interface *interface)
{
}
static inline void net_gso_free(struct net_interface *interface)
{
}
#endif

#ifdef CONFIG_NET_TSO
/* tso.c: a segment is being sent that is to be cut into pieces with this many octets of payload, or 0. */
uint16_t net_tso_size(void);
#else
static inline uint16_t net_tso_size(void)
{
    return 0;
}
#endif

#endif
