/* SPDX-License-Identifier: ISC */
/* See fake_xenstored.h. */
#include "tests/unit/fake_xenstored.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"

#define NODES 512
#define WATCHES 128

struct node {
    char *path; /* absolute; NULL: free */
    char *value;
    size_t len;
};

struct watch {
    char *path; /* as the guest wrote it; NULL: free */
    char *token;
};

struct fake_store store;

static struct node nodes[NODES];
static struct node saved[NODES]; /* the tree at the start of the (one) transaction */
static struct watch watches[WATCHES];
static struct start_info start_info;
const struct start_info *arch_start_info = &start_info;
static struct xenstore_domain_interface *page;
static uint32_t next_tid = 1;
static bool open_tids[1000];

/* The request that is coming in, and the stream going out. */
static char in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
static size_t in_have;
static char *out;
static size_t out_len, out_size;
static bool awake;

void *arch_mfn_to_virt(mfn_t mfn)
{
    return mfn.n == 77 ? page : NULL;
}

void store_init(void)
{
    page = calloc(1, PAGE_SIZE);
    memset(page->req, 0x5a, sizeof(page->req)); /* unused bytes are unspecified */
    memset(page->rsp, 0xa5, sizeof(page->rsp));
    page->req_cons = page->req_prod = 0xfffffff0; /* and so are the first indices */
    page->rsp_cons = page->rsp_prod = 0xffffff00;
    store.page = page;
    start_info.store_mfn = 77;
    start_info.store_evtchn = STORE_PORT;
    fake_peer = store_serve;
}

/* --- out --- */

void store_raw(const void *bytes, size_t len)
{
    if (out_len + len > out_size) {
        out_size = 2 * (out_len + len);
        out = realloc(out, out_size);
    }
    memcpy(out + out_len, bytes, len);
    out_len += len;
    awake = true;
}

static void packet(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *data, size_t len)
{
    struct xsd_sockmsg head = {type, req_id, tx_id, (uint32_t)len};

    store_raw(&head, sizeof(head));
    store_raw(data, len);
}

void store_event(const char *path, const char *token)
{
    char data[4096];
    size_t n = strlen(path) + 1;

    memcpy(data, path, n);
    memcpy(data + n, token, strlen(token) + 1);
    packet(XS_WATCH_EVENT, 0, 0, data, n + strlen(token) + 1);
}

static uint32_t lie(uint32_t *with, uint32_t truth)
{
    uint32_t answer = *with ? *with : truth;

    *with = 0;
    return answer;
}

static void reply(const struct xsd_sockmsg *req, const void *data, size_t len)
{
    uint32_t type = req->type;

    if (store.honest) {
        store.honest--;
        packet(type, req->req_id, req->tx_id, data, len);
        return;
    }
    if (store.lie_lost) {
        store.lie_lost = false;
        return;
    }
    if (store.lie_error) {
        data = store.lie_error;
        len = strlen(store.lie_error);
        type = XS_ERROR;
        store.lie_error = NULL;
    }
    if (store.lie_len) {
        struct xsd_sockmsg head = {type, req->req_id, req->tx_id, store.lie_len};

        store_raw(&head, sizeof(head));
        store.lie_len = 0;
        return;
    }
    packet(lie(&store.lie_type, type), lie(&store.lie_req_id, req->req_id),
           lie(&store.lie_tx_id, req->tx_id), data, len);
}

static void error(const struct xsd_sockmsg *req, const char *name)
{
    struct xsd_sockmsg as_error = *req;

    as_error.type = XS_ERROR;
    reply(&as_error, name, strlen(name) + 1);
}

/* --- the tree --- */

static const char *absolute(const char *path)
{
    static char full[4096];

    if (path[0] == '/')
        return path;
    snprintf(full, sizeof(full), STORE_HOME "/%s", path);
    return full;
}

static struct node *find(const char *path)
{
    const char *full = absolute(path);

