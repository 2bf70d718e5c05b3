/* SPDX-License-Identifier: ISC */
/* Event channels: what each EVTCHNOP_ says to each kind of port, and to what is no port. */
#include "apps/conformance/ports.h"
#include "apps/conformance/verdict.h"
#include "arch/arch.h"
#include "kernel/log.h"
#include "lib/util.h"

#define FAR 900 /* beyond all ports in use: Xen has made no room for it yet */

/* One of each kind. */
static struct {
    evtchn_port_t closed, foreign, own, virq, global, ipi, left, right;
    domid_t self;
} ports;

static const struct {
    const char *name;
    const evtchn_port_t *port;
    evtchn_port_t number; /* where port is NULL */
} kinds[] = {
    {"port 0", NULL, 0},
    {"a closed port", &ports.closed, 0},
    {"a port beyond all", NULL, FAR},
    {"a port beyond the table", NULL, 0xffffffff},
    {"a port for domain 0", &ports.foreign, 0},
    {"a port for ourselves", &ports.own, 0},
    {"a VIRQ of a vcpu's", &ports.virq, 0},
    {"a global VIRQ", &ports.global, 0},
    {"an IPI", &ports.ipi, 0},
    {"a connected port", &ports.left, 0},
};

static evtchn_port_t port_of(unsigned kind)
{
    return kinds[kind].port ? *kinds[kind].port : kinds[kind].number;
}

static const char *domain(domid_t dom)
{
    return dom == ports.self ? "self" : dom == DOMID_SELF ? "DOMID_SELF" : dom ? "other" : "0";
}

static long get_status(domid_t dom, evtchn_port_t port, struct evtchn_status *op)
{
    *op = (struct evtchn_status){.dom = dom, .port = port};
    return hv_evtchn_op(EVTCHNOP_status, op);
}

static void ask_status(const char *question, evtchn_port_t port)
{
    struct evtchn_status op;
    long err = get_status(DOMID_SELF, port, &op);

    if (err)
        verdict_result(question, err);
    else if (op.status == EVTCHNSTAT_unbound)
        verdict(question, "unbound, for %s", domain(op.u.unbound.dom));
    else if (op.status == EVTCHNSTAT_interdomain)
        verdict(question, "connected to %s, %s", domain(op.u.interdomain.dom),
                op.u.interdomain.port == port          ? "a port of this number"
                : op.u.interdomain.port == ports.right ? "the right port"
                                                       : "another port");
    else if (op.status == EVTCHNSTAT_virq)
        verdict(question, "VIRQ %u of vcpu %u", op.u.virq, op.vcpu);
    else
        verdict(question, "status %u", op.status);
}

static void make_ports(void)
{
    ports.self = port_domain();
    ports.foreign = (evtchn_port_t)port_alloc(DOMID_SELF, 0);
    ports.own = (evtchn_port_t)port_alloc(DOMID_SELF, DOMID_SELF);
    ports.virq = (evtchn_port_t)port_virq(VIRQ_DEBUG, 0);
    ports.global = (evtchn_port_t)port_virq(VIRQ_DOM_EXC, 0);
    ports.ipi = (evtchn_port_t)port_ipi(0);
    ports.right = (evtchn_port_t)port_alloc(DOMID_SELF, DOMID_SELF);
    ports.left = (evtchn_port_t)port_connect(DOMID_SELF, ports.right);
    ports.closed = (evtchn_port_t)port_alloc(DOMID_SELF, 0);
    verdict_result("close an unbound port", port_close(ports.closed));
}

static void ask_each_kind(void)
{
    char question[64];

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        (void)fmt_print(question, sizeof(question), "status of %s", kinds[i].name);
        ask_status(question, port_of(i));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        (void)fmt_print(question, sizeof(question), "send to %s", kinds[i].name);
        verdict_result(question, port_send(port_of(i)));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        (void)fmt_print(question, sizeof(question), "bind %s to the vcpu", kinds[i].name);
        verdict_result(question, port_vcpu(port_of(i), 0));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        (void)fmt_print(question, sizeof(question), "unmask %s", kinds[i].name);
        verdict_result(question, port_unmask(port_of(i)));
    }
}

