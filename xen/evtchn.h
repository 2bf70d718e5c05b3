/* SPDX-License-Identifier: ISC */
/*
 * Event channels (xen/include/public/event_channel.h, the two-level ABI).
 *
 * Events are masked for the vcpu at all times except while it sleeps, so a handler never
 * interrupts anything: evtchn_dispatch(), called by the event loop, clears each pending bit and
 * then calls the port's handler (in this order, so an edge raised meanwhile is seen again).
 */
#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>

/* Called from the event loop with the port unmasked and not pending. It must not wait. */
typedef void evtchn_handler(void *ctx);

void evtchn_init(void);

/* Each of these returns the local port (> 0) with the handler attached and the port unmasked, or a
 * negative errno: -ENOSPC no port left, or what Xen said. */
int evtchn_bind_virq(unsigned virq, evtchn_handler *fn, void *ctx);
int evtchn_alloc_unbound(domid_t remote, evtchn_handler *fn, void *ctx);
/* To a port that another domain keeps for us. */
int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_handler *fn,
                            void *ctx);
/* Attaches a handler to a port that the toolstack bound (console, xenstore). 0 or -ERANGE. */
int evtchn_attach(evtchn_port_t port, evtchn_handler *fn, void *ctx);

/* Detaches the handler and closes the port; harmless for port 0 and when done twice. */
void evtchn_unbind(evtchn_port_t port);

/* Whether another domain has bound the other end: not before it does, nor when it has closed it or died. */
bool evtchn_is_connected(evtchn_port_t port);

/* Sends an event now. */
void evtchn_notify(evtchn_port_t port);
/* Sends an event at the end of this turn of the loop; several calls make one event. */
void evtchn_notify_late(evtchn_port_t port);

/*
 * The handler found nothing to do. A peer that sends such events without end would keep the guest
 * from sleeping (XSA-391): the port is masked and unmasked again after a delay that doubles with
 * each spurious event in a row, from 1 us up to 1 s. evtchn_useful() ends the row.
 */
void evtchn_spurious(evtchn_port_t port);
void evtchn_useful(evtchn_port_t port);

/* Runs the handlers of all pending ports. Returns how many it ran. */
unsigned evtchn_dispatch(void);
/* True when an event waits to be dispatched. */
bool evtchn_pending(void);
/* Has evtchn_dispatch() look at every port: after a dispatch that was not finished. */
void evtchn_rescan(void);
/*
 * Without the loop, for a guest that is about to end: waits until the port has an event, which is
 * taken away, or until system time reaches ns.
 */
void evtchn_poll(evtchn_port_t port, uint64_t ns);

struct evtchn_stats {
    uint64_t upcalls, events, spurious, notifies;
};
const struct evtchn_stats *evtchn_stats(void);

#endif
