/* SPDX-License-Identifier: ISC */
/*
 * The processor's services, contexts and the chain of frames.
 */
#include "arch/arch.h"
#include "arch/unix/gate.h"
#include "arch/unix/layout.h"
#include "arch/unix/sanitize.h"
#include "xen/hypercall.h"

void context_first(void);
void context_switch(void **from, void *to);

/* Where the stack in use ends; a context that is not running has it as the last word of its stack.
 * Only AddressSanitizer wants to know. */
extern uintptr_t context_stack_end;
uintptr_t context_stack_end;

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
    uint64_t *sp = stack_top;

    *--sp = 0; /* two zeros: the end of a back-trace, and the ABI's 16-byte alignment */
    *--sp = 0;
    *--sp = (uintptr_t)context_first;
    *--sp = 0;              /* rbx */
    *--sp = 0;              /* rbp: the end of the chain of frames */
    *--sp = (uintptr_t)fn;  /* r12 */
    *--sp = (uintptr_t)arg; /* r13 */
    *--sp = 0;              /* r14 */
    *--sp = 0;              /* r15 */
    *--sp = (uintptr_t)stack_top;
    ctx->sp = sp;
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
    sanitize_stack(*(const uintptr_t *)to->sp);
    context_switch(&from->sp, to->sp);
}

/* The simulation unmasks events and, when one is pending by the end, calls the upcall. */
void arch_sleep(void)
{
    (void)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
    arch_shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

uint64_t arch_tsc(void)
{
    return (uint64_t)gate(GATE_TSC, 0, 0, 0, 0);
}

bool arch_random(uint64_t *value)
{
    return gate(GATE_RANDOM, (uintptr_t)value, 0, 0, 0);
}

/* A frame is believed only inside the guest's memory, aligned and above the one before it. */
static bool is_frame(uintptr_t frame)
{
    uintptr_t end = (uintptr_t)arch_pfn_to_virt(arch_memory().end);
    bool linear = frame >= LINEAR_BASE && frame + 16 <= end;
    bool image =
        frame >= (uintptr_t)guest_image.data && frame + 16 <= (uintptr_t)guest_image.data_end;

    return frame % 8 == 0 && (linear || image);
}

__attribute__((no_sanitize_address)) size_t arch_backtrace_from(uintptr_t frame, uintptr_t *pcs,
                                                                size_t max)
{
    size_t n = 0;

    while (n < max && is_frame(frame)) {
        const uintptr_t *f = (const uintptr_t *)frame;

        if (!f[1])
            break;
        pcs[n++] = f[1];
        if (f[0] <= frame)
            break;
        frame = f[0];
    }
    return n;
}
