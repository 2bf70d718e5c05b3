/* SPDX-License-Identifier: ISC */
/* A vchan's other end that lies: the numbers are those of the rules in docs/hardening.md. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/vtime.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "tests/peers/lies.h"

#define MS UINT64_C(1000000)

/* Ours of the shared page for as long as a lie takes, whatever becomes of the vchan. */
static struct {
    struct timer timer;
    pthread_t thread;
    grant_ref_t ref;
    struct vchan_interface *page;
    bool flipping, stop;
} held;

static void let_go(struct timer *timer)
{
    (void)timer;
    shared_write(&held.stop, true);
    if (held.flipping)
        pthread_join(held.thread, NULL);
    grant_unmap(held.ref, false);
}

static void hold_for(struct vchan *v, uint64_t ns)
{
    void *page;

    held.ref = v->ref;
    held.stop = held.flipping = false;
    held.timer.fn = let_go;
    if (grant_map(held.ref, false, &page))
        report_fatal("the page cannot be mapped");
    held.page = page;
    vtime_arm(&held.timer, vtime_now() + ns);
}

/* --- 1, 2: indices ------------------------------------------------------------------------------ */

static void *flip(void *unused)
{
    volatile struct vchan_interface *page = held.page;

    (void)unused;
    while (!shared_read(&held.stop)) {
        uint32_t prod = page->left.prod, cons = page->right.cons;

        page->left.prod = prod + 0x80000000u;
        page->right.cons = cons - 1;
        page->left.prod = prod;
        page->right.cons = cons;
    }
    return NULL;
}

/* Another processor changes both indices of ours while the guest reads them. */
static void flip_indices(struct vchan *v, uint32_t *item)
{
    (void)item;
    hold_for(v, 100 * MS);
    held.flipping = true;
    if (pthread_create(&held.thread, NULL, flip, NULL))
        report_fatal("no thread");
}

static void write_ahead(struct vchan *v, uint32_t *item)
{
    *item = v->out.shared->cons + v->out.size + 1;
}

static void write_far_ahead(struct vchan *v, uint32_t *item)
{
    (void)v;
    *item += 0x80000000u;
}

static void write_back(struct vchan *v, uint32_t *item)
{
    *item = v->out.shared->prod - 1;
    v->silent = true; /* or it would write on from there */
}

static void read_ahead(struct vchan *v, uint32_t *item)
{
    *item = v->in.shared->prod + 1;
}

static void read_far_ahead(struct vchan *v, uint32_t *item)
{
    (void)v;
    *item += 0x80000000u;
}

static void read_back(struct vchan *v, uint32_t *item)
{
    *item = v->in.shared->cons - 1;
    v->silent = true;
}

/* --- 3: what the guest has written there is not read back --------------------------------------- */

/* Orders, the list of grants, and the guest's own indices where it will write them again. */
static void scribble(struct vchan *v, uint32_t *item)
{
    v->page->left_order = v->page->right_order = 31;
    memset(v->page->grants, 0xff, 4 * sizeof(v->page->grants[0]));
    if (v->out.shared->prod != v->out.shared->cons)
        v->out.shared->cons ^= 0x55555555;
    if (*item == v->in.shared->prod)
        v->in.shared->prod ^= 0x55555555;
}

/* --- 9: pages ------------------------------------------------------------------------------------ */

static void hold(struct vchan *v, uint32_t *item)
{
    (void)item;
    hold_for(v, 500 * MS);
}

/* --- 14: events and the bits that ask for them ------------------------------------------------ */

static struct {
    struct timer timer;
    struct vchan *v;
    unsigned left;
} storm;

static void storm_again(struct timer *timer)
{
    if (!storm.v->connected)
        return;
    event_notify(&storm.v->port);
    if (--storm.left)
        vtime_arm(timer, vtime_now() + MS / 50);
}

static void start_storm(struct vchan *v, uint32_t *item)
{
    (void)item;
    storm.v = v;
    storm.left = 25000;
    storm.timer.fn = storm_again;
    vtime_arm(&storm.timer, vtime_now());
}

/* It asks for every event there is, and for some that there are not. */
static void ask_all(struct vchan *v, uint32_t *item)
{
    (void)item;
    (void)shared_or(v->ask, (uint8_t)0xff);
}

/* --- 18: coming and going ------------------------------------------------------------------------ */

static void live_of_none(struct vchan *v, uint32_t *item)
{
    (void)v;
    *item = 7;
}

