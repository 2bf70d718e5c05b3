/* SPDX-License-Identifier: ISC */
/*
 * A fault reaches us as a signal, on a stack of its own, with all registers of the code that caused
 * it, the vector, the error code and the address among them. We write Xen's frame onto the guest's
 * stack, and the registers so that the guest's handler runs when the signal handler returns:
 *
 *      ss  rsp  rflags  cs  rip  [error code]  r11  rcx   <- rsp
 *
 * (create_bounce_frame in Xen's xen/arch/x86/x86_64/entry.S). A guest whose stack cannot take the
 * frame is ended with its registers on our console, as Xen does.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/trap.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/sched.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define VECTORS 32
#define SIGNAL_STACK (256 * 1024)
#define HAS_ERROR_CODE 0x227d00 /* a bit per vector: 8, 10 to 14, 17, 21 */
#define PAGE_FAULT 14
#define PAGE_FAULT_USER 4ul /* of the error code: clear in a guest's kernel mode */
#define FLAG_TF 0x100

static struct {
    struct trap_info table[VECTORS];
    void *callback[CALLBACKTYPE_syscall32 + 1];
    volatile bool guest_runs;
} traps;

void trap_set_guest_runs(bool runs)
{
    traps.guest_runs = runs;
}

void *trap_event_callback(void)
{
    return traps.callback[CALLBACKTYPE_event];
}

/* --- the guest's calls ------------------------------------------------------------------------ */

long trap_set_table(uintptr_t arg)
{
    for (; arg; arg += sizeof(struct trap_info)) {
        struct trap_info info;

        if (memory_from_guest(&info, arg, sizeof(info)))
            return -EFAULT;
        if (!info.address)
            return 0;
        if (info.vector < VECTORS)
            traps.table[info.vector] = info;
    }
    memset(traps.table, 0, sizeof(traps.table)); /* no table: no handlers */
    return 0;
}

long trap_set_callbacks(uintptr_t event, uintptr_t failsafe, uintptr_t syscall)
{
    traps.callback[CALLBACKTYPE_event] = (void *)event;
    traps.callback[CALLBACKTYPE_failsafe] = (void *)failsafe;
    traps.callback[CALLBACKTYPE_syscall] = (void *)syscall;
    return 0;
}

long trap_callback_op(int cmd, uintptr_t arg)
{
    struct callback_register op;

    if (cmd != CALLBACKOP_register && cmd != CALLBACKOP_unregister)
        return -ENOSYS;
    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (op.type >= ARRAY_SIZE(traps.callback))
        return -ENOSYS;
    if (cmd == CALLBACKOP_register)
        traps.callback[op.type] = (void *)op.address;
    else if (op.type != CALLBACKTYPE_event && op.type != CALLBACKTYPE_failsafe)
        traps.callback[op.type] = NULL;
    else
        return -EINVAL;
    return 0;
}

/* --- faults ----------------------------------------------------------------------------------- */

static void print_registers(const greg_t *r)
{
    report("Domain %u (vcpu#0) crashed:", DOMAIN_ID);
    report("trap %lld, error code %#llx, cr2 %016llx", r[REG_TRAPNO], r[REG_ERR], r[REG_CR2]);
    report("rip %016llx  rsp %016llx  flags %08llx", r[REG_RIP], r[REG_RSP], r[REG_EFL]);
    report("rax %016llx  rbx %016llx  rcx %016llx", r[REG_RAX], r[REG_RBX], r[REG_RCX]);
    report("rdx %016llx  rsi %016llx  rdi %016llx", r[REG_RDX], r[REG_RSI], r[REG_RDI]);
    report("rbp %016llx  r8  %016llx  r9  %016llx", r[REG_RBP], r[REG_R8], r[REG_R9]);
    report("r10 %016llx  r11 %016llx  r12 %016llx", r[REG_R10], r[REG_R11], r[REG_R12]);
    report("r13 %016llx  r14 %016llx  r15 %016llx", r[REG_R13], r[REG_R14], r[REG_R15]);
}

static _Noreturn void crash(const greg_t *r)
{
    print_registers(r);
    domain_end(SHUTDOWN_crash);
}

/* Makes the guest continue in its handler. */
static void bounce(greg_t *r)
{
    unsigned vector = (unsigned)r[REG_TRAPNO] % VECTORS;
    const struct trap_info *handler = &traps.table[vector];
    struct vcpu_info *vcpu = &domain_shared_info()->vcpu_info[0];
    bool has_error = HAS_ERROR_CODE >> vector & 1;
    uint64_t frame[8];
    unsigned n = 0;

    if (!handler->address)
        crash(r);
    frame[n++] = (uint64_t)r[REG_RCX];
    frame[n++] = (uint64_t)r[REG_R11];
    if (has_error)
        frame[n++] = (uint64_t)r[REG_ERR] & ~(vector == PAGE_FAULT ? PAGE_FAULT_USER : 0);
    frame[n++] = (uint64_t)r[REG_RIP];
    frame[n++] = FLAT_KERNEL_CS | (uint64_t)vcpu->evtchn_upcall_mask << 32;
    frame[n++] = (uint64_t)r[REG_EFL];
    frame[n++] = (uint64_t)r[REG_RSP];
    frame[n++] = FLAT_KERNEL_SS;
    uintptr_t sp = ((uintptr_t)r[REG_RSP] & ~15ul) - n * sizeof(*frame);
    if (memory_to_guest(sp, frame, n * sizeof(*frame)))
        crash(r);
    if (vector == PAGE_FAULT)
        vcpu->arch.cr2 = (unsigned long)r[REG_CR2];
    if (TI_GET_IF(handler))
        vcpu->evtchn_upcall_mask = 1;
    r[REG_RSP] = (greg_t)sp;
    r[REG_RIP] = (greg_t)handler->address;
    r[REG_EFL] &= ~(greg_t)FLAG_TF;
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)info;
    memory_copy_fault(); /* a hypercall's copy: does not come back */
    if (traps.guest_runs) {
        traps.guest_runs = false; /* a fault in what follows is ours */
        bounce(uc->uc_mcontext.gregs);
        traps.guest_runs = true;
        return;
    }
    /* Our own: the second time, the host's default. */
    signal(signal_number, SIG_DFL);
}

void trap_create(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    static char stack[SIGNAL_STACK];
    struct sigaction action = {
        .sa_sigaction = on_fault,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
    };
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

    if (sigaltstack(&alternate, NULL))
        report_fatal("no stack for signals: %s", strerror(errno));
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        sigaction(faults[i], &action, NULL);
}
