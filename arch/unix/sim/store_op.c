/* SPDX-License-Identifier: ISC */
/*
 * The operations of the store, as Xen's xenstored (tools/xenstore/xenstored_core.c of 4.17) carries
 * them out and refuses them. Domain 0 may do everything; a domain owns the nodes it makes.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/store_op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

/* xenstored's default quotas for a domain that is not privileged. */
#define QUOTA_NODES 1000
#define QUOTA_NODE_BYTES 2048
#define QUOTA_PERMS 5
#define NODE_HEADER_BYTES 24

/* --- paths ------------------------------------------------------------------------------------ */

/* What is below a domain's directory counts from there. */
static bool is_valid(const char *path)
{
    size_t len = strlen(path);
    int home = 0;

    (void)sscanf(path, "/local/domain/%*5u/%n", &home);
    if (path[0] != '/' || len > (size_t)home + XENSTORE_REL_PATH_MAX)
        return false;
    if (strstr(path, "//") || (len > 1 && path[len - 1] == '/'))
        return false;
    return strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@") ==
           len;
}

char *store_op_path(unsigned domid, const char *path)
{
    bool absolute = path[0] == '/';
    char *full;

    if ((absolute ? asprintf(&full, "%s", path)
                  : asprintf(&full, "/local/domain/%u/%s", domid, path)) < 0)
        report_fatal("no memory for the store");
    if (is_valid(full) && path[0] != '@')
        return full;
    free(full);
    return NULL;
}

/* --- permissions ------------------------------------------------------------------------------ */

bool store_op_parse_perm(const char *text, struct store_perm *perm)
{
    char *end;

    switch (text[0]) {
    case 'r':
        perm->mask = PERM_READ;
        break;
    case 'w':
        perm->mask = PERM_WRITE;
        break;
    case 'b':
        perm->mask = PERM_READ | PERM_WRITE;
        break;
    case 'n':
        perm->mask = 0;
        break;
    default:
        return false;
    }
    perm->domid = (unsigned)strtoul(text + 1, &end, 10);
    return end != text + 1 && !*end;
}

char store_op_perm_letter(unsigned mask)
{
    return "nrwb"[mask & (PERM_READ | PERM_WRITE)];
}

/* Domain 0 and the owner have all rights; who is not listed has those of the first entry. */
static unsigned rights(unsigned domid, const struct store_node *node)
{
    if (domid == 0 || node->perms[0].domid == domid)
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (unsigned i = 1; i < node->perm_count; i++)
        if (node->perms[i].domid == domid)
            return node->perms[i].mask;
    return node->perms[0].mask;
}

static struct store_node *nearest(struct store_tx *tx, const char *path)
{
    struct store_node *node = store_db_get(tx, path);

    while (!node && strcmp(path, "/")) {
        char *parent = store_path_parent(path);

        node = store_db_get(tx, parent);
        if (!node) {
            node = nearest(tx, parent);
            free(parent);
            return node;
        }
        free(parent);
    }
    return node;
}

struct store_node *store_op_get(unsigned domid, struct store_tx *tx, const char *path,
                                unsigned mask, int *err)
{
    struct store_node *node = store_db_get(tx, path);
    /* Of what is not there only those may know who may look at where it would be. */
    const struct store_node *judge = node ? node : nearest(tx, path);

    *err = 0;
    if (judge && (rights(domid, judge) & mask) != mask)
        *err = -EACCES;
    else if (!node)
        *err = -ENOENT;
    return *err ? NULL : node;
}

/* --- changes ---------------------------------------------------------------------------------- */

/* A watch sees a node that its domain may read, or whose parent it may. */
static bool guest_may_know(struct store_tx *tx, const struct store_node *node)
{
    const struct store_node *parent;
    char *path;

    if (rights(DOMAIN_ID, node) & PERM_READ)
        return true;
    path = store_path_parent(node->path);
    parent = store_db_peek(tx, path);
    free(path);
    return parent && (rights(DOMAIN_ID, parent) & PERM_READ);
}

static struct store_change *change_of(struct store_tx *tx, const char *path)
{
    struct store_change *change;
    struct list *link;

    list_for_each(link, &tx->changes) {
        change = container_of(link, struct store_change, link);
        if (!strcmp(change->path, path))
            return change;
    }
    change = calloc(1, sizeof(*change));
    if (!change)
        report_fatal("no memory for the store");
    change->path = strdup(path);
    list_add_tail(&tx->changes, &change->link);
    return change;
}

/* A transaction fires once for each node, when it is committed. */
static void fire(struct store_tx *tx, const struct store_node *node, bool exact)
{
    bool allowed = guest_may_know(tx, node);
    struct store_change *change;

    if (!tx) {
        store_watch_fire(node->path, exact, allowed);
        return;
    }
    change = change_of(tx, node->path);
    change->exact = exact;
    change->allowed = allowed;
}

