/* SPDX-License-Identifier: ISC */
/*
 * The simulated xenstored (Xen's docs/misc/xenstore.txt). The guest speaks its wire protocol over a
 * shared page; the toolstack and the backends, which are domain 0, call these functions.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

#include "lib/list.h"
#include "lib/util.h"

/* Introduces the guest, whose ring is in the page that is granted; the guest's port. */
uint32_t store_connect_guest(grant_ref_t ref);
/* What it says that it can do (XENSTORE_SERVER_FEATURE_... of xs_wire.h); RECONNECTION and ERROR unless
 * told otherwise. After store_connect_guest(). */
void store_set_features(uint32_t features);

/* Paths are absolute. Missing parents are made; a new node inherits its parent's permissions. */
void store_write(const char *path, const char *value);
void store_printf(const char *path, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Makes a node (or keeps its value) with these permissions: "n0 r5", the owner first. */
void store_make(const char *path, const char *perms);
void store_remove(const char *path);
/* Fills names with what is directly below it, a blank behind each; false when there is no such node. */
bool store_list(const char *path, char *names, size_t size);
/* The value, terminated, or NULL; valid until the store changes. */
const char *store_read(const char *path);
/* As store_read(), for a number within [min, max]; def when it is missing or is not one. */
uint64_t store_read_number(const char *path, uint64_t min, uint64_t max, uint64_t def);

/* A watch of domain 0's: fn is called from store_run(), once soon after and then after changes at or
 * below the path; several may make one call. */
struct store_listener {
    char path[128];
    void (*fn)(struct store_listener *listener);
    struct list node; /* store's own */
    bool fired;
};
void store_listen(struct store_listener *listener);
void store_unlisten(struct store_listener *listener);

/* Calls what has been fired. False when there was nothing. */
bool store_run(void);

#endif
