/* SPDX-License-Identifier: ISC */
/*
 * The network, for apps: lwIP's raw API (lwip/udp.h, lwip/tcp.h) once net_init() has been called,
 * or BSD sockets (CONFIG_SOCKETS). Addresses come from the command line, from the toolstack, from
 * DHCP and from router advertisements: docs/network.md.
 */
#ifndef LIB_NET_NET_H
#define LIB_NET_NET_H

#include <stdbool.h>

#include "lwip/udp.h"

struct netdev;

/*
 * Makes the stack ready and reads the addresses on the command line. An app calls it at the start
 * of app_init(); calling it again is harmless. 0, or -EINVAL: the command line names an address
 * that is none; the log says which, and the app should give up.
 */
int net_init(void);

/* Interface number n (0 is vif/0), with its statistics (lib/net/netdev.h), or NULL. */
const struct netdev *net_device(unsigned n);

/*
 * For a callback of udp_recv(), and only within it (not in what ends the guest from there): what the datagram that it
 * was given came with.
 *
 * net_asked_alone(): it was sent to an address of this host, not to a group or a broadcast address.
 * Who answers those is an amplifier.
 *
 * net_udp_reply() sends p, which stays the caller's, to where the datagram came from (to and port,
 * as the callback got them), from the address that was asked: a client believes no other (RFC 1035
 * section 7.3). p's payload may be the datagram's own, or netpage_answer()'s or netpage_alloc()'s, whose
 * headroom the headers go to; afterwards p->payload is undefined. Errors as udp_sendto(). A fraction of
 * udp_sendto()'s cost: reply.c.
 */
bool net_asked_alone(void);
err_t net_udp_reply(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *to, uint16_t port);

/* True when an interface has an address from which the world can be reached. */
bool net_is_up(void);

#endif
