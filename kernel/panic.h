/* SPDX-License-Identifier: ISC */
/*
 * The last words of a guest that has failed. panic() of kernel/log.h is the usual way in; a fault
 * handler prints more and uses the steps themselves.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <stdint.h>

#include "lib/util.h"

/* Stops everything else from being printed. A failure during a failure ends the domain at once. */
void panic_begin(void);
void panic_print(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* One line for pc (0: none), then one for each caller in the chain of frames. */
void panic_backtrace(uintptr_t pc, uintptr_t frame);
/* Flushes the console and ends the domain with SHUTDOWN_crash. */
_Noreturn void panic_end(void);

#endif
