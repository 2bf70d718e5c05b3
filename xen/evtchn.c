/* SPDX-License-Identifier: ISC */
/*
 * Event channels, the two-level ABI (xen/include/public/event_channel.h and struct shared_info in
 * xen.h): a bit per port in evtchn_pending, a bit per word of those in evtchn_pending_sel, and
 * evtchn_upcall_pending above all. Xen sets them bottom-up, so we clear them top-down: an event that
 * comes in between is found by the next scan.
 */
#include "xen/evtchn.h"

#include <errno.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define LOG_MODULE "evtchn"

/* Xen gives a guest the lowest free port, so this bounds the ports open at one time. */
#define PORTS 256
#define WORD_BITS 64
#define WORDS (PORTS / WORD_BITS)
#define SPURIOUS_DELAY_MIN NSEC_PER_USEC
#define SPURIOUS_DELAY_MAX NSEC_PER_SEC

struct binding {
    evtchn_handler *fn;
    void *ctx;
};

static struct {
    struct binding bindings[PORTS];
    uint64_t notify[WORDS];  /* ports to be notified at the end of the turn */
    uint64_t delayed[WORDS]; /* ports masked for sending spurious events... */
    uint64_t due[PORTS];     /* ...until then */
    uint8_t spurious[PORTS]; /* spurious events in a row: the delay is 2^n us */
    struct work flush;
    struct timer unmask;
    struct evtchn_stats stats;
} evtchn;

static struct vcpu_info *vcpu(void)
{
    return &arch_shared_info->vcpu_info[0];
}

static uint64_t bit_of(evtchn_port_t port)
{
    return UINT64_C(1) << (port % WORD_BITS);
}

static void mask(evtchn_port_t port)
{
    (void)shared_or(&arch_shared_info->evtchn_mask[port / WORD_BITS], bit_of(port));
}

/* With one vcpu no hypercall is needed: what Xen would do on unmasking is done here. A pending bit
 * set while the port was masked did not raise the bits above it. */
static void unmask(evtchn_port_t port)
{
    (void)shared_and(&arch_shared_info->evtchn_mask[port / WORD_BITS], ~bit_of(port));
    if (shared_read(&arch_shared_info->evtchn_pending[port / WORD_BITS]) & bit_of(port)) {
        (void)shared_or(&vcpu()->evtchn_pending_sel, UINT64_C(1) << (port / WORD_BITS));
        shared_write(&vcpu()->evtchn_upcall_pending, 1);
    }
}

static void flush_notifications(struct work *w)
{
    (void)w;
    for (unsigned i = 0; i < WORDS; i++) {
        while (evtchn.notify[i]) {
            unsigned bit = (unsigned)__builtin_ctzll(evtchn.notify[i]);

            evtchn.notify[i] &= evtchn.notify[i] - 1;
            evtchn_notify(i * WORD_BITS + bit);
        }
    }
}

/* Unmasks the ports whose delay has passed; the timer is for the first of those left. */
static void end_delay(struct timer *t)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < WORDS; i++) {
        for (uint64_t left = evtchn.delayed[i]; left; left &= left - 1) {
            evtchn_port_t port = i * WORD_BITS + (unsigned)__builtin_ctzll(left);

            if (evtchn.due[port] > timer_now()) {
                next = MIN(next, evtchn.due[port]);
                continue;
            }
            evtchn.delayed[i] &= ~bit_of(port);
            unmask(port);
        }
    }
    if (next != UINT64_MAX)
        timer_arm(t, next);
}

void evtchn_init(void)
{
    work_init(&evtchn.flush, flush_notifications);
    timer_init(&evtchn.unmask, end_delay);
    for (unsigned i = 0; i < ARRAY_SIZE(arch_shared_info->evtchn_mask); i++)
        shared_write(&arch_shared_info->evtchn_mask[i], ~0ul);
}

int evtchn_attach(evtchn_port_t port, evtchn_handler *fn, void *ctx)
{
    if (port == 0 || port >= PORTS)
        return -ERANGE;
    evtchn.bindings[port] = (struct binding){fn, ctx};
    evtchn.spurious[port] = 0;
    unmask(port);
    return 0;
}

/* Attaches the handler to a port we have just opened, or closes it again. */
static int attach_new(evtchn_port_t port, evtchn_handler *fn, void *ctx)
{
    struct evtchn_close close = {.port = port};

    if (evtchn_attach(port, fn, ctx) == 0)
        return (int)port;
    (void)hv_evtchn_op(EVTCHNOP_close, &close);
    log_error("port %u is beyond the %u that are supported", port, PORTS - 1);
    return -ENOSPC;
}

