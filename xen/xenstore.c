/* SPDX-License-Identifier: ISC */
/*
 * The connection to xenstored: one page with a ring of bytes each way, which carry packets of a
 * header and up to 4096 bytes (xen/include/public/io/xs_wire.h, Xen's docs/misc/xenstore.txt and
 * xenstore-ring.txt). Packets from the store are taken apart in xenstore_reply.c, the calls are in
 * xenstore_ops.c, watches in xenstore_watch.c.
 *
 * A request is the caller's struct from xs_submit() to done(). It waits in `queue` until one of the
 * slots is free (a slot per request that the default quota lets be outstanding), is then written
 * into the ring piece by piece as the store makes room, and is matched with its reply by slot,
 * generation, transaction and type. Nothing here allocates or has a size that depends on the store.
 *
 * Everything in the page is the store's to change at any time. Only the private copies of our own
 * two indices are trusted; the store's are checked at each use. Whatever cannot be repaired by
 * ignoring one packet ends the connection, or resets it if the store offers that (RECONNECTION).
 *
 * Invariants: slot[i] is NULL or a request whose id has i in its low byte; `sending` is in its slot
 * but not answerable before its last byte is written; a request is in queue, in a slot, or not
 * ours.
 */
#include "xen/xenstore.h"

#include <errno.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/timer.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/byte_ring.h"
#include "xen/evtchn.h"
#include "xen/xenstore_internal.h"

#define LOG_MODULE "xenstore"

#define SLOTS 20 /* the default quota of requests outstanding */
#define SLOT_BITS 8
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define CHUNK 256 /* bytes copied out of the ring at a time */
#define RECONNECTS_MAX 4
#define RECONNECT_TIMEOUT (5 * NSEC_PER_SEC)

enum state { GONE, CONNECTED, RECONNECTING };

static struct {
    struct xenstore_domain_interface *page;
    evtchn_port_t port;
    enum state state;
    uint32_t req_prod, rsp_cons;
    uint32_t req_cons_seen; /* to tell a useful event from a spurious one */
    struct list queue;
    struct xs_request *sending, *slot[SLOTS];
    uint32_t generation;
    struct timer reconnect_timer;
    struct xs_stats stats;
} xs;

/* --- ends ------------------------------------------------------------------------------------- */

static void finish(struct xs_request *req, int result)
{
    req->result = result;
    req->done(req);
}

void xenstore_answered(struct xs_request *req, int result)
{
    xs.stats.replies++;
    xenstore_silence_ends();
    xs.slot[req->id & SLOT_MASK] = NULL;
    finish(req, result);
}

/* Fails what the store may have seen, whole or in part: it will not be answered any more. */
static void fail_outstanding(void)
{
    xs.sending = NULL;
    xenstore_reply_reset();
    for (unsigned i = 0; i < SLOTS; i++) {
        struct xs_request *req = xs.slot[i];

        xs.slot[i] = NULL;
        if (req)
            finish(req, -ECONNRESET);
    }
}

static void give_up(void)
{
    struct list *node;

    xs.state = GONE;
    timer_disarm(&xs.reconnect_timer);
    evtchn_unbind(xs.port);
    fail_outstanding();
    while ((node = list_pop(&xs.queue)))
        finish(container_of(node, struct xs_request, node), -ECONNRESET);
}

void xenstore_breach(const char *rule, uint32_t value)
{
    bool can_reset = shared_read(&xs.page->server_features) & XENSTORE_SERVER_FEATURE_RECONNECTION;

    if (!can_reset || xs.stats.reconnects >= RECONNECTS_MAX) {
        log_error("disabled: %s (%u)", rule, value);
        give_up();
        return;
    }
    log_error("resetting the connection: %s (%u)", rule, value);
    xs.stats.reconnects++;
    xs.state = RECONNECTING;
    fail_outstanding();
    shared_store_release(&xs.page->connection, XENSTORE_RECONNECT);
    evtchn_notify_late(xs.port);
    timer_arm_in(&xs.reconnect_timer, RECONNECT_TIMEOUT);
}

static void reconnect_timeout(struct timer *t)
{
    (void)t;
    log_error("disabled: the store does not answer a reset");
    give_up();
}

/* --- requests --------------------------------------------------------------------------------- */

