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

#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/mm.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define TRAP_BREAKPOINT 3
#define TRAP_OVERFLOW 4
#define TRAP_PAGE_FAULT 14
#define TRAP_FAILSAFE 256
#define TRAP_SYSCALL 257

extern const char trap_entries[]; /* TRAP_ENTRY_BYTES each */
void failsafe_entry(void);
void syscall_entry(void);
void upcall_entry(void);

uint64_t upcall_count;

/* One behind the other, by vector. 9 and 15 are no exceptions of these processors. */
static const char names[] = "divide error\0debug\0NMI\0breakpoint\0overflow\0bound range\0"
                            "invalid opcode\0no FPU\0double fault\0trap\0invalid TSS\0"
                            "segment absent\0stack segment\0general protection\0page fault\0trap\0"
                            "x87 error\0alignment\0machine check\0SIMD error\0virtualisation\0"
                            "control protection";
#define VECTORS 22

static int register_traps(void)
{
    struct trap_info table[VECTORS + 1], *t = table;

    for (unsigned n = 0; n < VECTORS; n++) {
        if (n == 9 || n == 15)
            continue;
        t->vector = (uint8_t)n;
        /* What code itself may raise (xen.h, struct trap_info). */
        t->flags = n == TRAP_BREAKPOINT || n == TRAP_OVERFLOW ? 3 : 0;
        t->cs = FLAT_KERNEL_CS;
        t++->address = (uintptr_t)trap_entries + n * TRAP_ENTRY_BYTES;
    }
    t->address = 0;
    return hv_set_trap_table(table);
}

void arch_init(void)
{
    if (register_traps() || hv_set_callbacks((uintptr_t)upcall_entry, (uintptr_t)failsafe_entry,
                                             (uintptr_t)syscall_entry))
        panic("arch: Xen refused the entry points");
    mm_init();
}

static const char *trap_name(uint64_t vector)
{
    const char *name = names;

    if (vector == TRAP_FAILSAFE)
        return "failed return to the guest";
    if (vector == TRAP_SYSCALL)
        return "syscall from user mode";
    while (vector--)
        name += strlen(name) + 1;
    return name;
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
