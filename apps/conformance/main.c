/* SPDX-License-Identifier: ISC */
/*
 * The conformance suite: small programs that ask Xen and xenstored what they answer to calls right and wrong,
 * and print it. The arguments name the programs to run. tests/boot/test_verdicts.py has the answers, those of
 * real Xen; the simulated one (docs/simulator.md) must give the same.
 *
 * They go below the kernel's interfaces, which would not let most of these calls be made.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <xen/errno.h>

#include "apps/conformance/verdict.h"
#include "kernel/log.h"
#include "lib/util.h"

const char *result_name(long result)
{
    static char number[24];

    if (result == -XEN_ESRCH)
        return "ESRCH";
    if (result == -XEN_ENOSYS) /* newlib's has another number */
        return "ENOSYS";
    if (result < 0)
        return errno_name((int)result);
    (void)snprintf(number, sizeof(number), "%ld", result);
    return number;
}

void verdict(const char *question, const char *fmt, ...)
{
    va_list ap;

    printf("verdict %s: ", question);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

void verdict_result(const char *question, long result)
{
    verdict(question, "%s", result_name(result));
}

static const struct {
    const char *name;
    void (*fn)(void);
} programs[] = {
    {"events", ask_events},   {"event-bits", ask_event_bits},
    {"grants", ask_grants},   {"calls", ask_calls},
    {"store", ask_store},     {"transactions", ask_transactions},
    {"watches", ask_watches}, {"wire", ask_wire},
};

static bool run(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        if (strcmp(programs[i].name, name) != 0)
            continue;
        printf("program %s\n", name);
        programs[i].fn();
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!run(argv[i])) {
            printf("%s: there is no such program\n", argv[i]);
            return 2;
        }
    }
    printf("end of the programs\n");
    return 0;
}
