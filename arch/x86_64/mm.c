/* SPDX-License-Identifier: ISC */
/*
 * The address space after boot: no-execute for the linear map, and arch_map() for everything that
 * is mapped later (more of the linear map, the heap, grant frames, guard pages).
 *
 * Page numbers: the toolstack gave us the array mfn_list (the P2M), indexed by pfn, and Xen shares
 * the reverse array (the M2P). Both are only read.
 *
 * Invariant: a page used as a page table is never freed, and its linear mapping is read-only.
 */
#include <errno.h>

#include "arch/arch.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/mm.h"
#include "arch/x86_64/paging.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define BATCH 32

const struct start_info *arch_start_info __attribute__((section(".data")));
struct shared_info *const arch_shared_info = (struct shared_info *)WINDOW_BASE;

static uintptr_t l4_table(void)
{
    return (uintptr_t)arch_start_info->pt_base;
}

void *arch_pfn_to_virt(pfn_t pfn)
{
    return (void *)(VIRT_BASE + (pfn.n << PAGE_SHIFT));
}

pfn_t arch_virt_to_pfn(const void *linear)
{
    return (pfn_t){((uintptr_t)linear - VIRT_BASE) >> PAGE_SHIFT};
}

mfn_t arch_pfn_to_mfn(pfn_t pfn)
{
    return (mfn_t){((const uint64_t *)arch_start_info->mfn_list)[pfn.n]};
}

mfn_t arch_virt_to_mfn(const void *linear)
{
    pfn_t pfn = arch_virt_to_pfn(linear);

    DEBUG_CHECK(pfn.n < arch_start_info->nr_pages); /* the linear map's */
    return arch_pfn_to_mfn(pfn);
}

void *arch_mfn_to_virt(mfn_t mfn)
{
    pfn_t pfn = {((const uint64_t *)MACH2PHYS_VIRT_START)[mfn.n]};

    if (pfn.n >= arch_start_info->nr_pages || arch_pfn_to_mfn(pfn).n != mfn.n)
        return NULL;
    return arch_pfn_to_virt(pfn);
}

/* Where the toolstack's mapping ends: it wrote whole level-1 tables, and nr_pt_frames counts them
 * beside one table for each of the three upper levels (enough for 1 GiB of mapping). */
static uintptr_t boot_mapping_end(void)
{
    uint64_t tables = arch_start_info->nr_pt_frames - 3;

    return ROUND_DOWN((uintptr_t)VIRT_BASE, (uintptr_t)TABLE_SPAN) + tables * TABLE_SPAN;
}

struct arch_memory arch_memory(void)
{
    /* In the order in which the toolstack allocates: the page tables are last but one, behind
     * them is a boot stack of one page, which we do not use. */
    uintptr_t used = l4_table() + arch_start_info->nr_pt_frames * PAGE_SIZE;
    uint64_t end = MIN(arch_start_info->nr_pages, (ARCH_HEAP_BASE - VIRT_BASE) >> PAGE_SHIFT);
    uint64_t mapped = (boot_mapping_end() - VIRT_BASE) >> PAGE_SHIFT;

    return (struct arch_memory){
        .first = arch_virt_to_pfn((void *)used),
        .mapped_end = {MIN(mapped, end)},
        .end = {end},
    };
}

/* Writes the count updates gathered, which cannot fail: they name pages and tables of our own. */
static void write_entries(const struct mmu_update *op, unsigned count)
{
    if (count && hv_mmu_update(op, count))
        panic("mm: Xen refused %u page-table entries, the first at %lx", count, op[0].ptr);
}

/* Takes the right to execute from the linear map: one bit in each level-2 entry of it. */
void mm_init(void)
{
    const uint64_t *l3 = (const uint64_t *)paging_target(*(const uint64_t *)l4_table());
    const uint64_t *l2 = (const uint64_t *)paging_target(l3[paging_index(VIRT_BASE, 3)]);
    struct mmu_update op[BATCH];
    unsigned n = 0;

    for (uintptr_t va = VIRT_BASE; va < boot_mapping_end(); va += TABLE_SPAN) {
        op[n].ptr = paging_entry(l4_table(), va, 2).a | MMU_NORMAL_PT_UPDATE;
        op[n].val = l2[paging_index(va, 2)] | PTE_NX;
        if (++n == BATCH) {
            write_entries(op, n);
            n = 0;
        }
    }
    write_entries(op, n);
    (void)hv_tlb_flush(); /* what boot_map_window() made read-only may be cached as writable */
}

