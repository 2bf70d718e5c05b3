/* SPDX-License-Identifier: ISC */
/* Memory, scheduling, versions, virtual processors: what Xen answers, and what it refuses. */
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

#include "apps/conformance/verdict.h"
#include "arch/arch.h"
#include "kernel/page.h"
#include "lib/atomic.h"
#include "xen/clock.h"
#include "xen/hypercall.h"

#define FRAMES_AROUND 64
#define PTE_P 1u
#define PTE_W 2u
#define PTE_NX (UINT64_C(1) << 63)
#define NO_HYPERCALL 50
#define POLL_PORTS_MAX 128

/* --- memory ------------------------------------------------------------------------------------ */

static long map_frame(uintptr_t va, uint64_t mfn)
{
    return hypercall3(__HYPERVISOR_update_va_mapping, va,
                      mfn << PAGE_SHIFT | PTE_P | PTE_W | PTE_NX, UVMF_INVLPG | UVMF_LOCAL);
}

/* Xen's frames of the grant table, which are ours to map. */
static unsigned grant_frames(uint64_t *list, unsigned max)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_setup_table op = {.dom = DOMID_SELF};

    (void)hv_grant_table_op(GNTTABOP_query_size, &size, 1);
    op.nr_frames = MIN(size.nr_frames, max);
    set_xen_guest_handle(op.frame_list, list);
    (void)hv_grant_table_op(GNTTABOP_setup_table, &op, 1);
    return op.nr_frames;
}

static bool is_ours(uint64_t mfn)
{
    uint64_t list[8];
    unsigned count = grant_frames(list, ARRAY_SIZE(list));

    if (arch_mfn_to_virt((mfn_t){mfn}) || mfn == arch_start_info->shared_info >> PAGE_SHIFT)
        return true;
    for (unsigned i = 0; i < count; i++)
        if (list[i] == mfn)
            return true;
    return false;
}

static void ask_frames(void)
{
    uint64_t shared = arch_start_info->shared_info >> PAGE_SHIFT;
    void *page = page_alloc(0);
    uintptr_t va = (uintptr_t)page;
    uint64_t ours = arch_virt_to_mfn(page).n;
    unsigned mapped = 0;

    verdict_result("map a page of ours", map_frame(va, ours));
    verdict_result("map the shared page", map_frame(va, shared));
    for (uint64_t mfn = shared - FRAMES_AROUND; mfn < shared + FRAMES_AROUND; mfn++)
        mapped += !is_ours(mfn) && map_frame(va, mfn) == 0;
    verdict("frames of Xen's and others' that could be mapped", "%u", mapped);
    verdict_result("map no frame", map_frame(va, UINT64_C(0xfffffffff)));
    verdict_result("unmap a page",
                   hypercall3(__HYPERVISOR_update_va_mapping, va, 0, UVMF_INVLPG | UVMF_LOCAL));
    verdict_result("map it again", map_frame(va, ours));
    page_free(page, 0);
}

static void ask_memory(void)
{
    domid_t self = DOMID_SELF, dom0 = 0, nobody = NOBODY;
    struct xen_machphys_mapping map;
    long pages = hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, (uintptr_t)&self);

    verdict("the reservation", "%s",
            pages == (long)arch_start_info->nr_pages ? "our pages" : "another number");
    verdict_result(
        "domain 0's reservation",
        hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, (uintptr_t)&dom0));
    verdict_result(
        "nobody's reservation",
        hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, (uintptr_t)&nobody));
    verdict_result("the reservation of nowhere",
                   hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, 0));
    verdict_result("the M2P",
                   hypercall2(__HYPERVISOR_memory_op, XENMEM_machphys_mapping, (uintptr_t)&map));
    verdict_result("the M2P told nowhere",
                   hypercall2(__HYPERVISOR_memory_op, XENMEM_machphys_mapping, 0));
    verdict_result("no such operation on memory",
                   hypercall2(__HYPERVISOR_memory_op, 63, (uintptr_t)&self));
}

/* --- scheduling -------------------------------------------------------------------------------- */

static long poll(const evtchn_port_t *ports, unsigned count, uint64_t timeout)
{
    struct sched_poll op = {.nr_ports = count, .timeout = timeout};

    set_xen_guest_handle(op.ports, (evtchn_port_t *)ports);
    return hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&op);
}

