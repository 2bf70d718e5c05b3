/* SPDX-License-Identifier: ISC */
/* See report.h. */
#include "arch/unix/sim/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool verbose;

static void print(const char *fmt, va_list ap)
{
    fputs("xen: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

void report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(fmt, ap);
    va_end(ap);
}

void report_debug(const char *fmt, ...)
{
    va_list ap;

    if (!verbose)
        return;
    va_start(ap, fmt);
    print(fmt, ap);
    va_end(ap);
}

void report_set_verbose(bool on)
{
    verbose = on;
}

void report_fatal(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(fmt, ap);
    va_end(ap);
    exit(2);
}
