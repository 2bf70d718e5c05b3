/* SPDX-License-Identifier: ISC */
/*
 * The guest's memory. A PV guest maps a page by naming the machine page that is to appear at an
 * address (update_va_mapping, xen.h); the simulated hypervisor keeps the page tables themselves, so
 * there are none here.
 */
#include <errno.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/memory.h>

#include "arch/arch.h"
#include "arch/unix/gate.h"
#include "arch/unix/layout.h"
#include "arch/x86_64/mm.h"
#include "kernel/log.h"
#include "xen/hypercall.h"

/* Of a page-table entry, as far as it matters here (the processor's manual). */
#define PTE_P UINT64_C(0x001)
#define PTE_W UINT64_C(0x002)
#define PTE_NX (UINT64_C(1) << 63)

/* Xen's promise (xen.h, start-of-day memory layout, 7): so much is mapped beyond what it made. */
#define BOOT_PADDING_PAGES (UINT64_C(512 * 1024) >> PAGE_SHIFT)

static struct {
    const uint64_t *m2p; /* Xen's array of our page numbers by the machine's */
    uint64_t max_mfn;
} mm;

void *arch_pfn_to_virt(pfn_t pfn)
{
    return (void *)(LINEAR_BASE + (pfn.n << PAGE_SHIFT));
}

pfn_t arch_virt_to_pfn(const void *linear)
{
    const char *va = linear;

    if (va >= guest_image.data && va < guest_image.data_end)
        return (pfn_t){(uint64_t)(va - guest_image.data) >> PAGE_SHIFT};
    return (pfn_t){((uintptr_t)va - LINEAR_BASE) >> PAGE_SHIFT};
}

/* A number that is none of ours is a bug of the caller's; the real P2M has no end to check either,
 * but there a fault follows. */
mfn_t arch_pfn_to_mfn(pfn_t pfn)
{
    if (pfn.n >= arch_start_info->nr_pages)
        panic("mm: there is no page %#lx", (unsigned long)pfn.n);
    return (mfn_t){((const uint64_t *)arch_start_info->mfn_list)[pfn.n]};
}

mfn_t arch_virt_to_mfn(const void *linear)
{
    return arch_pfn_to_mfn(arch_virt_to_pfn(linear));
}

static void find_m2p(void)
{
    struct xen_machphys_mapping map;

    if (hypercall2(__HYPERVISOR_memory_op, XENMEM_machphys_mapping, (uintptr_t)&map))
        panic("mm: no M2P");
    mm.m2p = (const uint64_t *)map.v_start;
    mm.max_mfn = map.max_mfn;
}

void *arch_mfn_to_virt(mfn_t mfn)
{
    pfn_t pfn;

    if (!mm.m2p)
        find_m2p();
    if (mfn.n > mm.max_mfn)
        return NULL;
    pfn.n = mm.m2p[mfn.n];
    if (pfn.n >= arch_start_info->nr_pages || arch_pfn_to_mfn(pfn).n != mfn.n)
        return NULL;
    return arch_pfn_to_virt(pfn);
}

/* The boot stack, one page behind the (here no) page tables, is the last that the toolstack made. */
struct arch_memory arch_memory(void)
{
    uintptr_t used = arch_start_info->pt_base + arch_start_info->nr_pt_frames * PAGE_SIZE;
    uint64_t first = arch_virt_to_pfn((void *)used).n;

    return (struct arch_memory){
        .first = {first},
        .mapped_end = {MIN(first + BOOT_PADDING_PAGES, arch_start_info->nr_pages)},
        .end = {arch_start_info->nr_pages},
    };
}

/* Nothing is executable but the program's text, from the start. */
void mm_init(void)
{
}

static int map(uintptr_t va, mfn_t mfn, enum arch_prot prot)
{
    uint64_t entry = mfn.n << PAGE_SHIFT | PTE_P | PTE_NX;

    if (prot == ARCH_PROT_NONE)
        entry = 0;
    else if (prot == ARCH_PROT_RW)
        entry |= PTE_W;
    return (int)hypercall3(__HYPERVISOR_update_va_mapping, va, entry, UVMF_INVLPG | UVMF_LOCAL);
}

int arch_map(uintptr_t va, pfn_t first, size_t count, enum arch_prot prot)
{
    for (size_t i = 0; i < count; i++) {
        mfn_t mfn = {0};
        int err;

        if (prot != ARCH_PROT_NONE)
            mfn = arch_pfn_to_mfn((pfn_t){first.n + i});
        err = map(va + i * PAGE_SIZE, mfn, prot);
        if (err == -ENOMEM)
            return err;
        if (err)
            panic("mm: Xen refused to map %#lx: error %d", (unsigned long)va, -err);
    }
    return 0;
}

int arch_map_mfn(uintptr_t va, mfn_t mfn)
{
    return map(va, mfn, ARCH_PROT_RW);
}

/* The host maps nothing executable for the guest. */
int arch_forbid_execution(uintptr_t va)
{
    (void)va;
    return 0;
}
