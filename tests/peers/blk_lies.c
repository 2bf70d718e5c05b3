/* SPDX-License-Identifier: ISC */
/* A blkback that lies: the numbers are those of the rules in docs/hardening.md. */
#include <pthread.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/toolstack.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"
#include "tests/peers/lies.h"

/* The request that is being answered. */
static blkif_request_t current_request(struct blkback *bb)
{
    blkif_request_t request;

    RING_COPY_REQUEST(&bb->ring, bb->ring.req_cons - 1, &request);
    return request;
}

/* --- 1: what is read twice may differ ---------------------------------------------------------- */

/* Another processor that writes into every response while the guest reads it, for a tenth of a second; as
 * long it has the ring mapped, whatever becomes of the device. */
static struct {
    struct timer timer;
    pthread_t thread;
    grant_ref_t ref;
    void *page;
    bool stop;
} flipper;

static void *flip(void *unused)
{
    volatile blkif_sring_t *ring = flipper.page;

    (void)unused;
    while (!shared_read(&flipper.stop)) {
        for (unsigned i = 0; i < 32; i++) {
            uint64_t id = ring->ring[i].rsp.id;
            int16_t status = ring->ring[i].rsp.status;

            ring->ring[i].rsp.id = UINT64_MAX;
            ring->ring[i].rsp.status = 77;
            ring->ring[i].rsp.id = id;
            ring->ring[i].rsp.status = status;
        }
    }
    return NULL;
}

static void flip_end(struct timer *timer)
{
    (void)timer;
    shared_write(&flipper.stop, true);
    pthread_join(flipper.thread, NULL);
    grant_unmap(flipper.ref, false);
}

static void flip_responses(struct blkback *bb, void *item)
{
    (void)item;
    flipper.ref = bb->ring_refs[0];
    flipper.stop = false;
    flipper.timer.fn = flip_end;
    if (grant_map(flipper.ref, false, &flipper.page) ||
        pthread_create(&flipper.thread, NULL, flip, NULL))
        report_fatal("no thread");
    vtime_arm(&flipper.timer, vtime_now() + 100 * 1000 * 1000);
}

/* --- 2: the producer index --------------------------------------------------------------------- */

static void ahead(struct blkback *bb, void *item)
{
    (void)item;
    bb->ring.rsp_prod_pvt = bb->ring.sring->req_prod + 1;
}

static void far_ahead(struct blkback *bb, void *item)
{
    (void)item;
    bb->ring.rsp_prod_pvt += 0x80000000u;
}

static void back(struct blkback *bb, void *item)
{
    (void)item;
    bb->ring.rsp_prod_pvt = bb->ring.sring->rsp_prod - bb->ring.nr_ents - 1;
}

/* --- 3, 4, 5: responses ------------------------------------------------------------------------ */

static void scribble(struct blkback *bb, void *item)
{
    (void)item;
    for (RING_IDX i = bb->ring.rsp_prod_pvt; i != bb->ring.req_cons; i++)
        memset(RING_GET_REQUEST(&bb->ring, i), 0xff, sizeof(blkif_request_t));
}

static void id_large(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->id = 32;
}

/* Cut to 32 bits, or to 16, it is one that is in flight. */
static void id_wide(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->id |= UINT64_C(1) << 32;
}

static void id_pointer(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->id = 0x110000000000;
}

/* Twice the same, which is in flight only once. */
static void id_twice(struct blkback *bb, void *item)
{
    memcpy(RING_GET_RESPONSE(&bb->ring, bb->ring.rsp_prod_pvt), item, sizeof(blkif_response_t));
    bb->ring.rsp_prod_pvt++;
}

/* What was answered last: not in flight, as the next request is answered. */
static void id_idle(struct blkback *bb, void *item)
{
    blkif_response_t *response = item;
    bool used[32] = {false};

    for (RING_IDX i = bb->ring.req_cons - 1; i != bb->ring.sring->req_prod; i++)
        used[RING_GET_REQUEST(&bb->ring, i)->id % 32] = true;
    for (unsigned id = 0; id < 32; id++)
        if (!used[id] && id != response->id)
            response->id = id;
}

