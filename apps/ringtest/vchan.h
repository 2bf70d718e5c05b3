/* SPDX-License-Identifier: ISC */
/*
 * One end of a vchan (xen/include/public/io/libxenvchan.h): a stream of bytes each way between two
 * domains, over pages that the server lends to the client. The server finds room for it in xenstore,
 * where it writes ring-ref and event-channel; the client is told the path.
 *
 * "left" is what the client writes and the server reads, "right" the other direction. A ring has
 * 2^order bytes: 1024 or 2048 of the shared page itself at an offset of as many, or whole pages.
 */
#ifndef RINGTEST_VCHAN_H
#define RINGTEST_VCHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/libxenvchan.h>

#include "kernel/thread.h"
#include "xen/evtchn.h"
#include "xen/gntmap.h"
#include "xen/lending.h"

#define VCHAN_ORDER_MIN 10
#define VCHAN_ORDER_MAX 14 /* of ours; libxenvchan goes up to 20 */
#define VCHAN_PATH_MAX 64

/* One direction. `own` and `seen` are all that is believed of its two indices: the one that we write,
 * and how far the peer's had come. Invariant: the bytes between them are at most `size`. */
struct vchan_ring {
    struct ring_shared *shared;
    void *data;
    uint32_t size;
    uint32_t own, seen;
};

struct vchan {
    unsigned number;
    domid_t peer;
    char path[VCHAN_PATH_MAX];
    struct vchan_interface *page; /* shared */
    struct vchan_ring in, out;
    uint8_t *ask;  /* where we say what we want to be told of; the peer clears it */
    uint8_t *tell; /* where the peer says so; we clear it */
    uint8_t *peer_live;
    uint8_t *own_live;
    struct lending *lent;                      /* the server's pages */
    struct gntmap mapped, left_map, right_map; /* the client's views of the other's */
    evtchn_port_t port;
    struct wait_queue queue; /* for whatever the peer does */
    bool open;               /* made, and not closed */
    bool connected;          /* the peer is there */
    bool gone;               /* and does not come again */
    bool broken;
    bool progress; /* the peer has done something since the last event */
};

/* Lends the pages and tells the client where they are. 0, -EINVAL (orders), -ENOMEM, -ENOSPC, or
 * xenstore's error. To be called from a thread, like the other three. */
int vchan_serve(struct vchan *v, unsigned number, domid_t client, unsigned left, unsigned right);
/* Finds the server's end at an absolute path, as soon as it is there, and connects to it. 0, -ETIMEDOUT: it
 * is not there, -EPROTO: what it says of its rings cannot be (reported), -EACCES: it does not lend them,
 * -ENOMEM, or what Xen said. */
int vchan_connect(struct vchan *v, unsigned number, domid_t server, const char *path);
/* Waits until there is something: how many bytes of it, at most size, are in buf then; 0: the peer has
 * closed; -EPROTO: it broke the protocol, which has been reported. */
int vchan_read(struct vchan *v, void *buf, size_t size);
/* Writes all of it, waiting for room. 0, -EPIPE: the peer has closed; or -EPROTO. */
int vchan_write(struct vchan *v, const void *buf, size_t size);
/* Waits until the peer has read all that was written. As vchan_write(). */
int vchan_drain(struct vchan *v);
/* Lets go of everything, as often as it is called. */
void vchan_close(struct vchan *v);

/* Between vchan.c and vchan_ends.c. */
enum { VCHAN_GONE, VCHAN_CONNECTED, VCHAN_EXPECTED }; /* cli_live, srv_live */
void vchan_event(void *ctx);
void vchan_ask(struct vchan *v, uint8_t bit);
/* The peer broke the protocol: logs the rule and the value, once, and counts. */
void vchan_breach(struct vchan *v, const char *rule, uint64_t value);

/* How many have been disabled. */
unsigned vchan_count_disabled(void);

#endif
