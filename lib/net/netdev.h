/* SPDX-License-Identifier: ISC */
/*
 * A network device: the contract between a driver (drivers/netfront.c) and the stack (lib/net).
 *
 * The driver owns the struct and fills it; the stack calls its operations. A device is attached
 * once, its link goes up and down as often as the other end comes and goes, and it is detached
 * when it is gone for good. Everything here is called from the loop or from a thread, never from
 * the upcall, and nothing waits.
 */
#ifndef LIB_NET_NETDEV_H
#define LIB_NET_NETDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/pbuf.h"

/* What the other end does for us (netdev.features). Fixed while the link is up. */
#define NETDEV_CSUM4 0x01u /* completes TCP checksums over IPv4 */
#define NETDEV_CSUM6 0x02u
#define NETDEV_GSO4 0x04u /* cuts a large TCP segment over IPv4 into small ones */
#define NETDEV_GSO6 0x08u
#define NETDEV_MULTICAST 0x10u /* filters multicast frames; the list is ours to tell */

/* Why a packet was dropped, or not sent. */
enum netdev_drop {
    NETDEV_RX_SHORT,  /* not even headers of Ethernet and IPv4, or ARP */
    NETDEV_RX_LONG,   /* more than 65535 bytes */
    NETDEV_RX_STATUS, /* the backend reported an error */
    NETDEV_RX_MEMORY, /* no memory to receive it */
    NETDEV_RX_FALSE,  /* nobody can have sent it, or should (guard.c) */
    NETDEV_TX_DOWN,   /* no link */
    NETDEV_TX_FULL,   /* the ring is full */
    NETDEV_TX_LONG,   /* more pieces than the backend takes, or octets than the link */
    NETDEV_TX_MEMORY, /* no page to send it from */
    NETDEV_TX_STATUS, /* the backend reported an error */
    NETDEV_DROPS
};

struct netdev_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_checked;         /* its checksum was not computed here... */
    uint64_t tx_blank;           /* ...nor here */
    uint64_t rx_large, tx_large; /* longer than the MTU: segments that were not cut */
    uint64_t drops[NETDEV_DROPS];
};

/* What the other end is to do with a packet that it is given. */
struct netdev_offload {
    bool blank;        /* the TCP or UDP checksum field holds the sum of the pseudo-header only */
    bool valid;        /* the TCP or UDP checksum is there and right */
    uint8_t gso;       /* 0, or 4 or 6: a large TCP segment over that IP version... */
    uint16_t gso_size; /* ...to be cut into pieces with this many bytes of payload */
};

struct netdev {
    /* Filled before net_attach(). */
    char name[24]; /* "vif/0", for the log */
    unsigned index;
    /*
     * Sends the frame p (a chain that begins with the Ethernet header), which has at most mtu octets behind that
     * header, but with gso set. The caller keeps its reference; the driver takes its own where it still needs the
     * pages afterwards. 0, -EBUSY: the ring is full (net_tx_ready() comes), -ENOTCONN, -ENOMEM, -EMSGSIZE.
     */
    int (*transmit)(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload);
    /* Adds (or removes) a multicast address, with NETDEV_MULTICAST only. Errors as transmit(). */
    int (*multicast)(struct netdev *dev, const uint8_t mac[6], bool add);
    /* Takes what has come without an event, should the other end have failed to send one. Called when
     * the stack's clocks tick: once a second, or in ten minutes when all is quiet. May be NULL. */
    void (*look)(struct netdev *dev);

    /* Filled before net_link(dev, true). */
    uint8_t mac[6];
    uint16_t mtu;
    unsigned features;
    char address[64]; /* what the toolstack says its address is, or "" */

    /* Why the link is down, in words; a constant string. */
    const char *status;
    struct netdev_stats stats;
    unsigned posted;                 /* network pages that wait for what comes, when nothing does */
    struct net_interface *interface; /* the stack's own */
};

/* The device exists; its link is down. 0 or -ENOMEM. */
int net_attach(struct netdev *dev);
/* The link went up or down; harmless when it is so already. */
void net_link(struct netdev *dev, bool up);
/* The device is gone: after this the stack does not know it any more. */
void net_detach(struct netdev *dev);

/*
 * A frame from dev: p belongs to the stack from now on. What the driver knows of it. CHECKED: the backend says
 * that the checksum of TCP or UDP within is right, or left out because the data never was on a wire. ALONE: all of it is in
 * one network page, to which nobody else has a reference, so that no ring shows it.
 */
enum { NET_INPUT_CHECKED = 1, NET_INPUT_ALONE = 2 };
void net_input(struct netdev *dev, struct pbuf *p, unsigned flags);
/* The ring has room again after -EBUSY. Callable from within transmit(). */
void net_tx_ready(struct netdev *dev);

/* In short: "tx_full". */
const char *netdev_drop_name(enum netdev_drop why);

static inline void netdev_drop(struct netdev *dev, enum netdev_drop why)
{
    dev->stats.drops[why]++;
}

#endif
