/* SPDX-License-Identifier: ISC */
/*
 * The kernel's own sysrq commands. They take no lock and change nothing, so they work in a guest
 * that is in trouble, as long as its loop turns.
 */
#include "kernel/sysrq.h"

#include <stdint.h>

#include <xen/sched.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/shutdown.h"
#include "kernel/thread.h"
#include "lib/util.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/xenbus.h"
#include "xen/xenstore.h"

#define LOG_MODULE "sysrq"

static struct sysrq_command *commands; /* the latest first */

static void help(void)
{
    for (const struct sysrq_command *c = commands; c; c = c->next)
        log_info("%c: %s", c->letter, c->help);
}

static void show_memory(void)
{
    log_info("%zu of %zu pages free", page_count_free(), page_count_total());
}

static void show_thread(const struct thread *t, const char *state, void *ctx)
{
    (void)ctx;
    log_info("thread %s: %s", thread_name(t), state);
}

static void show_threads(void)
{
    thread_each(show_thread, NULL);
}

static void show_events(void)
{
    const struct evtchn_stats *e = evtchn_stats();
    const struct xs_stats *x = xenstore_stats();

    log_info("events: %lu, spurious %lu, upcalls %lu, notifications %lu", e->events, e->spurious,
             e->upcalls, e->notifies);
    log_info("xenstore: requests %lu, replies %lu, events %lu, ignored %lu, resets %lu",
             x->requests, x->replies, x->events, x->ignored, x->reconnects);
    if (IS_ENABLED(CONFIG_XENBUS))
        log_info("grants: %u in use, %u in quarantine; devices disabled: %u", gnttab_count_used(),
                 gnttab_count_quarantined(), xenbus_count_disabled());
}

static void crash(void)
{
    panic("crash requested by the host");
}

static void reboot(void)
{
    shutdown_now(SHUTDOWN_reboot);
}

static void power_off(void)
{
    shutdown_now(SHUTDOWN_poweroff);
}

void sysrq_add(struct sysrq_command *command)
{
    command->next = commands;
    commands = command;
}

void sysrq_init(void)
{
    static struct sysrq_command own[] = {
        {'o', "power off, at once", power_off, NULL},
        {'b', "reboot, at once", reboot, NULL},
        {'c', "crash, with a back-trace", crash, NULL},
        {'e', "events, xenstore, grants", show_events, NULL},
        {'t', "threads", show_threads, NULL},
        {'m', "memory", show_memory, NULL},
        {'h', "this list", help, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        sysrq_add(&own[i]);
}

void sysrq_run(char letter)
{
    for (const struct sysrq_command *c = commands; c; c = c->next) {
        if (c->letter == letter) {
            c->fn();
            return;
        }
    }
    help();
}
