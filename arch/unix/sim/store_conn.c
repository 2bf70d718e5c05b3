/* SPDX-License-Identifier: ISC */
/*
 * The guest's connection to the store: two rings of bytes in a page (xen/include/public/io/xs_wire.h,
 * Xen's docs/misc/xenstore-ring.txt). Requests are answered one after the other, as they become
 * complete; replies and events wait in a queue for room.
 *
 * A guest that breaks the protocol is not listened to any more; it is told why in the page, and may
 * start again by asking for a reconnection there.
 */
#include "arch/unix/sim/store_conn.h"

#include <stdlib.h>
#include <string.h>

#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/store.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define QUOTA_QUEUED 20 /* packets in the queue while no further request is read */

struct packet {
    struct list link;
    size_t len, sent;
    char bytes[];
};

static struct {
    struct xenstore_domain_interface *page;
    struct event_port port;
    struct list queue;
    unsigned queued;
    bool ignored;
    bool stalled;
    uint32_t req_cons; /* what it was when the ring was made to look full */
    size_t have;       /* bytes of the request that is coming in */
    union {
        struct xsd_sockmsg head;
        char bytes[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX + 1];
    } in;
} conn = {.queue = LIST_INIT(conn.queue)};

void (*store_hook)(enum store_step step, void *item);

void store_conn_send(const struct xsd_sockmsg *head, const void *payload, size_t len)
{
    struct xsd_sockmsg copy = *head;
    struct store_reply reply = {&copy, payload};
    struct packet *p;

    copy.len = (uint32_t)len;
    if (store_hook && copy.type != XS_WATCH_EVENT) {
        store_hook(STORE_REPLY, &reply);
        if (reply.payload != payload) /* another's: it has as much as it says */
            len = copy.len;
    }
    p = malloc(sizeof(*p) + sizeof(copy) + len);
    if (!p)
        report_fatal("no memory for the store");
    memcpy(p->bytes, &copy, sizeof(copy));
    if (len)
        memcpy(p->bytes + sizeof(copy), reply.payload, len);
    p->len = sizeof(copy) + len;
    p->sent = 0;
    list_add_tail(&conn.queue, &p->link);
    conn.queued++;
    conn.port.pending = true; /* our own turn, to write it */
}

static void drop_queue(void)
{
    struct list *link;

    while ((link = list_pop(&conn.queue)))
        free(container_of(link, struct packet, link));
    conn.queued = 0;
}

static void break_off(uint32_t error)
{
    conn.ignored = true;
    conn.have = 0;
    drop_queue();
    store_request_reset();
    shared_write(&conn.page->error, error);
    event_notify(&conn.port);
}

static void ignore(uint32_t error)
{
    report("xenstored: domain breaks the protocol (error %u): ignored from now on", error);
    break_off(error);
}

void store_conn_drop(void)
{
    break_off(XENSTORE_ERROR_COMM);
}

static void reconnect(void)
{
    struct xenstore_domain_interface *p = conn.page;

    conn.ignored = false;
    conn.have = 0;
    drop_queue();
    store_request_reset();
    p->req_cons = p->req_prod = p->rsp_cons = p->rsp_prod = 0;
    shared_write(&p->error, XENSTORE_ERROR_NONE);
    shared_store_release(&p->connection, XENSTORE_CONNECTED);
    event_notify(&conn.port);
}

/* --- the rings -------------------------------------------------------------------------------- */

/* How many bytes the request at hand still needs, as far as that is known. */
static size_t missing(void)
{
    size_t whole = sizeof(conn.in.head);

    if (conn.have >= whole)
        whole += conn.in.head.len;
    return whole - conn.have;
}

/* Takes up to n bytes of the request ring; false when its indices are impossible. */
static bool take(size_t n, size_t *taken)
{
    struct xenstore_domain_interface *p = conn.page;
    uint32_t prod = shared_load_acquire(&p->req_prod); /* partner: the guest's release */
    uint32_t cons = shared_read(&p->req_cons);

    if (prod - cons > XENSTORE_RING_SIZE)
        return false;
    for (*taken = 0; *taken < n && cons != prod; cons++, ++*taken)
        conn.in.bytes[conn.have + *taken] = p->req[MASK_XENSTORE_IDX(cons)];
    conn.have += *taken;
    shared_store_release(&p->req_cons, cons); /* partner: the guest's acquire */
    return true;
}