static void operation(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->operation ^= 1;
}

static void operation_unknown(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->operation = 200;
}

static void status_unknown(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->status = 77;
}

static void status_negative(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->status = INT16_MIN;
}

static void status_error(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->status = BLKIF_RSP_ERROR;
}

static void status_unsupported(struct blkback *bb, void *item)
{
    (void)bb;
    ((blkif_response_t *)item)->status = BLKIF_RSP_EOPNOTSUPP;
}

/* --- 9, 10, 11: grants ------------------------------------------------------------------------- */

static void hold(struct blkback *bb, void *item)
{
    blkif_request_t request = current_request(bb);
    void *page;

    (void)item;
    if (grant_map(request.seg[0].gref, true, &page))
        report_fatal("the page cannot be mapped");
}

static struct {
    struct timer timer;
    grant_ref_t ref;
} held_ring;

static void hold_ring(struct blkback *bb, void *item);

static void let_go_of_ring(struct timer *timer)
{
    if (lies_armed(hold_ring))
        vtime_arm(timer, vtime_now() + 50 * 1000 * 1000);
    else
        grant_unmap(held_ring.ref, false);
}

/* The ring stays mapped until the test asks for something else, whatever becomes of the device. */
static void hold_ring(struct blkback *bb, void *item)
{
    void *page;

    (void)item;
    held_ring.ref = bb->ring_refs[0];
    held_ring.timer.fn = let_go_of_ring;
    if (grant_map(held_ring.ref, false, &page))
        report_fatal("the ring cannot be mapped");
    let_go_of_ring(&held_ring.timer);
}

/* What is to be written to the disk may be read and not written. */
static void write_page(struct blkback *bb, void *item)
{
    blkif_request_t request = current_request(bb);
    void *page;

    (void)item;
    if (request.operation != BLKIF_OP_WRITE)
        return;
    if (grant_map(request.seg[0].gref, false, &page) == GNTST_okay)
        report_fatal("a page to be read can be written");
    report("a page to be read cannot be written");
}

#define LATE_LOOK (1000 * 1000) /* ns */

static struct {
    struct timer timer;
    struct blkback *bb;
    grant_ref_t refs[128];
    unsigned count;
} late;

/* Once the guest has seen every response and asks for no more, none of the pages is lent. */
static void look_late(struct timer *timer)
{
    const blkif_sring_t *shared = late.bb->ring.sring;
    unsigned open = 0;

    if (!late.bb->port.guest_port)
        return;
    if (shared->req_prod != shared->rsp_prod || shared->rsp_event != shared->rsp_prod + 1) {
        vtime_arm(timer, vtime_now() + LATE_LOOK);
        return;
    }
    for (unsigned i = 0; i < late.count; i++)
        open += grant_copy_to(late.refs[i], 0, "x", 1) == GNTST_okay;
    if (open)
        report_fatal("%u pages can be written after their response", open);
    report("no page can be written after its response");
}

/* After its response a page is nobody's but the guest's. */
static void write_late(struct blkback *bb, void *item)
{
    blkif_request_t request = current_request(bb);

    (void)item;
    if (request.operation != BLKIF_OP_READ)
        return; /* the pages of the others are read-only */
    if (!late.count) {
        late.bb = bb;
        late.timer.fn = look_late;
        vtime_arm(&late.timer, vtime_now() + LATE_LOOK);
    }
    for (unsigned i = 0; i < request.nr_segments && late.count < ARRAY_SIZE(late.refs); i++)
        late.refs[late.count++] = request.seg[i].gref;
}

