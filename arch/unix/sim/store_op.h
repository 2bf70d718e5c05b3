/* SPDX-License-Identifier: ISC */
/*
 * Within the store: operations on nodes with permissions, and the watches that follow. Each acts for
 * a domain, in its transaction or (tx NULL) at once. Errors are negative errno, as xenstored gives
 * them.
 */
#ifndef SIM_STORE_OP_H
#define SIM_STORE_OP_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/unix/sim/store_db.h"

/* The absolute form of a path that the domain gave, to be freed; NULL when it is not valid. */
char *store_op_path(unsigned domid, const char *path);

/* Reads: the node, if the domain may read it; otherwise NULL and *err. */
struct store_node *store_op_get(unsigned domid, struct store_tx *tx, const char *path,
                                unsigned mask, int *err);
int store_op_write(unsigned domid, struct store_tx *tx, const char *path, const char *value,
                   size_t len);
int store_op_mkdir(unsigned domid, struct store_tx *tx, const char *path);
int store_op_remove(unsigned domid, struct store_tx *tx, const char *path);
int store_op_set_perms(unsigned domid, struct store_tx *tx, const char *path,
                       const struct store_perm *perms, unsigned count);
/* Fires what the transaction has changed; it has been committed. */
void store_op_fire_changes(struct store_tx *tx);

/* "n5": false when it is not a permission. */
bool store_op_parse_perm(const char *text, struct store_perm *perm);
char store_op_perm_letter(unsigned mask);

/* store_watch.c: the node at path has changed; the guest may know or not. */
void store_watch_fire(const char *path, bool exact, bool guest_allowed);

#endif
