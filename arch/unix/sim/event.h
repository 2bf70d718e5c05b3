/* SPDX-License-Identifier: ISC */
/*
 * Event channels between the guest and domain 0 (xen/include/public/event_channel.h, two-level ABI).
 *
 * Domain 0's ends are functions of the simulation. They are called from event_run(), never from
 * within event_notify() or a hypercall's middle, as if domain 0 ran on a processor of its own.
 */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>

/* An end in domain 0. */
struct event_port {
    const char *name;
    void (*fn)(struct event_port *port);
    uint32_t guest_port; /* 0: not connected */
    uint32_t port;       /* domain 0's own number for it; 0: it has had none yet */
    bool offered;        /* the guest may bind to it */
    bool pending;
    struct event_port *next; /* in the list of those bound */
};

/* The page must be mapped already; nothing is bound. */
void event_create(struct shared_info *shared_info);

/* Makes a port in the guest that is connected to this end, as the toolstack does for console and
 * xenstore. The guest's port. */
uint32_t event_make(struct event_port *end);
/* Binds to a port that the guest has allocated for domain 0. 0 or a negative errno. */
int event_bind(struct event_port *end, uint32_t port);
/* Keeps a port of domain 0's for the guest to bind to: its number there. event_unbind() ends this too. */
uint32_t event_offer(struct event_port *end);
/* Harmless when not bound. */
void event_unbind(struct event_port *end);
/* Sends an event to the guest; nothing happens when it has closed its end. */
void event_notify(struct event_port *end);
/* For peers that fail: called before one is sent; true: it is not sent. NULL with honest peers. */
extern bool (*event_hook)(const struct event_port *end);

/* Runs the functions of the ends that have an event, until none has. */
void event_run(void);

/* An interrupt of the hypervisor's own: nothing happens when the guest has not bound it. */
void event_raise_virq(unsigned virq);

/* The guest's side. */
long event_op(int cmd, uintptr_t arg);
/* Whether the guest must be called: something is pending and events are not masked. */
bool event_deliverable(void);
bool event_is_pending(uint32_t port);
bool event_port_is_open(uint32_t port);

#endif
