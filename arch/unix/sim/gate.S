/* SPDX-License-Identifier: ISC */
/*
 * Between the guest's stacks and the simulation's. The simulation runs on the program's own stack,
 * below the frame that started the guest: as Xen has a stack of its own, whatever the guest's is.
 */
    .text

/*
 * void gate_start(void (*entry)(void), const void *start_info, void *stack_top)
 * Enters the guest for the first time; comes back by longjmp() only (domain.c).
 */
    .globl gate_start
    .type gate_start, @function
gate_start:
    subq $8, %rsp              /* so that a call from here finds the stack aligned */
    movq %rsp, gate_host_stack(%rip)
    movq %rdx, %rsp
    jmpq *%rdi                 /* rsi is what Xen leaves there: the start info page */

/*
 * long gate(op, a1, a2, a3, a4), called by the guest. gate_enter() returns the result, and in rdx the
 * guest's event callback if it is to be called now. That one finds what Xen leaves on its stack
 * (xen.h, arch-x86/xen-x86_64.h), as if the event had come at the instruction after the hypercall:
 *
 *      ss  rsp  rflags  cs  rip  r11  rcx   <- rsp
 */
    .globl gate
    .type gate, @function
gate:
    pushq %rbp
    movq %rsp, %rbp
    movq gate_host_stack(%rip), %rsp
    call gate_enter
    movq %rbp, %rsp
    popq %rbp
    testq %rdx, %rdx
    jnz 1f
    ret
1:  movq %rsp, %r8
    movq (%r8), %rcx           /* the return address */
    addq $8, %r8
    pushq $0xe02b              /* FLAT_KERNEL_SS */
    pushq %r8
    pushfq
    pushq $0xe033              /* FLAT_KERNEL_CS */
    pushq %rcx
    pushq %r11
    pushq %rcx
    jmpq *%rdx

    .bss
    .balign 8
gate_host_stack:
    .quad 0

    .section .note.GNU-stack, "", @progbits
