/* SPDX-License-Identifier: ISC */
/*
 * The network, for apps: lwIP's raw API (lwip/udp.h, lwip/tcp.h) once net_init() has been called,
 * or BSD sockets (CONFIG_SOCKETS). Addresses come from the command line, from the toolstack, from
 * DHCP and from router advertisements: docs/network.md.
 */
#ifndef LIB_NET_NET_H
#define LIB_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/*
 * A server over UDP that answers at once, and writes its answer over the question: the fastest way there is (serve.c).
 * Both functions stay the service's for good.
 */
struct net_service {
    /*
     * Answers the len octets at message, which somebody sent to an address of this host, and returns the answer's length; 0:
     * there is none to send; or NET_PASS, having changed nothing: received() gets it. From message on NET_SERVE_ROOM octets
     * may be written, and an answer has no more; len is no more.
     */
    int (*answer)(uint8_t *message, size_t len);
    /* A callback of udp_recv(), for what is not plain: comes over IPv6 or in pieces, or is for others as well. */
    udp_recv_fn received;
    /* lib/net's. */
    struct net_service *next;
    uint16_t port; /* in the network's order */
};

enum { NET_PASS = -1, NET_SERVE_ROOM = 1472 };

/* Serves a port that nobody else has, at all addresses. Errors as udp_bind(). */
err_t net_udp_serve(struct net_service *service, uint16_t port);

/* For answer(): who asks, whose headers lie in front of the message. */
static inline uint32_t net_asker_ip4(const uint8_t *message)
{
    uint32_t ip4; /* in the network's order, as lwIP has it */

    memcpy(&ip4, message - 16, sizeof(ip4));
    return ip4;
}

static inline uint16_t net_asker_port(const uint8_t *message)
{
    return (uint16_t)(message[-8] << 8 | message[-7]);
}

/* True when an interface has an address from which the world can be reached. */
bool net_is_up(void);

#endif
