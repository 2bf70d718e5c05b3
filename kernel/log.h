/* SPDX-License-Identifier: ISC */
/*
 * The log: one line a call, on the console, with the time since boot and the module's name.
 *
 * A file names its module before the first call: `#define LOG_MODULE "netfront"`. Messages below
 * CONFIG_LOG_LEVEL cost nothing: neither code nor text. The format is that of printf without
 * floating point: %d %i %u %x %c %s %p %% with l, ll, z, h, hh, 0, -, width and precision.
 * A line ends without "\n": the log adds it.
 *
 * Lines about a peer's or a client's mistakes use log_limited(): at most LOG_BURST lines per
 * call site and second, and a second later a count of those left out (hardening.md, the failure
 * policy).
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

enum log_level { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

#ifndef CONFIG_LOG_LEVEL
#define CONFIG_LOG_LEVEL 2
#endif
#define LOG_BURST 5

struct log_limit {
    uint64_t window_start; /* ns, monotonic */
    unsigned in_window, dropped;
    const char *module;
    struct log_limit *next; /* of those with lines to be counted */
};

void log_write(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool log_permit(struct log_limit *limit, const char *module);
/* Puts '?' for all but printable ASCII: what other domains say must not look like lines of ours, nor
 * steer the terminal of whoever reads the console. */
void log_make_printable(char *text, size_t len);

#define log_at(level, ...)                                                                         \
    do {                                                                                           \
        if ((level) <= CONFIG_LOG_LEVEL)                                                           \
            log_write((level), LOG_MODULE, __VA_ARGS__);                                           \
    } while (0)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_limited(level, ...)                                                                    \
    do {                                                                                           \
        static struct log_limit log_limit_;                                                        \
        if ((level) <= CONFIG_LOG_LEVEL && log_permit(&log_limit_, LOG_MODULE))                    \
            log_write((level), LOG_MODULE, __VA_ARGS__);                                           \
    } while (0)

/*
 * Formats into buf, always terminated when size > 0. Returns the length the whole text would have
 * had, as snprintf does: at least size means that it was cut.
 */
int fmt_print(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap);

/* "ENOMEM" for -ENOMEM. A number without a name here is written out: good until the next call. */
const char *errno_name(int err);
/* -ENOMEM for "ENOMEM"; 0 for a name that is not known. */
int errno_number(const char *name);

/*
 * An invariant of ours is broken: prints the message and a back-trace, then SHUTDOWN_crash.
 * Never for a peer's mistake (disable its device) and never for shortage (return -ENOMEM).
 */
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                       \
    } while (0)

#endif
