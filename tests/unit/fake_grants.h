/* SPDX-License-Identifier: ISC */
/*
 * What a network driver takes from the guest, counted: a grant table, event channels, pages, and the
 * network's allocator. Whatever the driver does wrong with a grant ends the test.
 */
#ifndef TESTS_UNIT_FAKE_GRANTS_H
#define TESTS_UNIT_FAKE_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/grant_table.h>

#define BACKEND 7 /* the domain */
/* The one to which everything is granted now: BACKEND, unless a test has moved it. */
extern domid_t fake_backend;

struct fake_grant {
    uint8_t *page;
    domid_t domain; /* to which page is granted, or was */
    bool allocated, live, readonly;
    bool mapped; /* the backend holds on to the page: the grant cannot be ended */
    bool quarantined;
};
#define FAKE_GRANTS 8192
extern struct fake_grant fake_grants[FAKE_GRANTS];
extern bool fake_no_grants;
/* The guest's memory, which says how many pages are for receiving. */
extern size_t fake_total_pages;
/* Every page must be zero when it is granted: the backend is not trusted. */
extern bool fake_grants_zeroed;
/* Since connecting: the first two are the rings', which are zero in any case. */
extern unsigned fake_grants_made;

/* Memory that is not of the page allocator's: what is lost of it is not its loss. */
extern const uint8_t *fake_app_pages;
extern size_t fake_app_size;
bool fake_is_app_page(const uint8_t *page);

/* A reference that the driver has, not in quarantine; others end the test. */
struct fake_grant *fake_grant(grant_ref_t ref);
/* The backend lets go of all that it maps, but for what is in quarantine. */
void fake_grants_release(void);
/* The driver has gone: every page, reference, port and object must have come back, but for what is
 * in quarantine. */
void fake_grants_check(void);
/* The same where pages are allocated together, so many at most: one that is lost keeps the others. */
void fake_grants_check_blocks(unsigned pages);

#endif
