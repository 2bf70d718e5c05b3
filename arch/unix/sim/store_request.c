/* SPDX-License-Identifier: ISC */
/*
 * The guest's requests and their replies (Xen's docs/misc/xenstore.txt): a packet in, a packet with
 * the same type and ids out, or one of type XS_ERROR with the error's name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/store_conn.h"
#include "arch/unix/sim/store_op.h"
#include "lib/util.h"

#define QUOTA_TRANSACTIONS 10

/* A request being answered. */
struct request {
    const struct xsd_sockmsg *head;
    char *payload;
    struct store_tx *tx;
    char *path; /* the first string of the payload, made absolute; NULL when not valid */
};

static struct {
    struct list txs;
    unsigned count;
    uint32_t last_id;
} requests = {.txs = LIST_INIT(requests.txs)};

static void reply(const struct request *r, const void *payload, size_t len)
{
    struct xsd_sockmsg head = *r->head;

    store_conn_send(&head, payload, len);
}

static void reply_ok(const struct request *r)
{
    reply(r, "OK", 3);
}

static void reply_error(const struct request *r, int err)
{
    struct xsd_sockmsg head = *r->head;
    const char *name = "EINVAL";

    for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
        if (xsd_errors[i].errnum == -err)
            name = xsd_errors[i].errstring;
    head.type = XS_ERROR;
    store_conn_send(&head, name, strlen(name) + 1);
}

static void reply_result(const struct request *r, int err)
{
    if (err)
        reply_error(r, err);
    else
        reply_ok(r);
}

/* The string behind the first one, or NULL; both must be terminated. */
static char *second(const struct request *r)
{
    char *end = memchr(r->payload, '\0', r->head->len);
    size_t left;

    if (!end)
        return NULL;
    left = r->head->len - (size_t)(end + 1 - r->payload);
    return memchr(end + 1, '\0', left) ? end + 1 : NULL;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void do_read(struct request *r)
{
    int err;
    const struct store_node *node = store_op_get(DOMAIN_ID, r->tx, r->path, PERM_READ, &err);

    if (node)
        reply(r, node->value, node->value_len);
    else
        reply_error(r, err);
}

static void do_directory(struct request *r)
{
    int err;
    const struct store_node *node = store_op_get(DOMAIN_ID, r->tx, r->path, PERM_READ, &err);

    if (!node)
        reply_error(r, err);
    else if (node->children_len > XENSTORE_PAYLOAD_MAX)
        reply_error(r, -E2BIG);
    else
        reply(r, node->children, node->children_len);
}

/* A piece of a large directory: the node's generation, then names from an offset on, and an empty
 * one when nothing follows. */
static void do_directory_part(struct request *r)
{
    int err;
    const struct store_node *node = store_op_get(DOMAIN_ID, r->tx, r->path, PERM_READ, &err);
    const char *offset_text = second(r);
    char out[XENSTORE_PAYLOAD_MAX];
    size_t offset, n;

    if (!node || !offset_text) {
        reply_error(r, node ? -EINVAL : err);
        return;
    }
    offset = MIN(strtoul(offset_text, NULL, 10), node->children_len);
    n = (size_t)snprintf(out, sizeof(out), "%llu", (unsigned long long)node->generation) + 1;
    while (offset < node->children_len) {
        size_t size = strlen(node->children + offset) + 1;

        if (n + size >= sizeof(out))
            break;
        memcpy(out + n, node->children + offset, size);
        n += size;
        offset += size;
    }
    if (offset == node->children_len)
        out[n++] = '\0';
    reply(r, out, n);
}

static void do_write(struct request *r)
{
    size_t path_size = strlen(r->payload) + 1;

    if (path_size > r->head->len)
        reply_error(r, -EINVAL); /* the path is not terminated */
    else
        reply_result(r, store_op_write(DOMAIN_ID, r->tx, r->path, r->payload + path_size,
                                       r->head->len - path_size));
}

static void do_mkdir(struct request *r)
{
    reply_result(r, store_op_mkdir(DOMAIN_ID, r->tx, r->path));
}

static void do_rm(struct request *r)
{
    reply_result(r, store_op_remove(DOMAIN_ID, r->tx, r->path));
}

static void do_get_perms(struct request *r)
{
    int err;
    const struct store_node *node = store_op_get(DOMAIN_ID, r->tx, r->path, PERM_READ, &err);
    char out[PERMS_MAX * 16];
    size_t n = 0;

    if (!node) {
        reply_error(r, err);
        return;
    }
    for (unsigned i = 0; i < node->perm_count; i++)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%c%u",
                              store_op_perm_letter(node->perms[i].mask), node->perms[i].domid) +
             1;
    reply(r, out, n);
}

static void do_set_perms(struct request *r)
{
    struct store_perm perms[PERMS_MAX];
    unsigned count = 0;
    const char *end = r->payload + r->head->len;
    const char *text = second(r);

    for (; text && text < end; text += strlen(text) + 1) {
        if (count == PERMS_MAX || !store_op_parse_perm(text, &perms[count++])) {
            reply_error(r, -EINVAL);
            return;
        }
    }
    if (count)
        reply_result(r, store_op_set_perms(DOMAIN_ID, r->tx, r->path, perms, count));
    else
        reply_error(r, -EINVAL);
}

