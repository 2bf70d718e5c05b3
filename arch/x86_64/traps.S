/* SPDX-License-Identifier: ISC */
/*
 * The ways into the kernel from Xen: with an event and with a fault.
 */
#include "arch/x86_64/trap.h"

    .text
/*
 * Events. Xen enters here with rcx, r11, rip, cs, rflags, rsp and ss on the stack and events masked
 * again. The only instructions that run with events enabled are those of arch_sleep(), where
 * rcx, r11 and the flags are dead; so nothing is saved, nothing but a counter is touched, and going
 * back is a jump: no iret hypercall. The event loop finds what is pending by itself.
 */
    .globl upcall_entry
upcall_entry:
    incq upcall_count
    movq 2*8(%rsp), %rcx
    movq 5*8(%rsp), %rsp
    jmpq *%rcx

/* failsafe: a return to the guest failed. Frame: rcx r11 ds es fs gs, then as below. */
    .globl failsafe_entry
failsafe_entry:
    popq %rcx
    popq %r11
    addq $4*8, %rsp
    pushq $0
    pushq %r11
    pushq %rcx
    pushq $256
    jmp trap_common

/* syscall: from a user mode that we do not have. Frame as a fault without error code. */
    .globl syscall_entry
syscall_entry:
    pushq $257
    jmp trap_without_error

/*
 * Faults. A fault is always the end (arch/x86_64/trap.c), so there is no way back. On entry the
 * stack holds, from the top of what Xen pushed:
 *
 *      ss  rsp  rflags  cs  rip  [error code]  r11  rcx   <- rsp
 *
 * An entry for each vector, all of the same size: a push and a short jump.
 */
    .globl trap_entries
trap_entries:
    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
    pushq $\vector
    .if (\vector == 8) || (\vector == 10) || (\vector == 11) || (\vector == 12) || \
        (\vector == 13) || (\vector == 14) || (\vector == 17) || (\vector == 21)
    jmp trap_common
    .else
    jmp trap_without_error
    .endif
    .org trap_entries + TRAP_ENTRY_BYTES * (\vector + 1)
    .endr

trap_without_error:            /* puts a 0 in its place; rcx and r11 are on the stack, and so free */
    popq %rcx                  /* the vector */
    popq %r11                  /* rcx */
    pushq (%rsp)               /* r11 */
    movq $0, 8(%rsp)
    pushq %r11
    pushq %rcx

trap_common:                   /* vector rcx r11 error rip cs rflags rsp ss */
    pushq %rax
    pushq %rbx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    andq $-16, %rsp
    cld
    call trap_fatal
    ud2

    .section .note.GNU-stack, "", @progbits
