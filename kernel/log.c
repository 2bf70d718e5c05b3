/* SPDX-License-Identifier: ISC */
/*
 * The log: formats a line on the stack and hands it to the console, which never waits.
 */
#include "kernel/log.h"

#include <stdarg.h>
#include <string.h>

#include "kernel/console.h"
#include "kernel/timer.h"
#include "xen/clock.h"

#define LINE_MAX 200

void log_make_printable(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~') /* a char is signed */
            text[i] = '?';
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    static const char *const marks[] = {"ERROR ", "WARNING ", "", ""};
    char line[LINE_MAX];
    uint64_t us = clock_monotonic() / NSEC_PER_USEC;
    va_list ap;
    int n, m;

    n = fmt_print(line, sizeof(line) - 1, "[%4lu.%06lu] %s: %s", us / 1000000, us % 1000000, module,
                  marks[level]);
    n = MIN(n, (int)sizeof(line) - 2);
    va_start(ap, fmt);
    m = fmt_vprint(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
    va_end(ap);
    if (n + m > (int)sizeof(line) - 2) {
        n = (int)sizeof(line) - 2;
        memcpy(line + n - 3, "...", 3);
    } else {
        n += m;
    }
    log_make_printable(line, (size_t)n);
    line[n] = '\n';
    console_write(line, (size_t)n + 1);
}

/* The sites at which lines were left out in this window. */
static struct log_limit *dropping;

static void report_dropped(struct timer *t)
{
    struct log_limit *limit = dropping;

    (void)t;
    dropping = NULL;
    for (; limit; limit = limit->next) {
        log_write(LOG_WARN, limit->module, "%u more such lines were left out", limit->dropped);
        limit->in_window = limit->dropped = 0;
    }
}

bool log_permit(struct log_limit *limit, const char *module)
{
    static struct timer timer;
    uint64_t now = clock_monotonic();

    if (!limit->dropped && now - limit->window_start >= NSEC_PER_SEC) {
        limit->window_start = now;
        limit->in_window = 0;
    }
    if (limit->in_window < LOG_BURST) {
        limit->in_window++;
        return true;
    }
    if (limit->dropped++ == 0) {
        limit->module = module;
        limit->next = dropping;
        dropping = limit;
        if (!timer.armed) {
            timer_init(&timer, report_dropped);
            timer_arm(&timer, now + NSEC_PER_SEC);
        }
    }
    return false;
}
