/* SPDX-License-Identifier: ISC */
/*
 * The first code to run: gives text and rodata their window (layout.h) and takes the toolstack's
 * writable mapping of them away.
 *
 * It runs in the linear map, before the window exists, so it may call nothing outside this file:
 * everything here is in section .boot, or inlined, without a stack protector. The linear map itself
 * loses its right to execute in arch_init(), which already runs in the window.
 *
 * Rules of a PV guest's page tables (Xen's xen/arch/x86/mm.c): a page used as a table may not be
 * mapped writable anywhere; tables are changed by mmu_update only, which names an entry by its
 * machine address; and installing a table makes Xen check every entry in it once.
 */
#include "arch/arch.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/paging.h"
#include "xen/hypercall.h"

#define BOOT __attribute__((section(".boot"), no_stack_protector, noinline))

extern char window_text_end[], window_end[], boot_stack_guard[];
extern uint64_t window_tables[], window_tables_end[];

#define BATCH 32

void boot_map_window(const struct start_info *si);

struct batch {
    struct mmu_update op[BATCH];
    unsigned count;
};

/* Without it there is no W^X, or nothing to run in; and nobody yet who could say so: Xen crashes a guest that has no
 * handler for an exception. */
BOOT static void batch_do(struct batch *b)
{
    if (hv_mmu_update(b->op, b->count))
        __builtin_trap();
    b->count = 0;
}

BOOT static void batch_add(struct batch *b, maddr_t entry, uint64_t value)
{
    b->op[b->count].ptr = entry.a | MMU_NORMAL_PT_UPDATE;
    b->op[b->count].val = value;
    if (++b->count == BATCH)
        batch_do(b);
}

BOOT static maddr_t entry_for(uintptr_t l4, uintptr_t va, unsigned level)
{
    return paging_entry(l4, va, level);
}

/* Takes the right to write from the linear map's first count pages: page by page, but for the spans that a
 * level-2 entry stands for. */
BOOT static void protect_alias(struct batch *b, uintptr_t l4, uint64_t count)
{
    uintptr_t va = VIRT_BASE, end = va + (count << PAGE_SHIFT);

    while (va < end) {
        bool whole = va % TABLE_SPAN == 0 && end - va >= TABLE_SPAN;
        maddr_t entry = entry_for(l4, va, whole ? 2 : 1);
        const uint64_t *now = paging_entry_at(entry);

        do { /* within a table the entries are neighbours */
            batch_add(b, entry, *now++ & ~PTE_W);
            entry.a += sizeof(*now);
            va += whole ? TABLE_SPAN : PAGE_SIZE;
        } while (va < end && va % TABLE_SPAN);
    }
}

BOOT void boot_map_window(const struct start_info *si)
{
    const uint64_t *p2m = (const uint64_t *)si->mfn_list;
    uintptr_t l4 = (uintptr_t)si->pt_base;
    uint64_t ro_pages = ((uintptr_t)window_end - WINDOW_TEXT) >> PAGE_SHIFT;
    uint64_t text_pages = ((uintptr_t)window_text_end - WINDOW_TEXT) >> PAGE_SHIFT;
    uint64_t *text = window_tables + ((WINDOW_TEXT - WINDOW_BASE) >> PAGE_SHIFT);
    struct batch b;

    b.count = 0;
    window_tables[0] = si->shared_info | PTE_RW | PTE_NX;
    for (uint64_t i = 0; i < ro_pages; i++)
        text[i] = p2m[i] << PAGE_SHIFT | PTE_R | (i < text_pages ? 0 : PTE_NX);
    protect_alias(&b, l4, ro_pages);
    batch_add(&b, entry_for(l4, (uintptr_t)boot_stack_guard, 1), 0);
    for (uint64_t *table = window_tables; table < window_tables_end; table += 512) {
        uint64_t frame = p2m[((uintptr_t)table - VIRT_BASE) >> PAGE_SHIFT] << PAGE_SHIFT;
        uintptr_t va = WINDOW_BASE + (uintptr_t)(table - window_tables) / 512 * TABLE_SPAN;

        batch_add(&b, entry_for(l4, (uintptr_t)table, 1), frame | PTE_R | PTE_NX);
        batch_add(&b, entry_for(l4, va, 2), frame | PTE_TABLE);
    }
    batch_do(&b);
}
