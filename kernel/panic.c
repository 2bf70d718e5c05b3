/* SPDX-License-Identifier: ISC */
/*
 * A broken invariant or a fault: say so, with a back-trace, and end the domain as crashed, so that
 * the toolstack's on_crash policy applies (hardening.md, rule 28). Nothing here allocates or waits
 * for the event loop.
 */
#include "kernel/panic.h"

#include <stdarg.h>

#include <xen/sched.h>

#include "arch/arch.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/shutdown.h"
#include "kernel/thread.h"
#include "lib/symbols.h"
#include "xen/hypercall.h"

#define FRAMES_MAX 24
#define LAST_WORDS NSEC_PER_SEC /* how long the console may take without progress */

static int depth;

void panic_begin(void)
{
    static const char text[] = "PANIC in PANIC\n";
    int before = depth++;

    if (before == 0)
        return;
    if (before == 1) { /* else it is the console that fails */
        console_write(text, sizeof(text) - 1);
        console_flush(LAST_WORDS);
    }
    hv_shutdown(SHUTDOWN_crash);
    for (;;)
        hv_yield();
}

static void print_v(const char *fmt, va_list ap)
{
    char line[160];
    size_t n = MIN((size_t)fmt_vprint(line, sizeof(line), fmt, ap), sizeof(line) - 1);

    log_make_printable(line, n);
    console_write("PANIC: ", 7);
    console_write(line, n);
    console_write("\n", 1);
}

void panic_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_v(fmt, ap);
    va_end(ap);
}

/* adjust is 1 for a return address: after a call that never returns it lies in the next function. */
static void print_pc(uintptr_t pc, unsigned adjust)
{
    size_t offset = 0;
    const char *name = symbol_lookup(pc - adjust, &offset);

    if (name)
        panic_print("  %lx %s+0x%zx", pc, name, offset + adjust);
    else
        panic_print("  %lx", pc);
}

void panic_backtrace(uintptr_t pc, uintptr_t frame)
{
    uintptr_t pcs[FRAMES_MAX];
    size_t n = arch_backtrace_from(frame, pcs, FRAMES_MAX);
    const struct thread *t = thread_current();

    panic_print("back-trace of %s:", t ? thread_name(t) : "the event loop");
    if (pc)
        print_pc(pc, 0);
    for (size_t i = 0; i < n; i++)
        print_pc(pcs[i], 1);
}

_Noreturn void panic_end(void)
{
    shutdown_now(SHUTDOWN_crash);
}

_Noreturn void panic(const char *fmt, ...)
{
    va_list ap;

    panic_begin();
    va_start(ap, fmt);
    print_v(fmt, ap);
    va_end(ap);
    panic_backtrace(0, (uintptr_t)__builtin_frame_address(0));
    panic_end();
}
