/* SPDX-License-Identifier: ISC */
/* See sync_store.h. */
#include "tests/fuzz/sync_store.h"

#include <check.h>
#include <errno.h>

#include <xen/io/xs_wire.h>

#include "kernel/work.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define KEYS 64
#define WATCHES 8

static struct {
    char path[128]; /* "": free */
    uint32_t hash;  /* of the path: most comparisons end here */
    char *value;
    size_t len;
} keys[KEYS];
static unsigned keys_end; /* the others have never been used */

static struct xs_watch *watches[WATCHES];
static struct work watch_work;
static struct list fired;
static struct xs_watch *running; /* NULL when it has been ended meanwhile */
int (*store_fault)(const char *path);

/* --- the tree ---------------------------------------------------------------------------- */

/* Without strncmp(), of which libFuzzer takes note, slowly. */
static bool below(const char *path, const char *dir)
{
    while (*dir && *path == *dir) {
        path++;
        dir++;
    }
    return !*dir && (*path == '/' || !*path);
}

static uint32_t hash_path(const char *path)
{
    uint32_t hash = 5381;

    while (*path)
        hash = hash * 33 ^ (uint8_t)*path++;
    return hash;
}

static int find(const char *path)
{
    uint32_t hash = hash_path(path);

    for (unsigned i = 0; i < keys_end; i++)
        if (keys[i].hash == hash && keys[i].path[0] && !strcmp(keys[i].path, path))
            return (int)i;
    return -1;
}

static void fire(struct xs_watch *w)
{
    if (list_empty(&w->fired))
        list_add_tail(&fired, &w->fired);
    work_post(&watch_work);
}

static void changed(const char *path)
{
    for (unsigned i = 0; i < WATCHES; i++)
        if (watches[i] && (below(path, watches[i]->path) || below(watches[i]->path, path)))
            fire(watches[i]);
}

static void remove_below(const char *path)
{
    for (unsigned i = 0; i < keys_end; i++) {
        if (keys[i].path[0] && below(keys[i].path, path)) {
            free(keys[i].value);
            keys[i].value = NULL;
            keys[i].path[0] = '\0';
        }
    }
}

static unsigned new_key(const char *path)
{
    unsigned at = 0;

    while (at < keys_end && keys[at].path[0])
        at++;
    ck_assert_uint_lt(at, KEYS);
    keys_end = MAX(keys_end, at + 1);
    ck_assert_uint_lt(strlen(path), sizeof(keys[at].path));
    strcpy(keys[at].path, path);
    keys[at].hash = hash_path(path);
    return at;
}

void store_put(const char *path, const void *value, size_t len)
{
    if (value) {
        int found = find(path);
        unsigned at = found < 0 ? new_key(path) : (unsigned)found;

        free(keys[at].value);
        keys[at].value = malloc(len + 1);
        memcpy(keys[at].value, value, len);
        keys[at].value[len] = '\0';
        keys[at].len = len;
    } else {
        remove_below(path);
    }
    changed(path);
}

void store_put_text(const char *path, const char *value)
{
    store_put(path, value, value ? strlen(value) : 0);
}

const char *store_find(const char *path)
{
    int i = find(path);

    return i < 0 ? NULL : keys[i].value;
}

/* --- requests ---------------------------------------------------------------------------- */

static void answer(struct xs_request *req, const char *value, size_t len)
{
    req->reply_len = len;
    memcpy(req->reply, value, MIN(len, req->reply_size));
}

static int list_children(struct xs_request *req, const char *dir)
{
    char names[1024];
    size_t used = 0, len = strlen(dir);

    for (unsigned i = 0; i < keys_end; i++) {
        const char *name = keys[i].path + len + 1;
        char child[64];
        size_t at = 0;

        if (!below(keys[i].path, dir) || !keys[i].path[len])
            continue;
        snprintf(child, sizeof(child), "%.*s", (int)strcspn(name, "/"), name);
        while (at < used && strcmp(names + at, child) != 0)
            at += strlen(names + at) + 1;
        if (at < used)
            continue;
        ck_assert_uint_lt(used + sizeof(child), sizeof(names));
        used += (size_t)sprintf(names + used, "%s", child) + 1;
    }
    answer(req, names, used);
    return used ? 0 : -ENOENT;
}

static int perform(struct xs_request *req)
{
    const char *path = req->part[0].data;
    int at = find(path);

    ck_assert(!req->tid);
    switch (req->type) {
    case XS_READ:
        if (at < 0)
            return -ENOENT;
        answer(req, keys[at].value, keys[at].len);
        return 0;
    case XS_DIRECTORY:
        return list_children(req, path);
    case XS_WRITE:
        store_put(path, req->part[1].data, req->part[1].size);
        return 0;
    case XS_RM:
        if (at >= 0)
            store_put(path, NULL, 0);
        return at < 0 ? -ENOENT : 0;
    case XS_MKDIR:
        if (at < 0)
            store_put(path, "", 0);
        return 0;
    case XS_SET_PERMS:
        return at < 0 ? -ENOENT : 0;
    default:
        ck_abort_msg("a request of type %u", req->type);
    }
}

void xs_submit(struct xs_request *req)
{
    req->result = store_fault ? store_fault(req->part[0].data) : 0;
    if (!req->result)
        req->result = perform(req);
    req->done(req);
}

/* --- watches ----------------------------------------------------------------------------- */

static void call_watches(struct work *w)
{
    struct list *node;

    while ((node = list_pop(&fired))) {
        running = container_of(node, struct xs_watch, fired);
        running->fn(running); /* may end the watch, and free it */
        if (running && !running->retry.armed)
            running->retry_after = 0;
    }
}

bool xenstore_available(void)
{
    return true;
}

static void retry(struct timer *t)
{
    fire(container_of(t, struct xs_watch, retry));
}

/* As in xen/xenstore_watch.c. */
void xs_watch_retry(struct xs_watch *w, int err)
{
    if (!w->token || err == -ECONNRESET || w->retry.armed)
        return;
    w->retry_after = w->retry_after ? MIN(2 * w->retry_after, 64 * NSEC_PER_SEC) : NSEC_PER_SEC;
    timer_arm_in(&w->retry, w->retry_after);
}

int xs_watch(struct xs_watch *w)
{
    timer_init(&w->retry, retry);
    w->retry_after = 0;
    if (!fired.next) {
        list_init(&fired);
        work_init(&watch_work, call_watches);
    }
    list_init(&w->fired);
    for (unsigned i = 0; i < WATCHES; i++) {
        if (!watches[i]) {
            watches[i] = w;
            w->token = i + 1;
            fire(w);
            return 0;
        }
    }
    ck_abort_msg("too many watches");
}

void xs_unwatch(struct xs_watch *w)
{
    if (!w->token)
        return;
    watches[w->token - 1] = NULL;
    w->token = 0;
    list_del(&w->fired);
    timer_disarm(&w->retry);
    if (running == w)
        running = NULL;
}

void xs_watch_kick(struct xs_watch *w)
{
    if (w->token)
        fire(w);
}

unsigned store_watched(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WATCHES; i++)
        n += watches[i] != NULL;
    return n;
}
