/* SPDX-License-Identifier: ISC */
/*
 * Which fault is armed, when it strikes, and what it does. Two tables: moments, of which one kind is
 * counted down; and faults. Those of a backend are of vif 0's, or of xvda's.
 */
#include "tests/peers/faults.h"

#include <string.h>

#include "arch/unix/sim/blkback.h"
#include "arch/unix/sim/event_channel.h"
#include "arch/unix/sim/netback.h"
#include "arch/unix/sim/peer.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/vchan.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"
#include "tests/peers/lies.h"

#define XVDA TOOLSTACK_VBD(0)

enum moment {
    NOW,
    WRITE,   /* the guest writes a key of the device's, which is not done yet... */
    WRITTEN, /* ...and is done: the backend has not looked, the guest has no answer */
    ASKED,   /* the guest asks the store for anything; it has not been answered */
    EVENT,   /* the peer that the fault is about sends an event */
    PORT,    /* now, about the guest's port of that number */
    STEP, /* the vchan's other end is there, has written or has read: the guest has not been told */
};
static const char *const moments[] = {"now", "write", "written", "asked", "event", "port", "step"};

/* A name that begins with the device's kind is that of a fault of its backend's. */
struct fault {
    const char *name;
    void (*strike)(unsigned number);
    const char *event; /* of which end's events */
};

static struct {
    const struct fault *fault;
    enum moment moment;
    unsigned after;
    bool struck;
} armed;

/* --- what they do ------------------------------------------------------------------------------ */

static struct netback *vif(void)
{
    return netback_of(0);
}

static void vif_stop(unsigned unused)
{
    (void)unused;
    netback_stop(vif(), false);
}

/* Its watch on the frontend's state fires once, as every new watch does. */
static void vif_restart(unsigned unused)
{
    (void)unused;
    netback_stop(vif(), true);
    vif()->frontend.fired = true;
}

static void vif_crash(unsigned unused)
{
    (void)unused;
    netback_crash(vif());
}

static void vif_vanish(unsigned unused)
{
    (void)unused;
    netback_crash(vif());
    store_remove(toolstack_backend_path("vif", 0, ""));
}

static void vif_stall(unsigned unused)
{
    (void)unused;
    netback_stall(vif(), false);
}

static void vif_stall_tx(unsigned unused)
{
    (void)unused;
    netback_stall(vif(), true);
}

static void vif_resume(unsigned unused)
{
    (void)unused;
    netback_resume(vif());
}

static struct blkback *vbd(void)
{
    return blkback_of(XVDA);
}

static void vbd_stop(unsigned unused)
{
    (void)unused;
    blkback_stop(vbd(), false);
}

static void vbd_restart(unsigned unused)
{
    (void)unused;
    blkback_stop(vbd(), true);
    vbd()->frontend.fired = true;
}

static void vbd_crash(unsigned unused)
{
    (void)unused;
    blkback_crash(vbd());
}

static void vbd_vanish(unsigned unused)
{
    (void)unused;
    blkback_crash(vbd());
    store_remove(toolstack_backend_path("vbd", XVDA, ""));
}

static void vbd_stall(unsigned unused)
{
    (void)unused;
    blkback_stall(vbd(), false);
}

static void vbd_stall_io(unsigned unused)
{
    (void)unused;
    blkback_stall(vbd(), true);
}

static struct {
    struct timer timer;
    blkif_request_t requests[32];
    unsigned count;
} kept;

static void let_go_of_kept(struct timer *timer)
{
    (void)timer;
    while (kept.count--)
        for (unsigned i = 0; i < kept.requests[kept.count].nr_segments; i++)
            grant_unmap(kept.requests[kept.count].seg[i].gref,
                        kept.requests[kept.count].operation == BLKIF_OP_WRITE);
}

/* The pages of what is on the ring stay mapped for a while, whatever becomes of the device. */
static void vbd_keep(unsigned unused)
{
    const blkif_back_ring_t *ring = &vbd()->ring;
    void *page;

    (void)unused;
    kept.count = 0;
    for (RING_IDX i = ring->req_cons; i != ring->sring->req_prod; i++) {
        blkif_request_t *r = &kept.requests[kept.count++];

        RING_COPY_REQUEST(ring, i, r);
        for (unsigned n = 0; n < r->nr_segments; n++)
            if (grant_map(r->seg[n].gref, r->operation == BLKIF_OP_WRITE, &page))
                report_fatal("a page of a request cannot be mapped");
    }
    kept.timer.fn = let_go_of_kept;
    vtime_arm(&kept.timer, vtime_now() + 300 * NSEC_PER_MSEC);
}

static void vbd_resume(unsigned unused)
{
    (void)unused;
    blkback_resume(vbd());
}

static void other_end_dies(unsigned unused)
{
    (void)unused;
    vchan_die(false);
}

static void other_end_restarts(unsigned unused)
{
    (void)unused;
    vchan_die(true);
}

static void other_end_crashes(unsigned unused)
{
    (void)unused;
    vchan_crash();
}

static void other_end_stalls(unsigned unused)
{
    (void)unused;
    vchan_stall();
}

static void other_end_goes_on(unsigned unused)
{
    (void)unused;
    vchan_resume();
}

static void store_stall(unsigned unused)
{
    (void)unused;
    store_conn_stall(false);
}

static void store_full(unsigned unused)
{
    (void)unused;
    store_conn_stall(true);
}

