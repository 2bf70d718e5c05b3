/* SPDX-License-Identifier: ISC */
/*
 * Memory that grows and shrinks at its end, as malloc wants it. It is contiguous but for one jump
 * upwards, when it outgrows its first block.
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stddef.h>

/*
 * Moves the heap's end by delta bytes. For a positive delta *old_end is where the delta bytes begin,
 * all zero: the end before, or (once) the start of a new range above it. Otherwise it is the end
 * before; pages wholly above the new one go back to the page allocator. -ENOMEM when there are not
 * enough pages, those kept for the kernel included, or -EINVAL when there are not -delta bytes
 * since the last jump; then nothing has changed, and *old_end is the end.
 */
int heap_move_end(ptrdiff_t delta, void **old_end);

#endif
