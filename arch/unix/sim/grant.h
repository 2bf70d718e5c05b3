/* SPDX-License-Identifier: ISC */
/*
 * The guest's grant table, version 1 (xen/include/public/grant_table.h), and what domain 0 does with
 * the grants: it maps pages and copies to and from them. Domain 0's own end of it is counted, so that
 * a page is marked in use from the first mapping to the last.
 */
#ifndef SIM_GRANT_H
#define SIM_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

/* The toolstack seeds the references that are reserved for its pages. */
void grant_create(void);
void grant_seed(grant_ref_t ref, uint64_t mfn);

/* grant_table_op, and those of its calls that use a grant: grant_map.c, grant_copy.c. */
long grant_op(unsigned cmd, uintptr_t arg, unsigned count);
long grant_map_op(uintptr_t arg, unsigned count);
long grant_unmap_op(uintptr_t arg, unsigned count);
long grant_copy_op(uintptr_t arg, unsigned count);

/* --- domain 0 --- */

#define GRANT_TOGETHER_MAX 16

/* GNTST_okay and the page's address, which stays valid (and the grant in use) until grant_unmap();
 * or why not. */
int grant_map(grant_ref_t ref, bool readonly, void **page);
void grant_unmap(grant_ref_t ref, bool readonly);
/* The same for another domain: the guest may use what it has granted to itself. */
int grant_map_for(domid_t dom, grant_ref_t ref, bool readonly, void **page);
/* The machine page of a grant that is in use. */
uint64_t grant_frame(grant_ref_t ref);
/* The same for several pages, to be written too, at addresses that follow one another: all or none. */
int grant_map_together(const grant_ref_t *refs, unsigned count, void **pages);
void grant_unmap_together(const grant_ref_t *refs, unsigned count, void *pages);
/* Copies len bytes from or to offset within the page; all or nothing. GNTST_okay or why not. */
int grant_copy_from(void *dest, grant_ref_t ref, size_t offset, size_t len);
int grant_copy_to(grant_ref_t ref, size_t offset, const void *src, size_t len);

/* A page of domain 0's, zeroed, that the guest may map: its reference there. Domain 0's own use of it ends
 * with grant_withdraw(), the page's life when the guest has unmapped it too. */
grant_ref_t grant_offer(void **page);
void grant_withdraw(grant_ref_t ref);
/* For the guest's calls: its machine page, or GNTST_bad_gntref, GNTST_general_error: not offered. */
int grant_offered(grant_ref_t ref, uint64_t *mfn);
/* Those of domain 0's pages that the guest has mapped. */
unsigned grant_count_foreign(void);

/* Grants that domain 0 has in use, and those that the guest has given, in use or not. */
unsigned grant_count_mapped(void);
unsigned grant_count_given(void);

#endif
