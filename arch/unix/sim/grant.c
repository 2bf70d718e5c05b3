/* SPDX-License-Identifier: ISC */
/*
 * The grant table. Its frames are Xen's; the guest maps them and writes entries without telling
 * anybody. What makes that safe is one 32-bit word, flags and domain: Xen takes a grant into use by
 * a compare-and-swap that sets "reading" (and "writing"), and only if the word permits the access at
 * that very moment; the guest takes it back by a compare-and-swap that expects neither to be set.
 * (_set_status_v1() of Xen's xen/common/grant_table.c.)
 */
#include "arch/unix/sim/grant.h"

#include <errno.h>
#include <string.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/memory.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define FRAMES_MAX 64 /* xl's default */
#define PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define REFS_MAX (FRAMES_MAX * PER_FRAME)
#define DOMAIN_0 0
#define TRIES 5

static struct {
    uint64_t mfn[FRAMES_MAX];
    unsigned frames;
    /* How often domain 0 uses each grant, and how often to write. */
    struct {
        uint16_t readers, writers;
    } uses[REFS_MAX];
    unsigned mapped;
} grants;

static void grow(unsigned frames)
{
    while (grants.frames < frames)
        grants.mfn[grants.frames++] = memory_add_xen_page();
}

void grant_create(void)
{
    grow(1);
}

static struct grant_entry_v1 *entry_of(grant_ref_t ref)
{
    struct grant_entry_v1 *table;

    if (ref / PER_FRAME >= grants.frames)
        return NULL;
    table = memory_page(grants.mfn[ref / PER_FRAME]);
    return &table[ref % PER_FRAME];
}

void grant_seed(grant_ref_t ref, uint64_t mfn)
{
    *entry_of(ref) = (struct grant_entry_v1){
        .flags = GTF_permit_access,
        .domid = DOMAIN_0,
        .frame = (uint32_t)mfn,
    };
}

/* --- domain 0 --------------------------------------------------------------------------------- */

/* Marks the entry as in use by that domain; its frame number may be read then, and not before. */
static int mark(struct grant_entry_v1 *entry, domid_t dom, bool readonly)
{
    uint32_t *word = (uint32_t *)entry; /* flags, domid */
    uint32_t old = shared_read(word);

    for (int i = 0; i < TRIES; i++) {
        uint32_t new = old | GTF_reading | (readonly ? 0 : GTF_writing);

        if ((old & GTF_type_mask) != GTF_permit_access || old >> 16 != dom)
            return GNTST_general_error;
        if (!readonly && (old & GTF_readonly))
            return GNTST_general_error;
        if (shared_cmpxchg(word, &old, new))
            return GNTST_okay;
    }
    return GNTST_general_error; /* the guest is not keeping still */
}

static void unmark(struct grant_entry_v1 *entry, grant_ref_t ref)
{
    if (!grants.uses[ref].writers)
        (void)shared_and(&entry->flags, (uint16_t)~GTF_writing);
    if (!grants.uses[ref].readers)
        (void)shared_and(&entry->flags, (uint16_t) ~(GTF_writing | GTF_reading));
}

int grant_map_for(domid_t dom, grant_ref_t ref, bool readonly, void **page)
{
    struct grant_entry_v1 *entry = entry_of(ref);
    int status;

    if (!entry)
        return GNTST_bad_gntref;
    status = mark(entry, dom, readonly);
    if (status)
        return status;
    *page = memory_guest_page(shared_read(&entry->frame));
    if (!*page) {
        unmark(entry, ref);
        return GNTST_general_error;
    }
    grants.uses[ref].readers++;
    grants.uses[ref].writers += !readonly;
    grants.mapped++;
    return GNTST_okay;
}

int grant_map(grant_ref_t ref, bool readonly, void **page)
{
    return grant_map_for(DOMAIN_0, ref, readonly, page);
}

uint64_t grant_frame(grant_ref_t ref)
{
    return shared_read(&entry_of(ref)->frame);
}

void grant_unmap(grant_ref_t ref, bool readonly)
{
    grants.uses[ref].readers--;
    grants.uses[ref].writers -= !readonly;
    grants.mapped--;
    unmark(entry_of(ref), ref);
}

int grant_map_together(const grant_ref_t *refs, unsigned count, void **pages)
{
    uint64_t mfns[GRANT_TOGETHER_MAX] = {0};
    unsigned done = 0;
    int status = count <= ARRAY_SIZE(mfns) ? GNTST_okay : GNTST_bad_gntref;
    void *page;

    while (!status && done < count) {
        status = grant_map(refs[done], false, &page);
        if (!status)
            mfns[done] = grant_frame(refs[done]);
        done += !status;
    }
    *pages = status ? NULL : memory_map_together(mfns, count);
    if (*pages)
        return GNTST_okay;
    while (done--)
        grant_unmap(refs[done], false);
    return status ? status : GNTST_general_error;
}