int evtchn_bind_virq(unsigned virq, evtchn_handler *fn, void *ctx)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = 0};
    int err = hv_evtchn_op(EVTCHNOP_bind_virq, &op);

    return err ? err : attach_new(op.port, fn, ctx);
}

int evtchn_alloc_unbound(domid_t remote, evtchn_handler *fn, void *ctx)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};
    int err = hv_evtchn_op(EVTCHNOP_alloc_unbound, &op);

    return err ? err : attach_new(op.port, fn, ctx);
}

int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_handler *fn,
                            void *ctx)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = remote_port};
    int err = hv_evtchn_op(EVTCHNOP_bind_interdomain, &op);

    return err ? err : attach_new(op.local_port, fn, ctx);
}

void evtchn_unbind(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    if (port == 0 || port >= PORTS || !evtchn.bindings[port].fn)
        return;
    mask(port);
    evtchn.bindings[port] = (struct binding){0};
    evtchn.notify[port / WORD_BITS] &= ~bit_of(port);
    evtchn.delayed[port / WORD_BITS] &= ~bit_of(port);
    (void)hv_evtchn_op(EVTCHNOP_close, &op);
    /* The port may be given out again: it must not start with our pending bit. */
    (void)shared_and(&arch_shared_info->evtchn_pending[port / WORD_BITS], ~bit_of(port));
}

bool evtchn_is_connected(evtchn_port_t port)
{
    struct evtchn_status op = {.dom = DOMID_SELF, .port = port};

    return hv_evtchn_op(EVTCHNOP_status, &op) == 0 && op.status == EVTCHNSTAT_interdomain;
}

void evtchn_notify(evtchn_port_t port)
{
    evtchn.stats.notifies++;
    hv_evtchn_send(port);
}

void evtchn_notify_late(evtchn_port_t port)
{
    evtchn.notify[port / WORD_BITS] |= bit_of(port);
    work_post_late(&evtchn.flush);
}

void evtchn_spurious(evtchn_port_t port)
{
    uint64_t delay = SPURIOUS_DELAY_MIN << MIN(evtchn.spurious[port], 20);

    evtchn.stats.spurious++;
    if (evtchn.spurious[port] < UINT8_MAX)
        evtchn.spurious[port]++;
    mask(port);
    evtchn.delayed[port / WORD_BITS] |= bit_of(port);
    evtchn.due[port] = timer_now() + MIN(delay, SPURIOUS_DELAY_MAX);
    if (!evtchn.unmask.armed || evtchn.unmask.when > evtchn.due[port])
        timer_arm(&evtchn.unmask, evtchn.due[port]);
}

void evtchn_useful(evtchn_port_t port)
{
    evtchn.spurious[port] = 0;
}

static void dispatch_port(evtchn_port_t port)
{
    struct binding *b = &evtchn.bindings[port];

    (void)shared_and(&arch_shared_info->evtchn_pending[port / WORD_BITS], ~bit_of(port));
    if (!b->fn) {
        mask(port); /* closed while its event was on the way */
        return;
    }
    evtchn.stats.events++;
    b->fn(b->ctx);
}

unsigned evtchn_dispatch(void)
{
    uint64_t selected;
    unsigned handled = 0;

    if (!evtchn_pending())
        return 0;
    shared_write(&vcpu()->evtchn_upcall_pending, 0);
    selected = shared_exchange(&vcpu()->evtchn_pending_sel, 0); /* a full barrier as well */
    for (; selected; selected &= selected - 1) {
        unsigned word = (unsigned)__builtin_ctzll(selected);
        uint64_t ready;

        if (word >= WORDS)
            continue;
        ready = shared_read(&arch_shared_info->evtchn_pending[word]) &
                ~shared_read(&arch_shared_info->evtchn_mask[word]);
        for (; ready; ready &= ready - 1) {
            dispatch_port(word * WORD_BITS + (unsigned)__builtin_ctzll(ready));
            handled++;
        }
    }
    return handled;
}

bool evtchn_pending(void)
{
    return shared_read(&vcpu()->evtchn_upcall_pending) != 0;
}

void evtchn_rescan(void)
{
    (void)shared_or(&vcpu()->evtchn_pending_sel, ~0ul);
    shared_write(&vcpu()->evtchn_upcall_pending, 1);
}

void evtchn_poll(evtchn_port_t port, uint64_t ns)
{
    if (port == 0 || port >= PORTS || hv_poll(&port, 1, ns))
        hv_yield();
    else
        (void)shared_and(&arch_shared_info->evtchn_pending[port / WORD_BITS], ~bit_of(port));
}

const struct evtchn_stats *evtchn_stats(void)
{
    evtchn.stats.upcalls = upcall_count;
    return &evtchn.stats;
}
