/* SPDX-License-Identifier: ISC */
/*
 * A vchan's two ends come and go: the server lends pages and says in xenstore where they are, the client
 * maps them (libxenvchan_server_init() and _client_init() of Xen's tools/libs/vchan/init.c).
 */
#include "apps/ringtest/vchan.h"

#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/byte_ring.h"
#include "xen/xenstore.h"

#define LOOKS 100 /* for a server that is not there yet */
#define LOOK_AGAIN_AFTER (100 * NSEC_PER_MSEC)

/* Two rings in one page must be one of each kind. */
static bool orders_fit(unsigned left, unsigned right)
{
    return left >= VCHAN_ORDER_MIN && left <= VCHAN_ORDER_MAX && right >= VCHAN_ORDER_MIN &&
           right <= VCHAN_ORDER_MAX && (left != right || left >= 12);
}

/* --- the server's end --------------------------------------------------------------------------- */

/* Where the ring's bytes are: in the shared page, or in pages of their own, whose references go into the
 * list. NULL: there is no memory. */
static void *make_ring(struct vchan *v, unsigned order, unsigned *listed)
{
    int first;

    if (order < 12)
        return (char *)v->page + (1u << order);
    first = lending_add(v->lent, order - 12);
    if (first < 0)
        return NULL;
    for (unsigned i = (unsigned)first; i < (unsigned)first + (1u << (order - 12)); i++) {
        lending_give(v->lent, i, false);
        v->page->grants[(*listed)++] = lending_ref(v->lent, i);
    }
    return lending_page(v->lent, (unsigned)first);
}

static int make_pages(struct vchan *v, unsigned left, unsigned right)
{
    unsigned listed = 0;

    v->lent = lending_new(v->peer);
    if (!v->lent || lending_add(v->lent, 0) < 0)
        return -ENOMEM;
    v->page = lending_page(v->lent, 0);
    v->in = (struct vchan_ring){.shared = &v->page->left, .size = 1u << left};
    v->out = (struct vchan_ring){.shared = &v->page->right, .size = 1u << right};
    v->in.data = make_ring(v, left, &listed);
    v->out.data = make_ring(v, right, &listed);
    if (!v->in.data || !v->out.data)
        return -ENOMEM;
    v->page->left_order = (uint16_t)left;
    v->page->right_order = (uint16_t)right;
    v->page->cli_live = VCHAN_EXPECTED;
    v->page->srv_live = VCHAN_CONNECTED;
    v->page->cli_notify = VCHAN_NOTIFY_WRITE;
    v->ask = &v->page->cli_notify;
    v->tell = &v->page->srv_notify;
    v->peer_live = &v->page->cli_live;
    v->own_live = &v->page->srv_live;
    lending_give(v->lent, 0, false); /* last: what it says is complete */
    return 0;
}

/* ring-ref comes last: a client that waits for it finds both. */
static int publish(struct vchan *v)
{
    char path[VCHAN_PATH_MAX + 16], owner[12], reader[12], domid[12];
    const char *perms[] = {owner, reader};
    int err = xs_read(XS_NONE, "domid", domid, sizeof(domid));

    if (err < 0)
        return err;
    (void)fmt_print(owner, sizeof(owner), "n%s", domid);
    (void)fmt_print(reader, sizeof(reader), "r%u", v->peer);
    (void)fmt_print(path, sizeof(path), "%s/event-channel", v->path);
    err = xs_mkdir(XS_NONE, v->path);
    if (!err)
        err = xs_set_perms(XS_NONE, v->path, perms, ARRAY_SIZE(perms));
    if (!err)
        err = xs_printf(XS_NONE, path, "%u", v->port);
    (void)fmt_print(path, sizeof(path), "%s/ring-ref", v->path);
    return err ? err : xs_printf(XS_NONE, path, "%u", lending_ref(v->lent, 0));
}

int vchan_serve(struct vchan *v, unsigned number, domid_t client, unsigned left, unsigned right)
{
    int err;

    if (!orders_fit(left, right))
        return -EINVAL;
    *v = (struct vchan){.number = number, .peer = client, .open = true};
    wait_queue_init(&v->queue);
    (void)fmt_print(v->path, sizeof(v->path), "data/vchan/%u", number);
    err = make_pages(v, left, right);
    if (!err) {
        int port = evtchn_alloc_unbound(client, vchan_event, v);

        err = MIN(port, 0);
        v->port = port > 0 ? (evtchn_port_t)port : 0;
    }
    if (!err)
        err = publish(v);
    if (err)
        vchan_close(v);
    return err;
}

/* --- the client's end --------------------------------------------------------------------------- */

