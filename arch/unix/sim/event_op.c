/* SPDX-License-Identifier: ISC */
/*
 * The guest's calls on event channels (xen/include/public/event_channel.h; errors as Xen's
 * xen/common/event_channel.c gives them).
 */
#include <errno.h>
#include <stddef.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/event_channel.h"
#include "arch/unix/sim/memory.h"
#include "lib/util.h"

static long alloc_unbound(struct evtchn_alloc_unbound *op)
{
    uint32_t port;
    int err = domain_check(op->dom);

    if (err)
        return err;
    port = event_free_port();
    if (!port)
        return -ENOSPC;
    *event_channel(port) = (struct event_channel){
        .status = EVTCHNSTAT_unbound,
        .remote = domain_is_guest(op->remote_dom) ? DOMAIN_ID : op->remote_dom,
    };
    op->port = port;
    return 0;
}

/* To a port that domain 0 keeps for the guest, or to another of the guest's own. The new port begins with
 * an event, should one have been lost. */
static long bind_interdomain(struct evtchn_bind_interdomain *op)
{
    struct event_channel *other = event_channel(op->remote_port);
    uint32_t port = event_free_port();

    if (!domain_is_guest(op->remote_dom) && op->remote_dom)
        return -ESRCH;
    if (!port)
        return -ENOSPC;
    if (!op->remote_dom) {
        if (!event_accept_offer(op->remote_port, port))
            return -EINVAL;
        event_set_pending(port);
        op->local_port = port;
        return 0;
    }
    if (!other || other->status != EVTCHNSTAT_unbound || other->remote != DOMAIN_ID)
        return -EINVAL;
    other->status = EVTCHNSTAT_interdomain;
    other->loop = port;
    *event_channel(port) = (struct event_channel){
        .status = EVTCHNSTAT_interdomain,
        .remote = DOMAIN_ID,
        .loop = op->remote_port,
    };
    event_set_pending(port);
    op->local_port = port;
    return 0;
}

/* One for the whole domain, which its first vcpu takes. */
static bool is_global(unsigned virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF;
}

static long bind_virq(struct evtchn_bind_virq *op)
{
    uint32_t port = event_free_port();

    if (op->virq >= NR_VIRQS || (is_global(op->virq) && op->vcpu != 0))
        return -EINVAL;
    if (op->vcpu != 0)
        return -ENOENT;
    if (event_virq_port(op->virq))
        return -EEXIST;
    if (!port)
        return -ENOSPC;
    *event_channel(port) = (struct event_channel){.status = EVTCHNSTAT_virq, .virq = op->virq};
    op->port = port;
    return 0;
}

static long bind_ipi(struct evtchn_bind_ipi *op)
{
    uint32_t port = event_free_port();

    if (op->vcpu != 0)
        return -ENOENT;
    if (!port)
        return -ENOSPC;
    *event_channel(port) = (struct event_channel){.status = EVTCHNSTAT_ipi};
    op->port = port;
    return 0;
}

static long close_port(const struct evtchn_close *op)
{
    struct event_channel *c = event_channel(op->port);

    if (!c || c->status == EVTCHNSTAT_closed)
        return -EINVAL;
    event_close(op->port);
    return 0;
}

static long send(const struct evtchn_send *op)
{
    struct event_channel *c = event_channel(op->port);

    if (!c)
        return -EINVAL;
    switch (c->status) {
    case EVTCHNSTAT_interdomain:
        if (c->peer)
            c->peer->pending = true;
        else
            event_set_pending(c->loop);
        return 0;
    case EVTCHNSTAT_ipi:
        event_set_pending(op->port);
        return 0;
    case EVTCHNSTAT_unbound: /* dropped in silence: the other end may be on its way */
        return 0;
    default:
        return -EINVAL;
    }
}

