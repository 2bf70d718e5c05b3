/* SPDX-License-Identifier: ISC */
/*
 * The program: options, the signals of whoever runs it, and what becomes of the guest in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/sched.h>

#include "arch/unix/gate.h"
#include "arch/unix/sim/blkback.h"
#include "arch/unix/sim/control.h"
#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/netback.h"
#include "arch/unix/sim/options.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/sched.h"
#include "arch/unix/sim/toolstack.h"

#define STATUS_CRASH 1
#define STATUS_SIMULATION 2 /* report_fatal() */
#define STATUS_KILLED 130   /* as a shell has it for Ctrl-C */

static int signal_pipe[2];

/* The first time the guest is asked to end; then its time is up, though what gcov has counted is written. */
static void on_signal(int number)
{
    static volatile sig_atomic_t count;

    (void)number;
    if (count++) {
        if (IS_ENABLED(CONFIG_COVERAGE))
            exit(STATUS_KILLED);
        _exit(STATUS_KILLED);
    }
    (void)!write(signal_pipe[1], "", 1);
}

static void ask_to_end(struct sched_fd *sfd, short revents)
{
    char byte;

    (void)revents;
    if (read(sfd->fd, &byte, 1) == 1)
        toolstack_request("poweroff");
}

static void catch_signals(void)
{
    static struct sched_fd end = {.events = POLLIN, .fn = ask_to_end};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};

    if (pipe2(signal_pipe, O_CLOEXEC))
        report_fatal("no pipe: %s", strerror(errno));
    end.fd = signal_pipe[0];
    sched_add(&end);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN); /* in the background there is no input */
}

static int after_end(unsigned reason, const struct options *options, char **argv)
{
    static const char *const names[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft reset"};
    const char *name = reason < ARRAY_SIZE(names) ? names[reason] : "?";

    if (reason == SHUTDOWN_poweroff) {
        report_debug("domain %s has shut down", options->domain.name);
        return 0;
    }
    if (reason == SHUTDOWN_reboot && options->restart) {
        report("domain %s reboots", options->domain.name);
        execv("/proc/self/exe", argv);
        report_fatal("cannot start again: %s", strerror(errno));
    }
    report("domain %s has shut down: %s", options->domain.name, name);
    return reason == SHUTDOWN_reboot ? 0 : STATUS_CRASH;
}

static void add_devices(const struct options *options)
{
    for (unsigned i = 0; i < options->nic_count; i++) {
        if (!options->nics[i].later)
            toolstack_add_vif(i, &options->nics[i].config);
        netback_create(i, &options->nics[i].nic, &options->nics[i].config);
    }
    for (unsigned i = 0; i < options->disk_count; i++) {
        const struct disk *disk = &options->disks[i].disk;

        if (!options->disks[i].later)
            toolstack_add_vbd(TOOLSTACK_VBD(i), disk->path, disk->readonly);
        blkback_create(TOOLSTACK_VBD(i), disk);
    }
}

int main(int argc, char **argv)
{
    struct options options;

    options_parse(&options, argc, argv);
    catch_signals();
    domain_create(&options.domain);
    add_devices(&options);
    if (options.control >= 0)
        control_serve(options.control);
    while (options.paused && !control_unpaused())
        sched_pump(UINT64_MAX);
    return after_end(domain_run(), &options, argv);
}