/* What the server wrote for us, read with bounds (rule 16). */
static int read_keys(const struct vchan *v, uint64_t *ref, uint64_t *port)
{
    char path[VCHAN_PATH_MAX + 16];
    int err;

    (void)fmt_print(path, sizeof(path), "%s/ring-ref", v->path);
    err = xs_read_number(XS_NONE, path, 1, UINT32_MAX, ref);
    if (err)
        return err;
    (void)fmt_print(path, sizeof(path), "%s/event-channel", v->path);
    return xs_read_number(XS_NONE, path, 1, UINT32_MAX, port);
}

static int wait_for_keys(struct vchan *v, uint64_t *ref, uint64_t *port)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        int err = read_keys(v, ref, port);

        if (err == -EINVAL) {
            vchan_breach(v, "a key is no number", 0);
            return -EPROTO;
        }
        /* What is not there yet, in a directory that is not ours to read, is no business of ours. */
        if (err != -ENOENT && err != -EACCES && !xs_passing(err))
            return err;
        thread_sleep(LOOK_AGAIN_AFTER);
    }
    return -ETIMEDOUT;
}

/* Maps a ring of its own pages. The references are the server's: copied once, like the order. */
static int map_ring(struct vchan *v, struct gntmap *map, struct vchan_ring *r, unsigned order,
                    unsigned *listed)
{
    grant_ref_t refs[GNTMAP_PAGES_MAX];
    int err;

    r->size = 1u << order;
    r->data = (char *)v->page + r->size;
    if (order < 12)
        return 0;
    for (unsigned i = 0; i < 1u << (order - 12); i++)
        refs[i] = shared_read(&v->page->grants[(*listed)++]);
    err = gntmap_map(map, v->peer, refs, order - 12);
    r->data = map->pages;
    return err;
}

static int map_rings(struct vchan *v, grant_ref_t ref)
{
    unsigned left, right, listed = 0;
    int err = gntmap_map(&v->mapped, v->peer, &ref, 0);

    if (err)
        return err;
    v->page = v->mapped.pages;
    left = shared_read(&v->page->left_order);
    right = shared_read(&v->page->right_order);
    if (!orders_fit(left, right)) {
        vchan_breach(v, "rings of an impossible order", (uint64_t)left << 16 | right);
        return -EPROTO;
    }
    v->out.shared = &v->page->left;
    v->in.shared = &v->page->right;
    err = map_ring(v, &v->left_map, &v->out, left, &listed);
    return err ? err : map_ring(v, &v->right_map, &v->in, right, &listed);
}

/* Where the rings begin is for the two of them to say: they may have carried bytes before. What the server
 * says of it must fit together. */
static int take_indices(struct vchan *v)
{
    v->out.own = shared_read(&v->out.shared->prod);
    v->out.seen = shared_read(&v->out.shared->cons);
    v->in.own = shared_read(&v->in.shared->cons);
    v->in.seen = v->in.own;
    if (byte_ring_used(v->out.own, v->out.seen, v->out.size) >= 0)
        return 0;
    vchan_breach(v, "an impossible read index", v->out.seen);
    return -EPROTO;
}

int vchan_connect(struct vchan *v, unsigned number, domid_t server, const char *path)
{
    uint64_t ref, port;
    int err;

    *v = (struct vchan){.number = number, .peer = server, .open = true};
    wait_queue_init(&v->queue);
    (void)fmt_print(v->path, sizeof(v->path), "%s", path);
    err = wait_for_keys(v, &ref, &port);
    if (!err)
        err = map_rings(v, (grant_ref_t)ref);
    if (!err)
        err = take_indices(v);
    if (!err) {
        v->ask = &v->page->srv_notify;
        v->tell = &v->page->cli_notify;
        v->peer_live = &v->page->srv_live;
        err = evtchn_bind_interdomain(server, (evtchn_port_t)port, vchan_event, v);
        v->port = err > 0 ? (evtchn_port_t)err : 0;
        err = MIN(err, 0);
    }
    if (err) {
        vchan_close(v);
        return err;
    }
    v->own_live = &v->page->cli_live;
    shared_store_release(v->own_live, VCHAN_CONNECTED);
    vchan_ask(v, VCHAN_NOTIFY_WRITE);
    evtchn_notify(v->port); /* it waits for this */
    return 0;
}

/* --- the end ------------------------------------------------------------------------------------- */

void vchan_close(struct vchan *v)
{
    if (!v->open)
        return;
    v->open = false;
    if (v->own_live) {
        shared_store_release(v->own_live, VCHAN_GONE);
        if (v->port)
            evtchn_notify(v->port);
    }
    evtchn_unbind(v->port);
    v->port = 0;
    if (v->lent)
        (void)xs_remove(XS_NONE, v->path);
    lending_end(v->lent);
    gntmap_unmap(&v->left_map);
    gntmap_unmap(&v->right_map);
    gntmap_unmap(&v->mapped);
    v->lent = NULL;
    v->page = NULL;
}
