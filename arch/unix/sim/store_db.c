/* SPDX-License-Identifier: ISC */
/* See store_db.h. The process ends when there is no memory: this is a simulation. */
#define _GNU_SOURCE
#include "arch/unix/sim/store_db.h"

#include <stdlib.h>
#include <string.h>

#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define BUCKETS 256

static struct {
    struct list buckets[BUCKETS];
    uint64_t generation; /* of the latest change */
    bool ready;
} db;

static void *need(void *memory)
{
    if (!memory)
        report_fatal("no memory for the store");
    return memory;
}

static void init_buckets(struct list *buckets)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&buckets[i]);
}

static struct list *buckets_of(struct store_tx *tx)
{
    if (!db.ready) {
        init_buckets(db.buckets);
        db.ready = true;
    }
    return tx ? tx->buckets : db.buckets;
}

static unsigned hash(const char *path)
{
    unsigned h = 5381;

    for (; *path; path++)
        h = h * 33 + (unsigned char)*path;
    return h % BUCKETS;
}

static struct store_node *find(struct list *buckets, const char *path)
{
    struct list *head = &buckets[hash(path)], *link;

    list_for_each(link, head) {
        struct store_node *node = container_of(link, struct store_node, link);

        if (!strcmp(node->path, path))
            return node;
    }
    return NULL;
}

static struct store_node *insert(struct list *buckets, const char *path)
{
    struct store_node *node = need(calloc(1, sizeof(*node)));

    node->path = need(strdup(path));
    node->value = need(calloc(1, 1));
    node->exists = true;
    list_add_tail(&buckets[hash(path)], &node->link);
    return node;
}

static void free_node(struct store_node *node)
{
    list_del(&node->link);
    free(node->path);
    free(node->value);
    free(node->children);
    free(node);
}

static void copy_content(struct store_node *to, const struct store_node *from)
{
    free(to->value);
    free(to->children);
    to->value = need(malloc(from->value_len + 1));
    memcpy(to->value, from->value, from->value_len + 1);
    to->value_len = from->value_len;
    to->children = from->children_len ? need(malloc(from->children_len)) : NULL;
    if (from->children_len)
        memcpy(to->children, from->children, from->children_len);
    to->children_len = from->children_len;
    memcpy(to->perms, from->perms, sizeof(to->perms));
    to->perm_count = from->perm_count;
    to->exists = from->exists;
}

static void changed(struct store_tx *tx, struct store_node *node)
{
    if (tx)
        node->modified = true;
    else
        node->generation = ++db.generation;
}

/* The transaction's own record; made at first use, also of what is not there. */
static struct store_node *own_record(struct store_tx *tx, const char *path)
{
    struct store_node *node = find(tx->buckets, path);
    struct store_node *original;

    if (node)
        return node;
    original = find(buckets_of(NULL), path);
    node = insert(tx->buckets, path);
    node->exists = false;
    if (original) {
        copy_content(node, original);
        node->generation = original->generation;
    }
    return node;
}

struct store_node *store_db_get(struct store_tx *tx, const char *path)
{
    struct store_node *node = tx ? own_record(tx, path) : find(buckets_of(NULL), path);

    return node && node->exists ? node : NULL;
}

const struct store_node *store_db_peek(struct store_tx *tx, const char *path)
{
    const struct store_node *node = tx ? find(tx->buckets, path) : NULL;

    if (!node)
        node = find(buckets_of(NULL), path);
    return node && node->exists ? node : NULL;
}

struct store_node *store_db_add(struct store_tx *tx, const char *path)
{
    struct store_node *node = tx ? own_record(tx, path) : insert(buckets_of(NULL), path);

    node->exists = true;
    changed(tx, node);
    return node;
}

void store_db_delete(struct store_tx *tx, struct store_node *node)
{
    if (!tx) {
        free_node(node);
        return;
    }
    node->exists = false;
    node->value_len = 0;
    node->value[0] = '\0';
    node->children_len = 0;
    node->perm_count = 0;
    changed(tx, node);
}

