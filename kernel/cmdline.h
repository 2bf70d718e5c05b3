/* SPDX-License-Identifier: ISC */
/*
 * Within kernel/: the guest's command line (`extra=` in the xl config). Apps and libraries read it
 * with cmdline_get() and cmdline_known() of kernel/app.h.
 */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <stddef.h>

/*
 * Splits line, of at most size bytes, into words, in place: it must stay. Comes before every init
 * that asks for a key. What is malformed is logged.
 */
void cmdline_init(char *line, size_t size);

/*
 * The app's arguments: argv[0] is name, then every word that nothing has claimed as its key=value,
 * then NULL. Comes after every init that asks for a key. Returns argc.
 */
int cmdline_argv(const char *name, char ***argv);

/* Logs each key=value word that nothing has claimed; comes when app_init() has returned. */
void cmdline_report_unknown(void);

/*
 * Moves the value of a key that must not be read twice (a seed) to buf and overwrites it. Returns
 * its length, 0 when it is missing, or -E2BIG when it does not fit (overwritten all the same).
 */
int cmdline_take(const char *key, char *buf, size_t size);

#endif