static void live_of_none_later(struct vchan *v, uint32_t *item)
{
    (void)item;
    shared_write(v->own_live, 7);
    event_notify(&v->port);
}

static void expected_again(struct vchan *v, uint32_t *item)
{
    (void)item;
    shared_write(v->own_live, 2);
    event_notify(&v->port);
}

/* It neither reads nor writes nor says anything: the guest waits. */
static void stall(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->silent = true;
}

static void leave(struct vchan *v, uint32_t *item)
{
    (void)v;
    (void)item;
    vchan_close();
}

/* --- 16: what a server says of itself ------------------------------------------------------------- */

static void order_small(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->left_order = 9;
}

static void order_large(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->right_order = 21;
}

static void order_huge(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->left_order = 0xffff;
}

/* Both would lie in the same bytes. */
static void order_same(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->left_order = v->page->right_order;
}

/* Pages of their own: the first is lent, the second is not. */
static void list_of_none(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->left_order = 13;
    v->page->grants[0] = v->ref;
    v->page->grants[1] = 0xfffffff0;
}

static void say(const struct vchan *v, const char *key, const char *value)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", v->path, key);
    store_write(path, value);
}

static void ref_of_none(struct vchan *v, uint32_t *item)
{
    (void)item;
    say(v, "ring-ref", "4294967295");
}

static void ref_huge(struct vchan *v, uint32_t *item)
{
    (void)item;
    say(v, "ring-ref", "18446744073709551617");
}

static void ref_text(struct vchan *v, uint32_t *item)
{
    (void)item;
    say(v, "ring-ref", "8x");
}

static void port_of_none(struct vchan *v, uint32_t *item)
{
    (void)item;
    say(v, "event-channel", "4294967295");
}

static void port_negative(struct vchan *v, uint32_t *item)
{
    (void)item;
    say(v, "event-channel", "-1");
}

/* It has read what nobody has written. */
static void start_of_none(struct vchan *v, uint32_t *item)
{
    (void)item;
    v->page->left.cons = 1;
}

const struct vchan_lie vchan_lies[] = {
    {"1-vchan-flip", VCHAN_READ, false, flip_indices},
    {"2-vchan-write-ahead", VCHAN_WRITE, false, write_ahead},
    {"2-vchan-write-far-ahead", VCHAN_WRITE, false, write_far_ahead},
    {"2-vchan-write-back", VCHAN_WRITE, false, write_back},
    {"2-vchan-read-ahead", VCHAN_READ, false, read_ahead},
    {"2-vchan-read-far-ahead", VCHAN_READ, false, read_far_ahead},
    {"2-vchan-read-back", VCHAN_READ, false, read_back},
    {"3-vchan-scribble", VCHAN_READ, true, scribble},
    {"9-vchan-hold", VCHAN_READ, false, hold},
    {"14-vchan-ask-all", VCHAN_READ, true, ask_all},
    {"14-vchan-storm", VCHAN_READ, false, start_storm},
    {"2-vchan-start", VCHAN_OFFER, false, start_of_none},
    {"16-vchan-order-small", VCHAN_OFFER, false, order_small},
    {"16-vchan-order-large", VCHAN_OFFER, false, order_large},
    {"16-vchan-order-huge", VCHAN_OFFER, false, order_huge},
    {"16-vchan-order-same", VCHAN_OFFER, false, order_same},
    {"16-vchan-list", VCHAN_OFFER, false, list_of_none},
    {"16-vchan-ref-none", VCHAN_OFFER, false, ref_of_none},
    {"16-vchan-ref-huge", VCHAN_OFFER, false, ref_huge},
    {"16-vchan-ref-text", VCHAN_OFFER, false, ref_text},
    {"16-vchan-port-none", VCHAN_OFFER, false, port_of_none},
    {"16-vchan-port-negative", VCHAN_OFFER, false, port_negative},
    {"18-vchan-live-at-connect", VCHAN_CONNECT, false, live_of_none},
    {"18-vchan-live-in-traffic", VCHAN_WRITE, false, live_of_none_later},
    {"18-vchan-expected-again", VCHAN_WRITE, false, expected_again},
    {"18-vchan-stall", VCHAN_READ, false, stall},
    {"18-vchan-leave-at-connect", VCHAN_CONNECT, false, leave},
    {"18-vchan-leave-at-write", VCHAN_WRITE, false, leave},
    {"18-vchan-leave-at-read", VCHAN_READ, false, leave},
};
const unsigned vchan_lie_count = ARRAY_SIZE(vchan_lies);
