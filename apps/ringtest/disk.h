/* SPDX-License-Identifier: ISC */
/*
 * A disk's frontend with nothing above it: a job is one request on the ring.
 *
 * A job is in `jobs` from disk_submit() to its done(), in order. It is on the ring while in_flight; then
 * job[id] is what was asked for under that id, and four lent pages that belong to the id hold the data.
 * When the connection ends, jobs in flight are put on the next ring again, in their order: a backend that
 * restarts costs nothing that was asked of it. While any are, the ring is looked at once a second, event or not:
 * a backend that fails to send one costs no more than that.
 */
#ifndef RINGTEST_DISK_H
#define RINGTEST_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/blkif.h>

#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/list.h"
#include "xen/evtchn.h"
#include "xen/lending.h"
#include "xen/ring.h"
#include "xen/xenbus.h"

#define DISK_SECTOR 512u
#define DISK_PAGE_ORDER 2 /* of a job's pages */
#define DISK_JOB_PAGES (1u << DISK_PAGE_ORDER)
#define DISK_JOBS 32 /* in flight; what fits into a ring of one page */
#define DISK_JOB_SECTORS (DISK_JOB_PAGES * 4096 / DISK_SECTOR)

struct disk_job {
    uint8_t operation; /* BLKIF_OP_READ, _WRITE or _FLUSH_DISKCACHE */
    uint64_t sector;
    unsigned count; /* of sectors, DISK_JOB_SECTORS at most */
    uint8_t *data;  /* the caller's, private: copied to and from pages that are lent */
    /* For requests that no honest frontend makes: called last, and may change it. Or NULL. */
    void (*spoil)(struct blkif_request *request);
    int status; /* BLKIF_RSP_, or -EIO when the device is disabled or gone */
    void (*done)(struct disk_job *job);
    /* the disk's own: */
    struct list node;
    bool in_flight;
};

/* Its frontend's state. */
struct disk {
    struct xenbus_device *dev;
    struct ring ring;
    struct ring_ids ids;
    struct ring_id id[DISK_JOBS];
    /* What was asked, by id, while it is in flight (rules 3 and 5). */
    struct disk_job *job[DISK_JOBS];
    uint8_t asked[DISK_JOBS];
    struct lending *lent; /* the ring's pages, then DISK_JOB_PAGES for each id */
    unsigned ring_order;
    evtchn_port_t port;
    struct work work;
    struct timer look; /* while something is in flight: an event may have been lost */
    struct list jobs;
    uint64_t sectors;
    bool readonly, flushes;
    bool running; /* the backend is connected */
    bool broken;  /* reported; nothing is read from the ring any more */
    bool progress;
};

/* disk_ring.c: puts on the ring what has room there. */
void disk_pump(struct disk *d);
/* Handles what has come, up to a budget. */
void disk_poll(struct disk *d);
/* The backend broke the protocol. */
void disk_breach(struct disk *d, const char *rule, uint64_t value);
/* Ends a job, which is not in flight. */
void disk_finish(struct disk_job *job, int status);

/* The disk with that number (51712 for xvda), or NULL. */
struct disk *disk_find(unsigned index);
/* Does the job, once the backend is there: again if it restarts meanwhile. done() is called from the
 * event loop or from the watch thread, and must not wait. */
void disk_submit(struct disk *disk, struct disk_job *job);

#endif
