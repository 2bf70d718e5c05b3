/* SPDX-License-Identifier: ISC */
/*
 * The backend of a virtual disk (xen/include/public/io/blkif.h), as Linux' xen-blkback is seen from a
 * guest: its states in xenstore, a ring of up to 16 pages, reads, writes, flushes and barriers of up to
 * 11 segments, each copied by grant. Requests are done at once and answered in their order. Neither
 * discard nor indirect segments nor persistent grants are offered; one queue.
 */
#ifndef SIM_BLKBACK_H
#define SIM_BLKBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/unix/sim/back_ring.h"

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

#include "arch/unix/sim/disk.h"
#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/store.h"

#define BLKBACK_RING_ORDER 4 /* the largest ring that is offered */

struct blkback {
    unsigned index; /* the device's number: 51712 for xvda */
    unsigned state; /* XenbusState, as written */
    struct store_listener frontend;
    struct disk disk;

    bool connected;
    bool disabled;   /* the frontend broke the protocol */
    bool stalled;    /* does nothing, as a process that is stopped */
    bool io_stalled; /* answers no request */
    unsigned ring_pages;
    grant_ref_t ring_refs[1 << BLKBACK_RING_ORDER];
    void *ring_page; /* the first one */
    blkif_back_ring_t ring;
    struct event_port port;
    struct {
        unsigned long reads, writes, flushes, refused;
    } count; /* requests */
};

/* A backend for the device that has or will have this number. */
void blkback_create(unsigned index, const struct disk *disk);
/* The backend of a device, or NULL. */
struct blkback *blkback_of(unsigned index);
/* As the functions of netback.h; a stall of `only_io` is one of the disk below. */
void blkback_stop(struct blkback *bb, bool restart);
void blkback_crash(struct blkback *bb);
void blkback_stall(struct blkback *bb, bool only_io);
void blkback_resume(struct blkback *bb);

/* blkback_io.c: does what the guest has asked for. */
void blkback_run(struct blkback *bb);

/* For peers that lie, as in netback.h. */
enum blkback_step {
    BLKBACK_OFFER,    /* the keys are written, the state (InitWait) not yet */
    BLKBACK_CONNECT,  /* the ring is mapped, what the disk is like is written; the state is not */
    BLKBACK_RESPONSE, /* item: the response, before it is counted in rsp_prod_pvt */
    BLKBACK_PUSH,     /* rsp_prod_pvt will be published */
};
extern void (*blkback_hook)(struct blkback *bb, enum blkback_step step, void *item);
static inline void blkback_at(struct blkback *bb, enum blkback_step step, void *item)
{
    if (blkback_hook)
        blkback_hook(bb, step, item);
}

#endif
