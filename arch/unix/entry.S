/* SPDX-License-Identifier: ISC */
/*
 * The first instructions of the guest and the switch between its threads; the counterpart of
 * arch/x86_64/start.S. rsi is the start info page.
 */
    .text
    .globl guest_entry
    .type guest_entry, @function
guest_entry:
    cld
    leaq boot_stack_top(%rip), %rsp
    movq %rsp, context_stack_end(%rip)
    xorl %ebp, %ebp            /* the end of the chain of frames */
    movq %rsi, %rdi
    pushq $0                   /* no return address; also aligns the stack as a call would */
    jmp boot_main

/*
 * void context_switch(void **from, void *to)
 * Leaves what a called function must preserve on the stack, its stack pointer at *from, and takes
 * up what was left in the same way at to. context_stack_end (cpu.c) belongs to it.
 */
    .globl context_switch
    .type context_switch, @function
context_switch:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq context_stack_end(%rip)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq context_stack_end(%rip)
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* A new context starts here: r12 is the function, r13 its argument (arch_context_init()). */
    .globl context_first
context_first:
    movq %r13, %rdi
    callq *%r12
    ud2

    .section .note.GNU-stack, "", @progbits
