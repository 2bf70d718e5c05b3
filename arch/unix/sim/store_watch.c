/* SPDX-License-Identifier: ISC */
/*
 * Watches: the guest's, whose events are packets, and domain 0's listeners.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/store_conn.h"
#include "arch/unix/sim/store_op.h"

#define QUOTA_WATCHES 128

struct watch {
    struct list link;
    char *path;
    char *token;
    bool relative; /* events have paths below the domain's own directory */
};

static struct {
    struct list guest; /* the latest last */
    unsigned count;
    struct list listeners;
} watches = {.guest = LIST_INIT(watches.guest), .listeners = LIST_INIT(watches.listeners)};

/* Whether path is dir or below it. */
static bool is_within(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    if (!strcmp(dir, "/"))
        return true;
    return !strncmp(path, dir, len) && (path[len] == '\0' || path[len] == '/');
}

static bool concerns(const char *watched, const char *path, bool exact)
{
    return exact ? !strcmp(watched, path) : is_within(path, watched);
}

static void send_event(const struct watch *w, const char *path)
{
    char prefix[32];
    struct xsd_sockmsg head = {.type = XS_WATCH_EVENT};
    size_t path_size, token_size = strlen(w->token) + 1;
    char payload[XENSTORE_PAYLOAD_MAX];

    snprintf(prefix, sizeof(prefix), "/local/domain/%u/", DOMAIN_ID);
    if (w->relative && !strncmp(path, prefix, strlen(prefix)))
        path += strlen(prefix);
    path_size = strlen(path) + 1;
    if (path_size + token_size > sizeof(payload))
        return;
    memcpy(payload, path, path_size);
    memcpy(payload + path_size, w->token, token_size);
    store_conn_send(&head, payload, path_size + token_size);
}

void store_watch_fire(const char *path, bool exact, bool guest_allowed)
{
    struct list *link;

    list_for_each(link, &watches.listeners) {
        struct store_listener *l = container_of(link, struct store_listener, node);

        if (concerns(l->path, path, exact))
            l->fired = true;
    }
    if (!guest_allowed)
        return;
    list_for_each(link, &watches.guest) {
        const struct watch *w = container_of(link, struct watch, link);

        if (concerns(w->path, path, exact))
            send_event(w, path);
    }
}

/* --- the guest's ------------------------------------------------------------------------------ */

static struct watch *find(const char *path, const char *token)
{
    struct list *link;

    list_for_each(link, &watches.guest) {
        struct watch *w = container_of(link, struct watch, link);

        if (!strcmp(w->path, path) && !strcmp(w->token, token))
            return w;
    }
    return NULL;
}

static void free_watch(struct watch *w)
{
    list_del(&w->link);
    free(w->path);
    free(w->token);
    free(w);
    watches.count--;
}

int store_watch_add(const char *full, bool relative, const char *token)
{
    struct watch *w;

    if (find(full, token))
        return -EEXIST;
    if (watches.count > QUOTA_WATCHES) /* one more, as with xenstored */
        return -E2BIG;
    w = calloc(1, sizeof(*w));
    if (!w)
        report_fatal("no memory for the store");
    w->path = strdup(full);
    w->token = strdup(token);
    w->relative = relative;
    list_add_tail(&watches.guest, &w->link);
    watches.count++;
    return 0;
}

void store_watch_first_event(void)
{
    const struct watch *w = container_of(watches.guest.prev, struct watch, link);

    send_event(w, w->path);
}

int store_watch_remove(const char *full, const char *token)
{
    struct watch *w = find(full, token);

    if (!w)
        return -ENOENT;
    free_watch(w);
    return 0;
}

void store_watch_reset(void)
{
    while (!list_empty(&watches.guest))
        free_watch(container_of(watches.guest.next, struct watch, link));
}

/* --- domain 0's ------------------------------------------------------------------------------- */

void store_listen(struct store_listener *listener)
{
    listener->fired = true;
    list_add_tail(&watches.listeners, &listener->node);
}

void store_unlisten(struct store_listener *listener)
{
    list_del(&listener->node);
}

static struct store_listener *next_fired(void)
{
    struct list *link;

    list_for_each(link, &watches.listeners) {
        struct store_listener *l = container_of(link, struct store_listener, node);

        if (l->fired)
            return l;
    }
    return NULL;
}

bool store_run(void)
{
    struct store_listener *l = next_fired();
    bool any = l != NULL;

    for (; l; l = next_fired()) { /* from the start each time: a function may change the list */
        l->fired = false;
        l->fn(l);
    }
    return any;
}
