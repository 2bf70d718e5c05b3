/* SPDX-License-Identifier: ISC */
/*
 * A vchan, bare: two byte rings, the bits by which each end asks for an event, and the rules of
 * docs/hardening.md. All of the shared page may change at any time under the peer's hands: orders, the
 * list of grants and our own indices are written there for it and never read back.
 *
 * An end that is going to wait says for what (ask), then looks once more, then sleeps; an end that has
 * moved an index takes the bit away that asks for it (tell) and sends an event. Whoever loses the race
 * sees the other's move: each does the two things in the opposite order, with a full barrier between.
 */
#include "apps/ringtest/vchan.h"

#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/byte_ring.h"

#define LOG_MODULE "vchan"

#define LOOK_AFTER NSEC_PER_SEC

static unsigned disabled;

unsigned vchan_count_disabled(void)
{
    return disabled;
}

void vchan_breach(struct vchan *v, const char *rule, uint64_t value)
{
    if (v->broken)
        return;
    v->broken = true;
    disabled++;
    log_error("vchan/%u: disabled: %s (%lu)", v->number, rule, (unsigned long)value);
}

/* --- the peer's indices ------------------------------------------------------------------------ */

/* Looks how far the peer has written: how many bytes wait, or -EPROTO. An index that runs backwards is
 * one that is farther ahead than what waited before allows (rule 2). */
static int look_in(struct vchan *v)
{
    struct vchan_ring *r = &v->in;
    uint32_t prod = shared_load_acquire(&r->shared->prod); /* partner: its release */
    int waiting = byte_ring_used(prod, r->own, r->size);

    if (waiting < byte_ring_used(r->seen, r->own, r->size)) {
        vchan_breach(v, "an impossible write index", prod);
        return -EPROTO;
    }
    v->progress |= prod != r->seen;
    r->seen = prod;
    return waiting;
}

/* Looks how far it has read: how many bytes it has not read yet, or -EPROTO. */
static int look_out(struct vchan *v)
{
    struct vchan_ring *r = &v->out;
    uint32_t cons = shared_load_acquire(&r->shared->cons); /* partner: its release */
    int unread = byte_ring_used(r->own, cons, r->size);

    if (unread < 0 || unread > byte_ring_used(r->own, r->seen, r->size)) {
        vchan_breach(v, "an impossible read index", cons);
        return -EPROTO;
    }
    v->progress |= cons != r->seen;
    r->seen = cons;
    return unread;
}

/* Whether the peer is there: it may come, once, and go. -EPROTO: it is neither here nor gone. */
static int look_whether_open(struct vchan *v)
{
    uint8_t live = v->gone ? VCHAN_GONE : shared_read(v->peer_live);

    if (live > VCHAN_EXPECTED || (live == VCHAN_EXPECTED && v->connected)) {
        vchan_breach(v, "a liveness of none", live);
        return -EPROTO;
    }
    v->progress |= (live == VCHAN_CONNECTED) != v->connected;
    v->connected = live == VCHAN_CONNECTED;
    v->gone = live == VCHAN_GONE;
    return live != VCHAN_GONE;
}

/* Until the peer does something. It may have failed to send an event, or its domain may have died, which says
 * nothing: then nobody is at the other end of the port. */
static void wait(struct vchan *v)
{
    if (wait_queue_sleep_for(&v->queue, LOOK_AFTER) && v->connected &&
        !evtchn_is_connected(v->port)) {
        log_warn("vchan/%u: domain %u has gone without a word", v->number, v->peer);
        v->gone = true;
    }
}

/* --- events ------------------------------------------------------------------------------------ */

/* A peer that sends events for nothing is looked at ever more rarely (rule 14). */
void vchan_event(void *ctx)
{
    struct vchan *v = ctx;

    (void)look_whether_open(v);
    (void)look_in(v);
    (void)look_out(v);
    if (v->progress)
        evtchn_useful(v->port);
    else
        evtchn_spurious(v->port);
    v->progress = false;
    wait_queue_wake_all(&v->queue);
}

void vchan_ask(struct vchan *v, uint8_t bit)
{
    (void)shared_or(v->ask, bit); /* a full barrier: then the indices are looked at again */
}

static void tell(struct vchan *v, uint8_t bit)
{
    if (shared_and(v->tell, (uint8_t)~bit) & bit)
        evtchn_notify(v->port);
}

/* --- reading and writing ------------------------------------------------------------------------ */

int vchan_read(struct vchan *v, void *buf, size_t size)
{
    for (;;) {
        int waiting, open;

        vchan_ask(v, VCHAN_NOTIFY_WRITE);
        open = look_whether_open(v); /* first: what was written before it closed is still read */
        waiting = look_in(v);
        if (open < 0 || waiting < 0 || v->broken)
            return -EPROTO;
        if (waiting) {
            uint32_t n = (uint32_t)MIN((size_t)waiting, size);

            byte_ring_get(v->in.data, v->in.size, v->in.own, buf, n);
            v->in.own += n;
            shared_store_release(&v->in.shared->cons, v->in.own); /* partner: its acquire */
            tell(v, VCHAN_NOTIFY_READ);
            return (int)n;
        }
        if (!open)
            return 0;
        wait(v);
    }
}

/* Waits until at most `unread` bytes are on the way: how many are, or an error. */
static int wait_for_reader(struct vchan *v, uint32_t unread)
{
    for (;;) {
        int left, open;

        vchan_ask(v, VCHAN_NOTIFY_READ);
        open = look_whether_open(v);
        left = look_out(v);
        if (open < 0 || left < 0 || v->broken)
            return -EPROTO;
        if ((uint32_t)left <= unread)
            return left;
        if (!open)
            return -EPIPE;
        wait(v);
    }
}

int vchan_write(struct vchan *v, const void *buf, size_t size)
{
    const char *from = buf;

    while (size) {
        int left = wait_for_reader(v, v->out.size - 1);
        uint32_t n;

        if (left < 0)
            return left;
        if (v->gone)
            return -EPIPE; /* though there is room */
        n = (uint32_t)MIN(size, (size_t)v->out.size - (size_t)left);
        byte_ring_put(v->out.data, v->out.size, v->out.own, from, n);
        v->out.own += n;
        shared_store_release(&v->out.shared->prod, v->out.own); /* partner: its acquire */
        tell(v, VCHAN_NOTIFY_WRITE);
        from += n;
        size -= n;
    }
    return 0;
}

int vchan_drain(struct vchan *v)
{
    return wait_for_reader(v, 0);
}
