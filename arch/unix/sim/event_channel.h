/* SPDX-License-Identifier: ISC */
/* Between event.c, which has the channels, and event_op.c, which has the guest's calls. */
#ifndef SIM_EVENT_CHANNEL_H
#define SIM_EVENT_CHANNEL_H

#include "arch/unix/sim/event.h"

struct event_channel {
    uint32_t status; /* EVTCHNSTAT_ */
    domid_t remote;  /* for UNBOUND and INTERDOMAIN */
    unsigned virq;   /* for VIRQ */
    struct event_port *peer;
    uint32_t loop;
};

/* NULL: there is no such port. */
struct event_channel *event_channel(uint32_t port);
uint32_t event_free_port(void);
/* The port that is bound to it, or 0. */
uint32_t event_virq_port(unsigned virq);
void event_set_pending(uint32_t port);
void event_unmask(uint32_t port);
void event_close(uint32_t port);
/* Connects the guest's free port to the end that domain 0 keeps under this number. False: there is none. */
bool event_accept_offer(uint32_t offered, uint32_t port);

#endif
