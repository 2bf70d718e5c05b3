/* SPDX-License-Identifier: ISC */
/*
 * Hypercalls with their types: one function each, so that a wrong argument does not compile. The
 * numbers and structs are those of Xen's public headers, named at each function.
 *
 * Results are 0 or positive on success and a negative errno in Xen's numbering, which is that of
 * newlib and Linux for every value used here (xen/include/public/errno.h).
 */
#ifndef XEN_HYPERCALL_H
#define XEN_HYPERCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "arch/hypercall.h"
#include "arch/types.h"

/* xen.h: vectors to handlers, up to an entry whose address is 0. */
static inline int hv_set_trap_table(const struct trap_info *table)
{
    return (int)hypercall1(__HYPERVISOR_set_trap_table, (uintptr_t)table);
}

/* Where Xen enters us for events, failed returns and syscalls of a user mode. */
static inline int hv_set_callbacks(uintptr_t event, uintptr_t failsafe, uintptr_t syscall)
{
    return (int)hypercall3(__HYPERVISOR_set_callbacks, event, failsafe, syscall);
}

/* xen.h: writes page-table entries; each ptr names the entry by machine address and command. */
static inline int hv_mmu_update(const struct mmu_update *updates, unsigned count)
{
    return (int)hypercall4(__HYPERVISOR_mmu_update, (uintptr_t)updates, count, 0, DOMID_SELF);
}

/* xen.h: writes the level-1 entry for va, whose table must exist; flags are UVMF_. */
static inline int hv_update_va_mapping(uintptr_t va, uint64_t entry, unsigned flags)
{
    return (int)hypercall3(__HYPERVISOR_update_va_mapping, va, entry, flags);
}

/* xen.h: flushes all of this vcpu's translations. */
static inline int hv_tlb_flush(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    return (int)hypercall4(__HYPERVISOR_mmuext_op, (uintptr_t)&op, 1, 0, DOMID_SELF);
}

/* event_channel.h: arg is the struct that belongs to cmd. */
static inline int hv_evtchn_op(int cmd, void *arg)
{
    return (int)hypercall2(__HYPERVISOR_event_channel_op, (unsigned)cmd, (uintptr_t)arg);
}

static inline void hv_evtchn_send(evtchn_port_t port)
{
    struct evtchn_send op = {.port = port};

    (void)hv_evtchn_op(EVTCHNOP_send, &op); /* fails only when the port is closed: nobody to tell */
}

/* grant_table.h: arg is an array of count structs that belong to cmd. */
static inline int hv_grant_table_op(unsigned cmd, void *arg, unsigned count)
{
    return (int)hypercall3(__HYPERVISOR_grant_table_op, cmd, (uintptr_t)arg, count);
}

/* sched.h: the rest of the time slice to others. */
static inline void hv_yield(void)
{
    (void)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

/* sched.h: waits until one of the ports is pending, masked or not, or until timeout (system time,
 * ns; 0: for ever). */
static inline int hv_poll(evtchn_port_t *ports, unsigned count, uint64_t timeout)
{
    struct sched_poll op = {.nr_ports = count, .timeout = timeout};

    set_xen_guest_handle(op.ports, ports);
    return (int)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&op);
}

/* sched.h: ends the domain with a SHUTDOWN_ reason. */
static inline void hv_shutdown(unsigned reason)
{
    struct sched_shutdown op = {.reason = reason};

    (void)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&op);
}

/* xen.h: VIRQ_TIMER once system time reaches ns; 0 cancels. */
static inline int hv_set_timer(uint64_t ns)
{
    return (int)hypercall1(__HYPERVISOR_set_timer_op, ns);
}

/* vcpu.h: no VIRQ_TIMER every 10 ms while the vcpu runs, which Xen sends a PV guest until it says so. */
static inline int hv_stop_periodic_timer(void)
{
    return (int)hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
}

/* xen.h, CONSOLEIO_write: Xen's own console; refused to guests unless Xen was built for debugging. */
static inline int hv_console_write(const char *text, size_t len)
{
    return (int)hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, len, (uintptr_t)text);
}

/* version.h: major << 16 | minor. */
static inline int hv_xen_version(void)
{
    return (int)hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

#endif
