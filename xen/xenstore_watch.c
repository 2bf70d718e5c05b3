/* SPDX-License-Identifier: ISC */
/*
 * Watches: xenstored sends an event when something at or below a path changes, and one at once when
 * the watch is registered (Xen's docs/misc/xenstore.txt, WATCH).
 *
 * An event only puts its watch on the `fired` list, where it is once however many events come; the
 * watch thread calls the callbacks one after the other, and each reads the present state itself.
 * So no event is ever lost or stored, and one that comes late does no harm.
 *
 * A token names an entry of `table` and the entry's generation, which changes with each use: an
 * event for a watch that is gone names no entry. The entry is filled before the request goes out,
 * since the first event comes with the reply.
 *
 * Whatever fails here is not final: a watch has a timer, which registers it when the store has refused
 * to, and else has its callback called again.
 */
#include "xen/xenstore.h"

#include <errno.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "kernel/log.h"
#include "kernel/thread.h"
#include "lib/util.h"
#include "xen/xenstore_internal.h"

#define LOG_MODULE "xenstore"

#define WATCHES_MAX 64 /* the default quota is 128 */
#define INDEX_BITS 8
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define RETRY_FIRST NSEC_PER_SEC
#define RETRY_MAX (64 * NSEC_PER_SEC)

static struct {
    struct xs_watch *table[WATCHES_MAX];
    unsigned generation;
    struct list fired;
    struct thread *thread;
    struct xs_watch *running; /* whose callback is being called; NULL if that has ended it */
    struct wait_queue work;   /* the watch thread: for something to be fired */
    struct wait_queue settle; /* xs_unwatch(): for a callback or a request to end */
} watches;

static void fire(struct xs_watch *w)
{
    if (!list_empty(&w->fired))
        return;
    list_add_tail(&watches.fired, &w->fired);
    wait_queue_wake_one(&watches.work);
}

static void watch_thread(void *arg)
{
    (void)arg;
    for (;;) {
        struct list *node = list_pop(&watches.fired);

        if (!node) {
            wait_queue_sleep(&watches.work);
            continue;
        }
        watches.running = container_of(node, struct xs_watch, fired);
        watches.running->fn(watches.running); /* may end the watch, and free the struct */
        if (watches.running && !watches.running->retry.armed)
            watches.running->retry_after = 0;
        watches.running = NULL;
        wait_queue_wake_all(&watches.settle);
    }
}

int xenstore_watch_init(void)
{
    list_init(&watches.fired);
    wait_queue_init(&watches.work);
    wait_queue_init(&watches.settle);
    watches.thread = thread_create("xenwatch", watch_thread, NULL, 0);
    return watches.thread ? 0 : -ENOMEM;
}

static unsigned count_levels(const char *path)
{
    unsigned n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* Whether an event so deep concerns w. A path that is not in the form we gave it is not counted. */
static bool within_depth(const struct xs_watch *w, unsigned levels, bool absolute)
{
    if (!w->depth || absolute != (w->path[0] == '/'))
        return true;
    return levels <= count_levels(w->path) + w->depth;
}

/* A token is a number in hexadecimal, as register_watch() writes it. */
static bool parse_token(const char *text, unsigned *token)
{
    size_t len = strlen(text);

    if (len == 0 || len > 8)
        return false;
    *token = 0;
    for (; *text; text++) {
        unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                         : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a') + 10
                                                        : 16;

        if (digit > 15)
            return false;
        *token = *token << 4 | digit;
    }
    return true;
}

bool xenstore_watch_event(const char *text, unsigned levels, bool absolute)
{
    unsigned token;
    struct xs_watch *w;

    if (!parse_token(text, &token) || (token & INDEX_MASK) >= WATCHES_MAX)
        return false;
    w = watches.table[token & INDEX_MASK];
    if (!w || w->token != token)
        return token >> INDEX_BITS <= watches.generation; /* gone: a late event */
    if (within_depth(w, levels, absolute))
        fire(w);
    return true;
}

/* EEXIST: it was registered before, and the reply to that made no sense. */
static void registered(struct xs_request *req)
{
    struct xs_watch *w = container_of(req, struct xs_watch, request);

    w->pending = false;
    w->registered = req->result == 0 || req->result == -EEXIST;
    if (!w->registered) {
        if (!w->retry_after && req->result != -ECONNRESET)
            log_error("watch on %s: %s: will try on", w->path, errno_name(req->result));
        xs_watch_retry(w, req->result);
    }
    wait_queue_wake_all(&watches.settle);
}

static void ended(struct xs_request *req)
{
    container_of(req, struct xs_watch, request)->pending = false;
    wait_queue_wake_all(&watches.settle);
}

static void submit(struct xs_watch *w, uint32_t type, void (*done)(struct xs_request *))
{
    w->pending = true;
    w->registered = false;
    w->request = (struct xs_request){.type = type, .done = done};
    w->request.part[0].data = w->path;
    w->request.part[0].size = (uint32_t)strlen(w->path) + 1;
    w->request.part[1].data = w->token_text;
    w->request.part[1].size = (uint32_t)strlen(w->token_text) + 1;
    xs_submit(&w->request);
}

static void register_watch(struct xs_watch *w)
{
    submit(w, XS_WATCH, registered);
}

static void retry(struct timer *t)
{
    struct xs_watch *w = container_of(t, struct xs_watch, retry);

    if (w->registered || w->pending)
        fire(w);
    else
        register_watch(w);
}

void xs_watch_retry(struct xs_watch *w, int err)
{
    if (!w->token || err == -ECONNRESET || w->retry.armed)
        return;
    w->retry_after = w->retry_after ? MIN(2 * w->retry_after, RETRY_MAX) : RETRY_FIRST;
    timer_arm_in(&w->retry, w->retry_after);
}

int xs_watch(struct xs_watch *w)
{
    list_init(&w->fired);
    timer_init(&w->retry, retry);
    w->retry_after = 0;
    w->token = 0;
    w->pending = w->registered = false;
    if (!xenstore_available())
        return -ECONNRESET;
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches.table[i])
            continue;
        watches.generation = watches.generation % (UINT32_MAX >> INDEX_BITS) + 1; /* never 0 */
        w->token = watches.generation << INDEX_BITS | i;
        (void)fmt_print(w->token_text, sizeof(w->token_text), "%x", w->token);
        watches.table[i] = w;
        register_watch(w);
        return 0;
    }
    log_error("watch on %s: more than %u watches", w->path, WATCHES_MAX);
    return -ENOSPC;
}

void xs_watch_kick(struct xs_watch *w)
{
    if (w->token)
        fire(w);
}

void xenstore_watch_restore(void)
{
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        struct xs_watch *w = watches.table[i];

        if (w && !w->pending)
            register_watch(w);
    }
}

void xs_unwatch(struct xs_watch *w)
{
    if (!w->token)
        return;
    watches.table[w->token & INDEX_MASK] = NULL; /* events under way find nothing from here on */
    w->token = 0;
    list_del(&w->fired);
    timer_disarm(&w->retry);
    while (w->pending || (watches.running == w && thread_current() != watches.thread))
        wait_queue_sleep(&watches.settle);
    /* What the store has refused is not there; but what it has answered to badly may be. */
    submit(w, XS_UNWATCH, ended);
    while (w->pending)
        wait_queue_sleep(&watches.settle);
    if (watches.running == w)
        watches.running = NULL;
}
