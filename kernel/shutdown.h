/* SPDX-License-Identifier: ISC */
/*
 * How the guest ends (docs/shutdown.md). Reasons are Xen's: SHUTDOWN_poweroff, SHUTDOWN_reboot,
 * SHUTDOWN_crash (xen/include/public/sched.h); the toolstack acts by its on_* settings.
 */
#ifndef KERNEL_SHUTDOWN_H
#define KERNEL_SHUTDOWN_H

/*
 * The orderly end: runs the hooks in a thread, then shutdown_now(). Returns at once when there are
 * hooks. Only the first call counts. Callable from the loop and from threads.
 */
void shutdown_begin(unsigned reason);

/* The end itself: flushes the console and stops the domain, without the loop. For panics too. */
_Noreturn void shutdown_now(unsigned reason);

#endif
