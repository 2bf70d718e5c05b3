/* SPDX-License-Identifier: ISC */
/*
 * GNTTABOP_copy: between pages of the guest's, by number or by its own grant, and domain 0's, by grant. Each end
 * is taken into use for as long as the copy takes, as in Xen.
 */
#include <errno.h>
#include <string.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"

struct end {
    const struct gnttab_copy_ptr *ptr;
    bool by_ref, readonly, in_use;
    char *page;
};

static int check(const struct end *e)
{
    if (e->by_ref ? e->ptr->domid == 0 || domain_is_guest(e->ptr->domid)
                  : e->ptr->domid == DOMID_SELF)
        return GNTST_okay;
    return e->by_ref ? GNTST_bad_domain : GNTST_permission_denied;
}

static int begin(struct end *e)
{
    uint64_t mfn;
    void *page = NULL;
    int status = GNTST_okay;

    if (!e->by_ref) {
        page = memory_guest_page(e->ptr->u.gmfn);
        status = page ? GNTST_okay : GNTST_bad_page;
    } else if (e->ptr->domid == 0) {
        status = grant_offered(e->ptr->u.ref, &mfn);
        page = status ? NULL : memory_page(mfn);
    } else {
        status = grant_map_for(DOMAIN_ID, e->ptr->u.ref, e->readonly, &page);
        e->in_use = !status;
    }
    e->page = page;
    return status;
}

static void finish(const struct end *e)
{
    if (e->in_use)
        grant_unmap(e->ptr->u.ref, e->readonly);
}

static int copy(const struct gnttab_copy *op)
{
    struct end from = {&op->source, op->flags & GNTCOPY_source_gref, true, false, NULL};
    struct end to = {&op->dest, op->flags & GNTCOPY_dest_gref, false, false, NULL};
    int status = check(&from);

    if (!status)
        status = check(&to);
    if (!status)
        status = begin(&from);
    if (!status)
        status = begin(&to);
    if (!status && (op->source.offset + op->len > (int)PAGE_SIZE ||
                    op->dest.offset + op->len > (int)PAGE_SIZE))
        status = GNTST_bad_copy_arg;
    if (!status)
        memmove(to.page + op->dest.offset, from.page + op->source.offset, op->len);
    finish(&to);
    finish(&from);
    return status;
}

long grant_copy_op(uintptr_t arg, unsigned count)
{
    struct gnttab_copy op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (memory_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = (int16_t)copy(&op);
        if (memory_to_guest(arg, &op, sizeof(op)))
            return -EFAULT;
    }
    return 0;
}
