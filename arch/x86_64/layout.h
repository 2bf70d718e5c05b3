/* SPDX-License-Identifier: ISC */
/*
 * The address space, for C, assembler and the link script (docs/memory.md has the picture).
 *
 *   0                 nothing: a null pointer faults
 *   WINDOW_BASE       the shared info page, room for the grant table's frames (arch/arch.h), then the
 *                     image's text (RX) and rodata (R)
 *   VIRT_BASE         the linear map: the page with number pfn is at VIRT_BASE + pfn * 4096 (RW, NX)
 *   ARCH_HEAP_BASE    libc's heap (arch/arch.h)
 *
 * VIRT_BASE is 3 MiB above a 4 MiB boundary because the toolstack extends its initial mapping to
 * the next such boundary: with this base it covers exactly 1 MiB, so memory=1 is enough to start.
 *
 * The toolstack maps the whole image into the linear map, writable and executable, with one
 * permission for 2 MiB at a time (a level-2 entry) or a hypercall's work for each page. So text and
 * rodata are linked to run in a window of their own, of which we write the page table ourselves in
 * plain memory: protecting everything then takes few page-table updates and no-execute for the
 * whole linear map is one bit in one entry.
 */
#ifndef ARCH_X86_64_LAYOUT_H
#define ARCH_X86_64_LAYOUT_H

#define WINDOW_BASE 0x400000
#define WINDOW_TEXT 0x411000
#define VIRT_BASE 0x3f00000

#define TABLE_SPAN 0x200000 /* what one level-1 table maps */

#endif
