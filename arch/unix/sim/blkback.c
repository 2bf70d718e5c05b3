/* SPDX-License-Identifier: ISC */
/*
 * blkback and xenbus: what it offers before and after it knows the frontend's ring, how it follows the
 * frontend's state (frontend_changed() in Linux' drivers/block/xen-blkback/xenbus.c), connecting and
 * letting go.
 */
#include "arch/unix/sim/blkback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/toolstack.h"
#include "lib/util.h"

static struct blkback *backs[DISK_MAX];
void (*blkback_hook)(struct blkback *bb, enum blkback_step step, void *item);

struct blkback *blkback_of(unsigned index)
{
    for (unsigned i = 0; i < DISK_MAX; i++)
        if (backs[i] && backs[i]->index == index)
            return backs[i];
    return NULL;
}

static const char *back_path(const struct blkback *bb, const char *key)
{
    return toolstack_backend_path("vbd", bb->index, key);
}

static const char *front_path(const struct blkback *bb, const char *key)
{
    return toolstack_path("device/vbd/%u/%s", bb->index, key);
}

static uint64_t front_number(const struct blkback *bb, const char *key, uint64_t def)
{
    return store_read_number(front_path(bb, key), 0, UINT32_MAX, def);
}

static void set_state(struct blkback *bb, unsigned state)
{
    if (bb->state == state)
        return;
    bb->state = state;
    if (store_read(back_path(bb, "frontend"))) /* not when the toolstack has removed it */
        store_printf(back_path(bb, "state"), "%u", state);
}