/* The pages of the first read hold nothing of the guest's. */
static void peek(struct blkback *bb, void *item)
{
    blkif_request_t request = current_request(bb);
    static char page[PAGE_SIZE];

    (void)item;
    for (unsigned i = 0; i < request.nr_segments; i++) {
        size_t sent = (request.seg[i].last_sect + 1u) * DISK_SECTOR;

        if (grant_copy_from(page, request.seg[i].gref, 0, PAGE_SIZE))
            report_fatal("a page that is lent cannot be read");
        for (size_t at = request.operation == BLKIF_OP_WRITE ? sent : 0; at < PAGE_SIZE; at++)
            if (page[at])
                report_fatal("a page that is lent holds something of the guest's");
    }
    report("%u lent pages are empty", request.nr_segments);
}

/* --- 14: events -------------------------------------------------------------------------------- */

static struct {
    struct timer timer;
    struct blkback *bb;
    unsigned left;
} storm;

static void storm_again(struct timer *timer)
{
    if (!storm.bb->port.guest_port)
        return;
    event_notify(&storm.bb->port);
    if (--storm.left)
        vtime_arm(timer, vtime_now() + 20 * 1000);
}

/* 50,000 events a second for half a second, with nothing to see. */
static void start_storm(struct blkback *bb, void *item)
{
    (void)item;
    storm.bb = bb;
    storm.left = 25000;
    storm.timer.fn = storm_again;
    vtime_arm(&storm.timer, vtime_now());
}

/* --- 16, 18, 19: keys and states ---------------------------------------------------------------- */

static void say(const struct blkback *bb, const char *key, const char *value)
{
    store_write(toolstack_backend_path("vbd", bb->index, key), value);
}

static void order_huge(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "max-ring-page-order", "4294967297");
}

static void order_negative(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "max-ring-page-order", "-1");
}

static void order_nothing(struct blkback *bb, void *item)
{
    (void)item;
    store_remove(toolstack_backend_path("vbd", bb->index, "max-ring-page-order"));
}

static void sectors_none(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "sectors", "0");
}

static void sectors_missing(struct blkback *bb, void *item)
{
    (void)item;
    store_remove(toolstack_backend_path("vbd", bb->index, "sectors"));
}

/* In bytes it does not fit into 64 bits. */
static void sectors_huge(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "sectors", "36028797018963968");
}

static void sectors_text(struct blkback *bb, void *item)
{
    char text[1800];

    (void)item;
    memset(text, '9', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    say(bb, "sectors", text);
}

static void sector_size_zero(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "sector-size", "0");
}

static void sector_size_odd(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "sector-size", "1000");
}

static void sector_size_huge(struct blkback *bb, void *item)
{
    (void)item;
    say(bb, "sector-size", "1073741824");
}

static void features_of_none(struct blkback *bb, void *item)
{
    static const char *const keys[] = {"feature-flush-cache", "feature-barrier", "info",
                                       "physical-sector-size"};

    (void)item;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        say(bb, keys[i], "-1x");
}

static void set_state(struct blkback *bb, unsigned state)
{
    store_printf(toolstack_backend_path("vbd", bb->index, "state"), "%u", state);
}

static void closed_early(struct blkback *bb, void *item)
{
    (void)item;
    set_state(bb, XenbusStateClosed);
}

static void closing_early(struct blkback *bb, void *item)
{
    (void)item;
    set_state(bb, XenbusStateClosing);
}

static void state_of_none(struct blkback *bb, void *item)
{
    (void)item;
    set_state(bb, 4294967295u);
}

static void all_states(struct blkback *bb, void *item)
{
    (void)item;
    for (unsigned i = 0; i < 300; i++)
        set_state(bb, i % 9);
    set_state(bb, bb->state);
}

static void vanish(struct blkback *bb, void *item)
{
    (void)item;
    store_remove(toolstack_backend_path("vbd", bb->index, ""));
}

/* It answers nothing any more: what is on the ring stays there, until the backend is restarted. */
static void stall(struct blkback *bb, void *item)
{
    (void)item;
    bb->ring.rsp_prod_pvt = bb->ring.sring->rsp_prod;
    bb->disabled = true;
}