static void ask_sched(void)
{
    static evtchn_port_t many[POLL_PORTS_MAX + 1];
    evtchn_port_t none = 900, closed = 20, zero = 0; /* beyond the room, and beyond those in use */

    for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = 1;
    verdict_result("yield", hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
    verdict_result("poll until the past", poll(many, 1, 1));
    verdict_result("poll 128 ports", poll(many, POLL_PORTS_MAX, 1));
    verdict_result("poll 129 ports", poll(many, POLL_PORTS_MAX + 1, 1));
    verdict_result("poll no port", poll(many, 0, 1));
    verdict_result("poll port 0", poll(&zero, 1, 1));
    verdict_result("poll a closed port", poll(&closed, 1, 1));
    verdict_result("poll a port beyond all", poll(&none, 1, 1));
    verdict_result("poll ports nowhere", poll(NULL, 1, 1));
    verdict_result("poll nothing", hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, 0));
    verdict_result("shut down nowhere", hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, 0));
    verdict_result("no such operation of the scheduler", hypercall2(__HYPERVISOR_sched_op, 99, 0));
}

/* --- the timer --------------------------------------------------------------------------------- */

static evtchn_port_t timer_port(void)
{
    for (evtchn_port_t port = 1; port < 64; port++) {
        struct evtchn_status op = {.dom = DOMID_SELF, .port = port};

        if (hv_evtchn_op(EVTCHNOP_status, &op) == 0 && op.status == EVTCHNSTAT_virq &&
            op.u.virq == VIRQ_TIMER)
            return port;
    }
    return 0;
}

static uint64_t system_now(void)
{
    return clock_monotonic() + clock_system_offset();
}

/* When the event of a timer set so comes. The last one is left for the loop, which has its timer set anew then. */
static void ask_timer(const char *question, evtchn_port_t port, uint64_t when)
{
    uint64_t bit = UINT64_C(1) << port, *pending = &arch_shared_info->evtchn_pending[0];

    (void)shared_and(pending, ~bit);
    if (hv_set_timer(when)) {
        verdict(question, "refused");
        return;
    }
    (void)hv_poll(&port, 1, 1);
    if (shared_read(pending) & bit) {
        verdict(question, "at once");
        return;
    }
    (void)hv_poll(&port, 1, system_now() + NSEC_PER_SEC);
    verdict(question, "%s", shared_read(pending) & bit ? "later" : "not");
}

static void ask_timers(void)
{
    evtchn_port_t port = timer_port();

    (void)hv_stop_periodic_timer();
    ask_timer("a timer of a moment ago", port, system_now() - NSEC_PER_MSEC);
    ask_timer("a timer of long ago", port, 1);
    ask_timer("a timer in 20 ms", port, system_now() + 20 * NSEC_PER_MSEC);
    ask_timer("a timer in 26 days", port, system_now() + (UINT64_C(1) << 51));
    ask_timer("a timer before all time", port, UINT64_C(1) << 63);
    ask_timer("no timer", port, 0);
    ask_timer("a timer once more", port, 1);
}

/* --- the rest ---------------------------------------------------------------------------------- */

static void ask_vcpus(void)
{
    verdict_result("is vcpu 0 up", hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0));
    verdict_result("is vcpu 1 up", hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0));
    verdict_result("is vcpu 9999 up", hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 9999, 0));
    verdict_result("stop the periodic timer",
                   hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
    verdict_result("no such operation on a vcpu", hypercall3(__HYPERVISOR_vcpu_op, 99, 0, 0));
}

void ask_calls(void)
{
    char extra[16];
    int version = hv_xen_version();

    ask_frames();
    ask_memory();
    ask_sched();
    ask_timers();
    ask_vcpus();
    verdict("the version", "%d.%d", version >> 16, version & 0xffff);
    verdict_result("what follows it",
                   hypercall2(__HYPERVISOR_xen_version, XENVER_extraversion, (uintptr_t)extra));
    verdict_result("what follows it, told nowhere",
                   hypercall2(__HYPERVISOR_xen_version, XENVER_extraversion, 0));
    verdict_result("the size of a page", hypercall2(__HYPERVISOR_xen_version, XENVER_pagesize, 0));
    verdict_result("no such version", hypercall2(__HYPERVISOR_xen_version, 99, 0));
    verdict_result("no such hypercall", hypercall2(NO_HYPERCALL, 0, 0));
    verdict_result("traps from nowhere", hypercall1(__HYPERVISOR_set_trap_table, 8));
    verdict_result("no such callback", hypercall2(__HYPERVISOR_callback_op, 99, 0));
}
