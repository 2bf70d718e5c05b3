/* SPDX-License-Identifier: ISC */
/* See vchan.h. */
#include "arch/unix/sim/vchan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define CHUNK 4096

static struct vchan the_vchan = {.in_file = -1, .out_file = -1};
void (*vchan_hook)(struct vchan *v, enum vchan_step step, uint32_t *item);

/* --- bytes ------------------------------------------------------------------------------------- */

/* Says what we wait for. The barrier in it: the indices are looked at after it. */
static void ask(struct vchan *v, uint8_t bit)
{
    (void)shared_or(v->ask, bit);
}

static void tell(struct vchan *v, uint8_t bit)
{
    if (shared_and(v->tell, (uint8_t)~bit) & bit)
        event_notify(&v->port);
}

static bool is_busy(const struct vchan *v)
{
    return v->connected && !v->silent && !v->stalled;
}

/* Sends what there is room for. */
static void send(struct vchan *v)
{
    uint8_t buf[CHUNK];

    while (is_busy(v)) {
        uint32_t prod = v->out.shared->prod;
        uint32_t used;
        ssize_t n;

        ask(v, VCHAN_NOTIFY_READ);
        used = prod - shared_load_acquire(&v->out.shared->cons);
        if (used >= v->out.size)
            return;
        n = read(v->in_file, buf, MIN((size_t)CHUNK, v->out.size - (size_t)used));
        if (n <= 0)
            return; /* the end of the file is not that of the connection */
        for (ssize_t i = 0; i < n; i++)
            v->out.data[prod++ % v->out.size] = buf[i];
        vchan_at(v, VCHAN_WRITE, &prod);
        if (!v->connected)
            return; /* it was a lie, and its last */
        shared_store_release(&v->out.shared->prod, prod);
        tell(v, VCHAN_NOTIFY_WRITE);
    }
}

static void receive(struct vchan *v)
{
    uint8_t buf[CHUNK];

    while (is_busy(v)) {
        uint32_t cons = v->in.shared->cons, used, n;

        ask(v, VCHAN_NOTIFY_WRITE);
        used = shared_load_acquire(&v->in.shared->prod) - cons;
        if (!used || used > v->in.size)
            return;
        n = MIN(used, (uint32_t)CHUNK);
        for (uint32_t i = 0; i < n; i++)
            buf[i] = v->in.data[cons++ % v->in.size];
        if (write(v->out_file, buf, n) != (ssize_t)n)
            report("vchan: the file cannot be written: %s", strerror(errno));
        v->received += n;
        vchan_at(v, VCHAN_READ, &cons);
        if (!v->connected)
            return;
        shared_store_release(&v->in.shared->cons, cons);
        tell(v, VCHAN_NOTIFY_READ);
    }
}

static void run(struct event_port *port)
{
    struct vchan *v = container_of(port, struct vchan, port);

    if (v->stalled || !v->connected)
        return;
    if (shared_read(v->peer_live) == 1)
        v->met = true;
    if (v->met)
        receive(v);
    if (v->met)
        send(v);
    if (v->connected && !shared_read(v->peer_live))
        vchan_close();
}

/* --- either end --------------------------------------------------------------------------------- */

static void take_sides(struct vchan *v)
{
    v->ask = v->server ? &v->page->cli_notify : &v->page->srv_notify;
    v->tell = v->server ? &v->page->srv_notify : &v->page->cli_notify;
    v->own_live = v->server ? &v->page->srv_live : &v->page->cli_live;
    v->peer_live = v->server ? &v->page->cli_live : &v->page->srv_live;
}

/* --- the server --------------------------------------------------------------------------------- */

#define LEFT_ORDER 10 /* vchan-socket-proxy's */
#define RIGHT_ORDER 11

static const char *key_path(const struct vchan *v, const char *key)
{
    static char path[sizeof(v->path) + 16];

    snprintf(path, sizeof(path), "%s/%s", v->path, key);
    return path;
}

static void serve(struct vchan *v)
{
    char perms[24];
    void *page;

    v->ref = grant_offer(&page);
    v->page = page;
    v->in = (struct vchan_ring){
        &v->page->left, (uint8_t *)page + (1u << LEFT_ORDER), 1u << LEFT_ORDER, {0}, 0};
    v->out = (struct vchan_ring){
        &v->page->right, (uint8_t *)page + (1u << RIGHT_ORDER), 1u << RIGHT_ORDER, {0}, 0};
    v->page->left_order = LEFT_ORDER;
    v->page->right_order = RIGHT_ORDER;
    v->page->cli_live = 2;
    v->page->srv_live = 1;
    v->page->cli_notify = VCHAN_NOTIFY_WRITE;
    v->connected = true;
    take_sides(v);
    snprintf(perms, sizeof(perms), "n0 r%u", DOMAIN_ID);
    store_make(v->path, perms);
    store_printf(key_path(v, "ring-ref"), "%u", v->ref);
    store_printf(key_path(v, "event-channel"), "%u", event_offer(&v->port));
    vchan_at(v, VCHAN_OFFER, NULL);
}

/* --- the client -------------------------------------------------------------------------------- */

static void unmap_ring(struct vchan_ring *r)
{
    if (r->pages)
        grant_unmap_together(r->refs, r->pages, r->data);
    r->pages = 0;
}

