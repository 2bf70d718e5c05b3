/* SPDX-License-Identifier: ISC */
/* Within arch/x86_64: the second step of the address space, called once by arch_init(). */
#ifndef ARCH_X86_64_MM_H
#define ARCH_X86_64_MM_H

void mm_init(void);

#endif
