/* SPDX-License-Identifier: ISC */
/*
 * Faults: print what happened and end the domain as crashed (hardening.md, rules 27 and 28).
 *
 * The kernel needs no fault to work (nothing is demand-paged, Xen emulates and switches the FPU by
 * itself), so each is a bug and the last thing that happens. Xen pushes the frame onto the current
 * stack: a fault because that stack has run into its guard page cannot be delivered, and Xen ends
 * the domain itself, with the registers in its own log (`xl dmesg`).
 */
#include "arch/x86_64/trap.h"

#include "arch/arch.h"
#include "arch/x86_64/mm.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define TRAP_PAGE_FAULT 14
#define TRAP_FAILSAFE 256
#define TRAP_SYSCALL 257

/* 9 and 15 are no exceptions of these processors. */
/* clang-format off */
#define VECTORS(X)                                                                                 \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(10) X(11) X(12) X(13) X(14) X(16) X(17) X(18)    \
    X(19) X(20) X(21)
/* clang-format on */

#define DECLARE(n) void trap_entry_##n(void);
VECTORS(DECLARE)
void failsafe_entry(void);
void syscall_entry(void);
void upcall_entry(void);

uint64_t upcall_count;

/* Breakpoint and overflow may be raised by code itself, hence flags 3 (xen.h, struct trap_info). */
#define ENTRY(n)                                                                                   \
    {.vector = (n),                                                                                \
     .flags = (n) == 3 || (n) == 4 ? 3 : 0,                                                        \
     .cs = FLAT_KERNEL_CS,                                                                         \
     .address = (uintptr_t)trap_entry_##n},
static const struct trap_info trap_table[] = {VECTORS(ENTRY){0}};

static const char *const trap_names[] = {
    [0] = "divide error",
    [1] = "debug",
    [2] = "NMI",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range",
    [6] = "invalid opcode",
    [7] = "no FPU",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment absent",
    [12] = "stack segment",
    [13] = "general protection",
    [14] = "page fault",
    [16] = "x87 error",
    [17] = "alignment",
    [18] = "machine check",
    [19] = "SIMD error",
    [20] = "virtualisation",
    [21] = "control protection",
};

void arch_init(void)
{
    if (hv_set_trap_table(trap_table) ||
        hv_callback_register(CALLBACKTYPE_event, (void *)upcall_entry) ||
        hv_callback_register(CALLBACKTYPE_failsafe, (void *)failsafe_entry) ||
        hv_callback_register(CALLBACKTYPE_syscall, (void *)syscall_entry))
        panic("arch: Xen refused the entry points");
    mm_init();
}

static const char *trap_name(uint64_t vector)
{
    if (vector == TRAP_FAILSAFE)
        return "failed return to the guest";
    if (vector == TRAP_SYSCALL)
        return "syscall from user mode";
    return vector < ARRAY_SIZE(trap_names) && trap_names[vector] ? trap_names[vector] : "trap";
}

static void print_page_fault(const struct trap_frame *f)
{
    uintptr_t va = arch_shared_info->vcpu_info[0].arch.cr2;
    const char *access = f->error & 16 ? "execute" : f->error & 2 ? "write to" : "read of";

    panic_print("page fault: %s 0x%lx, %s", access, va,
                f->error & 1 ? "not permitted by its mapping" : "which is not mapped");
}

/* Called by trap_common (traps.S). */
_Noreturn void trap_fatal(const struct trap_frame *f)
{
    panic_begin();
    if (f->vector == TRAP_PAGE_FAULT)
        print_page_fault(f);
    else
        panic_print("trap %lu: %s, error code 0x%lx", f->vector, trap_name(f->vector), f->error);
    panic_print("rip %016lx  rsp %016lx  flags %08lx", f->rip, f->rsp, f->rflags);
    panic_print("rax %016lx  rbx %016lx  rcx %016lx", f->rax, f->rbx, f->rcx);
    panic_print("rdx %016lx  rsi %016lx  rdi %016lx", f->rdx, f->rsi, f->rdi);
    panic_print("rbp %016lx  r8  %016lx  r9  %016lx", f->rbp, f->r8, f->r9);
    panic_print("r10 %016lx  r11 %016lx  r12 %016lx", f->r10, f->r11, f->r12);
    panic_print("r13 %016lx  r14 %016lx  r15 %016lx", f->r13, f->r14, f->r15);
    panic_backtrace(f->rip, f->rbp);
    panic_end();
}
