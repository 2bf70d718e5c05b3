/* SPDX-License-Identifier: ISC */
/*
 * The machine's memory and what of it the guest has mapped.
 *
 * A machine page (mfn) belongs to the guest, or to Xen, which may let the guest map it (shared
 * info, grant table). The guest's pages are scattered over the machine: its numbering (pfn) and the
 * machine's never agree.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12

/* Makes the machine, with a guest of so many pages; all are zero. */
void memory_create(size_t guest_pages);
size_t memory_guest_pages(void);
/* pfn must be below memory_guest_pages(). */
uint64_t memory_mfn_of(size_t pfn);
/* A zeroed page of Xen's that the guest may map; it is never given back. */
uint64_t memory_add_xen_page(void);

/* One of domain 0's, that the guest may map only where it is granted: memory_map_any(). */
uint64_t memory_add_domain_0_page(void);

/* The simulation's own address of a machine page; NULL when there is no such page. */
void *memory_page(uint64_t mfn);
/* The same for a page of the guest's only: what its grants and the like may name. */
void *memory_guest_page(uint64_t mfn);

/* Pages of the guest's one after the other, at an address of the simulation's own until they are
 * unmapped. NULL when one of them is not the guest's. */
void *memory_map_together(const uint64_t *mfns, size_t count);
void memory_unmap_together(void *pages, size_t count);

/* update_va_mapping (xen.h): entry as in a level-1 table. 0 or a negative errno. */
long memory_map(uintptr_t va, uint64_t entry);
/* The same for a page that is the guest's or is granted to it. */
long memory_map_any(uintptr_t va, uint64_t entry);
/* memory_op (memory.h of Xen). */
long memory_op(unsigned cmd, uintptr_t arg);

/* Copying from and to addresses that the guest gave: 0, or -EFAULT where it has nothing mapped. */
int memory_from_guest(void *dest, uintptr_t src, size_t len);
int memory_to_guest(uintptr_t dest, const void *src, size_t len);
/* For the handler of signals: a fault in one of the two ends it, and does not come back. */
void memory_copy_fault(void);

#endif
