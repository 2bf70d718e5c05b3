/* SPDX-License-Identifier: ISC */
/*
 * The stack protector's two symbols (the compiler's -fstack-protector-strong with
 * -mstack-protector-guard=global): each protected function copies the guard above its local
 * variables and compares the copy before it returns (hardening.md, rule 27).
 *
 * Its lowest byte is zero, so that a string copied beyond its end cannot write the right value.
 */
#include "kernel/stackprotect.h"

#include <stdint.h>

#include "arch/arch.h"
#include "kernel/log.h"

extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = 0xff0a0d00;

/* Where the processor has no random numbers the canary differs from boot to boot, but somebody who
 * can guess the time of the boot and the machine page of shared_info to the bit can guess it. */
__attribute__((no_stack_protector)) void stackprotect_init(void)
{
    uint64_t value = 0;

    if (!arch_random(&value))
        value = (arch_tsc() ^ arch_start_info->shared_info << 20) * UINT64_C(0x9e3779b97f4a7c15);
    value ^= value >> 31;
    __stack_chk_guard = value & ~UINT64_C(0xff);
}

_Noreturn void __stack_chk_fail(void)
{
    panic("stack protector: a local variable was written beyond its end");
}
