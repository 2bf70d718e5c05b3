/* SPDX-License-Identifier: ISC */
/*
 * Grant tables, version 1 (xen/include/public/grant_table.h).
 *
 * The table is an array of 8-byte entries in frames that belong to Xen, mapped at ARCH_GRANT_BASE
 * as it grows. An entry is made valid by its flags, written last, and taken back by a
 * compare-and-swap of the flags: Xen sets the "in use" bits in the same word, so either we see them
 * (and fail) or Xen sees the entry gone.
 *
 * The table is shared with Xen alone, never with a peer; so the list of free references runs
 * through the frame field of the unused entries, which name no domain (DOMID_INVALID).
 */
#include "xen/gnttab.h"

#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define LOG_MODULE "gnttab"

#define PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
/* At an address that is known, so that no access has to look for it. */
#define TABLE ((struct grant_entry_v1 *)ARCH_GRANT_BASE)
#define LAST 0 /* reference 0 is reserved */

static struct {
    unsigned frames, frames_max;
    grant_ref_t free; /* first free reference, LAST: none */
    unsigned used, quarantined;
} gnttab;

static void push_free(grant_ref_t ref)
{
    TABLE[ref].domid = DOMID_INVALID;
    TABLE[ref].frame = gnttab.free;
    gnttab.free = ref;
}

/* Maps one more frame of the table and puts its references on the free list. */
static int grow(void)
{
    unsigned n = gnttab.frames + 1;
    uint64_t frames[ARCH_GRANT_FRAMES];
    struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = n};
    int err;

    if (n > gnttab.frames_max)
        return -ENOSPC;
    set_xen_guest_handle(op.frame_list, frames);
    err = hv_grant_table_op(GNTTABOP_setup_table, &op, 1);
    if (err || op.status != GNTST_okay)
        return -ENOSPC;
    err = arch_map_mfn(ARCH_GRANT_BASE + (n - 1) * PAGE_SIZE, (mfn_t){frames[n - 1]});
    if (err)
        return err;
    for (unsigned ref = n * PER_FRAME; ref-- > (n - 1) * PER_FRAME;) {
        if (ref < GNTTAB_NR_RESERVED_ENTRIES)
            break; /* the toolstack's console and xenstore pages among them */
        push_free(ref);
    }
    gnttab.frames = n;
    return 0;
}

int gnttab_init(void)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};

    if (hv_grant_table_op(GNTTABOP_query_size, &size, 1) || size.status != GNTST_okay)
        return -EIO;
    gnttab.frames_max = MIN(size.max_nr_frames, ARCH_GRANT_FRAMES);
    return 0;
}

int gnttab_alloc(void)
{
    grant_ref_t ref;

    if (gnttab.free == LAST) {
        int err = grow();

        if (err) {
            log_limited(LOG_WARN, "no grant reference left of %zu", gnttab.frames * PER_FRAME);
            return err;
        }
    }
    ref = gnttab.free;
    gnttab.free = TABLE[ref].frame;
    TABLE[ref].domid = DOMID_SELF;
    gnttab.used++;
    return (int)ref;
}

/* A live entry on the free list would lend whatever page its link happens to number. */
void gnttab_free(grant_ref_t ref)
{
    if (ref < GNTTAB_NR_RESERVED_ENTRIES || ref >= gnttab.frames * PER_FRAME ||
        shared_read(&TABLE[ref].flags) || TABLE[ref].domid == DOMID_INVALID)
        panic("gnttab: reference %u is live or free already", ref);
    push_free(ref);
    gnttab.used--;
}

void gnttab_grant(grant_ref_t ref, domid_t dom, const void *page, bool readonly)
{
    struct grant_entry_v1 *e = &TABLE[ref];
    uint64_t frame = arch_virt_to_mfn(page).n;

    if (frame > UINT32_MAX)
        panic("gnttab: frame %lx lies above 16 TiB", frame);
    shared_write(&e->frame, (uint32_t)frame);
    shared_write(&e->domid, dom);
    gnttab_grant_again(ref, readonly);
}

void gnttab_grant_again(grant_ref_t ref, bool readonly)
{
    /* Partner: Xen reads the flags first, then the rest. */
    shared_store_release(&TABLE[ref].flags,
                         (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0)));
}

int gnttab_end(grant_ref_t ref)
{
    struct grant_entry_v1 *e = &TABLE[ref];
    uint16_t flags = shared_read(&e->flags);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return -EBUSY;
    } while (!shared_cmpxchg(&e->flags, &flags, 0));
    return 0;
}

void gnttab_quarantine(grant_ref_t ref)
{
    gnttab.quarantined++;
    log_limited(LOG_WARN, "reference %u is still mapped by domain %u: its page is lost", ref,
                shared_read(&TABLE[ref].domid));
}

unsigned gnttab_count_used(void)
{
    return gnttab.used;
}

unsigned gnttab_count_quarantined(void)
{
    return gnttab.quarantined;
}
