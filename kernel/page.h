/* SPDX-License-Identifier: ISC */
/*
 * The page allocator: whole pages from the guest's memory, mapped on demand.
 */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/types.h"

/*
 * Returns 2^order contiguous pages (page-aligned, readable and writable, content undefined), or
 * NULL when there are none. The caller owns them until page_free() with the same order.
 */
void *page_alloc(unsigned order);
void *page_alloc_zeroed(unsigned order);
void page_free(void *page, unsigned order);
/* Pages that can still be allocated one by one, and pages the guest has in all. */
size_t page_count_free(void);
size_t page_count_total(void);

#endif
