/* SPDX-License-Identifier: ISC */
/*
 * The network, for apps: lwIP's raw API (lwip/udp.h, lwip/tcp.h) once net_init() has been called,
 * or BSD sockets (CONFIG_SOCKETS). Addresses come from the command line, from the toolstack, from
 * DHCP and from router advertisements: docs/network.md.
 */
#ifndef LIB_NET_NET_H
#define LIB_NET_NET_H

#include <stdbool.h>

struct netdev;

/*
 * Makes the stack ready and reads the addresses on the command line. An app calls it at the start
 * of app_init(); calling it again is harmless. 0, or -EINVAL: the command line names an address
 * that is none; the log says which, and the app should give up.
 */
int net_init(void);

/* Interface number n (0 is vif/0), with its statistics (lib/net/netdev.h), or NULL. */
const struct netdev *net_device(unsigned n);

/* True when an interface has an address from which the world can be reached. */
bool net_is_up(void);

#endif