static void offer(struct blkback *bb)
{
    store_write(back_path(bb, "multi-queue-max-queues"), "1");
    store_printf(back_path(bb, "max-ring-page-order"), "%u", BLKBACK_RING_ORDER);
    blkback_at(bb, BLKBACK_OFFER, NULL);
    set_state(bb, XenbusStateInitWait);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void event(struct event_port *port)
{
    blkback_run(container_of(port, struct blkback, port));
}

/* One page under "ring-ref", or several under "ring-ref0" and so on. NULL, or what is wrong. */
static const char *read_refs(struct blkback *bb)
{
    uint64_t order = front_number(bb, "ring-page-order", UINT32_MAX);
    const char *protocol = store_read(front_path(bb, "protocol"));
    char key[20] = "ring-ref";

    if (protocol && strcmp(protocol, XEN_IO_PROTO_ABI_X86_64))
        return "the frontend speaks another protocol";
    if (order != UINT32_MAX && order > BLKBACK_RING_ORDER)
        return "the frontend's ring is larger than was offered";
    bb->ring_pages = order == UINT32_MAX ? 1 : 1u << order;
    for (unsigned i = 0; i < bb->ring_pages; i++) {
        if (order != UINT32_MAX)
            snprintf(key, sizeof(key), "ring-ref%u", i);
        bb->ring_refs[i] = (grant_ref_t)front_number(bb, key, 0);
    }
    return NULL;
}

/* A ring that was in use before goes on behind what has been answered (xen_blkif_map()): the frontend may not
 * have noticed yet that the driver was bound anew. */
static bool attach_ring(struct blkback *bb)
{
    blkif_sring_t *shared = bb->ring_page;

    BACK_RING_ATTACH(&bb->ring, shared, shared->rsp_prod, bb->ring_pages * PAGE_SIZE);
    return shared->req_prod - bb->ring.req_cons <= bb->ring.nr_ents;
}

/* NULL, or what is wrong. */
static const char *connect_ring(struct blkback *bb)
{
    const char *wrong = read_refs(bb);

    if (wrong)
        return wrong;
    if (grant_map_together(bb->ring_refs, bb->ring_pages, &bb->ring_page))
        return "the frontend's ring cannot be mapped";
    if (event_bind(&bb->port, (uint32_t)front_number(bb, "event-channel", 0))) {
        grant_unmap_together(bb->ring_refs, bb->ring_pages, bb->ring_page);
        return "the frontend's event channel cannot be used";
    }
    if (!attach_ring(bb)) {
        event_unbind(&bb->port);
        grant_unmap_together(bb->ring_refs, bb->ring_pages, bb->ring_page);
        return "the frontend's ring has impossible indices";
    }
    return NULL;
}

static void let_go(struct blkback *bb)
{
    event_unbind(&bb->port);
    if (bb->connected) {
        grant_unmap_together(bb->ring_refs, bb->ring_pages, bb->ring_page);
        report_debug("vbd%u: disconnected", bb->index);
    }
    bb->connected = false;
}

static void describe(const struct blkback *bb)
{
    bool flush = !bb->disk.readonly;

    store_printf(back_path(bb, "feature-flush-cache"), "%u", flush);
    store_write(back_path(bb, "feature-discard"), "0");
    store_printf(back_path(bb, "feature-barrier"), "%u", flush);
    store_printf(back_path(bb, "sectors"), "%llu", (unsigned long long)bb->disk.sectors);
    store_printf(back_path(bb, "info"), "%u", bb->disk.readonly ? VDISK_READONLY : 0);
    store_printf(back_path(bb, "sector-size"), "%u", DISK_SECTOR);
    store_printf(back_path(bb, "physical-sector-size"), "%u", DISK_SECTOR);
}

static void connect(struct blkback *bb)
{
    const char *wrong = connect_ring(bb);

    if (wrong) {
        report("vbd%u: %s", bb->index, wrong);
        set_state(bb, XenbusStateClosing);
        return;
    }
    bb->connected = true;
    bb->disabled = false;
    describe(bb);
    blkback_at(bb, BLKBACK_CONNECT, NULL);
    set_state(bb, XenbusStateConnected);
    report_debug("vbd%u: connected, %u pages of ring", bb->index, bb->ring_pages);
}

/* --- the frontend's state --------------------------------------------------------------------- */

static void frontend_changed(struct store_listener *listener)
{
    struct blkback *bb = container_of(listener, struct blkback, frontend);

    if (bb->stalled)
        return;
    switch (front_number(bb, "state", XenbusStateUnknown)) {
    case XenbusStateInitialising:
        if (bb->state == XenbusStateClosed || !bb->state)
            offer(bb);
        break;
    case XenbusStateInitialised:
    case XenbusStateConnected:
        if (bb->state == XenbusStateConnected)
            break;
        let_go(bb);
        connect(bb);
        break;
    case XenbusStateClosing:
        set_state(bb, XenbusStateClosing);
        break;
    case XenbusStateClosed:
    case XenbusStateUnknown:
        let_go(bb);
        set_state(bb, XenbusStateClosed);
        break;
    default:
        break;
    }
}

void blkback_stop(struct blkback *bb, bool restart)
{
    let_go(bb);
    bb->stalled = bb->io_stalled = false;
    set_state(bb, restart ? XenbusStateInitialising : XenbusStateClosed);
    if (restart)
        offer(bb);
}

void blkback_crash(struct blkback *bb)
{
    let_go(bb);
    bb->stalled = true;
}

void blkback_stall(struct blkback *bb, bool only_io)
{
    if (only_io)
        bb->io_stalled = true;
    else
        bb->stalled = true;
}

void blkback_resume(struct blkback *bb)
{
    bb->stalled = bb->io_stalled = false;
    frontend_changed(&bb->frontend);
    blkback_run(bb);
}

void blkback_create(unsigned index, const struct disk *disk)
{
    struct blkback *bb = calloc(1, sizeof(*bb));
    unsigned place = 0;

    while (place < DISK_MAX - 1 && backs[place])
        place++;
    if (!bb || backs[place])
        report_fatal("no room for vbd%u", index);
    backs[place] = bb;
    bb->index = index;
    bb->disk = *disk;
    bb->port = (struct event_port){.name = "vbd", .fn = event};
    bb->frontend.fn = frontend_changed;
    snprintf(bb->frontend.path, sizeof(bb->frontend.path), "%s", front_path(bb, "state"));
    store_listen(&bb->frontend);
}