/* 0, or the error with which a peer refuses it. */
static int at_request(enum store_step step, const struct xsd_sockmsg *head, const char *payload)
{
    struct store_asked asked = {head, payload, 0};

    if (store_hook)
        store_hook(step, &asked);
    return asked.refuse;
}

/* A store that stalls before it answers will do so later. */
static void answer(void)
{
    struct xsd_sockmsg head = conn.in.head;
    char *payload = conn.in.bytes + sizeof(head);
    int err;

    payload[head.len] = '\0';
    err = at_request(STORE_ASKED, &head, payload);
    if (conn.stalled || conn.ignored)
        return;
    conn.have = 0;
    if (err)
        store_request_refuse(&head, err);
    else
        store_request(&head, payload);
    (void)at_request(STORE_ANSWERED, &head, payload);
}

/* True when something was read. */
static bool receive(void)
{
    bool any = false;

    while (conn.queued < QUOTA_QUEUED && !conn.stalled && !conn.ignored) {
        size_t taken = 0;

        if (missing() && !take(missing(), &taken)) {
            ignore(XENSTORE_ERROR_RINGIDX);
            return any;
        }
        any |= taken > 0;
        if (conn.have >= sizeof(conn.in.head) && conn.in.head.len > XENSTORE_PAYLOAD_MAX) {
            ignore(XENSTORE_ERROR_PROTO);
            return any;
        }
        if (conn.have >= sizeof(conn.in.head) && !missing())
            answer();
        else if (!taken)
            return any;
    }
    return any;
}

static bool put(struct packet *p)
{
    struct xenstore_domain_interface *page = conn.page;
    uint32_t prod = shared_read(&page->rsp_prod);
    uint32_t cons = shared_load_acquire(&page->rsp_cons); /* partner: the guest's release */

    if (prod - cons > XENSTORE_RING_SIZE)
        return false;
    while (p->sent < p->len && prod - cons < XENSTORE_RING_SIZE)
        page->rsp[MASK_XENSTORE_IDX(prod++)] = p->bytes[p->sent++];
    shared_store_release(&page->rsp_prod, prod); /* partner: the guest's acquire */
    if (store_hook)
        store_hook(STORE_PUSH, page);
    return true;
}

/* True when something was written. */
static bool transmit(void)
{
    bool any = false;

    while (!list_empty(&conn.queue) && !conn.stalled) {
        struct packet *p = container_of(conn.queue.next, struct packet, link);
        size_t before = p->sent;

        if (!put(p)) {
            ignore(XENSTORE_ERROR_RINGIDX);
            return false;
        }
        any |= p->sent != before;
        if (p->sent < p->len)
            return any;
        list_del(&p->link);
        free(p);
        conn.queued--;
    }
    return any;
}

static void event(struct event_port *port)
{
    bool any = false, more = true;

    if (conn.stalled)
        return;
    if (shared_load_acquire(&conn.page->connection) == XENSTORE_RECONNECT)
        reconnect();
    while (more && !conn.ignored && !conn.stalled) {
        more = receive();
        more |= transmit();
        any |= more;
    }
    if (any)
        event_notify(port);
}

void store_conn_stall(bool full)
{
    struct xenstore_domain_interface *p = conn.page;

    conn.stalled = true;
    conn.req_cons = p->req_cons;
    if (full)
        shared_store_release(&p->req_cons, p->req_prod - XENSTORE_RING_SIZE);
}

void store_conn_resume(void)
{
    if (conn.stalled)
        shared_store_release(&conn.page->req_cons,
                             conn.req_cons); /* partner: the guest's acquire */
    conn.stalled = false;
    conn.port.pending = true;
    event_notify(&conn.port); /* there may be room now */
}

void store_set_features(uint32_t features)
{
    shared_write(&conn.page->server_features, features);
}

uint32_t store_connect_guest(grant_ref_t ref)
{
    void *page;

    if (grant_map(ref, false, &page))
        report_fatal("the store's page cannot be mapped");
    conn.page = page;
    store_set_features(XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
    conn.page->connection = XENSTORE_CONNECTED;
    conn.port = (struct event_port){.name = "store", .fn = event};
    return event_make(&conn.port);
}
