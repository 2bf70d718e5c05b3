/* SPDX-License-Identifier: ISC */
/*
 * The guest's way from its first instruction to kernel_main(): the shared info page is mapped, the
 * page below the boot stack is not mapped any more.
 */
#include "arch/arch.h"
#include "arch/unix/layout.h"
#include "kernel/log.h"
#include "arch/unix/gate.h"
#include "xen/hypercall.h"

extern char guest_data[], guest_data_end[], boot_stack_guard[]; /* from the link script */

void guest_entry(void);
_Noreturn void boot_main(const struct start_info *si);
_Noreturn void kernel_main(void);

const struct start_info *arch_start_info;
struct shared_info *const arch_shared_info = (struct shared_info *)SHARED_INFO;

const struct guest_image guest_image = {
    .entry = guest_entry,
    .data = guest_data,
    .data_end = guest_data_end,
    .name = CONFIG_APP_NAME,
    .cmdline = CONFIG_APP_CMDLINE,
    .memory_mib = CONFIG_APP_MEMORY_MIB,
    .nics = CONFIG_APP_NICS,
    .disks = CONFIG_APP_DISKS,
};

__attribute__((no_stack_protector)) _Noreturn void boot_main(const struct start_info *si)
{
    arch_start_info = si;
    if (arch_map_mfn(SHARED_INFO, (mfn_t){si->shared_info >> PAGE_SHIFT}) ||
        arch_map((uintptr_t)boot_stack_guard, (pfn_t){0}, 1, ARCH_PROT_NONE))
        hv_shutdown(SHUTDOWN_crash);
    kernel_main();
}
