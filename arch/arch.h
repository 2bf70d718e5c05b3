/* SPDX-License-Identifier: ISC */
/*
 * What an architecture gives the kernel: primitives only, no policy. arch/x86_64 gives them on
 * Xen; a process under Linux can give the same ones over a simulated hypervisor.
 *
 * Besides these functions it defines, inline, the hypercalls of arch/hypercall.h.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include "arch/types.h"

/* What the toolstack left for us (xen/include/public/xen.h, struct start_info). */
extern const struct start_info *arch_start_info;
/* The page shared with Xen: pending bits, vcpu time, wall clock. */
extern struct shared_info *const arch_shared_info;

/* Registers trap, event, failsafe and syscall entries; before this a fault ends the domain. */
void arch_init(void);

/* --- memory ------------------------------------------------------------------------------ */

/* The linear map: every page of the guest has one address in it, whether mapped yet or not. */
void *arch_pfn_to_virt(pfn_t pfn);
pfn_t arch_virt_to_pfn(const void *linear);
mfn_t arch_pfn_to_mfn(pfn_t pfn);
mfn_t arch_virt_to_mfn(const void *linear);
/* The address of one of our own pages that the toolstack named by its mfn; NULL: not ours. */
void *arch_mfn_to_virt(mfn_t mfn);

/* The pages free at boot are [first, end); those below mapped_end have their linear mapping. */
struct arch_memory {
    pfn_t first, mapped_end, end;
};
struct arch_memory arch_memory(void);

enum arch_prot { ARCH_PROT_NONE, ARCH_PROT_RW };

/*
 * Maps count pages, first to first + count - 1, at va, where nothing is mapped (that is not looked at), in as few
 * hypercalls as possible. Page tables come from page_alloc(). 0 or -ENOMEM (some pages may be
 * mapped then). ARCH_PROT_NONE unmaps.
 */
int arch_map(uintptr_t va, pfn_t first, size_t count, enum arch_prot prot);
/* Maps a page frame that is not ours to count, a grant frame, at an address whose page table there is. 0 or
 * a negative errno. */
int arch_map_mfn(uintptr_t va, mfn_t mfn);
/* Takes the right to execute from a page that Xen has mapped at va, another domain's, if it is there. 0, -ENOMEM, or Xen's
 * negative errno. */
int arch_forbid_execution(uintptr_t va);

/* A range of addresses kept for one use: for the heap (libc's sbrk), grant frames. The latter are so few that
 * they share the page table of the image's window: three tables less for Xen to check. */
#define ARCH_GRANT_FRAMES 16
#ifdef CONFIG_ARCH_UNIX
#define ARCH_HEAP_BASE UINT64_C(0x120000000000)
#define ARCH_HEAP_END UINT64_C(0x122000000000)
#define ARCH_GRANT_BASE UINT64_C(0x130000000000)
#else
#define ARCH_HEAP_BASE UINT64_C(0x4000000000)
#define ARCH_HEAP_END UINT64_C(0x6000000000)
#define ARCH_GRANT_BASE UINT64_C(0x401000)
#endif

/* --- threads ----------------------------------------------------------------------------- */

struct arch_context {
    void *sp;
};
/* The end of the stack that kernel_main() is started on, where the loop runs (from the link script). */
extern char boot_stack_top[];
/* Bytes that every stack needs beyond what its code takes. */
#ifdef CONFIG_SANITIZE
#define ARCH_STACK_EXTRA (100u << 10) /* AddressSanitizer's red zones and its reports */
#else
#define ARCH_STACK_EXTRA 0u
#endif
/* Makes ctx start fn(arg) on the stack that ends at stack_top; fn must not return. */
void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg);
/* Saves the callee-saved registers in from and continues to. */
void arch_context_switch(struct arch_context *from, struct arch_context *to);

/* --- events and time --------------------------------------------------------------------- */

/* Sleeps until an event is pending, and returns with events masked. Events are enabled nowhere
 * else; the upcall happens inside this call and only marks. */
void arch_sleep(void);
/* Upcalls until now; the upcall alone writes it. */
extern uint64_t upcall_count;
uint64_t arch_tsc(void);
/* One hardware random number; false where the processor has none. */
bool arch_random(uint64_t *value);

/* --- the end ----------------------------------------------------------------------------- */

/* Fills pcs with return addresses, from the frame at this address outwards: how many. Believes no
 * frame outside the linear map. */
size_t arch_backtrace_from(uintptr_t frame, uintptr_t *pcs, size_t max);

#endif
