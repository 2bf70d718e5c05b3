/* SPDX-License-Identifier: ISC */
/*
 * What has to be in assembler: the first instructions, the sleep and the switch between threads. The
 * ways into the kernel from Xen are in traps.S.
 */
#include <xen/elfnote.h>

#include "arch/x86_64/layout.h"

/* --- what the toolstack reads before it loads us (xen/include/public/elfnote.h) ------------- */

    .macro note type, value:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \value
2:  .balign 4
    .popsection
    .endm

    note XEN_ELFNOTE_GUEST_OS, .asciz "Xenolith"
    note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
    note XEN_ELFNOTE_LOADER, .asciz "generic"
    note XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
    note XEN_ELFNOTE_PADDR_OFFSET, .quad VIRT_BASE
    note XEN_ELFNOTE_ENTRY, .quad boot_entry
    note XEN_ELFNOTE_PAE_MODE, .asciz "yes"

/*
 * First instruction, in the linear map: rsi is the start info page. boot_map_window() makes the
 * window; from then on all code is there.
 */
    .section .boot, "awx", @progbits
    .globl boot_entry
boot_entry:
    cld
    leaq boot_stack_top, %rsp
    movq %rsi, arch_start_info
    xorl %ebp, %ebp            /* the end of the chain of frames */
    movq %rsi, %rdi
    call boot_map_window
    movq $kernel_main, %rax
    pushq $0                   /* no return address; also aligns the stack as a call would */
    jmpq *%rax

    .text
/*
 * void arch_sleep(void): SCHEDOP_block unmasks events and blocks in one step, so an event that
 * arrives before it is not slept through. Coming back without an upcall would leave events unmasked:
 * hence the last store. Upcalls between the instructions are harmless (traps.S).
 */
    .globl arch_sleep
    .type arch_sleep, @function
arch_sleep:
    movl $29, %eax             /* __HYPERVISOR_sched_op */
    movl $1, %edi              /* SCHEDOP_block */
    xorl %esi, %esi
    syscall
    movb $1, WINDOW_BASE + 1   /* vcpu_info[0].evtchn_upcall_mask */
    ret

/*
 * void arch_context_switch(struct arch_context *from, struct arch_context *to)
 * Only what the ABI lets a called function assume to survive. The vector and x87 control words are
 * left alone: touching them would make Xen switch the FPU state.
 */
    .globl arch_context_switch
    .type arch_context_switch, @function
arch_context_switch:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
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