/* The node is removed now. What the transaction has made itself has never been. */
static void fire_removed(struct store_tx *tx, const struct store_node *node, bool exact)
{
    struct store_change *change;

    fire(tx, node, exact);
    if (!tx || node->generation)
        return;
    change = change_of(tx, node->path);
    list_del(&change->link);
    free(change->path);
    free(change);
}

void store_op_fire_changes(struct store_tx *tx)
{
    struct list *link;

    list_for_each(link, &tx->changes) {
        const struct store_change *change = container_of(link, struct store_change, link);

        store_watch_fire(change->path, change->exact, change->allowed);
    }
}

static bool too_large(unsigned domid, const struct store_node *node, size_t more)
{
    size_t bytes = NODE_HEADER_BYTES + node->perm_count * sizeof(struct store_perm) + more +
                   node->children_len;

    return domid != 0 && bytes >= QUOTA_NODE_BYTES;
}

/* Makes the node and the parents it lacks; they inherit the permissions of the first that exists,
 * but belong to the domain that makes them. */
static int create(unsigned domid, struct store_tx *tx, const char *path, struct store_node **made)
{
    char *parent_path = store_path_parent(path);
    struct store_node *parent = store_db_get(tx, parent_path);
    int err = 0;

    if (!parent)
        err = create(domid, tx, parent_path, &parent);
    free(parent_path);
    if (!err && domid != 0 && store_db_count_owned(domid) >= QUOTA_NODES)
        err = -ENOSPC;
    if (!err && too_large(domid, parent, parent->value_len + strlen(store_path_name(path)) + 1))
        err = -ENOSPC;
    if (err)
        return err;
    store_db_add_child(tx, parent, store_path_name(path));
    *made = store_db_add(tx, path);
    store_db_set_perms(tx, *made, parent->perms, parent->perm_count);
    if (domid != 0)
        (*made)->perms[0].domid = domid;
    return 0;
}

int store_op_write(unsigned domid, struct store_tx *tx, const char *path, const char *value,
                   size_t len)
{
    int err;
    struct store_node *node = store_op_get(domid, tx, path, PERM_WRITE, &err);

    if (err == -ENOENT && domid != 0 && NODE_HEADER_BYTES + len >= QUOTA_NODE_BYTES)
        return -ENOSPC;
    if (err == -ENOENT)
        err = create(domid, tx, path, &node);
    if (!err && too_large(domid, node, len))
        err = -ENOSPC;
    if (err)
        return err;
    store_db_set_value(tx, node, value, len);
    fire(tx, node, false);
    return 0;
}

int store_op_mkdir(unsigned domid, struct store_tx *tx, const char *path)
{
    int err;
    struct store_node *node = store_op_get(domid, tx, path, PERM_WRITE, &err);

    if (err != -ENOENT)
        return err;
    err = create(domid, tx, path, &node);
    if (!err)
        fire(tx, node, false);
    return err;
}

static void remove_children(struct store_tx *tx, struct store_node *node)
{
    while (node->children_len) {
        char *path;
        struct store_node *child;

        if (asprintf(&path, "%s/%s", strcmp(node->path, "/") ? node->path : "", node->children) < 0)
            report_fatal("no memory for the store");
        child = store_db_get(tx, path);
        free(path);
        store_db_remove_child(tx, node, node->children);
        remove_children(tx, child);
        fire_removed(tx, child, true);
        store_db_delete(tx, child);
    }
}

int store_op_remove(unsigned domid, struct store_tx *tx, const char *path)
{
    int err;
    struct store_node *node = store_op_get(domid, tx, path, PERM_WRITE, &err);
    char *parent_path = store_path_parent(path);
    struct store_node *parent = store_db_get(tx, parent_path);

    free(parent_path);
    if (err == -ENOENT && parent)
        return 0; /* what is gone already */
    if (!err && !strcmp(path, "/"))
        err = -EINVAL;
    if (err)
        return err;
    remove_children(tx, node);
    fire_removed(tx, node, false);
    store_db_remove_child(tx, parent, store_path_name(path));
    store_db_delete(tx, node);
    return 0;
}

int store_op_set_perms(unsigned domid, struct store_tx *tx, const char *path,
                       const struct store_perm *perms, unsigned count)
{
    int err;
    struct store_node *node = store_op_get(domid, tx, path, PERM_WRITE | PERM_OWNER, &err);

    if (err)
        return err;
    if (domid != 0 && count > QUOTA_PERMS)
        return -ENOSPC;
    if (domid != 0 && perms[0].domid != node->perms[0].domid)
        return perms[0].domid == 0 ? -EPERM : -ENOENT; /* there is no other domain */
    store_db_set_perms(tx, node, perms, count);
    fire(tx, node, false);
    return 0;
}