static long status(struct evtchn_status *op)
{
    const struct event_channel *c = event_channel(op->port);
    int err = domain_check(op->dom);

    if (err || !c)
        return err ? err : -EINVAL;
    op->status = c->status;
    op->vcpu = 0;
    if (c->status == EVTCHNSTAT_unbound) {
        op->u.unbound.dom = c->remote;
    } else if (c->status == EVTCHNSTAT_interdomain) {
        op->u.interdomain.dom = c->remote;
        op->u.interdomain.port = c->peer ? c->peer->port : c->loop;
    } else if (c->status == EVTCHNSTAT_virq) {
        op->u.virq = c->virq;
    }
    return 0;
}

static long unmask(const struct evtchn_unmask *op)
{
    if (!event_channel(op->port))
        return -EINVAL;
    event_unmask(op->port);
    return 0;
}

static long bind_vcpu(const struct evtchn_bind_vcpu *op)
{
    const struct event_channel *c = event_channel(op->port);

    if (op->vcpu != 0)
        return -ENOENT;
    if (!c || c->status == EVTCHNSTAT_closed || c->status == EVTCHNSTAT_ipi)
        return -EINVAL;
    return c->status == EVTCHNSTAT_virq && !is_global(c->virq) ? -EINVAL : 0;
}

/* All that the guest has; console and store are cut off as well. */
static long reset(const struct evtchn_reset *op)
{
    int err = domain_check(op->dom);

    for (uint32_t port = 1; !err && event_channel(port); port++)
        event_close(port);
    return err;
}

/* Of the two-level ABI, which has none. */
static long set_priority(const struct evtchn_set_priority *op)
{
    return event_channel(op->port) ? -ENOSYS : -EINVAL;
}

union argument {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_set_priority set_priority;
};

static size_t argument_size(int cmd)
{
    static const size_t sizes[] = {
        [EVTCHNOP_alloc_unbound] = sizeof(struct evtchn_alloc_unbound),
        [EVTCHNOP_bind_interdomain] = sizeof(struct evtchn_bind_interdomain),
        [EVTCHNOP_bind_virq] = sizeof(struct evtchn_bind_virq),
        [EVTCHNOP_bind_ipi] = sizeof(struct evtchn_bind_ipi),
        [EVTCHNOP_close] = sizeof(struct evtchn_close),
        [EVTCHNOP_send] = sizeof(struct evtchn_send),
        [EVTCHNOP_status] = sizeof(struct evtchn_status),
        [EVTCHNOP_bind_vcpu] = sizeof(struct evtchn_bind_vcpu),
        [EVTCHNOP_unmask] = sizeof(struct evtchn_unmask),
        [EVTCHNOP_reset] = sizeof(struct evtchn_reset),
        [EVTCHNOP_set_priority] = sizeof(struct evtchn_set_priority),
    };

    return cmd >= 0 && (size_t)cmd < ARRAY_SIZE(sizes) ? sizes[cmd] : 0;
}

static long run_op(int cmd, union argument *a)
{
    switch (cmd) {
    case EVTCHNOP_alloc_unbound:
        return alloc_unbound(&a->alloc_unbound);
    case EVTCHNOP_bind_interdomain:
        return bind_interdomain(&a->bind_interdomain);
    case EVTCHNOP_bind_virq:
        return bind_virq(&a->bind_virq);
    case EVTCHNOP_bind_ipi:
        return bind_ipi(&a->bind_ipi);
    case EVTCHNOP_close:
        return close_port(&a->close);
    case EVTCHNOP_send:
        return send(&a->send);
    case EVTCHNOP_status:
        return status(&a->status);
    case EVTCHNOP_bind_vcpu:
        return bind_vcpu(&a->bind_vcpu);
    case EVTCHNOP_reset:
        return reset(&a->reset);
    case EVTCHNOP_set_priority:
        return set_priority(&a->set_priority);
    default:
        return unmask(&a->unmask);
    }
}

long event_op(int cmd, uintptr_t arg)
{
    size_t size = argument_size(cmd);
    union argument a;
    long result;

    if (!size)
        return -ENOSYS;
    if (memory_from_guest(&a, arg, size))
        return -EFAULT;
    result = run_op(cmd, &a);
    if (result == 0 && memory_to_guest(arg, &a, size))
        return -EFAULT;
    return result;
}
