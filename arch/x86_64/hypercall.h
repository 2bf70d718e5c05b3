/* SPDX-License-Identifier: ISC */
/*
 * Hypercalls of a 64-bit PV guest (xen/include/public/arch-x86/xen-x86_64.h): the `syscall`
 * instruction, number in rax, arguments in rdi rsi rdx r10 r8, result in rax. The processor
 * overwrites rcx and r11, Xen may overwrite the arguments, and memory is read and written behind
 * the compiler's back: all of it is declared. Inline, so no hypercall page and no call.
 */
#ifndef ARCH_X86_64_HYPERCALL_H
#define ARCH_X86_64_HYPERCALL_H

#include <stdint.h>

static inline long hypercall1(unsigned op, uintptr_t a1)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(a1)
                     : "0"((unsigned long)op)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long hypercall2(unsigned op, uintptr_t a1, uintptr_t a2)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(a1), "+S"(a2)
                     : "0"((unsigned long)op)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long hypercall3(unsigned op, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3)
                     : "0"((unsigned long)op)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long hypercall4(unsigned op, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4)
{
    long ret;
    register uintptr_t r10 __asm__("r10") = a4;

    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
                     : "0"((unsigned long)op)
                     : "rcx", "r11", "memory");
    return ret;
}

#endif
