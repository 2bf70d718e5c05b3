/* SPDX-License-Identifier: ISC */
/*
 * Messages of the simulation itself, on standard error: what Xen's own console and xl's log hold.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdbool.h>

#include "lib/util.h"

/* Each writes a line, "xen: " in front. report_debug() only with --verbose. */
void report(const char *fmt, ...) PRINTF_LIKE(1, 2);
void report_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void report_set_verbose(bool verbose);
/* Ends the process with status 2: the simulation cannot go on. */
_Noreturn void report_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
