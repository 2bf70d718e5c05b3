/* SPDX-License-Identifier: ISC */
/* See gntmap.h. Xen writes the page-table entries; we take from them the right to execute, and put our
 * own pages back in their places at the end. */
#include "xen/gntmap.h"

#include <errno.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define LOG_MODULE "gntmap"

static uintptr_t address(const struct gntmap *m, unsigned i)
{
    return (uintptr_t)m->pages + i * PAGE_SIZE;
}

/* Undoes the first count mappings and gives our own pages back. */
static void undo(struct gntmap *m, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct gnttab_unmap_grant_ref op = {.host_addr = address(m, i), .handle = m->handles[i]};

        if (hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) || op.status)
            panic("gntmap: Xen does not unmap %lx: %d", address(m, i), op.status);
    }
    if (arch_map((uintptr_t)m->pages, arch_virt_to_pfn(m->pages), (size_t)1 << m->order,
                 ARCH_PROT_RW))
        panic("gntmap: our pages are lost");
    page_free(m->pages, m->order);
    m->pages = NULL;
}

/* References are the other domain's say: any of them may be none, and those behind it are not tried. */
static int map_page(struct gntmap *m, unsigned i, domid_t dom, grant_ref_t ref)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = address(m, i),
        .flags = GNTMAP_host_map,
        .ref = ref,
        .dom = dom,
    };

    if (hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1) || op.status) {
        log_limited(LOG_WARN, "reference %u of domain %u cannot be mapped: %d", ref, dom,
                    op.status);
        return -EACCES;
    }
    m->handles[i] = op.handle;
    return 0;
}

int gntmap_map(struct gntmap *m, domid_t dom, const grant_ref_t *refs, unsigned order)
{
    unsigned count = 1u << order, done = 0;
    int err;

    ASSERT(count <= GNTMAP_PAGES_MAX);
    m->order = order;
    m->pages = page_alloc(order);
    if (!m->pages)
        return -ENOMEM;
    err = arch_map((uintptr_t)m->pages, (pfn_t){0}, count, ARCH_PROT_NONE);
    while (!err && done < count) {
        err = map_page(m, done, dom, refs[done]);
        if (!err)
            err = arch_forbid_execution(address(m, done++));
    }
    if (err)
        undo(m, done);
    return err;
}

void gntmap_unmap(struct gntmap *m)
{
    if (m->pages)
        undo(m, 1u << m->order);
}