const struct blk_lie blk_lies[] = {
    {"1-blk-flip", BLKBACK_PUSH, false, flip_responses},
    {"2-blk-ahead", BLKBACK_PUSH, false, ahead},
    {"2-blk-far-ahead", BLKBACK_PUSH, false, far_ahead},
    {"2-blk-back", BLKBACK_PUSH, false, back},
    {"3-blk-scribble", BLKBACK_RESPONSE, true, scribble},
    {"4-blk-id-large", BLKBACK_RESPONSE, false, id_large},
    {"4-blk-id-wide", BLKBACK_RESPONSE, false, id_wide},
    {"4-blk-id-pointer", BLKBACK_RESPONSE, false, id_pointer},
    {"4-blk-id-twice", BLKBACK_RESPONSE, false, id_twice},
    {"4-blk-id-idle", BLKBACK_RESPONSE, false, id_idle},
    {"5-blk-operation", BLKBACK_RESPONSE, false, operation},
    {"5-blk-operation-unknown", BLKBACK_RESPONSE, false, operation_unknown},
    {"5-blk-status", BLKBACK_RESPONSE, false, status_unknown},
    {"5-blk-status-negative", BLKBACK_RESPONSE, false, status_negative},
    {"5-blk-error", BLKBACK_RESPONSE, false, status_error},
    {"5-blk-unsupported", BLKBACK_RESPONSE, false, status_unsupported},
    {"9-blk-hold", BLKBACK_RESPONSE, false, hold},
    {"9-blk-hold-ring", BLKBACK_RESPONSE, false, hold_ring},
    {"10-blk-write", BLKBACK_RESPONSE, true, write_page},
    {"10-blk-late", BLKBACK_RESPONSE, true, write_late},
    {"11-blk-peek", BLKBACK_RESPONSE, false, peek},
    {"14-blk-storm", BLKBACK_PUSH, false, start_storm},
    {"16-blk-order-huge", BLKBACK_OFFER, false, order_huge},
    {"16-blk-order-negative", BLKBACK_OFFER, false, order_negative},
    {"16-blk-order-nothing", BLKBACK_OFFER, false, order_nothing},
    {"16-blk-features", BLKBACK_CONNECT, false, features_of_none},
    {"16-blk-sectors-none", BLKBACK_CONNECT, false, sectors_none},
    {"16-blk-sectors-missing", BLKBACK_CONNECT, false, sectors_missing},
    {"16-blk-sectors-huge", BLKBACK_CONNECT, false, sectors_huge},
    {"16-blk-sectors-text", BLKBACK_CONNECT, false, sectors_text},
    {"16-blk-sector-size-zero", BLKBACK_CONNECT, false, sector_size_zero},
    {"16-blk-sector-size-odd", BLKBACK_CONNECT, false, sector_size_odd},
    {"16-blk-sector-size-huge", BLKBACK_CONNECT, false, sector_size_huge},
    {"18-blk-closed-at-offer", BLKBACK_OFFER, false, closed_early},
    {"18-blk-closed-at-connect", BLKBACK_CONNECT, false, closed_early},
    {"18-blk-closed-in-traffic", BLKBACK_RESPONSE, false, closed_early},
    {"18-blk-closing-at-offer", BLKBACK_OFFER, false, closing_early},
    {"18-blk-closing-at-connect", BLKBACK_CONNECT, false, closing_early},
    {"18-blk-closing-in-traffic", BLKBACK_RESPONSE, false, closing_early},
    {"18-blk-no-state-at-offer", BLKBACK_OFFER, false, state_of_none},
    {"18-blk-no-state-at-connect", BLKBACK_CONNECT, false, state_of_none},
    {"18-blk-no-state-in-traffic", BLKBACK_RESPONSE, false, state_of_none},
    {"18-blk-vanish-at-offer", BLKBACK_OFFER, false, vanish},
    {"18-blk-vanish-at-connect", BLKBACK_CONNECT, false, vanish},
    {"18-blk-vanish-in-traffic", BLKBACK_RESPONSE, false, vanish},
    {"18-blk-stall", BLKBACK_PUSH, false, stall},
    {"19-blk-all-states", BLKBACK_RESPONSE, false, all_states},
};
const unsigned blk_lie_count = ARRAY_SIZE(blk_lies);
