/* SPDX-License-Identifier: ISC */
/*
 * Event channels. How an event gets to the guest is Xen's rule (event_channel.h and Xen's
 * xen/common/event_2l.c): the port's pending bit; if that was clear and the port is not masked, the
 * bit of its word in the selector; if that was clear, upcall_pending. A bit that is set already
 * stops the chain: that is why events are edges and may be merged.
 *
 * Invariant: a guest's port in state EVTCHNSTAT_interdomain has its other end in `peer` (domain 0's,
 * whose guest_port names it) or in `loop` (another port of the guest's, whose loop names it).
 */
#include "arch/unix/sim/event.h"

#include <errno.h>
#include <stddef.h>

#include "arch/unix/sim/event_channel.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define PORTS 1024 /* xl's default limit is 1023 and port 0 */
#define WORD_BITS 64
#define ROOM 64           /* ports that Xen makes room for at a time: a page of its own records */
#define DOMAIN_0_AFTER 40 /* domain 0 has ports of its own below */

static struct {
    struct shared_info *shared;
    struct event_channel channel[PORTS];
    uint32_t room; /* ports below exist, free or not; port 0 does, and is never given out */
    struct event_port *bound;   /* domain 0's ends */
    struct event_port *offered; /* those that the guest may bind to */
} events;

static struct vcpu_info *vcpu(void)
{
    return &events.shared->vcpu_info[0];
}

void event_create(struct shared_info *shared_info)
{
    events.shared = shared_info;
    events.room = ROOM;
    /* Until the guest says otherwise it takes no event (arch_set_info_guest() in Xen). */
    shared_write(&vcpu()->evtchn_upcall_mask, 1);
}

/* --- towards the guest ------------------------------------------------------------------------ */

static bool test_and_set(xen_ulong_t *word, unsigned bit)
{
    return shared_or(word, 1ul << bit) >> bit & 1;
}

/* What follows once a port is pending and not masked. */
static void select_word(uint32_t port)
{
    if (!test_and_set(&vcpu()->evtchn_pending_sel, port / WORD_BITS))
        shared_store_release(&vcpu()->evtchn_upcall_pending, 1);
}

static bool is_masked(uint32_t port)
{
    return shared_read(&events.shared->evtchn_mask[port / WORD_BITS]) >> port % WORD_BITS & 1;
}

void event_set_pending(uint32_t port)
{
    if (test_and_set(&events.shared->evtchn_pending[port / WORD_BITS], port % WORD_BITS))
        return;
    if (!is_masked(port))
        select_word(port);
}

bool event_deliverable(void)
{
    return !shared_read(&vcpu()->evtchn_upcall_mask) &&
           shared_load_acquire(&vcpu()->evtchn_upcall_pending);
}

struct event_channel *event_channel(uint32_t port)
{
    return port < events.room ? &events.channel[port] : NULL;
}

bool event_port_is_open(uint32_t port)
{
    return event_channel(port) && event_channel(port)->status != EVTCHNSTAT_closed;
}

void event_unmask(uint32_t port)
{
    bool masked =
        shared_and(&events.shared->evtchn_mask[port / WORD_BITS], ~(1ul << port % WORD_BITS)) >>
            port % WORD_BITS &
        1;

    if (masked && event_is_pending(port))
        select_word(port);
}

bool event_is_pending(uint32_t port)
{
    return shared_read(&events.shared->evtchn_pending[port / WORD_BITS]) >> port % WORD_BITS & 1;
}

/* --- channels -------------------------------------------------------------------------------- */

/* The lowest free port, as in Xen; 0 when there is none. */
uint32_t event_free_port(void)
{
    uint32_t port = 1;

    while (port < PORTS && events.channel[port].status != EVTCHNSTAT_closed)
        port++;
    if (port == PORTS)
        return 0;
    if (port == events.room)
        events.room += ROOM;
    return port;
}

uint32_t event_virq_port(unsigned virq)
{
    for (uint32_t port = 1; port < PORTS; port++)
        if (events.channel[port].status == EVTCHNSTAT_virq && events.channel[port].virq == virq)
            return port;
    return 0;
}

void event_raise_virq(unsigned virq)
{
    uint32_t port = event_virq_port(virq);

    if (port)
        event_set_pending(port);
}

/* --- domain 0's ends -------------------------------------------------------------------------- */

static uint32_t new_port(void)
{
    static uint32_t last = DOMAIN_0_AFTER;

    return ++last;
}

static void connect(struct event_port *end, uint32_t port)
{
    events.channel[port] =
        (struct event_channel){.status = EVTCHNSTAT_interdomain, .remote = 0, .peer = end};
    end->guest_port = port;
    if (!end->port)
        end->port = new_port();
    end->pending = false;
    end->next = events.bound;
    events.bound = end;
}

/* Takes domain 0's end out of the list. */
static void disconnect(struct event_port *end)
{
    struct event_port **p = &events.bound;

    while (*p != end)
        p = &(*p)->next;
    *p = end->next;
    end->guest_port = 0;
    end->pending = false;
}

static void leave_unbound(struct event_channel *c)
{
    c->status = EVTCHNSTAT_unbound;
    c->peer = NULL;
    c->loop = 0;
}

uint32_t event_make(struct event_port *end)
{
    uint32_t port = event_free_port();

    connect(end, port);
    return port;
}

int event_bind(struct event_port *end, uint32_t port)
{
    if (!event_channel(port) || events.channel[port].status != EVTCHNSTAT_unbound ||
        events.channel[port].remote != 0)
        return -EINVAL;
    connect(end, port);
    end->pending = true; /* the one who binds gets an event at once, should one have been lost */
    return 0;
}

uint32_t event_offer(struct event_port *end)
{
    end->port = new_port();
    end->offered = true;
    end->next = events.offered;
    events.offered = end;
    return end->port;
}

/* Takes the port out of the list of those offered; NULL when it is not there. */
static struct event_port *take_offer(uint32_t offered)
{
    struct event_port **p = &events.offered, *end;

    while (*p && (*p)->port != offered)
        p = &(*p)->next;
    end = *p;
    if (end) {
        *p = end->next;
        end->offered = false;
    }
    return end;
}

bool event_accept_offer(uint32_t offered, uint32_t port)
{
    struct event_port *end = take_offer(offered);

    if (end)
        connect(end, port);
    return end != NULL;
}

void event_unbind(struct event_port *end)
{
    if (end->offered)
        (void)take_offer(end->port);
    if (!end->guest_port)
        return;
    leave_unbound(&events.channel[end->guest_port]);
    disconnect(end);
}

bool (*event_hook)(const struct event_port *end);

void event_notify(struct event_port *end)
{
    if (end->guest_port && !(event_hook && event_hook(end)))
        event_set_pending(end->guest_port);
}

void event_run(void)
{
    struct event_port *end = events.bound;

    while (end) {
        if (end->pending) {
            end->pending = false;
            end->fn(end);
            end = events.bound; /* the list may be another now */
        } else {
            end = end->next;
        }
    }
}

/* The other end of what one end closes is unbound then, and may be bound again. A port that is given
 * out anew must not begin with an event (evtchn_free() in Xen). */
void event_close(uint32_t port)
{
    struct event_channel *c = &events.channel[port];

    if (c->peer)
        disconnect(c->peer);
    if (c->loop)
        leave_unbound(&events.channel[c->loop]);
    *c = (struct event_channel){.status = EVTCHNSTAT_closed};
    (void)shared_and(&events.shared->evtchn_pending[port / WORD_BITS], ~(1ul << port % WORD_BITS));
}