    for (struct node *n = nodes; n < nodes + NODES; n++)
        if (n->path && !strcmp(n->path, full))
            return n;
    return NULL;
}

static bool below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return !strncmp(path, dir, len) && (path[len] == '/' || path[len] == '\0');
}

static void fire(const char *full)
{
    for (struct watch *w = watches; w < watches + WATCHES; w++) {
        const char *path = full;

        if (!w->path || !below(full, absolute(w->path)))
            continue;
        if (w->path[0] != '/')
            path = full + strlen(STORE_HOME "/");
        for (unsigned i = 0; i < MAX(store.events_per_change, 1u); i++)
            store_event(path, w->token);
    }
}

static void make_parents(const char *full)
{
    char dir[4096];
    char *slash;

    snprintf(dir, sizeof(dir), "%s", full);
    slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = '\0';
        if (!find(dir))
            store_set(dir, "");
    }
}

void store_set_bytes(const char *path, const char *value, size_t len)
{
    char full[4096];
    struct node *n;

    snprintf(full, sizeof(full), "%s", absolute(path));
    make_parents(full);
    n = find(full);
    for (struct node *f = nodes; !n; f++) {
        ck_assert_msg(f < nodes + NODES, "the test's tree is too large");
        if (!f->path)
            n = f;
    }
    if (!n->path)
        n->path = strdup(full);
    free(n->value);
    n->value = calloc(1, len + 1);
    memcpy(n->value, value, len);
    n->len = len;
    fire(full);
}

void store_set(const char *path, const char *value)
{
    store_set_bytes(path, value, strlen(value));
}

void store_remove(const char *path)
{
    char full[4096];

    snprintf(full, sizeof(full), "%s", absolute(path));
    for (struct node *n = nodes; n < nodes + NODES; n++) {
        if (n->path && below(n->path, full)) {
            char *gone = n->path;

            free(n->value);
            *n = (struct node){0};
            fire(gone);
            free(gone);
        }
    }
}

const char *store_get(const char *path)
{
    struct node *n = find(path);

    return n ? n->value : NULL;
}

unsigned store_watches(void)
{
    unsigned count = 0;

    for (struct watch *w = watches; w < watches + WATCHES; w++)
        count += w->path != NULL;
    return count;
}

/* --- requests --- */

static void do_watch(const struct xsd_sockmsg *req, const char *path, const char *token)
{
    for (struct watch *w = watches; w < watches + WATCHES; w++)
        if (w->path && !strcmp(w->path, path) && !strcmp(w->token, token)) {
            error(req, "EEXIST");
            return;
        }
    for (struct watch *w = watches; w < watches + WATCHES; w++)
        if (!w->path) {
            w->path = strdup(path);
            w->token = strdup(token);
            reply(req, "OK", 3);
            store_event(path, token);
            return;
        }
    error(req, "E2BIG");
}

static void do_unwatch(const struct xsd_sockmsg *req, const char *path, const char *token)
{
    for (struct watch *w = watches; w < watches + WATCHES; w++)
        if (w->path && !strcmp(w->path, path) && !strcmp(w->token, token)) {
            free(w->path);
            free(w->token);
            *w = (struct watch){0};
            reply(req, "OK", 3);
            return;
        }
    error(req, "ENOENT");
}

static void do_directory(const struct xsd_sockmsg *req, const char *path)
{
    char list[4096];
    char full[4096];
    size_t used = 0;

    snprintf(full, sizeof(full), "%s/", absolute(path));
    for (struct node *n = nodes; n < nodes + NODES; n++) {
        const char *name = n->path ? n->path + strlen(full) : NULL;

        if (!name || strncmp(n->path, full, strlen(full)) || strchr(name, '/'))
            continue;
        memcpy(list + used, name, strlen(name) + 1);
        used += strlen(name) + 1;
    }
    if (find(path))
        reply(req, list, used);
    else
        error(req, "ENOENT");
}

