/* SPDX-License-Identifier: ISC */
/* See fake_grants.h. */
#include "tests/unit/fake_grants.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/page.h"
#include "lib/net/mem.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"
#include "xen/gnttab.h"

domid_t fake_backend = BACKEND;
const uint8_t *fake_app_pages;
size_t fake_app_size;
struct fake_grant fake_grants[FAKE_GRANTS];
bool fake_no_grants, fake_grants_zeroed;
size_t fake_total_pages = 1024;
unsigned fake_grants_made;

/* --- memory --- */

size_t page_count_total(void)
{
    return fake_total_pages;
}

size_t page_count_free(void)
{
    return fake_total_pages - MIN(fake_pages, fake_total_pages);
}

/* --- grants and ports --- */

/* No reference below `lowest` is free, none from `end` on was ever allocated. */
static struct {
    int lowest, end;
} refs = {GNTTAB_NR_RESERVED_ENTRIES, GNTTAB_NR_RESERVED_ENTRIES};

int gnttab_alloc(void)
{
    if (fake_no_grants)
        return -ENOSPC;
    for (int ref = refs.lowest; ref < FAKE_GRANTS; ref++) {
        if (!fake_grants[ref].allocated) {
            fake_grants[ref] = (struct fake_grant){.allocated = true};
            refs.lowest = ref + 1;
            refs.end = MAX(refs.end, ref + 1);
            return ref;
        }
    }
    return -ENOSPC;
}

struct fake_grant *fake_grant(grant_ref_t ref)
{
    ck_assert_uint_lt(ref, FAKE_GRANTS);
    ck_assert_msg(fake_grants[ref].allocated, "reference %u is not ours", ref);
    ck_assert_msg(!fake_grants[ref].quarantined, "reference %u is in quarantine", ref);
    return &fake_grants[ref];
}

void gnttab_free(grant_ref_t ref)
{
    ck_assert_msg(!fake_grant(ref)->live, "reference %u is freed while the grant is live", ref);
    fake_grants[ref].allocated = false;
    refs.lowest = MIN(refs.lowest, (int)ref);
}

void gnttab_grant(grant_ref_t ref, domid_t dom, const void *page, bool readonly)
{
    struct fake_grant *g = fake_grant(ref);
    static const uint8_t zeros[PAGE_SIZE];

    ck_assert_msg(!g->live, "reference %u is granted anew while it is live", ref);
    ck_assert_uint_eq(dom, fake_backend);
    if (fake_grants_made++ < 2 || fake_grants_zeroed)
        ck_assert_msg(!memcmp(page, zeros, PAGE_SIZE), "the page that is granted is not zero");
    g->live = true;
    g->readonly = readonly;
    g->page = (uint8_t *)(uintptr_t)page;
    g->domain = dom;
}

void gnttab_grant_again(grant_ref_t ref, bool readonly)
{
    struct fake_grant *g = fake_grant(ref);

    ck_assert_msg(g->page, "reference %u is granted again and was never", ref);
    gnttab_grant(ref, g->domain, g->page, readonly);
}

int gnttab_end(grant_ref_t ref)
{
    struct fake_grant *g = fake_grant(ref);

    if (g->live && g->mapped)
        return -EBUSY;
    g->live = false;
    return 0;
}

void gnttab_quarantine(grant_ref_t ref)
{
    fake_grant(ref)->quarantined = true;
}

int evtchn_alloc_unbound(domid_t remote, evtchn_handler *fn, void *ctx)
{
    ck_assert_uint_eq(remote, fake_backend);
    for (evtchn_port_t port = 1; port < FAKE_PORTS; port++) {
        if (!fake_ports[port].fn) {
            fake_ports[port] = (struct fake_port){0};
            return evtchn_attach(port, fn, ctx) ? -ENOSPC : (int)port;
        }
    }
    return -ENOSPC;
}

/* --- at the end --- */

void fake_grants_release(void)
{
    for (int i = 0; i < refs.end; i++)
        fake_grants[i].mapped &= fake_grants[i].quarantined;
}

void fake_grants_check(void)
{
    fake_grants_check_blocks(1);
}

bool fake_is_app_page(const uint8_t *page)
{
    return (uintptr_t)page - (uintptr_t)fake_app_pages < fake_app_size;
}

void fake_grants_check_blocks(unsigned pages)
{
    size_t used = 0, lost = 0, ports = 0;

    for (int i = 0; i < refs.end; i++) {
        used += fake_grants[i].allocated;
        lost += fake_grants[i].quarantined;
    }
    for (unsigned i = 0; i < FAKE_PORTS; i++)
        ports += fake_ports[i].fn != NULL;
    ck_assert_uint_eq(used, lost);
    for (int i = 0; i < refs.end; i++)
        lost -= fake_grants[i].quarantined && fake_is_app_page(fake_grants[i].page);
    ck_assert_uint_ge(fake_pages, lost);
    ck_assert_uint_le(fake_pages, pages * lost);
    ck_assert_uint_eq(fake_objects, 0);
    ck_assert_uint_eq(ports, 0);
}
