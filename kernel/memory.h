/* SPDX-License-Identifier: ISC */
/* Within kernel/: the page allocator's place in the boot list. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

void page_init(void);

#endif
