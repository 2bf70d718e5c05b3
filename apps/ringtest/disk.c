/* SPDX-License-Identifier: ISC */
/*
 * A disk's frontend (xen/include/public/io/blkif.h), bare: one ring, a copy each way, no more than the
 * rules of docs/hardening.md ask of whoever talks to a blkback.
 */
#include "apps/ringtest/disk.h"

#include <errno.h>
#include <string.h>

#include <xen/io/protocols.h>

#include "apps/ringtest/ringtest.h"
#include "kernel/app.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define LOG_MODULE "disk"
#define RING_ORDER 2u /* with the option "large", where it is offered */
#define DISKS 16

static struct disk *disks[DISKS]; /* in no order; NULL: none */

static struct disk *of(struct xenbus_device *dev)
{
    return dev->driver_data;
}

/* --- events ---------------------------------------------------------------------------------- */

static void run_on(struct work *w)
{
    struct disk *d = container_of(w, struct disk, work);

    if (d->running)
        disk_poll(d);
}

static void look(struct timer *t)
{
    struct disk *d = container_of(t, struct disk, look);

    if (d->running)
        disk_poll(d);
}

/* An event without a response is spurious (rule 14). */
static void event(void *ctx)
{
    struct disk *d = ctx;

    if (d->running)
        disk_poll(d);
    if (d->progress)
        evtchn_useful(d->port);
    else
        evtchn_spurious(d->port);
    d->progress = false;
}

/* --- connecting ------------------------------------------------------------------------------- */

static int make_ring(struct disk *d)
{
    int err;

    d->lent = lending_new(d->dev->otherend_id);
    if (!d->lent)
        return -ENOMEM;
    err = lending_add(d->lent, d->ring_order);
    for (unsigned i = 0; i < DISK_JOBS && err >= 0; i++)
        err = lending_add(d->lent, DISK_PAGE_ORDER);
    if (err < 0)
        return err;
    ring_init(&d->ring, lending_page(d->lent, 0), PAGE_SIZE << d->ring_order,
              sizeof(union blkif_sring_entry));
    ring_ids_init(&d->ids, d->id, DISK_JOBS);
    for (unsigned i = 0; i < 1u << d->ring_order; i++)
        lending_give(d->lent, i, false);
    return 0;
}

/* The keys that are not written are taken away: they may be there from an earlier connection. */
static int write_answers(struct disk *d)
{
    enum { PORT, PROTOCOL, ORDER, REF, REFS, COUNT = REFS + (1 << RING_ORDER) };
    struct xs_write_item items[COUNT];
    char paths[COUNT][XENBUS_PATH_MAX + 20], values[COUNT][12];
    static const char *const names[] = {"event-channel", "protocol", "ring-page-order", "ring-ref"};

    for (unsigned i = 0; i < COUNT; i++) {
        if (i < REFS)
            (void)fmt_print(paths[i], sizeof(paths[i]), "%s/%s", d->dev->nodename, names[i]);
        else
            (void)fmt_print(paths[i], sizeof(paths[i]), "%s/ring-ref%u", d->dev->nodename,
                            i - REFS);
        items[i] = (struct xs_write_item){paths[i], NULL, 0};
    }
    items[PROTOCOL].value = XEN_IO_PROTO_ABI_X86_64;
    (void)fmt_print(values[PORT], sizeof(values[0]), "%u", d->port);
    items[PORT].value = values[PORT];
    for (unsigned i = 0; i < 1u << d->ring_order; i++) {
        unsigned at = d->ring_order ? REFS + i : REF;

        (void)fmt_print(values[at], sizeof(values[0]), "%u", lending_ref(d->lent, i));
        items[at].value = values[at];
    }
    if (d->ring_order) {
        (void)fmt_print(values[ORDER], sizeof(values[0]), "%u", d->ring_order);
        items[ORDER].value = values[ORDER];
    }
    return xs_write_many(XS_NONE, items, COUNT);
}

static int connect(struct xenbus_device *dev)
{
    struct xenbus_key offer = {.name = "max-ring-page-order", .max = 16};
    struct disk *d = of(dev);
    int err = xenbus_read_keys(dev, &offer, 1);

    if (err)
        return err;
    d->ring_order = ringtest_option("large") ? (unsigned)MIN(offer.value, RING_ORDER) : 0;
    d->broken = d->running = d->progress = false;
    err = make_ring(d);
    if (err)
        return err;
    err = evtchn_alloc_unbound(dev->otherend_id, event, d);
    if (err < 0)
        return err;
    d->port = (evtchn_port_t)err;
    return write_answers(d);
}

