/* SPDX-License-Identifier: ISC */
/*
 * The hypercalls, by number (xen/include/public/xen.h). What is missing answers -ENOSYS, as a Xen
 * built without it does.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <xen/xen.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "arch/unix/gate.h"
#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/sanitize.h"
#include "arch/unix/sim/sched.h"
#include "arch/unix/sim/vtime.h"
#include "arch/unix/sim/trap.h"

#define VERSION (4 << 16 | 17) /* the Xen that this follows */
#define EXTRA_VERSION ".unix"

/* What gate.S takes in rax and rdx. */
struct gate_result {
    long value;
    void *callback;
};
struct gate_result gate_enter(unsigned long op, uintptr_t a1, uintptr_t a2, uintptr_t a3,
                              uintptr_t a4);

static long version_op(int cmd, uintptr_t arg)
{
    static const xen_extraversion_t extra = EXTRA_VERSION;

    switch (cmd) {
    case XENVER_version:
        return VERSION;
    case XENVER_extraversion:
        return memory_to_guest(arg, extra, sizeof(extra));
    case XENVER_pagesize:
        return PAGE_SIZE;
    default:
        return -ENOSYS;
    }
}

/* Of one vcpu, which is up. */
static long vcpu_op(int cmd, unsigned vcpu)
{
    if (vcpu != 0)
        return -ENOENT;
    switch (cmd) {
    case VCPUOP_is_up:
        return 1;
    case VCPUOP_stop_periodic_timer: /* there is none */
        return 0;
    default:
        return -ENOSYS;
    }
}

/* Xen's console, as that of a Xen built for debugging. */
static long console_op(int cmd, size_t len, uintptr_t text)
{
    char chunk[256];

    if (cmd != CONSOLEIO_write)
        return -ENOSYS;
    while (len) {
        size_t n = len < sizeof(chunk) ? len : sizeof(chunk);

        if (memory_from_guest(chunk, text, n))
            return -EFAULT;
        fwrite(chunk, 1, n, stderr);
        text += n;
        len -= n;
    }
    return 0;
}

static long mmuext(uintptr_t arg, unsigned count)
{
    struct mmuext_op op;

    for (unsigned i = 0; i < count; i++) {
        if (memory_from_guest(&op, arg + i * sizeof(op), sizeof(op)))
            return -EFAULT;
        if (op.cmd != MMUEXT_TLB_FLUSH_LOCAL && op.cmd != MMUEXT_INVLPG_LOCAL &&
            op.cmd != MMUEXT_TLB_FLUSH_ALL && op.cmd != MMUEXT_INVLPG_ALL)
            return -ENOSYS;
    }
    return 0; /* the host has done it already */
}

static long random_number(uintptr_t arg)
{
    uint64_t value;

    if (getrandom(&value, sizeof(value), 0) != sizeof(value))
        return 0;
    return memory_to_guest(arg, &value, sizeof(value)) ? 0 : 1;
}

static long hypercall(unsigned long op, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
    switch (op) {
    case __HYPERVISOR_set_trap_table:
        return trap_set_table(a1);
    case __HYPERVISOR_set_callbacks:
        return trap_set_callbacks(a1, a2, a3);
    case __HYPERVISOR_callback_op:
        return trap_callback_op((int)a1, a2);
    case __HYPERVISOR_memory_op:
        return memory_op((unsigned)a1, a2);
    case __HYPERVISOR_update_va_mapping:
        return memory_map(a1, a2);
    case __HYPERVISOR_mmuext_op:
        return mmuext(a1, (unsigned)a2);
    case __HYPERVISOR_event_channel_op:
        return event_op((int)a1, a2);
    case __HYPERVISOR_grant_table_op:
        return grant_op((unsigned)a1, a2, (unsigned)a3);
    case __HYPERVISOR_sched_op:
        return sched_op((int)a1, a2);
    case __HYPERVISOR_set_timer_op:
        return vtime_set_guest(a1);
    case __HYPERVISOR_xen_version:
        return version_op((int)a1, a2);
    case __HYPERVISOR_vcpu_op:
        return vcpu_op((int)a1, (unsigned)a2);
    case __HYPERVISOR_console_io:
        return console_op((int)a1, a2, a3);
    case GATE_TSC:
        sched_clock_read();
        return (long)vtime_tsc();
    case GATE_RANDOM:
        return random_number(a1);
    default:
        return -ENOSYS;
    }
}

struct gate_result gate_enter(unsigned long op, uintptr_t a1, uintptr_t a2, uintptr_t a3,
                              uintptr_t a4)
{
    struct gate_result result = {0, NULL};
    struct vcpu_info *vcpu = &domain_shared_info()->vcpu_info[0];

    (void)a4;
    trap_set_guest_runs(false);
    sanitize_change();
    result.value = hypercall(op, a1, a2, a3);
    /* Another domain is on another processor: it sees the event at once. */
    if (op == __HYPERVISOR_event_channel_op && a1 == EVTCHNOP_send)
        sched_domain_0();
    if (event_deliverable() && trap_event_callback()) {
        vcpu->evtchn_upcall_mask = 1;
        result.callback = trap_event_callback();
    }
    sanitize_change();
    trap_set_guest_runs(true);
    return result;
}