/* *listed: how many of the list's references are taken. */
static bool map_ring(struct vchan *v, struct vchan_ring *r, struct ring_shared *shared,
                     unsigned order, unsigned *listed)
{
    void *data;

    *r = (struct vchan_ring){.shared = shared, .size = 1u << order};
    if (order < VCHAN_ORDER_MIN || order > VCHAN_ORDER_MAX)
        return false;
    r->data = (uint8_t *)v->page + r->size;
    if (order < 12)
        return true;
    for (unsigned i = 0; i < 1u << (order - 12); i++)
        r->refs[i] = v->page->grants[(*listed)++];
    if (grant_map_together(r->refs, 1u << (order - 12), &data))
        return false;
    r->data = data;
    r->pages = 1u << (order - 12);
    return true;
}

static bool map_rings(struct vchan *v)
{
    unsigned listed = 0;

    return map_ring(v, &v->out, &v->page->left, v->page->left_order, &listed) &&
           map_ring(v, &v->in, &v->page->right, v->page->right_order, &listed);
}

static void let_go(struct vchan *v)
{
    unmap_ring(&v->in);
    unmap_ring(&v->out);
    event_unbind(&v->port);
    if (v->page && v->server)
        grant_withdraw(v->ref);
    else if (v->page)
        grant_unmap(v->ref, false);
    v->page = NULL;
}

static void connect(struct store_listener *listener)
{
    struct vchan *v = container_of(listener, struct vchan, listener);
    uint64_t port = store_read_number(key_path(v, "event-channel"), 1, UINT32_MAX, 0);
    uint32_t live = 1;
    void *page;

    if (v->stalled)
        return;
    v->ref = (grant_ref_t)store_read_number(key_path(v, "ring-ref"), 1, UINT32_MAX, 0);
    if (!port || !v->ref || grant_map(v->ref, false, &page))
        return; /* not yet */
    store_unlisten(&v->listener);
    v->waiting = false;
    v->page = page;
    take_sides(v);
    if (!map_rings(v) || event_bind(&v->port, (uint32_t)port)) {
        report("vchan: the server's rings or port cannot be used");
        let_go(v);
        return;
    }
    v->connected = true;
    report_debug("vchan: connected to %s: orders %u and %u", v->path, v->page->left_order,
                 v->page->right_order);
    vchan_at(v, VCHAN_CONNECT, &live);
    if (!v->connected)
        return;
    shared_store_release(&v->page->cli_live, (uint8_t)live);
    ask(v, VCHAN_NOTIFY_WRITE);
    event_notify(&v->port);
    run(&v->port);
}

/* --- from outside ------------------------------------------------------------------------------- */

const char *vchan_open(bool server, const char *path, const char *in, const char *out)
{
    struct vchan *v = &the_vchan;

    if (v->connected || v->waiting)
        return "there is one already";
    *v = (struct vchan){
        .server = server,
        .in_file = open(in, O_RDONLY | O_CLOEXEC),
        .out_file = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
        .listener = {.fn = connect},
        .port = {.name = "vchan", .fn = run},
    };
    snprintf(v->path, sizeof(v->path), "%s", path);
    snprintf(v->listener.path, sizeof(v->listener.path), "%s", path);
    if (v->in_file < 0 || v->out_file < 0)
        return strerror(errno);
    v->waiting = !server;
    if (server)
        serve(v);
    else
        store_listen(&v->listener);
    return NULL;
}

static void report_end(struct vchan *v)
{
    void (*ended)(unsigned long received) = v->ended;

    v->ended = NULL;
    if (ended)
        ended(v->received);
}

void vchan_wait(void (*ended)(unsigned long received))
{
    the_vchan.ended = ended;
    if (!the_vchan.connected && !the_vchan.waiting)
        report_end(&the_vchan);
}

static void say_that_we_go(struct vchan *v)
{
    shared_store_release(v->own_live, 0);
    event_notify(&v->port);
}

/* What is left when the guest has been told or not. */
static void end(struct vchan *v)
{
    if (v->waiting)
        store_unlisten(&v->listener);
    if (v->connected)
        let_go(v);
    if (v->waiting || v->connected) {
        close(v->in_file);
        close(v->out_file);
        report_debug("vchan: closed, %lu bytes received", v->received);
    }
    v->waiting = v->connected = false;
    report_end(v);
}

void vchan_close(void)
{
    struct vchan *v = &the_vchan;

    if (v->connected) {
        say_that_we_go(v);
        if (v->server)
            store_remove(v->path);
    }
    end(v);
}

void vchan_die(bool restart)
{
    struct vchan *v = &the_vchan;

    if (v->connected)
        say_that_we_go(v);
    if (!restart || v->server || !v->connected) {
        end(v);
        return;
    }
    let_go(v);
    v->connected = v->met = false;
    v->waiting = true;
    (void)lseek(v->in_file, 0, SEEK_SET);
    store_listen(&v->listener);
}

void vchan_crash(void)
{
    end(&the_vchan);
}

void vchan_stall(void)
{
    the_vchan.stalled = true;
}

void vchan_resume(void)
{
    struct vchan *v = &the_vchan;

    v->stalled = false;
    if (v->waiting)
        connect(&v->listener);
    run(&v->port);
}
