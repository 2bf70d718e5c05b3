/* SPDX-License-Identifier: ISC */
/*
 * Pages that another domain lends us (GNTTABOP_map_grant_ref of xen/include/public/grant_table.h): the
 * other side of gnttab.h, for a vchan's client.
 *
 * They are mapped over pages of our own, which nobody can reach meanwhile. What is in them may change at
 * any time, and be unmapped by nobody but us: a domain that ends leaves its page to its last user.
 */
#ifndef XEN_GNTMAP_H
#define XEN_GNTMAP_H

#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

#define GNTMAP_PAGES_MAX 16

struct gntmap {
    void *pages; /* NULL: nothing is mapped */
    unsigned order;
    grant_handle_t handles[GNTMAP_PAGES_MAX];
};

/* Maps 2^order pages (at most GNTMAP_PAGES_MAX) that domain dom lends under these references, one after
 * the other and not executable. 0, -ENOMEM, or -EACCES: one of them is not lent to us in this way. */
int gntmap_map(struct gntmap *m, domid_t dom, const grant_ref_t *refs, unsigned order);
/* Harmless when nothing is mapped. */
void gntmap_unmap(struct gntmap *m);

#endif
