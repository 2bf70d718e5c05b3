/* SPDX-License-Identifier: ISC */
/*
 * Boot, as a list: each subsystem's init by name, in order. Nothing runs before this but the
 * making of the address space (arch/x86_64/boot.c).
 */
#include <errno.h>
#include <stdint.h>

#include <xen/sched.h>

#include "arch/arch.h"
#include "kernel/app.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/loop.h"
#include "kernel/memory.h"
#include "kernel/random.h"
#include "kernel/shutdown.h"
#include "kernel/stackprotect.h"
#include "lib/util.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"
#include "xen/xenbus.h"
#include "xen/xenstore.h"

#define LOG_MODULE "boot"

const char app_name[] = CONFIG_APP_NAME;

_Noreturn void kernel_main(void);

uint64_t time_monotonic(void)
{
    return clock_monotonic();
}

uint64_t time_wall(void)
{
    return clock_wall();
}

/* What cannot start ends the guest as a crash, whose reason is the last line of the log. */
static void need(const char *what, int err)
{
    unsigned long kib = page_count_total() * (PAGE_SIZE / 1024);

    if (!err)
        return;
    if (err == -ENOMEM)
        log_error("not enough memory for %s: this guest has %lu KiB; try memory=%lu (MiB)", what,
                  kib, MAX((unsigned long)CONFIG_APP_MEMORY_MIB, kib / 1024 + 1));
    else
        log_error("%s cannot start: %s", what, errno_name(err));
    shutdown_now(SHUTDOWN_crash);
}

_Noreturn void kernel_main(void)
{
    static char argv0[] = CONFIG_APP_NAME;
    int argc, err, version;
    char **argv;

    if (IS_ENABLED(CONFIG_STACK_PROTECTOR))
        stackprotect_init(); /* first, so that one canary serves every function */
    arch_init();             /* traps can be reported from here on */
    clock_init();            /* the log's time stamps */
    cmdline_init((char *)(uintptr_t)arch_start_info->cmd_line, MAX_GUEST_CMDLINE);
    page_init();   /* memory */
    evtchn_init(); /* all ports masked */
    loop_init();   /* timers */
    random_init(); /* takes the seed off the command line */
    version = hv_xen_version();
    log_info("Xenolith %s, %lu KiB, Xen %d.%d", app_name,
             (unsigned long)page_count_total() * (PAGE_SIZE / 1024), version >> 16,
             version & 0xffff);
    (void)console_init(); /* the lines so far are seen now, later ones as they come; or none */
    if (IS_ENABLED(CONFIG_XENSTORE)) {
        err = xenstore_init(); /* the watch thread */
        need("xenstore", err == -ENODEV ? 0 : err);
        control_init(); /* xl shutdown, xl sysrq */
    }
    if (IS_ENABLED(CONFIG_RANDOM_XENSTORE))
        random_watch_store(); /* a seed from the toolstack */
    if (IS_ENABLED(CONFIG_XENBUS)) {
        need("the grant table", gnttab_init());
        err = xenbus_init(); /* devices appear in the background */
        need("xenbus", xenstore_available() ? err : 0);
    }
    for (const struct library *const *at = libraries_begin; at < libraries_end; at++)
        need((*at)->name, (*at)->init());
    argc = cmdline_argv(argv0, &argv);
    need(app_name, app_init(argc, argv));
    cmdline_report_unknown();
    loop_run();
}
