/* SPDX-License-Identifier: ISC */
/* Within arch/x86_64: the address space. mm_init() is its second step, called by arch_init(). */
#ifndef ARCH_X86_64_MM_H
#define ARCH_X86_64_MM_H

#include <stdbool.h>
#include <stdint.h>

void mm_init(void);
/* Whether there is a page at this address; only for addresses in the linear map. */
bool mm_mapped(uintptr_t va);

#endif