void grant_unmap_together(const grant_ref_t *refs, unsigned count, void *pages)
{
    memory_unmap_together(pages, count);
    for (unsigned i = 0; i < count; i++)
        grant_unmap(refs[i], false);
}

int grant_copy_from(void *dest, grant_ref_t ref, size_t offset, size_t len)
{
    void *page;
    int status;

    if (offset > PAGE_SIZE || len > PAGE_SIZE - offset)
        return GNTST_bad_copy_arg;
    status = grant_map(ref, true, &page);
    if (status)
        return status;
    memcpy(dest, (char *)page + offset, len);
    grant_unmap(ref, true);
    return GNTST_okay;
}

int grant_copy_to(grant_ref_t ref, size_t offset, const void *src, size_t len)
{
    void *page;
    int status;

    if (offset > PAGE_SIZE || len > PAGE_SIZE - offset)
        return GNTST_bad_copy_arg;
    status = grant_map(ref, false, &page);
    if (status)
        return status;
    memcpy((char *)page + offset, src, len);
    grant_unmap(ref, false);
    return GNTST_okay;
}

unsigned grant_count_mapped(void)
{
    return grants.mapped;
}

unsigned grant_count_given(void)
{
    unsigned count = 0;

    for (grant_ref_t ref = 0; ref < grants.frames * PER_FRAME; ref++)
        count += (shared_read(&entry_of(ref)->flags) & GTF_type_mask) != GTF_invalid;
    return count;
}

/* --- the guest's calls ------------------------------------------------------------------------ */

/* GNTST_okay: the guest asks for itself. */
static int check(domid_t dom)
{
    if (domain_is_guest(dom))
        return GNTST_okay;
    return dom == DOMAIN_0 ? GNTST_permission_denied : GNTST_bad_domain;
}

static long setup_table(uintptr_t arg)
{
    struct gnttab_setup_table op;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    op.status = GNTST_okay;
    if (op.nr_frames > FRAMES_MAX) {
        op.status = GNTST_general_error;
    } else if (check(op.dom)) {
        op.status = (int16_t)check(op.dom);
    } else {
        grow(op.nr_frames);
        for (unsigned i = 0; i < op.nr_frames; i++)
            if (memory_to_guest((uintptr_t)&op.frame_list.p[i], &grants.mfn[i],
                                sizeof(grants.mfn[i])))
                op.status = GNTST_bad_virt_addr;
    }
    return memory_to_guest(arg, &op, sizeof(op));
}

static long query_size(uintptr_t arg)
{
    struct gnttab_query_size op;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    op.status = (int16_t)check(op.dom);
    if (op.status == GNTST_okay) {
        op.nr_frames = grants.frames;
        op.max_nr_frames = FRAMES_MAX;
    }
    return memory_to_guest(arg, &op, sizeof(op));
}

static long get_version(uintptr_t arg)
{
    struct gnttab_get_version op;
    int err;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    err = domain_check(op.dom);
    if (err)
        return err;
    op.version = 1;
    return memory_to_guest(arg, &op, sizeof(op));
}

/* Version 1 is all there is, as in a Xen that was started with gnttab=max-ver:1. */
static long set_version(uintptr_t arg)
{
    struct gnttab_set_version op;
    long result;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    result = op.version == 1 ? 0 : op.version == 2 ? -ENOSYS : -EINVAL;
    op.version = 1;
    return memory_to_guest(arg, &op, sizeof(op)) ? -EFAULT : result;
}

long grant_op(unsigned cmd, uintptr_t arg, unsigned count)
{
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return grant_map_op(arg, count);
    case GNTTABOP_unmap_grant_ref:
        return grant_unmap_op(arg, count);
    case GNTTABOP_copy:
        return grant_copy_op(arg, count);
    case GNTTABOP_setup_table:
        return count == 1 ? setup_table(arg) : -EINVAL;
    case GNTTABOP_query_size:
        return count == 1 ? query_size(arg) : -EINVAL;
    case GNTTABOP_get_version:
        return count == 1 ? get_version(arg) : -EINVAL;
    case GNTTABOP_set_version:
        return count == 1 ? set_version(arg) : -EINVAL;
    default:
        return -ENOSYS;
    }
}
