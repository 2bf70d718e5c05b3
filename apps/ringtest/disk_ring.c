/* SPDX-License-Identifier: ISC */
/*
 * The disk's ring: requests, responses, and what the rules of docs/hardening.md ask of whoever reads
 * what a blkback has written.
 */
#include <string.h>

#include "apps/ringtest/disk.h"
#include "kernel/app.h"
#include "lib/util.h"

#define BUDGET 16 /* responses before everyone else has a turn */
#define LOOK_AFTER NSEC_PER_SEC

void disk_breach(struct disk *d, const char *rule, uint64_t value)
{
    d->broken = true;
    xenbus_disable(d->dev, rule, value);
}

/* --- requests --------------------------------------------------------------------------------- */

static unsigned page_of(const struct disk *d, uint16_t id)
{
    return (1u << d->ring_order) + id * DISK_JOB_PAGES;
}

static unsigned pages_of(const struct disk_job *job)
{
    return DIV_ROUND_UP(job->count * DISK_SECTOR, PAGE_SIZE);
}

/* Lends the pages: what is to be written to the disk can only be read (rule 10). */
static void put(struct disk *d, struct disk_job *job, uint16_t id)
{
    unsigned first = page_of(d, id), count = pages_of(job);
    struct blkif_request request = {
        .operation = job->operation,
        .nr_segments = (uint8_t)count,
        .handle = (blkif_vdev_t)d->dev->index,
        .id = id,
        .sector_number = job->sector,
    };

    if (job->operation == BLKIF_OP_WRITE)
        memcpy(lending_page(d->lent, first), job->data, job->count * DISK_SECTOR);
    for (unsigned i = 0; i < count; i++) {
        unsigned left = job->count - i * (PAGE_SIZE / DISK_SECTOR);

        lending_give(d->lent, first + i, job->operation == BLKIF_OP_WRITE);
        request.seg[i].gref = lending_ref(d->lent, first + i);
        request.seg[i].last_sect = (uint8_t)(MIN(left, PAGE_SIZE / DISK_SECTOR) - 1);
    }
    if (job->spoil)
        job->spoil(&request);
    ring_put(&d->ring, &request, sizeof(request));
    d->job[id] = job;
    d->asked[id] = request.operation;
    job->in_flight = true;
}

/* Puts on the ring what has room there. */
void disk_pump(struct disk *d)
{
    struct list *node;
    uint16_t id;

    if (!d->running || d->broken)
        return;
    list_for_each(node, &d->jobs) {
        struct disk_job *job = container_of(node, struct disk_job, node);

        if (job->in_flight)
            continue;
        if (!ring_free(&d->ring) || (id = ring_id_take(&d->ids, &d->ring)) == RING_NO_ID)
            break;
        put(d, job, id);
    }
    if (ring_push(&d->ring))
        evtchn_notify_late(d->port);
    if (d->ring.rsp_cons != d->ring.req_pushed && !d->look.armed)
        timer_arm_in(&d->look, LOOK_AFTER);
}

/* --- responses -------------------------------------------------------------------------------- */

void disk_finish(struct disk_job *job, int status)
{
    list_del(&job->node);
    job->status = status;
    job->done(job);
}

/* Before the data are looked at: from here on the backend cannot change them (rule 10). */
static bool take_pages(struct disk *d, const struct disk_job *job, uint16_t id)
{
    for (unsigned i = page_of(d, id); i < page_of(d, id) + pages_of(job); i++) {
        if (lending_take(d->lent, i) == 0)
            continue;
        disk_breach(d, "a page that was answered is still in use", lending_ref(d->lent, i));
        return false;
    }
    return true;
}

static void handle_response(struct disk *d, const struct blkif_response *response)
{
    uint16_t id = (uint16_t)response->id;
    struct disk_job *job;

    if (!ring_id_answered(&d->ids, &d->ring, response->id)) {
        disk_breach(d, "a response to a request that is not in flight", response->id);
        return;
    }
    job = d->job[id];
    d->job[id] = NULL;
    job->in_flight = false;
    if (response->operation != d->asked[id]) {
        disk_breach(d, "a response to another operation", response->operation);
    } else if (response->status != BLKIF_RSP_OKAY && response->status != BLKIF_RSP_ERROR &&
               response->status != BLKIF_RSP_EOPNOTSUPP) {
        disk_breach(d, "an unknown status", (uint16_t)response->status);
    } else if (take_pages(d, job, id)) {
        if (job->operation == BLKIF_OP_READ && response->status == BLKIF_RSP_OKAY)
            memcpy(job->data, lending_page(d->lent, page_of(d, id)), job->count * DISK_SECTOR);
        disk_finish(job, response->status);
    }
}

/* Up to BUDGET responses, the rest in the loop's next turn; or an event will tell of the next one. */
void disk_poll(struct disk *d)
{
    unsigned budget = BUDGET;
    struct blkif_response response;
    bool any = false;

    while (budget-- && !d->broken) {
        int waiting = ring_responses(&d->ring);

        if (waiting < 0) {
            disk_breach(d, "an impossible response index", shared_read(&d->ring.shared->rsp_prod));
        } else if (waiting) {
            any = d->progress = true;
            ring_get(&d->ring, &response, sizeof(response));
            handle_response(d, &response);
        } else if (!ring_rearm(&d->ring)) {
            disk_pump(d);
            return;
        }
    }
    disk_pump(d);
    if (any && !d->broken)
        work_post(&d->work);
}
