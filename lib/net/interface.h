/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: an interface, that is a device, its lwIP netif and its addresses.
 */
#ifndef LIB_NET_INTERFACE_H
#define LIB_NET_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/list.h"
#include "lib/net/headers.h"
#include "lib/net/netdev.h"
#include "lib/net/parse.h"

#include "lwip/netif.h"

/* What was configured (address.c). */
struct net_config {
    bool dhcp;  /* ask for an IPv4 address */
    bool slaac; /* take IPv6 addresses from routers' advertisements */
    bool static4, static6;
    bool said4, said6; /* decided: by the command line, or by the toolstack after it */
#if LWIP_IPV4
    ip4_addr_t ip4, mask4, gw4;
#endif
#if LWIP_IPV6
    ip6_addr_t ip6, gw6;
    bool has_gw6;
#endif
};

/* No headers_mac(). */
#define NET_SERVE_NONE 1

struct net_interface {
    struct netif netif;
    struct netdev *dev;
    struct list node;
    struct net_config config;
    struct work changed; /* an address came or went */
    struct timer announce_timer;
    uint8_t announce[2]; /* which addresses when it fires, and when it fires after that */
    struct net_gso *gso; /* gso.c's, or NULL */
    bool completes;      /* the backend completes the checksums of TCP and UDP */
    bool added;          /* netif_add() done */
    uint64_t serves;     /* headers_mac() of the frames that net_serve() takes, or NET_SERVE_NONE */
    bool filter_again;   /* the backend could not be told about a group: its ring was full */
    /* What has been logged and published. */
#if LWIP_IPV4
    ip4_addr_t shown4;
#endif
#if LWIP_IPV6
    ip6_addr_t shown6[LWIP_IPV6_NUM_ADDRESSES];
    uint8_t duplicates; /* a bit per address that has been reported as another machine's */
#endif
};

/* frame.c */
void net_frame_init(void);
/* What lwIP is to do and what the backend, by what the device offers now. */
void net_choose_offloads(struct net_interface *interface);
/* For netif->linkoutput. */
err_t net_link_output(struct netif *netif, struct pbuf *p);
/* Gives the frame p to the device; errors as netdev's transmit(), and as lwIP says them. */
int net_transmit(struct net_interface *interface, struct pbuf *p,
                 const struct netdev_offload *offload);
err_t net_send(struct net_interface *interface, struct pbuf *p,
               const struct netdev_offload *offload);
/* From now on lwIP computes the checksums of TCP: it may have to cut segments that are longer than their way takes,
 * and nobody completes the checksum of a fragment. */
void net_make_sums(void);
/* The frame that lwIP is handling now, if it is a TCP segment or UDP datagram for which
 * headers_parse() found its headers; else frame is NULL. */
extern struct net_question {
    struct net_interface *nif;
    const uint8_t *frame;
    struct headers headers;
    bool plain; /* and it took the short way in: deliver.c */
} net_question;

/* deliver.c: gives net_question's frame, which is p, to the server that it is for. False, and nothing was done, when
 * lwIP has to look at it. checked: as net_input() is told. */
bool net_deliver(struct net_interface *nif, struct pbuf *p, bool checked);

/* Is the checksum of a datagram of len octets right, or left out where it may be? From the addresses of IP, of this
 * version, to its end nothing else lies between. */
bool net_udp_sum_right(const uint8_t *ends, const uint8_t *udp, uint16_t len, bool v4);

/* reply.c: the number of the next packet over IPv4, in no particular order of octets. */
extern uint16_t net_ip4_id;

/* serve.c */
#if LWIP_IPV4
/* What the device has may have changed: its address, MTU and offloads. */
void net_serve_prepare(struct net_interface *interface);
/* Has the frame p answered by the service that it is a plain question to; then p is gone. False, and nothing was done:
 * it is something else. */
bool net_serve(struct net_interface *interface, struct pbuf *p, unsigned flags);
#else
static inline void net_serve_prepare(struct net_interface *interface)
{
}
static inline bool net_serve(struct net_interface *interface, struct pbuf *p, unsigned flags)
{
    return false;
}
#endif

/* guard.c: comes from somebody who cannot have sent it, or has what lwIP would read beyond. A frame of LEN octets in one
 * piece, at least those of Ethernet and IPv4. */
bool net_is_false(const struct net_interface *interface, const uint8_t *frame, size_t len);
#if LWIP_IPV6
/* Is this an address of the interface, and no longer one that is only being tried? */
bool net_has_ip6(const struct netif *netif, const uint8_t ip[16]);
#endif
/* Around a frame with IPv6, but for plain TCP and UDP: what no message may change is undone. */
void net_note_ip6(const struct net_interface *interface);
void net_restore_ip6(struct net_interface *interface);

/* filter.c: tells the backend's multicast filter. For netif->igmp_mac_filter and mld_mac_filter. */
#if LWIP_IGMP
err_t net_filter4(struct netif *netif, const ip4_addr_t *group,
                  enum netif_mac_filter_action action);
#endif
#if LWIP_IPV6_MLD
err_t net_filter6(struct netif *netif, const ip6_addr_t *group,
                  enum netif_mac_filter_action action);
#endif
/* Every group anew: a new backend knows none of them, and one whose ring was full not all. */
void net_filter_all(struct net_interface *interface);

/* announce.c */
#if LWIP_IPV6
/* Tells the neighbours that netif has this address. */
void net_announce6(struct netif *netif, const ip6_addr_t *address);
#endif
/* Addresses, a bit each. */
#define ANNOUNCE_IP4 1u
#define ANNOUNCE_IP6(slot) (2u << (slot))
#define ANNOUNCE_ALL UINT8_MAX
void net_announce_init(struct net_interface *interface);
/* The link has come back: announces every address, lwIP having done so for IPv4, and once more later. */
void net_announce_again(struct net_interface *interface);
/* Has those of these addresses that are valid then announced once more, in a while. */
void net_announce_later(struct net_interface *interface, unsigned which);
/* The link is down, or the interface goes. */
void net_announce_stop(struct net_interface *interface);

/* All interfaces, struct net_interface.node. */
extern struct list net_interfaces;

/* address.c: reads the command line once. 0 or -EINVAL (logged). */
int net_address_init(void);
/* Fills interface->config for its device. */
void net_address_configure(struct net_interface *interface);
/* Link up: sets static addresses, starts DHCP and SLAAC. Link down: stops them. */
void net_address_start(struct net_interface *interface);
void net_address_stop(struct net_interface *interface);

/* report.c: logs and publishes what has changed. */
void net_report(struct net_interface *interface);

/* parse.c, with parse.h: False: the text is none, and *config undefined. */
#if LWIP_IPV4
/* Neither the network's own address nor its broadcast address; a network of two has neither. */
bool net_is_host4(const ip4_addr_t *ip, const ip4_addr_t *mask);
/* "192.0.2.2/24" into config; without a prefix length default_bits counts, 0 for none. */
bool net_parse_static4(const char *text, unsigned default_bits, struct net_config *config);
#endif
#if LWIP_IPV6
/* "2001:db8::2/64", or without the length. */
bool net_parse_static6(const char *text, struct net_config *config);
#endif

#endif
