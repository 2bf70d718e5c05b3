/* SPDX-License-Identifier: ISC */
/*
 * What events do to the shared page: the port's pending bit, its word's bit in the selector, and
 * upcall_pending. The port is one of the second word, in which nobody else has any, so that the timer's event
 * and xenstore's disturb no answer; of upcall_pending only that it is set can be said.
 */
#include "apps/conformance/ports.h"
#include "apps/conformance/verdict.h"
#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define WORD 1
#define WORD_BITS 64

static struct {
    evtchn_port_t port;
    uint64_t bit;
} b;

static struct vcpu_info *vcpu(void)
{
    return &arch_shared_info->vcpu_info[0];
}

static void set(bool pending, bool masked, bool selected)
{
    struct shared_info *s = arch_shared_info;

    shared_write(&s->evtchn_pending[WORD], pending ? b.bit : 0);
    shared_write(&s->evtchn_mask[WORD], masked ? ~UINT64_C(0) : ~b.bit);
    (void)shared_and(&vcpu()->evtchn_pending_sel, ~(UINT64_C(1) << WORD));
    if (selected)
        (void)shared_or(&vcpu()->evtchn_pending_sel, UINT64_C(1) << WORD);
    shared_write(&vcpu()->evtchn_upcall_pending, 0);
}

static void tell(const char *question, long err)
{
    const struct shared_info *s = arch_shared_info;
    bool pending = shared_read(&s->evtchn_pending[WORD]) & b.bit;
    bool masked = shared_read(&s->evtchn_mask[WORD]) & b.bit;
    bool selected = shared_read(&vcpu()->evtchn_pending_sel) >> WORD & 1;
    bool upcall = shared_read(&vcpu()->evtchn_upcall_pending);

    set(false, true, false);
    (void)shared_or(&vcpu()->evtchn_pending_sel, 1); /* what was taken away is looked for again */
    shared_write(&vcpu()->evtchn_upcall_pending, 1);
    verdict(question, "%s%s%s%s%s", result_name(err), pending ? " pending" : "",
            masked ? " masked" : "", selected ? " selected" : "",
            selected && upcall ? " upcall" : "");
}

static void aim(evtchn_port_t port)
{
    b.port = port;
    b.bit = UINT64_C(1) << port % WORD_BITS;
}

/* The port is an IPI: to send is to receive. */
static void ask_send(const char *question, bool pending, bool masked, bool selected)
{
    set(pending, masked, selected);
    tell(question, port_send(b.port));
}

static void ask_unmask(const char *question, bool pending, bool masked, bool selected)
{
    set(pending, masked, selected);
    tell(question, port_unmask(b.port));
}

static void ask_pair(void)
{
    evtchn_port_t right = (evtchn_port_t)port_alloc(DOMID_SELF, DOMID_SELF), left = right + 1;

    aim(left);
    set(false, false, false);
    tell("a new connection", port_connect(DOMID_SELF, right) == (long)left ? 0 : -1);
    set(false, false, false);
    tell("an event from the other end", port_send(right));
    set(false, false, false);
    tell("an event to the other end", port_send(left));
    set(false, false, false);
    tell("close the other end", port_close(right));
    set(false, false, false);
    tell("an event to nobody", port_send(left));
    (void)port_close(left);
}

void ask_event_bits(void)
{
    evtchn_port_t first = (evtchn_port_t)port_alloc(DOMID_SELF, 0), last = first;
    long port;

    while (last <
           WORD * WORD_BITS) /* each is the lowest that is free: none but ours lies between */
        last = (evtchn_port_t)port_alloc(DOMID_SELF, 0);
    (void)port_close(last--);
    port = port_ipi(0);
    aim((evtchn_port_t)port);
    ask_send("an event", false, false, false);
    ask_send("an event on a masked port", false, true, false);
    ask_send("an event on a pending port", true, false, false);
    ask_send("an event on a pending and masked port", true, true, false);
    ask_send("an event in a selected word", false, false, true);
    ask_unmask("unmask", false, true, false);
    ask_unmask("unmask a pending port", true, true, false);
    ask_unmask("unmask what is not masked", false, false, false);
    ask_unmask("unmask what is pending and not masked", true, false, false);
    set(true, true, false);
    tell("close a pending port", port_close(b.port));
    ask_pair();
    while (port_unmask((evtchn_port_t)port) == 0)
        port++;
    verdict("ports there is room for now", "%ld", port);
    while (last > first)
        (void)port_close(last--);
}