static int write_entry(maddr_t entry, uint64_t value)
{
    struct mmu_update op = {.ptr = entry.a | MMU_NORMAL_PT_UPDATE, .val = value};

    return hv_mmu_update(&op, 1);
}

/* Puts a new, empty table in the absent entry for va at this level. */
static int add_table(uintptr_t va, unsigned level)
{
    void *table = page_alloc_zeroed(0);
    unsigned hole;
    uint64_t frame;

    if (!table)
        return -ENOMEM;
    frame = arch_virt_to_mfn(table).n << PAGE_SHIFT;
    if (write_entry(paging_entry(l4_table(), (uintptr_t)table, 1), frame | PTE_R | PTE_NX))
        panic("mm: cannot write-protect a page table");
    (void)hv_tlb_flush();
    if (write_entry(level == 4 ? (maddr_t){(arch_virt_to_mfn((void *)l4_table()).n << PAGE_SHIFT) |
                                           paging_index(va, 4) * sizeof(uint64_t)}
                               : paging_entry_or_hole(l4_table(), va, level, &hole),
                    frame | PTE_TABLE))
        panic("mm: cannot install a page table");
    return 0;
}

/* The machine address of the level-1 entry for va, making the tables on the way. */
static int entry_for(uintptr_t va, maddr_t *entry)
{
    for (;;) {
        unsigned missing = 0;
        int err;

        *entry = paging_entry_or_hole(l4_table(), va, 1, &missing);
        if (entry->a)
            return 0;
        err = add_table(va, missing);
        if (err)
            return err;
    }
}

bool mm_mapped(uintptr_t va)
{
    unsigned missing;
    maddr_t entry = paging_entry_or_hole(l4_table(), va, 1, &missing);

    if (!entry.a)
        return false;
    return *paging_entry_at(entry) & PTE_P;
}

static uint64_t entry_of(pfn_t pfn, enum arch_prot prot)
{
    return prot == ARCH_PROT_RW ? (arch_pfn_to_mfn(pfn).n << PAGE_SHIFT) | PTE_RW | PTE_NX : 0;
}

int arch_map(uintptr_t va, pfn_t first, size_t count, enum arch_prot prot)
{
    unsigned flush =
        prot == ARCH_PROT_RW ? UVMF_NONE : UVMF_INVLPG; /* when a right is taken away */
    struct mmu_update op[BATCH];
    maddr_t entry = {0};
    unsigned n = 0;
    int err = 0;

    /* A guard page: Xen finds the entry, if there is a table for it, and flushes this address alone. */
    if (count == 1 && hv_update_va_mapping(va, entry_of(first, prot), flush) == 0)
        return 0;
    for (size_t i = 0; i < count; i++, va += PAGE_SIZE, entry.a += sizeof(uint64_t)) {
        if (i == 0 || va % TABLE_SPAN == 0) { /* otherwise the entries are neighbours */
            err = entry_for(va, &entry);
            if (err)
                break;
        }
        op[n].ptr = entry.a | MMU_NORMAL_PT_UPDATE;
        op[n].val = entry_of((pfn_t){first.n + i}, prot);
        if (++n == BATCH) {
            write_entries(op, n);
            n = 0;
        }
    }
    write_entries(op, n);
    if (flush)
        (void)hv_tlb_flush();
    return err;
}

_Static_assert(ARCH_GRANT_BASE > WINDOW_BASE &&
                   ARCH_GRANT_BASE + ARCH_GRANT_FRAMES * PAGE_SIZE <= WINDOW_TEXT,
               "the grant table lies between the shared info page and text");

int arch_map_mfn(uintptr_t va, mfn_t mfn)
{
    return hv_update_va_mapping(va, (mfn.n << PAGE_SHIFT) | PTE_RW | PTE_NX, UVMF_NONE);
}

/* The page may be another domain's: Xen does not ask whose it is where an entry keeps its frame and only
 * bits like this one change. */
int arch_forbid_execution(uintptr_t va)
{
    maddr_t entry;
    int err = entry_for(va, &entry);
    uint64_t now;

    if (err)
        return err;
    now = *paging_entry_at(entry);
    if (now & PTE_NX)
        return 0;
    /* A Xen built for debugging marks what it maps of grants, and refuses to be told so. */
    err = write_entry(entry, (now & ~PTE_GNTTAB) | PTE_NX);
    if (!err)
        (void)hv_tlb_flush(); /* a right was taken away */
    return err;
}
