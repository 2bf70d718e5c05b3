/* SPDX-License-Identifier: ISC */
/*
 * Within the store: nodes and transactions.
 *
 * A node is a record under its whole path: value, permissions and the names of its children. A
 * transaction has records of its own, copied at first use together with their generation; it can be
 * committed if each of those in the database still has the generation it had then. That is how
 * Xen's xenstored does it, so conflicts arise in the same places.
 */
#ifndef SIM_STORE_DB_H
#define SIM_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"

#define PERM_READ 1u
#define PERM_WRITE 2u
#define PERM_OWNER 4u
#define PERMS_MAX 16

struct store_perm {
    unsigned domid;
    unsigned mask;
};

struct store_node {
    struct list link; /* in a bucket */
    char *path;
    uint64_t generation; /* 0: was not there */
    bool exists;         /* false only in a transaction */
    bool modified;       /* in a transaction */
    char *value;         /* value_len bytes and a terminating 0 */
    size_t value_len;
    struct store_perm perms[PERMS_MAX]; /* the owner first */
    unsigned perm_count;
    char *children; /* their names, each terminated */
    size_t children_len;
};

struct store_change {
    struct list link;
    char *path;
    bool exact;   /* for those alone that watch this very path */
    bool allowed; /* the guest may read the node, or could before it was removed */
};

struct store_tx {
    struct list link;
    uint32_t id;
    struct list *buckets;
    struct list changes;
};

/* tx NULL: the database itself. A node that does not exist is NULL. */
struct store_node *store_db_get(struct store_tx *tx, const char *path);
/* The same without counting as a use of the node by the transaction. */
const struct store_node *store_db_peek(struct store_tx *tx, const char *path);
/* Makes the node, which must not exist (nor be entered in its parent). */
struct store_node *store_db_add(struct store_tx *tx, const char *path);
void store_db_delete(struct store_tx *tx, struct store_node *node);
void store_db_set_value(struct store_tx *tx, struct store_node *node, const char *value,
                        size_t len);
void store_db_set_perms(struct store_tx *tx, struct store_node *node,
                        const struct store_perm *perms, unsigned count);
void store_db_add_child(struct store_tx *tx, struct store_node *node, const char *name);
void store_db_remove_child(struct store_tx *tx, struct store_node *node, const char *name);
/* Nodes in the database that this domain owns. */
unsigned store_db_count_owned(unsigned domid);

struct store_tx *store_tx_new(uint32_t id);
/* False: another change was in the way, nothing is done. */
bool store_tx_commit(struct store_tx *tx);
void store_tx_free(struct store_tx *tx);

/* The parent's path, to be freed; "/" for the topmost nodes. The last component of a path. */
char *store_path_parent(const char *path);
const char *store_path_name(const char *path);

#endif
