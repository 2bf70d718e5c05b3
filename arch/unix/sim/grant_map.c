/* SPDX-License-Identifier: ISC */
/*
 * Pages that the guest maps by grant (GNTTABOP_map_grant_ref): domain 0's, and its own. Domain 0's reference
 * is a place in the list of such pages, a handle one in the list of mappings; each page lives until nobody
 * uses it, and is then given out again, zeroed. The order of the checks is Xen's.
 */
#include <errno.h>
#include <string.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define PAGES 64
#define REF_BASE 900 /* domain 0 has grants of its own below */
#define REFS 1024    /* in domain 0's table */
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
    grant_ref_t ref;
    bool own, readonly;
} mappings[MAPPINGS];

grant_ref_t grant_offer(void **page)
{
    unsigned i = 0;

    while (i < PAGES - 1 && (pages[i].offered || pages[i].mapped))
        i++;
    if (pages[i].offered || pages[i].mapped)
        report_fatal("domain 0 lends too many pages");
    if (!pages[i].mfn)
        pages[i].mfn = memory_add_domain_0_page();
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

int grant_offered(grant_ref_t ref, uint64_t *mfn)
{
    if (ref >= REFS)
        return GNTST_bad_gntref;
    if (ref < REF_BASE || ref >= REF_BASE + PAGES || !pages[ref - REF_BASE].offered)
        return GNTST_general_error;
    *mfn = pages[ref - REF_BASE].mfn;
    return GNTST_okay;
}

/* Takes the grant into use; GNTST_okay, or why not. */
static int take(bool own, grant_ref_t ref, bool readonly, uint64_t *mfn)
{
    void *page;
    int status;

    if (own) {
        status = grant_map_for(DOMAIN_ID, ref, readonly, &page);
        *mfn = status ? 0 : grant_frame(ref);
        return status;
    }
    status = grant_offered(ref, mfn);
    if (!status)
        pages[ref - REF_BASE].mapped++;
    return status;
}

static void leave(bool own, grant_ref_t ref, bool readonly)
{
    if (own)
        grant_unmap(ref, readonly);
    else
        pages[ref - REF_BASE].mapped--;
}

static int map_one(struct gnttab_map_grant_ref *op)
{
    bool own = domain_is_guest(op->dom), readonly = op->flags & GNTMAP_readonly;
    unsigned handle = 0;
    uint64_t mfn;
    int status;

    if (!(op->flags & (GNTMAP_host_map | GNTMAP_device_map)))
        return GNTST_bad_gntref;
    if (op->flags & (GNTMAP_contains_pte | GNTMAP_device_map))
        return GNTST_general_error; /* neither page tables nor devices */
    if (op->dom != 0 && !own)
        return GNTST_bad_domain;
    while (handle < MAPPINGS - 1 && mappings[handle].va)
        handle++;
    if (mappings[handle].va)
        return GNTST_no_space;
    status = take(own, op->ref, readonly, &mfn);
    if (status)
        return status;
    if (memory_map_any(op->host_addr, mfn << PAGE_SHIFT | PTE_P | (readonly ? 0 : PTE_W))) {
        leave(own, op->ref, readonly);
        return GNTST_general_error;
    }
    mappings[handle].va = op->host_addr;
    mappings[handle].ref = op->ref;
    mappings[handle].own = own;
    mappings[handle].readonly = readonly;
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
    leave(mappings[op->handle].own, mappings[op->handle].ref, mappings[op->handle].readonly);
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
