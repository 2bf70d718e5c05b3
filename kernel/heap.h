/* SPDX-License-Identifier: ISC */
/*
 * One contiguous range of addresses that grows and shrinks at its end, as malloc wants it: pages
 * come from the page allocator and appear at ARCH_HEAP_BASE onwards.
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stddef.h>

/*
 * Moves the heap's end by delta bytes and stores where it was before: memory between the old and
 * the new end is zero. Pages wholly above the end go back to the page allocator. -ENOMEM (nothing
 * has changed then) when there are not enough pages, those kept for the kernel included, or
 * -EINVAL when the heap has fewer than -delta bytes.
 */
int heap_move_end(ptrdiff_t delta, void **old_end);

/* Bytes of pages the heap holds. */
size_t heap_size(void);

#endif
