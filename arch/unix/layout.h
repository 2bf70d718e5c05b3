/* SPDX-License-Identifier: ISC */
/*
 * The guest's address space within the process (docs/simulator.md has the picture). All of it lies
 * in what AddressSanitizer calls high memory, and below what valgrind can map.
 *
 * The program file holds the guest's text and rodata as those of any program, and its data as one
 * range of pages, guest_image.data to .data_end, which the simulated toolstack replaces by the
 * guest's first pages: they have two addresses then, there and in the linear map.
 */
#ifndef ARCH_UNIX_LAYOUT_H
#define ARCH_UNIX_LAYOUT_H

#define LINEAR_BASE 0x110000000000 /* the page with number pfn is at LINEAR_BASE + pfn * 4096 */
#define SHARED_INFO 0x11f000000000 /* where the guest maps the shared info page */
/* 0x12...: the heap, 0x13...: grant frames (arch/arch.h) */
#define GUEST_END 0x140000000000

#endif