static uint32_t payload_size(const struct xs_request *req)
{
    return req->part[0].size + req->part[1].size;
}

/* Copies len bytes of the request's packet into the ring, at req_prod. */
static void put(const void *data, uint32_t len)
{
    byte_ring_put(xs.page->req, XENSTORE_RING_SIZE, xs.req_prod, data, len);
    xs.req_prod += len;
}

/* Writes as much of the request as room allows; true when all of it is written. */
static bool send_part(struct xs_request *req, uint32_t room)
{
    struct xsd_sockmsg head = {req->type, req->id, req->tid, payload_size(req)};
    const struct {
        const void *data;
        uint32_t size;
    } piece[] = {{&head, sizeof(head)},
                 {req->part[0].data, req->part[0].size},
                 {req->part[1].data, req->part[1].size}};
    uint32_t start = 0; /* of the piece, within the packet */

    for (unsigned i = 0; i < ARRAY_SIZE(piece); i++) {
        uint32_t end = start + piece[i].size;

        if (req->sent < end) {
            uint32_t n = MIN(end - req->sent, room);

            if (n)
                put((const char *)piece[i].data + (req->sent - start), n);
            req->sent += n;
            room -= n;
            if (req->sent < end)
                return false;
        }
        start = end;
    }
    return true;
}

/* Gives the first request of the queue a slot: it is the next to be sent. */
static bool take_next(void)
{
    for (uint32_t i = 0; i < SLOTS && !list_empty(&xs.queue); i++) {
        if (!xs.slot[i]) {
            xs.sending = container_of(list_pop(&xs.queue), struct xs_request, node);
            xs.sending->id = ++xs.generation << SLOT_BITS | i;
            xs.sending->sent = 0;
            xs.slot[i] = xs.sending;
            return true;
        }
    }
    return false;
}

/* Writes requests until the ring is full or none is left that may be sent. */
static void send_requests(void)
{
    bool wrote = false;

    while (xs.state == CONNECTED && (xs.sending || take_next())) {
        /* Acquire: the store has read what we overwrite now. */
        uint32_t cons = shared_load_acquire(&xs.page->req_cons);
        int used = byte_ring_used(xs.req_prod, cons, XENSTORE_RING_SIZE);

        if (used < 0) {
            xenstore_breach("its request index is out of range", cons);
            return;
        }
        if (used == XENSTORE_RING_SIZE)
            break;
        wrote = true;
        if (send_part(xs.sending, XENSTORE_RING_SIZE - (uint32_t)used)) {
            xs.sending = NULL;
            xs.stats.requests++;
        }
        shared_store_release(&xs.page->req_prod, xs.req_prod); /* partner: the store's acquire */
    }
    if (wrote)
        evtchn_notify_late(xs.port);
}

void xs_submit(struct xs_request *req)
{
    list_init(&req->node);
    req->reply_len = 0;
    if (xs.state == GONE) {
        finish(req, -ECONNRESET);
    } else if (payload_size(req) > XENSTORE_PAYLOAD_MAX) {
        finish(req, -E2BIG);
    } else {
        list_add_tail(&xs.queue, &req->node);
        xenstore_silence_begins();
        send_requests(); /* the notification is late: it waits for what else this turn brings */
    }
}

/* --- replies ---------------------------------------------------------------------------------- */

struct xs_request *xenstore_match(const struct xsd_sockmsg *head, const char **why)
{
    uint32_t i = head->req_id & SLOT_MASK;
    struct xs_request *req = i < SLOTS ? xs.slot[i] : NULL;

    if (!req || req->id != head->req_id)
        *why = "reply to an unknown request";
    else if (req == xs.sending)
        *why = "reply to a request that is not sent yet";
    else if (req->tid != head->tx_id)
        *why = "reply from another transaction";
    else
        return req;
    return NULL;
}

/* Copies up to CHUNK of the bytes from rsp_cons to prod out of the ring, once, and takes them. */
static void receive_chunk(uint32_t prod)
{
    char chunk[CHUNK];
    uint32_t n = MIN(prod - xs.rsp_cons, (uint32_t)CHUNK);

    byte_ring_get(xs.page->rsp, XENSTORE_RING_SIZE, xs.rsp_cons, chunk, n);
    xs.rsp_cons += n;
    for (uint32_t used = 0; used < n && xs.state == CONNECTED;)
        used += xenstore_reply_bytes(chunk + used, n - used);
}

