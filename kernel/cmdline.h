/* SPDX-License-Identifier: ISC */
/*
 * Within kernel/: the guest's command line (`extra=` in the xl config). Apps and libraries read it
 * with cmdline_get() and cmdline_known() of kernel/app.h.
 */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <stddef.h>

/* Splits a copy of at most size bytes of line into words: the first call of the boot list that
 * reads anything from the toolstack. What does not fit, or is malformed, is logged and left out. */
void cmdline_init(const char *line, size_t size);

/*
 * The app's arguments: argv[0] is name, then every word that nothing has claimed as its key=value,
 * then NULL. Call it once, after every subsystem has asked for its keys. Returns argc.
 */
int cmdline_argv(const char *name, char ***argv);

/* Logs each key=value word that nothing has asked for; call it when app_init() has returned. */
void cmdline_report_unknown(void);

/*
 * Moves the value of a key that must not be read twice (a seed) to buf and overwrites it. Returns
 * its length, 0 when it is missing, or -E2BIG when it does not fit (it is overwritten all the same).
 */
int cmdline_take(const char *key, char *buf, size_t size);

#endif