static void copy_tree(struct node *to, const struct node *from)
{
    for (unsigned i = 0; i < NODES; i++) {
        free(to[i].path);
        free(to[i].value);
        to[i] = (struct node){0};
        if (!from[i].path)
            continue;
        to[i].path = strdup(from[i].path);
        to[i].len = from[i].len;
        to[i].value = calloc(1, from[i].len + 1);
        memcpy(to[i].value, from[i].value, from[i].len);
    }
}

static void do_transaction_start(const struct xsd_sockmsg *req)
{
    char id[12];

    open_tids[next_tid] = true;
    store.transactions++;
    copy_tree(saved, nodes);
    snprintf(id, sizeof(id), "%u", next_tid++);
    reply(req, id, strlen(id) + 1);
}

static void do_transaction_end(const struct xsd_sockmsg *req, const char *how)
{
    open_tids[req->tx_id] = false;
    store.transactions--;
    if (store.eagain && how[0] == 'T') {
        store.eagain--;
        copy_tree(nodes, saved);
        error(req, "EAGAIN");
        return;
    }
    if (how[0] != 'T')
        copy_tree(nodes, saved);
    reply(req, "OK", 3);
}

static void do_read(const struct xsd_sockmsg *req, const char *path)
{
    struct node *n = find(path);

    if (n)
        reply(req, n->value, n->len);
    else
        error(req, "ENOENT");
}

/* A guest may write in its devices' directories, but not make them. */
static bool may_write(const char *path)
{
    static const char dir[] = STORE_HOME "/device/";
    const char *full = absolute(path);
    char device[4096];
    char *slash;

    if (strncmp(full, dir, sizeof(dir) - 1))
        return true;
    snprintf(device, sizeof(device), "%s", full);
    slash = strchr(device + sizeof(dir) - 1, '/'); /* after the type */
    slash = slash ? strchr(slash + 1, '/') : NULL; /* after the index */
    if (slash)
        *slash = '\0';
    return slash && find(device);
}

static void do_write(const struct xsd_sockmsg *req, const char *path, const char *rest, size_t len)
{
    if (!may_write(path) ||
        (store.read_only && !strncmp(absolute(path), store.read_only, strlen(store.read_only)))) {
        error(req, "EACCES");
        return;
    }
    switch (req->type) {
    case XS_WRITE:
        if (!store.lie_undone || !store.lie_len)
            store_set_bytes(path, rest, len);
        store.lie_undone = false;
        break;
    case XS_MKDIR:
        if (!find(path))
            store_set(path, "");
        break;
    case XS_RM:
        if (!find(path)) {
            error(req, "ENOENT");
            return;
        }
        store_remove(path);
        break;
    case XS_SET_PERMS: {
        char kept[4096];
        char full[4096];

        for (size_t i = 0; i < len; i++)
            kept[i] = rest[i] ? rest[i] : ',';
        snprintf(full, sizeof(full), "/perms%s", absolute(path));
        store_set_bytes(full, kept, len);
        break;
    }
    default:
        ck_abort_msg("request of type %u", req->type);
    }
    reply(req, "OK", 3);
}

static void handle(const struct xsd_sockmsg *req, const char *data)
{
    const char *path = data;
    size_t path_len = strnlen(data, req->len);
    const char *rest = data + MIN(path_len + 1, (size_t)req->len);
    size_t rest_len = req->len - (size_t)(rest - data);

    store.requests++;
    store.last_type = req->type;
    if (store.hold)
        return;
    if (req->tx_id && (req->tx_id >= ARRAY_SIZE(open_tids) || !open_tids[req->tx_id])) {
        error(req, "ENOENT");
        return;
    }
    if (store.forbidden && !strncmp(absolute(path), store.forbidden, strlen(store.forbidden))) {
        error(req, "EACCES");
        return;
    }
    switch (req->type) {
    case XS_READ:
        do_read(req, path);
        break;
    case XS_DIRECTORY:
        do_directory(req, path);
        break;
    case XS_GET_PERMS:
        reply(req, "n0\0r5", 6);
        break;
    case XS_WATCH:
        do_watch(req, path, rest);
        break;
    case XS_UNWATCH:
        do_unwatch(req, path, rest);
        break;
    case XS_TRANSACTION_START:
        do_transaction_start(req);
        break;
    case XS_TRANSACTION_END:
        do_transaction_end(req, path);
        break;
    default:
        do_write(req, path, rest, rest_len);
        break;
    }
}

