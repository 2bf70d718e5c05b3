/* SPDX-License-Identifier: ISC */
/*
 * The orderly end: the hooks, last registered first, in a thread of their own so that they may wait
 * and that the loop goes on serving; then the console is flushed and the domain stopped.
 *
 * A hook that never returns is cut off by a timer. (A hook that never waits cannot be: threads are
 * cooperative. "xl destroy" is for that.)
 */
#include "arch/arch.h"
#include "kernel/shutdown.h"

#include <stdbool.h>
#include <stdint.h>

#include <xen/sched.h>

#include "kernel/app.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/loop.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "lib/util.h"
#include "xen/hypercall.h"

#define LOG_MODULE "shutdown"

#ifndef CONFIG_SHUTDOWN_TIMEOUT
#define CONFIG_SHUTDOWN_TIMEOUT 10
#endif
#define FLUSH_TIMEOUT (2 * NSEC_PER_SEC)

static struct {
    struct shutdown_hook *hooks; /* not run yet, last registered first */
    bool begun;
    unsigned reason;
    struct timer limit;
    struct thread *thread; /* runs the hooks */
} end;

_Noreturn void shutdown_now(unsigned reason)
{
    console_flush(FLUSH_TIMEOUT);
    hv_shutdown(reason);
    for (;;)
        hv_yield(); /* never comes here: Xen runs the domain no more */
}

void shutdown_hook_add(struct shutdown_hook *hook)
{
    hook->next = end.hooks;
    end.hooks = hook;
}

static _Noreturn void run_hooks(void)
{
    while (end.hooks) {
        struct shutdown_hook *hook = end.hooks;

        end.hooks = hook->next; /* first: a hook that exits is not called again */
        hook->fn(hook);
    }
    shutdown_now(end.reason);
}

static void run_hooks_thread(void *arg)
{
    (void)arg;
    run_hooks();
}

static void limit_reached(struct timer *t)
{
    (void)t;
    log_error("not done after %u s: ending all the same", CONFIG_SHUTDOWN_TIMEOUT);
    shutdown_now(end.reason);
}

void shutdown_begin(unsigned reason)
{
    if (end.begun) {
        log_info("under way already: a further request is ignored");
        return;
    }
    end.begun = true;
    end.reason = reason;
    if (end.hooks)
        end.thread = thread_create("shutdown", run_hooks_thread, NULL, 0);
    if (end.hooks && !end.thread)
        log_error("no memory for a thread: the hooks are left out");
    if (!end.thread)
        shutdown_now(reason);
    timer_init(&end.limit, limit_reached);
    timer_arm_in(&end.limit, CONFIG_SHUTDOWN_TIMEOUT * NSEC_PER_SEC);
}

static void loop_anew(void *arg)
{
    (void)arg;
    loop_run();
}

/* From the top of the loop's stack: what is on it now, the loop before included, is given up. A
 * callback may exit again while the hooks run, any number of times. */
__attribute__((noinline)) static _Noreturn void restart_loop(void)
{
    static struct arch_context given_up, anew;

    arch_context_init(&anew, boot_stack_top, loop_anew, NULL);
    arch_context_switch(&given_up, &anew);
    __builtin_unreachable();
}

_Noreturn void app_exit(int status)
{
    if (end.thread && thread_current() == end.thread)
        run_hooks(); /* a hook has called exit: the others have their turn */
    if (!end.begun) {
        log_info("the app has ended, status %d", status);
        shutdown_begin(status ? SHUTDOWN_crash : SHUTDOWN_poweroff);
    }
    if (thread_current())
        thread_exit();
    restart_loop(); /* the hooks need it, and our caller must not go on */
}
