/* SPDX-License-Identifier: ISC */
/*
 * The three kinds of page number of a PV guest, as types that do not mix (xen/include/public/xen.h
 * and docs/memory.md): pfn, the guest's own contiguous numbering; mfn, the machine's numbering,
 * which page tables and grants use; machine addresses, which are what page-table entries hold.
 */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

typedef struct {
    uint64_t n;
} pfn_t;

typedef struct {
    uint64_t n;
} mfn_t;

typedef struct {
    uint64_t a;
} maddr_t;

#endif