/* --- watches, transactions, domains ----------------------------------------------------------- */

static void do_watch(struct request *r)
{
    const char *token = second(r);
    bool special = r->payload[0] == '@';
    int err = -EINVAL;

    if (token && (r->path || special))
        err = store_watch_add(special ? r->payload : r->path, r->payload[0] != '/' && !special,
                              token);
    reply_result(r, err);
    if (!err)
        store_watch_first_event();
}

static void do_unwatch(struct request *r)
{
    const char *token = second(r);
    int err = token ? -ENOENT : -EINVAL;

    if (token && (r->path || r->payload[0] == '@'))
        err = store_watch_remove(r->payload[0] == '@' ? r->payload : r->path, token);
    reply_result(r, err);
}

static void do_reset_watches(struct request *r)
{
    store_watch_reset();
    reply_ok(r);
}

static struct store_tx *find_tx(uint32_t id)
{
    struct list *link;

    list_for_each(link, &requests.txs) {
        struct store_tx *tx = container_of(link, struct store_tx, link);

        if (tx->id == id)
            return tx;
    }
    return NULL;
}

static void do_transaction_start(struct request *r)
{
    char id[16];
    struct store_tx *tx;

    if (r->tx) {
        reply_error(r, -EBUSY);
        return;
    }
    if (requests.count > QUOTA_TRANSACTIONS) { /* one more, as with xenstored */
        reply_error(r, -ENOSPC);
        return;
    }
    tx = store_tx_new(++requests.last_id);
    list_add_tail(&requests.txs, &tx->link);
    requests.count++;
    reply(r, id, (size_t)snprintf(id, sizeof(id), "%u", tx->id) + 1);
}

static void do_transaction_end(struct request *r)
{
    bool commit = !strcmp(r->payload, "T");
    bool done = true;

    if (!commit && strcmp(r->payload, "F")) {
        reply_error(r, -EINVAL);
        return;
    }
    if (!r->tx) {
        reply_error(r, -ENOENT);
        return;
    }
    if (commit)
        done = store_tx_commit(r->tx);
    reply_result(r, done ? 0 : -EAGAIN);
    if (commit && done)
        store_op_fire_changes(r->tx);
    store_tx_free(r->tx);
    requests.count--;
}

static void do_get_domain_path(struct request *r)
{
    char path[40];
    unsigned long domid = strtoul(r->payload, NULL, 10); /* xenstored looks no closer */

    reply(r, path, (size_t)snprintf(path, sizeof(path), "/local/domain/%lu", domid) + 1);
}

/* What only the toolstack may ask. */
static void do_refuse(struct request *r)
{
    reply_error(r, -EACCES);
}

static const struct {
    void (*fn)(struct request *r);
    bool path; /* the first string is a path, which must be valid */
} handlers[XS_TYPE_COUNT] = {
    [XS_CONTROL] = {do_refuse, false},
    [XS_DIRECTORY] = {do_directory, true},
    [XS_READ] = {do_read, true},
    [XS_GET_PERMS] = {do_get_perms, true},
    [XS_WATCH] = {do_watch, false},
    [XS_UNWATCH] = {do_unwatch, false},
    [XS_TRANSACTION_START] = {do_transaction_start, false},
    [XS_TRANSACTION_END] = {do_transaction_end, false},
    [XS_INTRODUCE] = {do_refuse, false},
    [XS_RELEASE] = {do_refuse, false},
    [XS_GET_DOMAIN_PATH] = {do_get_domain_path, false},
    [XS_WRITE] = {do_write, true},
    [XS_MKDIR] = {do_mkdir, true},
    [XS_RM] = {do_rm, true},
    [XS_SET_PERMS] = {do_set_perms, true},
    [XS_IS_DOMAIN_INTRODUCED] = {do_refuse, false},
    [XS_RESUME] = {do_refuse, false},
    [XS_SET_TARGET] = {do_refuse, false},
    [XS_RESET_WATCHES] = {do_reset_watches, false},
    [XS_DIRECTORY_PART] = {do_directory_part, true},
};

void store_request(const struct xsd_sockmsg *head, char *payload)
{
    struct request r = {.head = head, .payload = payload};

    if (head->type >= XS_TYPE_COUNT || !handlers[head->type].fn) {
        reply_error(&r, -ENOSYS);
        return;
    }
    if (head->tx_id) {
        r.tx = find_tx(head->tx_id);
        if (!r.tx) {
            reply_error(&r, -ENOENT);
            return;
        }
    }
    if (memchr(payload, '\0', head->len)) /* a string without an end is none */
        r.path = store_op_path(DOMAIN_ID, payload);
    if (handlers[head->type].path && !r.path)
        reply_error(&r, -EINVAL);
    else
        handlers[head->type].fn(&r);
    free(r.path);
}

void store_request_refuse(const struct xsd_sockmsg *head, int err)
{
    struct request r = {.head = head};
    struct store_tx *tx = find_tx(head->tx_id);

    if (tx && head->type == XS_TRANSACTION_END) { /* it comes to nothing */
        store_tx_free(tx);
        requests.count--;
    }
    reply_error(&r, err);
}

void store_request_reset(void)
{
    while (!list_empty(&requests.txs))
        store_tx_free(container_of(requests.txs.next, struct store_tx, link));
    requests.count = 0;
    store_watch_reset();
}
