/* SPDX-License-Identifier: ISC */
/*
 * Pages lent to one peer for the time of one connection: its ring, and what is transferred through
 * private copies (hardening.md, rules 9, 11 and 12). For drivers that keep no pool of pages.
 *
 * A lending owns its pages and their grant references. They are never anything but what the peer may
 * see: zeroed at first, freed when the peer can reach them no more, or never.
 */
#ifndef XEN_LENDING_H
#define XEN_LENDING_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

struct lending;

/* Nothing yet, for this domain. NULL when there is no memory, or when it keeps too many pages of earlier
 * connections (logged): it may be tried again later. */
struct lending *lending_new(domid_t dom);

/*
 * Adds 2^order pages that follow one another, zeroed and with a reference each, which may be lent from
 * now on. The number of the first one (they count from 0), or -ENOMEM, or -ENOSPC: no reference is
 * left, or it would be more pages than a lending holds.
 */
int lending_add(struct lending *l, unsigned order);
void *lending_page(const struct lending *l, unsigned i);
grant_ref_t lending_ref(const struct lending *l, unsigned i);

/* Lends page i, to be read only or written too. It must not be lent already. */
void lending_give(struct lending *l, unsigned i, bool readonly);
/* Takes it back. 0, or -EBUSY: the peer still uses it though it said that it does not. Then the page
 * must not be used again; it is lost, and lending_end() leaves it alone. */
int lending_take(struct lending *l, unsigned i);

/* The end of the connection; l is gone. What the peer has mapped comes back when it lets go. NULL does
 * nothing. */
void lending_end(struct lending *l);

#endif
