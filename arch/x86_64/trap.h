/* SPDX-License-Identifier: ISC */
/* The registers as trap_common in traps.S stores them. */
#ifndef ARCH_X86_64_TRAP_H
#define ARCH_X86_64_TRAP_H

#define TRAP_ENTRY_BYTES 4

#ifndef __ASSEMBLY__

#include <stdint.h>

struct trap_frame {
    uint64_t r15, r14, r13, r12, r10, r9, r8, rbp, rdi, rsi, rdx, rbx, rax;
    uint64_t vector;
    uint64_t rcx, r11, error; /* Xen's frame (and the vector) from here on */
    uint64_t rip, cs, rflags, rsp, ss;
};

_Noreturn void trap_fatal(const struct trap_frame *f);

#endif
#endif
