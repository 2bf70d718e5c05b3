/* SPDX-License-Identifier: ISC */
/*
 * The ways into the kernel: from the toolstack's first start, from Xen with an event, from Xen with
 * a fault; and the switch between threads.
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
 * Events. Xen enters here with rcx, r11, rip, cs, rflags, rsp and ss on the stack and events masked
 * again. The only instructions that run with events enabled are those of arch_sleep(), below, where
 * rcx, r11 and the flags are dead; so nothing is saved, nothing but a counter is touched, and going
 * back is a jump: no iret hypercall. The event loop finds what is pending by itself.
 */
    .globl upcall_entry
upcall_entry:
    incq upcall_count
    movq 2*8(%rsp), %rcx
    movq 5*8(%rsp), %rsp
    jmpq *%rcx

/*
 * void arch_sleep(void): SCHEDOP_block unmasks events and blocks in one step, so an event that
 * arrives before it is not slept through. Coming back without an upcall would leave events unmasked:
 * hence the last store. Upcalls between the instructions are harmless, see above.
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
 * Faults. A fault is always the end (arch/x86_64/trap.c), so there is no way back. On entry the
 * stack holds, from the top of what Xen pushed:
 *
 *      ss  rsp  rflags  cs  rip  [error code]  r11  rcx   <- rsp
 *
 * Vectors without an error code get a 0 in its place, by moving rcx and r11 down one.
 */
    .macro trap vector
    .globl trap_entry_\vector
trap_entry_\vector:
    .if (\vector != 8) && (\vector != 10) && (\vector != 11) && (\vector != 12) && \
        (\vector != 13) && (\vector != 14) && (\vector != 17) && (\vector != 21)
    pushq (%rsp)               /* rcx */
    pushq 2*8(%rsp)            /* r11 */
    popq 1*8(%rsp)
    movq $0, 2*8(%rsp)
    .endif
    pushq $\vector
    jmp trap_common
    .endm

    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21
    trap \vector
    .endr

    /* failsafe: a return to the guest failed. Frame: rcx r11 ds es fs gs, then as above. */
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
    popq %rcx
    popq %r11
    pushq $0
    pushq %r11
    pushq %rcx
    pushq $257

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