/* Reads what is in the ring now; true when there was anything. What comes meanwhile comes with an
 * event: the store cannot keep the guest from its other work. */
static bool receive(void)
{
    uint32_t prod = shared_load_acquire(&xs.page->rsp_prod); /* partner: the store's release */
    uint32_t before = xs.rsp_cons;

    if (byte_ring_used(prod, before, XENSTORE_RING_SIZE) < 0) {
        xenstore_breach("its reply index is out of range", prod);
        return true;
    }
    if (prod == before)
        return false;
    while (xs.rsp_cons != prod && xs.state == CONNECTED)
        receive_chunk(prod);
    if (xs.state != CONNECTED)
        return true;
    shared_store_release(&xs.page->rsp_cons, xs.rsp_cons); /* partner: the store's acquire */
    shared_fence(); /* free before looking; partner: the store's barrier before it waits */
    if (shared_read(&xs.page->rsp_prod) - before >= XENSTORE_RING_SIZE)
        evtchn_notify_late(xs.port); /* it may have found the ring full, and wait */
    return true;
}

/* --- the connection --------------------------------------------------------------------------- */

/* The store has set the indices, to whatever it likes: they are the starting point. */
static void start(void)
{
    xs.req_prod = xs.req_cons_seen = shared_read(&xs.page->req_prod);
    xs.rsp_cons = shared_read(&xs.page->rsp_cons);
    xs.state = CONNECTED;
}

static bool check_reconnected(void)
{
    if (shared_load_acquire(&xs.page->connection) != XENSTORE_CONNECTED)
        return false;
    timer_disarm(&xs.reconnect_timer);
    start();
    log_info("the connection is reset");
    xenstore_watch_restore();
    return true;
}

/* Everything there is to do; true when there was something. */
static bool run(void)
{
    uint32_t cons, features, error;
    bool useful;

    if (xs.state == RECONNECTING && !check_reconnected())
        return false; /* a storm would keep us busy until the reset is given up */
    if (xs.state != CONNECTED)
        return true;
    features = shared_read(&xs.page->server_features);
    error = shared_read(&xs.page->error);
    if ((features & XENSTORE_SERVER_FEATURE_ERROR) && error != XENSTORE_ERROR_NONE) {
        xenstore_breach("it reports an error", error);
        return true;
    }
    useful = receive();
    send_requests();
    if (xs.state != CONNECTED)
        return true;
    cons = shared_read(&xs.page->req_cons);
    useful |= cons != xs.req_cons_seen;
    xs.req_cons_seen = cons;
    return useful;
}

static void event(void *ctx)
{
    (void)ctx;
    if (run())
        evtchn_useful(xs.port);
    else
        evtchn_spurious(xs.port);
}

bool xenstore_look(void)
{
    bool waiting;

    (void)run();
    waiting = !list_empty(&xs.queue);
    for (unsigned i = 0; i < SLOTS; i++)
        waiting |= xs.slot[i] != NULL;
    if (waiting)
        evtchn_notify_late(xs.port); /* it may have missed ours as well */
    return waiting;
}

int xenstore_init(void)
{
    mfn_t mfn = {arch_start_info->store_mfn};
    int err;

    timer_init(&xs.reconnect_timer, reconnect_timeout);
    list_init(&xs.queue);
    xs.page = mfn.n ? arch_mfn_to_virt(mfn) : NULL;
    xs.port = arch_start_info->store_evtchn;
    if (!xs.page || !xs.port) {
        log_warn("none: no devices, no shutdown requests");
        return -ENODEV;
    }
    err = evtchn_attach(xs.port, event, NULL);
    if (!err)
        err = xenstore_watch_init();
    if (err)
        return err;
    start();
    if ((shared_read(&xs.page->server_features) & XENSTORE_SERVER_FEATURE_RECONNECTION) &&
        shared_read(&xs.page->connection) != XENSTORE_CONNECTED)
        xs.state = RECONNECTING; /* by the toolstack: the store will call when it is ready */
    return 0;
}

bool xenstore_available(void)
{
    return xs.state != GONE;
}

struct xs_stats *xenstore_counters(void)
{
    return &xs.stats;
}

const struct xs_stats *xenstore_stats(void)
{
    return &xs.stats;
}
