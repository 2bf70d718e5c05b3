/* SPDX-License-Identifier: ISC */
/*
 * Grant tables, version 1 (xen/include/public/grant_table.h): permission for one other domain to
 * map or copy one page of ours.
 *
 * A reference is allocated once and can be granted and ended many times: both are plain memory
 * accesses, no hypercall. Ending is an atomic compare-and-swap (hardening.md, rule 9): while the
 * peer still has the page mapped it fails with -EBUSY, and neither page nor reference may be used
 * for anything else. A caller that must give up then calls gnttab_quarantine().
 */
#ifndef XEN_GNTTAB_H
#define XEN_GNTTAB_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

/* 0, or -EIO: Xen gives no table. */
int gnttab_init(void);

/* Takes a free reference: > 0; -ENOSPC when the table is full and cannot grow, -ENOMEM. */
int gnttab_alloc(void);
/* Gives a reference back; it must not be granted. */
void gnttab_free(grant_ref_t ref);

/* Lets domain dom access the page at this address: page-aligned, in the linear map (what page_alloc() gives, variables). */
void gnttab_grant(grant_ref_t ref, domid_t dom, const void *page, bool readonly);
/* The same once more, after gnttab_end(), for the domain and the page that the reference was last granted for, in this
 * very table: in a new one (after a resume) the entry names neither, and gnttab_grant() comes first. */
void gnttab_grant_again(grant_ref_t ref, bool readonly);
/* Ends the access: 0, or -EBUSY while dom has it mapped. Ending an ended grant is 0. */
int gnttab_end(grant_ref_t ref);
/* The grant cannot be ended: leaves it, and the page it names, unused for ever; counts it. */
void gnttab_quarantine(grant_ref_t ref);

/* References allocated, of which grants may be live, and those in quarantine. */
unsigned gnttab_count_used(void);
unsigned gnttab_count_quarantined(void);

#endif
