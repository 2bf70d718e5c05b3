/* SPDX-License-Identifier: ISC */
/*
 * blkback's half of the ring: requests are checked, done and answered one after the other. What a
 * frontend may get wrong in a request is answered with an error, as by Linux' xen-blkback
 * (dispatch_rw_block_io()); an impossible index ends the device.
 */
#include "arch/unix/sim/blkback.h"

#include <string.h>

#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define SEGMENTS BLKIF_MAX_SEGMENTS_PER_REQUEST
#define SECTORS_PER_PAGE (PAGE_SIZE / DISK_SECTOR)

static size_t segment_bytes(const struct blkif_request_segment *seg)
{
    return (seg->last_sect - seg->first_sect + 1u) * DISK_SECTOR;
}

/* Whether the request is one, and how many bytes it moves. */
static bool check(const struct blkback *bb, const blkif_request_t *r, size_t *bytes)
{
    bool flushes =
        r->operation == BLKIF_OP_FLUSH_DISKCACHE || r->operation == BLKIF_OP_WRITE_BARRIER;
    uint64_t sectors;

    *bytes = 0;
    if (r->nr_segments > SEGMENTS || (!r->nr_segments && !flushes))
        return false;
    for (unsigned i = 0; i < r->nr_segments; i++) {
        if (r->seg[i].last_sect >= SECTORS_PER_PAGE || r->seg[i].last_sect < r->seg[i].first_sect)
            return false;
        *bytes += segment_bytes(&r->seg[i]);
    }
    if (r->operation != BLKIF_OP_READ && bb->disk.readonly)
        return false;
    sectors = *bytes / DISK_SECTOR;
    return !sectors ||
           (sectors <= bb->disk.sectors && r->sector_number <= bb->disk.sectors - sectors);
}

static bool read_sectors(struct blkback *bb, const blkif_request_t *r, uint8_t *data, size_t bytes)
{
    if (!disk_read(&bb->disk, r->sector_number, data, bytes))
        return false;
    for (unsigned i = 0; i < r->nr_segments; i++) {
        const struct blkif_request_segment *seg = &r->seg[i];

        if (grant_copy_to(seg->gref, (size_t)seg->first_sect * DISK_SECTOR, data,
                          segment_bytes(seg)))
            return false;
        data += segment_bytes(seg);
    }
    return true;
}

static bool write_sectors(struct blkback *bb, const blkif_request_t *r, uint8_t *data, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < r->nr_segments; i++) {
        const struct blkif_request_segment *seg = &r->seg[i];

        if (grant_copy_from(data + done, seg->gref, (size_t)seg->first_sect * DISK_SECTOR,
                            segment_bytes(seg)))
            return false;
        done += segment_bytes(seg);
    }
    return !bytes || disk_write(&bb->disk, r->sector_number, data, bytes);
}

static int perform(struct blkback *bb, const blkif_request_t *r)
{
    static uint8_t data[SEGMENTS * PAGE_SIZE];
    size_t bytes;
    bool done;

    if (r->operation > BLKIF_OP_FLUSH_DISKCACHE)
        return BLKIF_RSP_EOPNOTSUPP;
    if (!check(bb, r, &bytes))
        return BLKIF_RSP_ERROR;
    switch (r->operation) {
    case BLKIF_OP_READ:
        bb->count.reads++;
        done = read_sectors(bb, r, data, bytes);
        break;
    case BLKIF_OP_WRITE:
        bb->count.writes++;
        done = write_sectors(bb, r, data, bytes);
        break;
    default: /* what was written before is safe before this is */
        bb->count.flushes++;
        done = disk_flush(&bb->disk) && write_sectors(bb, r, data, bytes);
        if (done && r->operation == BLKIF_OP_WRITE_BARRIER)
            done = disk_flush(&bb->disk);
        break;
    }
    return done ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

static void respond(struct blkback *bb, const blkif_request_t *r, int status)
{
    blkif_response_t response = {
        .id = r->id,
        .operation = r->operation,
        .status = (int16_t)status,
    };

    bb->count.refused += status != BLKIF_RSP_OKAY;
    blkback_at(bb, BLKBACK_RESPONSE, &response);
    memcpy(RING_GET_RESPONSE(&bb->ring, bb->ring.rsp_prod_pvt), &response, sizeof(response));
    bb->ring.rsp_prod_pvt++;
}

static void push(struct blkback *bb)
{
    int notify;

    blkback_at(bb, BLKBACK_PUSH, NULL);
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&bb->ring, notify);
    if (notify)
        event_notify(&bb->port);
}

void blkback_run(struct blkback *bb)
{
    int more = 1;

    while (bb->connected && !bb->disabled && !bb->stalled && !bb->io_stalled && more) {
        blkif_request_t request;

        if (bb->ring.sring->req_prod - bb->ring.req_cons > bb->ring.nr_ents) {
            report("vbd%u: fatal error; disabling device: impossible number of requests",
                   bb->index);
            bb->disabled = true;
            return;
        }
        while (RING_HAS_UNCONSUMED_REQUESTS(&bb->ring)) {
            RING_COPY_REQUEST(&bb->ring, bb->ring.req_cons, &request);
            bb->ring.req_cons++;
            respond(bb, &request, perform(bb, &request));
        }
        push(bb);
        RING_FINAL_CHECK_FOR_REQUESTS(&bb->ring, more);
    }
}