static void store_resume(unsigned unused)
{
    (void)unused;
    store_conn_resume();
}

static void store_drop(unsigned unused)
{
    (void)unused;
    store_conn_drop();
}

/* What at_event() reports is all there is. */
static void nothing(unsigned unused)
{
    (void)unused;
}

/* 50,000 a second. */
#define STORM_EVENTS 1000
#define STORM_INTERVAL (20 * NSEC_PER_USEC)

static struct {
    struct timer timer;
    uint32_t port;
    unsigned left;
} storm;

static void storm_again(struct timer *timer)
{
    event_set_pending(storm.port);
    if (--storm.left)
        vtime_arm(timer, vtime_now() + STORM_INTERVAL);
}

static void start_storm(unsigned port)
{
    storm.timer.fn = storm_again;
    storm.port = port;
    storm.left = STORM_EVENTS;
    vtime_arm(&storm.timer, vtime_now());
}

static const struct fault faults[] = {
    {"vif-stop", vif_stop, NULL},
    {"vif-restart", vif_restart, NULL},
    {"vif-crash", vif_crash, NULL},
    {"vif-vanish", vif_vanish, NULL},
    {"vif-stall", vif_stall, NULL},
    {"vif-stall-tx", vif_stall_tx, NULL},
    {"vif-resume", vif_resume, NULL},
    {"store-stall", store_stall, NULL},
    {"store-full", store_full, NULL},
    {"store-resume", store_resume, NULL},
    {"vbd-stop", vbd_stop, NULL},
    {"vbd-restart", vbd_restart, NULL},
    {"vbd-crash", vbd_crash, NULL},
    {"vbd-vanish", vbd_vanish, NULL},
    {"vbd-stall", vbd_stall, NULL},
    {"vbd-stall-io", vbd_stall_io, NULL},
    {"vbd-resume", vbd_resume, NULL},
    {"vbd-keep", vbd_keep, NULL},
    {"vchan-die", other_end_dies, NULL},
    {"vchan-restart", other_end_restarts, NULL},
    {"vchan-crash", other_end_crashes, NULL},
    {"vchan-stall", other_end_stalls, NULL},
    {"vchan-resume", other_end_goes_on, NULL},
    {"lose-vbd", nothing, "vbd"},
    {"lose-vchan", nothing, "vchan"},
    {"store-drop", store_drop, NULL},
    {"lose-vif-rx", nothing, "vif-rx"},
    {"lose-vif-tx", nothing, "vif-tx"},
    {"lose-store", nothing, "store"},
    {"lose-console", nothing, "console"},
    {"storm", start_storm, NULL},
};

/* --- when they do ------------------------------------------------------------------------------ */

static void strike(const char *where)
{
    const struct fault *fault = armed.fault;
    bool disk = !strncmp(fault->name, "vbd", 3);
    const char *state =
        store_read(toolstack_backend_path(disk ? "vbd" : "vif", disk ? XVDA : 0, "state"));

    armed.fault = NULL;
    armed.struck = true;
    report_debug("fault: %s: %s, backend in state %s", fault->name, where,
                 state ? state : "(gone)");
    fault->strike(armed.after);
}

/* True when it has struck. */
static bool at(enum moment moment, const char *where)
{
    if (!armed.fault || armed.moment != moment)
        return false;
    if (armed.after) {
        armed.after--;
        return false;
    }
    strike(where);
    return true;
}

/* Whether it is of the device that the fault is about. */
static bool is_key_of_device(const struct store_asked *asked)
{
    bool disk = armed.fault && !strncmp(armed.fault->name, "vbd", 3);
    const char *own = disk ? "device/vbd/51712/" : "device/vif/0/", *path = asked->payload;

    if (asked->head->type != XS_WRITE && asked->head->type != XS_RM)
        return false;
    if (!strncmp(path, "error/", 6))
        path += 6;
    return !strncmp(path, own, strlen(own));
}

void fault_at_store(enum store_step step, const void *item)
{
    const struct store_asked *asked = item;

    if (step != STORE_ASKED && step != STORE_ANSWERED)
        return;
    if (step == STORE_ASKED)
        (void)at(ASKED, asked->payload);
    if (is_key_of_device(asked))
        (void)at(step == STORE_ASKED ? WRITE : WRITTEN, asked->payload);
}

void fault_at_vchan(void)
{
    (void)at(STEP, "the vchan's other end");
}

static bool at_event(const struct event_port *end)
{
    return armed.fault && armed.fault->event && !strcmp(armed.fault->event, end->name) &&
           at(EVENT, "an event is lost");
}

bool peer_fault(const char *name, const char *when, unsigned number)
{
    lies_install();
    event_hook = at_event;
    armed.fault = NULL;
    armed.struck = false;
    armed.after = number;
    armed.moment = 0;
    while (armed.moment < ARRAY_SIZE(moments) && strcmp(moments[armed.moment], when))
        armed.moment++;
    for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
        if (!strcmp(faults[i].name, name))
            armed.fault = &faults[i];
    if (!armed.fault || armed.moment == ARRAY_SIZE(moments))
        return false;
    if (armed.moment == PORT && (!event_channel(number) || !event_channel(number)->status))
        return false;
    if (armed.moment == NOW || armed.moment == PORT)
        strike(when);
    return true;
}

bool peer_struck(void)
{
    return armed.struck;
}
