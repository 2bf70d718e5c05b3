/* SPDX-License-Identifier: ISC */
/*
 * The processor's own services: time-stamp counter, random numbers, first frame of a thread,
 * walking the chain of frames.
 */
#include <cpuid.h>

#include "arch/arch.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/mm.h"
#include "kernel/log.h"

void context_first(void);

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
    uint64_t *sp = stack_top;

    /* The end of an array, like boot_stack_top: the compiler would take what lies below for nobody's. */
    __asm__("" : "+r"(sp));
    *--sp = 0; /* two zeros: the end of a back-trace, and the ABI's 16-byte alignment */
    *--sp = 0;
    *--sp = (uintptr_t)context_first;
    *--sp = 0;              /* rbx */
    *--sp = 0;              /* rbp: the end of the chain of frames */
    *--sp = (uintptr_t)fn;  /* r12 */
    *--sp = (uintptr_t)arg; /* r13 */
    *--sp = 0;              /* r14 */
    *--sp = 0;              /* r15 */
    ctx->sp = sp;
}

uint64_t arch_tsc(void)
{
    uint32_t low, high;

    /* lfence: not before the loads that came earlier (the version of a time record). */
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

enum { ASKED = 1, HAS_RDSEED = 2, HAS_RDRAND = 4 };

/* Asked once: CPUID may be a trap into Xen. */
static unsigned random_instructions(void)
{
    static unsigned known;
    uint32_t a, b, c, d;

    if (!known) {
        known = ASKED;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 18 & 1)
            known |= HAS_RDSEED;
        __cpuid(1, a, b, c, d); /* every x86-64 has it */
        if (c >> 30 & 1)
            known |= HAS_RDRAND;
    }
    return known;
}

bool arch_random(uint64_t *value)
{
    bool ok = false;

    if (random_instructions() & HAS_RDSEED) /* it may be exhausted for a moment */
        for (int i = 0; i < 32 && !ok; i++)
            __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
    if (!ok && random_instructions() & HAS_RDRAND)
        for (int i = 0; i < 10 && !ok; i++)
            __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
    return ok;
}

static bool frame_readable(uintptr_t frame, uintptr_t end)
{
    return frame >= VIRT_BASE && frame + 16 <= end && frame % 8 == 0 && mm_mapped(frame) &&
           mm_mapped(frame + 8);
}

/*
 * A frame is believed only inside the linear map, where a page is, aligned and above the one before
 * it: without frame pointers, or on a smashed stack, what is walked here may be anything.
 */
size_t arch_backtrace_from(uintptr_t frame, uintptr_t *pcs, size_t max)
{
    struct arch_memory memory = arch_memory();
    uintptr_t end = (uintptr_t)arch_pfn_to_virt(memory.end);
    size_t n = 0;

    while (n < max && frame_readable(frame, end)) {
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