static void ask_bindings(void)
{
    struct evtchn_status op;
    long port;

    verdict_result("allocate in domain 0", port_alloc(0, 0));
    verdict_result("allocate in no domain", port_alloc(NOBODY, 0));
    port = port_alloc(DOMID_SELF, NOBODY);
    verdict("allocate for no domain", "%s", port > 0 ? "a port" : result_name(port));
    verdict("the next port is the lowest", "%s", port == (long)ports.closed ? "yes" : "no");
    (void)port_close((evtchn_port_t)port);

    verdict_result("connect to no domain", port_connect(NOBODY, 1));
    verdict_result("connect to domain 0's port 0", port_connect(0, 0));
    verdict_result("connect to no port of domain 0", port_connect(0, 0xffff));
    verdict_result("connect to our closed port", port_connect(DOMID_SELF, ports.closed));
    verdict_result("connect to our port for domain 0", port_connect(DOMID_SELF, ports.foreign));
    verdict_result("connect to our connected port", port_connect(DOMID_SELF, ports.right));
    verdict_result("connect to our VIRQ", port_connect(DOMID_SELF, ports.virq));
    verdict_result("connect to no port of ours", port_connect(DOMID_SELF, FAR));

    verdict_result("bind no VIRQ", port_virq(NR_VIRQS, 0));
    verdict_result("bind a VIRQ again", port_virq(VIRQ_DEBUG, 0));
    verdict_result("bind a VIRQ of no vcpu", port_virq(VIRQ_XENOPROF, 1));
    verdict_result("bind a global VIRQ to another vcpu", port_virq(VIRQ_TBUF, 1));
    verdict_result("bind an IPI of no vcpu", port_ipi(1));
    verdict_result("bind a port to no vcpu", port_vcpu(ports.foreign, 1));

    verdict_result("status in domain 0", get_status(0, 1, &op));
    verdict_result("status in no domain", get_status(NOBODY, 1, &op));
    ask_status("status of the right port", ports.right);
    ask_status("status of xenstore's port", (evtchn_port_t)arch_start_info->store_evtchn);
}

static void ask_others(void)
{
    struct evtchn_reset reset = {.dom = 0};
    struct evtchn_set_priority priority = {.port = ports.own, .priority = 0};

    verdict_result("reset domain 0", hv_evtchn_op(EVTCHNOP_reset, &reset));
    reset.dom = NOBODY;
    verdict_result("reset no domain", hv_evtchn_op(EVTCHNOP_reset, &reset));
    verdict_result("set a priority", hv_evtchn_op(EVTCHNOP_set_priority, &priority));
    priority.port = FAR;
    verdict_result("set no port's priority", hv_evtchn_op(EVTCHNOP_set_priority, &priority));
    verdict_result("no such operation", hv_evtchn_op(99, &priority));
    verdict_result("an operation on nothing", hv_evtchn_op(EVTCHNOP_close, NULL));
}

void ask_events(void)
{
    make_ports();
    ask_each_kind();
    ask_bindings();
    ask_others();
    verdict_result("close one end", port_close(ports.left));
    ask_status("status of the closed end", ports.left);
    ask_status("status of the end that is left", ports.right);
    verdict_result("close it again", port_close(ports.left));
    verdict_result("close port 0", port_close(0));
    verdict_result("close a port beyond all", port_close(FAR));
    verdict_result("close a VIRQ", port_close(ports.virq));
    verdict_result("close an IPI", port_close(ports.ipi));
    verdict("bind the VIRQ again", "%s",
            port_virq(VIRQ_DEBUG, 0) == (long)ports.virq ? "the same port" : "another");
}
