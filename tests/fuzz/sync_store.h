/* SPDX-License-Identifier: ISC */
/*
 * xenstore without the ring: a request is answered before xs_submit() returns, so that xenbus and
 * drivers run without threads. The calls above xs_submit() are the real ones (xen/xenstore_ops.c).
 * Watches are fired by changes and called from the loop. Values may be any octets.
 */
#ifndef TESTS_FUZZ_SYNC_STORE_H
#define TESTS_FUZZ_SYNC_STORE_H

#include <stddef.h>

/* Called per request with its path: 0, or the error that the store answers. NULL: never an error. */
extern int (*store_fault)(const char *path);

/* NULL removes the key and all below it. Watches on it fire. */
void store_put(const char *path, const void *value, size_t len);
void store_put_text(const char *path, const char *value);
/* The value, terminated, or NULL. */
const char *store_find(const char *path);
/* How many watches there are. */
unsigned store_watched(void);

#endif
