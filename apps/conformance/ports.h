/* SPDX-License-Identifier: ISC */
/* EVTCHNOP_ as functions: 0 or a negative errno, or the port. Below xen/evtchn.h, which keeps its own. */
#ifndef CONFORMANCE_PORTS_H
#define CONFORMANCE_PORTS_H

#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>

#include "xen/hypercall.h"

static inline long port_alloc(domid_t dom, domid_t remote)
{
    struct evtchn_alloc_unbound op = {.dom = dom, .remote_dom = remote};
    long err = hv_evtchn_op(EVTCHNOP_alloc_unbound, &op);

    return err ? err : (long)op.port;
}

static inline long port_connect(domid_t remote, evtchn_port_t port)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = port};
    long err = hv_evtchn_op(EVTCHNOP_bind_interdomain, &op);

    return err ? err : (long)op.local_port;
}

static inline long port_virq(unsigned virq, unsigned vcpu)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
    long err = hv_evtchn_op(EVTCHNOP_bind_virq, &op);

    return err ? err : (long)op.port;
}

static inline long port_ipi(unsigned vcpu)
{
    struct evtchn_bind_ipi op = {.vcpu = vcpu};
    long err = hv_evtchn_op(EVTCHNOP_bind_ipi, &op);

    return err ? err : (long)op.port;
}

static inline long port_close(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    return hv_evtchn_op(EVTCHNOP_close, &op);
}

static inline long port_send(evtchn_port_t port)
{
    struct evtchn_send op = {.port = port};

    return hv_evtchn_op(EVTCHNOP_send, &op);
}

static inline long port_unmask(evtchn_port_t port)
{
    struct evtchn_unmask op = {.port = port};

    return hv_evtchn_op(EVTCHNOP_unmask, &op);
}

static inline long port_vcpu(evtchn_port_t port, unsigned vcpu)
{
    struct evtchn_bind_vcpu op = {.port = port, .vcpu = vcpu};

    return hv_evtchn_op(EVTCHNOP_bind_vcpu, &op);
}

/* The domain that we are, of which a guest is told nowhere else. */
static inline domid_t port_domain(void)
{
    evtchn_port_t port = (evtchn_port_t)port_alloc(DOMID_SELF, DOMID_SELF);
    struct evtchn_status op = {.dom = DOMID_SELF, .port = port};

    (void)hv_evtchn_op(EVTCHNOP_status, &op);
    (void)port_close(port);
    return op.u.unbound.dom;
}

#endif
