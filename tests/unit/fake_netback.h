/* SPDX-License-Identifier: ISC */
/*
 * A network backend for the real driver (drivers/netfront*.c) over fake_kernel.c: a grant table, a
 * xenstore of a few keys, xenbus as far as a driver sees it, and the backend's ends of both rings,
 * which it finds by what the driver writes into the store. It is honest as long as a test uses
 * netback_send() and netback_receive(); with the calls below them a test lies.
 *
 * Whatever the driver does wrong with a grant ends the test: see gnttab_*() in fake_grants.c.
 */
#ifndef TESTS_UNIT_FAKE_NETBACK_H
#define TESTS_UNIT_FAKE_NETBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/netif.h>
#include <xen/xen.h>

#include "lib/net/netdev.h"
#include "tests/unit/fake_grants.h"
#include "xen/evtchn.h"
#include "xen/ring.h"

/* --- what the store says --- */

extern struct fake_offers {
    bool no_rx_copy, no_sg, no_split, multicast;
    const char *mac, *mtu, *trusted; /* NULL: missing */
    int passing, keys_passing; /* what reading fails with: the toolstack's keys, the backend's */
} fake_offers;
/* The value of a key below device/vif/0 that the driver has written, or NULL. */
const char *fake_store(const char *key);

/* --- the device's life --- */

extern struct netdev *netback_dev;   /* as the stack knows it */
extern const char *netback_disabled; /* the rule for which the driver has given up the device */
/* Where packets go that the driver receives; it frees them. NULL: they are counted and freed. */
extern void (*netback_input)(struct pbuf *p, bool checked);
extern unsigned netback_delivered, netback_ready; /* calls of net_input() and net_tx_ready() */

void netback_plug(void);
/* The domain in which the backend is from now on: BACKEND at first. */
void netback_move(domid_t domain);
/* Connects both ends: the driver's error. Open: as connect() without connected(). */
int netback_connect(void);
int netback_open(void);
void netback_disconnect(void);
/* What the guest does when it ends. */
void netback_end_guest(void);
/* Disconnects and removes the device. The backend lets go of what it maps; then every page, grant,
 * port and object must have come back, but for what is in quarantine. */
void netback_unplug(void);

/* --- the rings, from the other end --- */

struct netback_ring {
    struct ring_header *page;
    size_t entry;
    uint32_t cons, prod;
    evtchn_port_t port;
};
extern struct netback_ring netback_rx, netback_tx;

/* Requests shown to us and not taken. */
uint32_t netback_waiting(const struct netback_ring *r);
void *netback_slot(const struct netback_ring *r, uint32_t i);
netif_rx_request_t netback_take_rx(void);
netif_tx_request_t netback_take_tx(void);
/* Writes the next response (or extra info): seen after netback_show(). */
void netback_answer(struct netback_ring *r, const void *response, size_t size);
void netback_answer_rx(uint16_t id, int status, unsigned offset, unsigned flags);
void netback_answer_tx(uint16_t id, int status);
/* Publishes the responses, and raises the event that the driver asked for. */
void netback_show(struct netback_ring *r);
/* Does what was raised, and all that follows from it. */
void netback_run(void);

/* Writes the packet of len bytes, all of them `fill`, into as many pages as it needs, at most piece
 * bytes in each. Not shown yet. */
void netback_send(unsigned char fill, size_t len, size_t piece, unsigned flags);

/* Takes up to max packets, looks into them, answers each request; returns how many. What the last
 * one was is in netback_got. */
unsigned netback_receive(unsigned max);
extern struct netback_got {
    uint8_t data[UINT16_MAX + 1];
    size_t len;
    unsigned pieces, flags;
    unsigned app_pieces; /* of those, in fake_app_pages */
    struct netif_extra_info extra;
} netback_got;

#endif