/* What the disk is like is known only now (rule 16). */
static int connected(struct xenbus_device *dev)
{
    enum { SECTORS, SECTOR_SIZE, INFO, FLUSH, KEYS };
    struct xenbus_key keys[KEYS] = {
        [SECTORS] = {.name = "sectors", .min = 1, .max = INT64_MAX / DISK_SECTOR},
        [SECTOR_SIZE] = {.name = "sector-size", .min = DISK_SECTOR, .max = PAGE_SIZE},
        [INFO] = {.name = "info", .max = UINT32_MAX},
        [FLUSH] = {.name = "feature-flush-cache", .max = 1},
    };
    struct disk *d = of(dev);
    int err = xenbus_read_keys(dev, keys, KEYS);

    if (err)
        return err;
    if (!keys[SECTORS].value) {
        disk_breach(d, "no number of sectors", 0);
        return -EINVAL;
    }
    if (!keys[SECTOR_SIZE].value || (keys[SECTOR_SIZE].value & (keys[SECTOR_SIZE].value - 1))) {
        disk_breach(d, "no size of a sector", keys[SECTOR_SIZE].value);
        return -EINVAL;
    }
    d->sectors = keys[SECTORS].value;
    d->readonly = keys[INFO].value & VDISK_READONLY;
    d->flushes = keys[FLUSH].value;
    d->running = true;
    log_info("%s: %lu sectors%s, ring of %u", dev->name, (unsigned long)d->sectors,
             d->readonly ? ", read-only" : "", d->ring.size);
    disk_pump(d);
    return 0;
}

static void fail_jobs(struct disk *d)
{
    while (!list_empty(&d->jobs))
        disk_finish(container_of(d->jobs.next, struct disk_job, node), -EIO);
}

static void disconnect(struct xenbus_device *dev)
{
    struct disk *d = of(dev);
    struct list *node;

    d->running = false;
    d->sectors = 0;
    work_cancel(&d->work);
    timer_disarm(&d->look);
    evtchn_unbind(d->port);
    d->port = 0;
    lending_end(d->lent);
    d->lent = NULL;
    memset(d->job, 0, sizeof(d->job));
    list_for_each(node, &d->jobs)
        container_of(node, struct disk_job, node)->in_flight = false;
    if (dev->broken)
        fail_jobs(d);
}

/* --- the device ------------------------------------------------------------------------------- */

static int probe(struct xenbus_device *dev)
{
    struct disk *d;
    unsigned i = 0;

    _Static_assert(sizeof(*d) <= PAGE_SIZE, "a disk is kept in a page");
    while (i < DISKS && disks[i])
        i++;
    if (i == DISKS)
        return -ENOSPC;
    d = page_alloc_zeroed(0);
    if (!d)
        return -ENOMEM;
    d->dev = dev;
    work_init(&d->work, run_on);
    timer_init(&d->look, look);
    list_init(&d->jobs);
    dev->driver_data = disks[i] = d;
    return 0;
}

static void remove_device(struct xenbus_device *dev)
{
    struct disk *d = of(dev);

    for (unsigned i = 0; i < DISKS; i++)
        if (disks[i] == d)
            disks[i] = NULL;
    fail_jobs(d);
    page_free(d, 0);
}

XENBUS_DRIVER(disk_driver) = {
    .type = "vbd",
    .two_steps = true,
    .probe = probe,
    .connect = connect,
    .connected = connected,
    .disconnect = disconnect,
    .remove = remove_device,
};

/* --- for disk_test.c -------------------------------------------------------------------------- */

struct disk *disk_find(unsigned index)
{
    for (unsigned i = 0; i < DISKS; i++)
        if (disks[i] && disks[i]->dev->index == index)
            return disks[i];
    return NULL;
}

void disk_submit(struct disk *d, struct disk_job *job)
{
    job->in_flight = false;
    list_add_tail(&d->jobs, &job->node);
    if (d->dev->broken)
        disk_finish(job, -EIO);
    else
        disk_pump(d);
}
