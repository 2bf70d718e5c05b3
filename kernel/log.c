/* SPDX-License-Identifier: ISC */
/*
 * The log: formats a line on the stack and hands it to the console, which never waits.
 */
#include "kernel/log.h"

#include <stdarg.h>
#include <string.h>

#include "kernel/console.h"
#include "xen/clock.h"

#define LINE_MAX 200

/* What other domains say is in some lines: it must not look like lines of ours, nor steer the
 * terminal of whoever reads the console. */
static void make_printable(char *text, int len)
{
    for (int i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
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
    make_printable(line, n);
    line[n] = '\n';
    console_write(line, (size_t)n + 1);
}

bool log_permit(struct log_limit *limit, const char *module)
{
    uint64_t now = clock_monotonic();

    if (now - limit->window_start >= NSEC_PER_SEC) {
        if (limit->dropped)
            log_write(LOG_WARN, module, "%u more lines like the next were left out",
                      limit->dropped);
        limit->window_start = now;
        limit->in_window = limit->dropped = 0;
    }
    if (limit->in_window < LOG_BURST) {
        limit->in_window++;
        return true;
    }
    limit->dropped++;
    return false;
}
