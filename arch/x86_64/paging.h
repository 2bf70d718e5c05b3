/* SPDX-License-Identifier: ISC */
/*
 * Reading the page tables of a 64-bit PV guest: four levels of 512 entries, which hold machine
 * addresses. Xen lets us read our tables through the linear map (read only) and translates machine
 * frames to ours in the M2P array (xen/include/public/arch-x86/xen-x86_64.h).
 */
#ifndef ARCH_X86_64_PAGING_H
#define ARCH_X86_64_PAGING_H

#include <stdint.h>

#include <xen/xen.h>

#include "arch/types.h"
#include "arch/x86_64/layout.h"

#define PTE_P UINT64_C(0x001)
#define PTE_W UINT64_C(0x002)
#define PTE_U UINT64_C(0x004) /* a PV guest's kernel runs in ring 3 too */
#define PTE_A UINT64_C(0x020)
#define PTE_D UINT64_C(0x040)
#define PTE_GNTTAB (UINT64_C(1) << 62) /* see arch_forbid_execution() */
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_FRAME UINT64_C(0x000ffffffffff000)

/* Accessed and dirty are set beforehand: no walk has to set them, and no update is needed. */
#define PTE_R (PTE_P | PTE_U | PTE_A)
#define PTE_RW (PTE_R | PTE_W | PTE_D)
#define PTE_TABLE PTE_RW

static __attribute__((always_inline)) inline unsigned paging_index(uintptr_t va, unsigned level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

/* The linear address of the table (or page) that an entry names. */
static __attribute__((always_inline)) inline uintptr_t paging_target(uint64_t entry)
{
    uint64_t mfn = (entry & PTE_FRAME) >> PAGE_SHIFT;
    uint64_t pfn = ((const uint64_t *)MACH2PHYS_VIRT_START)[mfn];

    return VIRT_BASE + (pfn << PAGE_SHIFT);
}

/*
 * The machine address of the entry for va at the given level (1 maps pages), starting from the
 * level-4 table at linear address l4; its a is 0 when a table on the way is missing, and *missing
 * (if given) is then the level of the absent entry.
 */
static __attribute__((always_inline)) inline maddr_t
paging_entry_or_hole(uintptr_t l4, uintptr_t va, unsigned level, unsigned *missing)
{
    uintptr_t table = l4;
    uint64_t frame = 0;

    for (unsigned n = 4; n > level; n--) {
        uint64_t e = ((const uint64_t *)table)[paging_index(va, n)];

        if (!(e & PTE_P)) {
            *missing = n;
            return (maddr_t){0};
        }
        frame = e & PTE_FRAME;
        table = paging_target(e);
    }
    return (maddr_t){frame | paging_index(va, level) * sizeof(uint64_t)};
}

/* As above where the tables are known to be there. level must be below 4. */
static __attribute__((always_inline)) inline maddr_t paging_entry(uintptr_t l4, uintptr_t va,
                                                                  unsigned level)
{
    unsigned missing;

    return paging_entry_or_hole(l4, va, level, &missing);
}

/* Where that entry can be read. */
static __attribute__((always_inline)) inline const uint64_t *paging_entry_at(maddr_t entry)
{
    return (const uint64_t *)(paging_target(entry.a) + entry.a % PAGE_SIZE);
}

#endif