void store_db_set_value(struct store_tx *tx, struct store_node *node, const char *value, size_t len)
{
    char *copy = need(malloc(len + 1));

    memcpy(copy, value, len);
    copy[len] = '\0';
    free(node->value);
    node->value = copy;
    node->value_len = len;
    changed(tx, node);
}

void store_db_set_perms(struct store_tx *tx, struct store_node *node,
                        const struct store_perm *perms, unsigned count)
{
    memcpy(node->perms, perms, count * sizeof(*perms));
    node->perm_count = count;
    changed(tx, node);
}

void store_db_add_child(struct store_tx *tx, struct store_node *node, const char *name)
{
    size_t size = strlen(name) + 1;

    node->children = need(realloc(node->children, node->children_len + size));
    memcpy(node->children + node->children_len, name, size);
    node->children_len += size;
    changed(tx, node);
}

void store_db_remove_child(struct store_tx *tx, struct store_node *node, const char *name)
{
    size_t size = strlen(name) + 1;
    char *end = node->children + node->children_len;

    for (char *child = node->children; child < end; child += strlen(child) + 1) {
        if (strcmp(child, name))
            continue;
        memmove(child, child + size, (size_t)(end - child) - size);
        node->children_len -= size;
        break;
    }
    changed(tx, node);
}

unsigned store_db_count_owned(unsigned domid)
{
    struct list *buckets = buckets_of(NULL);
    unsigned count = 0;

    for (unsigned i = 0; i < BUCKETS; i++) {
        struct list *link;

        list_for_each(link, &buckets[i]) {
            const struct store_node *node = container_of(link, struct store_node, link);

            count += node->perm_count && node->perms[0].domid == domid;
        }
    }
    return count;
}

/* --- transactions ----------------------------------------------------------------------------- */

struct store_tx *store_tx_new(uint32_t id)
{
    struct store_tx *tx = need(calloc(1, sizeof(*tx)));

    tx->id = id;
    tx->buckets = need(calloc(BUCKETS, sizeof(*tx->buckets)));
    init_buckets(tx->buckets);
    list_init(&tx->changes);
    list_init(&tx->link);
    return tx;
}

static bool unchanged_since(const struct store_node *node)
{
    const struct store_node *now = find(buckets_of(NULL), node->path);

    return node->generation == (now ? now->generation : 0);
}

static void apply(const struct store_node *node)
{
    struct store_node *now = find(buckets_of(NULL), node->path);

    if (!node->exists) {
        if (now)
            free_node(now);
        return;
    }
    if (!now)
        now = insert(buckets_of(NULL), node->path);
    copy_content(now, node);
    changed(NULL, now);
}

bool store_tx_commit(struct store_tx *tx)
{
    struct list *link;

    for (unsigned i = 0; i < BUCKETS; i++)
        list_for_each(link, &tx->buckets[i])
            if (!unchanged_since(container_of(link, struct store_node, link)))
                return false;
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_for_each(link, &tx->buckets[i]) {
            const struct store_node *node = container_of(link, struct store_node, link);

            if (node->modified)
                apply(node);
        }
    }
    return true;
}

void store_tx_free(struct store_tx *tx)
{
    struct list *link;

    for (unsigned i = 0; i < BUCKETS; i++)
        while (!list_empty(&tx->buckets[i]))
            free_node(container_of(tx->buckets[i].next, struct store_node, link));
    while ((link = list_pop(&tx->changes))) {
        struct store_change *change = container_of(link, struct store_change, link);

        free(change->path);
        free(change);
    }
    list_del(&tx->link);
    free(tx->buckets);
    free(tx);
}

/* --- paths ------------------------------------------------------------------------------------ */

char *store_path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    return need(slash == path ? strdup("/") : strndup(path, (size_t)(slash - path)));
}

const char *store_path_name(const char *path)
{
    return strrchr(path, '/') + 1;
}