/* --- the ring --- */

static void take_bytes(const char *data, size_t n)
{
    struct xsd_sockmsg head;

    while (n) {
        size_t want = sizeof(head), take;

        if (in_have >= sizeof(head)) {
            memcpy(&head, in, sizeof(head));
            ck_assert_uint_le(head.len, XENSTORE_PAYLOAD_MAX);
            want += head.len;
        }
        take = MIN(n, want - in_have);
        memcpy(in + in_have, data, take);
        in_have += take;
        data += take;
        n -= take;
        if (in_have < sizeof(head))
            continue;
        memcpy(&head, in, sizeof(head));
        if (in_have == sizeof(head) + head.len) {
            static char payload[XENSTORE_PAYLOAD_MAX + 1];

            in_have = 0;
            memcpy(payload, in + sizeof(head), head.len);
            payload[head.len] = '\0';
            handle(&head, payload);
        }
    }
}

static bool read_ring(void)
{
    uint32_t have = page->req_prod - page->req_cons;
    char copy[XENSTORE_RING_SIZE];

    ck_assert_uint_le(have, XENSTORE_RING_SIZE);
    if (store.read_chunk)
        have = MIN(have, store.read_chunk);
    for (uint32_t i = 0; i < have; i++)
        copy[i] = page->req[MASK_XENSTORE_IDX(page->req_cons + i)];
    page->req_cons += have;
    take_bytes(copy, have);
    store.rounds += have > 0;
    return have > 0;
}

static bool write_ring(void)
{
    uint32_t used = page->rsp_prod - page->rsp_cons;
    size_t n = MIN(out_len, (size_t)(XENSTORE_RING_SIZE - used));

    ck_assert_uint_le(used, XENSTORE_RING_SIZE);
    if (store.write_chunk)
        n = MIN(n, (size_t)store.write_chunk);
    for (size_t i = 0; i < n; i++)
        page->rsp[MASK_XENSTORE_IDX(page->rsp_prod + (uint32_t)i)] = out[i];
    if (n == 0)
        return false;
    page->rsp_prod += (uint32_t)n;
    memmove(out, out + n, out_len - n);
    out_len -= n;
    return true;
}

void store_reset(void)
{
    for (struct watch *w = watches; w < watches + WATCHES; w++) {
        free(w->path);
        free(w->token);
        *w = (struct watch){0};
    }
    memset(open_tids, 0, sizeof(open_tids));
    out_len = in_have = 0;
    page->req_cons = page->req_prod = page->rsp_cons = page->rsp_prod = 0;
    page->error = XENSTORE_ERROR_NONE;
    page->connection = XENSTORE_CONNECTED;
}

/* As a daemon that sleeps in poll(): it looks when it is notified, or has something of its own to
 * send, and goes on until it can neither read nor write. In pieces: one of them at a time. */
bool store_serve(void)
{
    bool pieces = store.read_chunk || store.write_chunk;
    bool moved = false, more;

    if (store.deaf || !(awake || fake_ports[STORE_PORT].notified))
        return false;
    fake_ports[STORE_PORT].notified = false;
    if (page->connection == XENSTORE_RECONNECT) {
        store_reset();
        moved = true;
    }
    do {
        more = read_ring();
        more |= write_ring();
        moved |= more;
    } while (more && !pieces);
    awake = moved && pieces;
    if (moved)
        fake_raise(STORE_PORT);
    return moved;
}
