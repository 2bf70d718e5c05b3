/* SPDX-License-Identifier: ISC */
/*
 * The contract between the kernel and the app and library code it is linked with: everything an
 * app may use of the kernel is here or in the five headers this one names.
 *
 * An app is written in one of two ways.
 *   - Callbacks: it defines app_init(). The kernel calls it once, when every subsystem is up
 *     (devices may still be connecting), in the event loop's context: it registers its callbacks
 *     (lwIP's raw API, timers, work items) and returns 0. It must not wait.
 *   - A plain C program: its Kconfig fragment selects APP_MAIN and it defines main(argc, argv).
 *     lib/libc then provides the app_init() that runs main in a thread; returning from main or
 *     calling exit() ends the guest.
 */
#ifndef KERNEL_APP_H
#define KERNEL_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/work.h"

/*
 * Defined by the app (or by lib/libc for an app with main). argv[0] is the app's name, the others
 * are the words of the guest's command line that are not key=value pairs of a known key (see
 * cmdline_get). argv stays valid. A negative errno ends the guest as a crash, with a log line.
 * noinline: back-traces show where the kernel ends and the app begins.
 */
__attribute__((noinline)) int app_init(int argc, char **argv);

/*
 * A library that must be ready before the app, or that reads keys of the command line: init()
 * runs once, just before argv is made and app_init() is called, under app_init()'s conditions.
 * LIBRARY(net) is for net_init().
 */
struct library {
    const char *name;
    int (*init)(void);
};
#define LIBRARY(name)                                                                              \
    static const struct library name##_library = {#name, name##_init};                             \
    static const struct library *const name##_entry                                                \
        __attribute__((used, section(".set.libraries"))) = &name##_library
extern const struct library *const libraries_begin[], *const libraries_end[]; /* link script */

/* The app's name, from its Kconfig fragment. */
extern const char app_name[];

/*
 * Ends the guest: shutdown hooks run, the console is flushed. status 0 is a power-off, anything
 * else a crash (SHUTDOWN_crash), so that the toolstack's on_poweroff and on_crash apply.
 */
_Noreturn void app_exit(int status);

/* Called once before an orderly end (xl shutdown, xl reboot, app_exit), last registered first.
 * Runs in a thread and may wait. */
struct shutdown_hook {
    void (*fn)(struct shutdown_hook *hook);
    struct shutdown_hook *next;
};
void shutdown_hook_add(struct shutdown_hook *hook);

/* Monotonic time since boot, ns; read from the clock at each call. */
uint64_t time_monotonic(void);
/* Time since the epoch, ns (UTC, as the host's clock has it). */
uint64_t time_wall(void);

/*
 * The value of key=value on the guest's command line, or NULL; the last one counts. A key that
 * nothing has asked for by the end of boot is reported in the log, so every reader asks during its
 * init, and names the keys it does not read in this configuration with cmdline_known(). The text
 * stays valid for ever. Words after a word "--" are never keys: they are for argv alone.
 */
const char *cmdline_get(const char *key);
void cmdline_known(const char *key);

/* Fills buf with unpredictable bytes (hardening.md, rule 26). */
void random_bytes(void *buf, size_t len);

/*
 * Publishes value at path below the domain's own xenstore directory (such as "attr/vif/0/ipv4/0"),
 * in the background; NULL removes it. Both strings are copied. Without xenstore it does nothing.
 * While the store is slow, a later value of a path replaces one that it has not been told yet; what
 * it has no room for at present is told again. Returns -ENOMEM when it cannot be queued (64 values
 * wait, or memory is short), -E2BIG when both are more than a page holds.
 */
int guest_publish(const char *path, const char *value);

#endif
