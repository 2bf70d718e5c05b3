/* SPDX-License-Identifier: ISC */
/*
 * Pages of domain 0's that the guest maps (GNTTABOP_map_grant_ref). A reference is a place in the list of
 * such pages, a handle one in the list of mappings; each page lives until nobody uses it, and is then given
 * out again, zeroed.
 */
#include <errno.h>
#include <string.h>

#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define PAGES 64
#define REF_BASE 900 /* domain 0 has grants of its own below */
#define MAPPINGS 256
#define PTE_P UINT64_C(1)
#define PTE_W UINT64_C(2)

static struct {
    uint64_t mfn;
    bool offered;
    unsigned mapped; /* by the guest, so often */
} pages[PAGES];

static struct {
    uint64_t va; /* 0: free */
    unsigned page;
} mappings[MAPPINGS];

grant_ref_t grant_offer(void **page)
{
    unsigned i = 0;

    while (i < PAGES - 1 && (pages[i].offered || pages[i].mapped))
        i++;
    if (pages[i].offered || pages[i].mapped)
        report_fatal("domain 0 lends too many pages");
    if (!pages[i].mfn)
        pages[i].mfn = memory_add_xen_page();
    pages[i].offered = true;
    *page = memset(memory_page(pages[i].mfn), 0, PAGE_SIZE);
    return REF_BASE + i;
}

void grant_withdraw(grant_ref_t ref)
{
    pages[ref - REF_BASE].offered = false;
}

unsigned grant_count_foreign(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PAGES; i++)
        count += pages[i].mapped;
    return count;
}

/* GNTST_okay, or why not. */
static int map_one(struct gnttab_map_grant_ref *op)
{
    unsigned handle = 0, page = op->ref - REF_BASE;

    if (op->dom != 0)
        return GNTST_bad_domain;
    if ((op->flags & (GNTMAP_host_map | GNTMAP_contains_pte | GNTMAP_device_map)) !=
        GNTMAP_host_map)
        return GNTST_general_error;
    if (page >= PAGES || !pages[page].offered)
        return GNTST_bad_gntref;
    while (handle < MAPPINGS - 1 && mappings[handle].va)
        handle++;
    if (mappings[handle].va)
        return GNTST_no_device_space;
    if (memory_map(op->host_addr, pages[page].mfn << PAGE_SHIFT | PTE_P |
                                      (op->flags & GNTMAP_readonly ? 0 : PTE_W)))
        return GNTST_general_error;
    pages[page].mapped++;
    mappings[handle].va = op->host_addr;
    mappings[handle].page = page;
    op->handle = handle;
    return GNTST_okay;
}

static int unmap_one(const struct gnttab_unmap_grant_ref *op)
{
    if (op->handle >= MAPPINGS || !mappings[op->handle].va)
        return GNTST_bad_handle;
    if (mappings[op->handle].va != op->host_addr || memory_map(op->host_addr, 0))
        return GNTST_general_error;
    mappings[op->handle].va = 0;
    pages[mappings[op->handle].page].mapped--;
    return GNTST_okay;
}

long grant_map_op(uintptr_t arg, unsigned count)
{
    struct gnttab_map_grant_ref op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (memory_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = (int16_t)map_one(&op);
        if (memory_to_guest(arg, &op, sizeof(op)))
            return -EFAULT;
    }
    return 0;
}

long grant_unmap_op(uintptr_t arg, unsigned count)
{
    struct gnttab_unmap_grant_ref op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (memory_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = (int16_t)unmap_one(&op);
        if (memory_to_guest(arg, &op, sizeof(op)))
            return -EFAULT;
    }
    return 0;
}
