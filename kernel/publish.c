/* SPDX-License-Identifier: ISC */
/*
 * guest_publish() of kernel/app.h. A page holds a request and the two strings until the store has
 * answered: nothing waits, and what is published together goes out together.
 *
 * A store that is slow or gone for a while must not cost the guest its memory. So of each path there is at
 * most one publication that the store has, and one that waits for the answer to that, in which a later
 * value replaces the one before; and no more than PAGES_MAX of them all.
 *
 * Invariants: of two publications of a path the first in `pages` is asked, the second is not; one that
 * stands alone and is not asked waits for the timer.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "kernel/app.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "lib/list.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define LOG_MODULE "publish"
#define PAGES_MAX 64 /* a sixteenth of 4 MiB */
#define RETRY_AFTER (5 * NSEC_PER_SEC)

struct publication {
    struct xs_request req;
    struct list node;
    bool asked;     /* the store has it: nothing here may be changed */
    unsigned round; /* of asking again, the last one it was in */
    char text[];    /* the path, terminated, and the value */
};

static void ask_again(struct timer *t);

static struct {
    struct list pages; /* in the order in which they came */
    unsigned count, round;
    struct timer retry;
} queue = {.pages = LIST_INIT(queue.pages), .retry = {.fn = ask_again}};

/* The first publication of the path behind node. */
static struct publication *find(const struct list *node, const char *path)
{
    for (node = node->next; node != &queue.pages; node = node->next) {
        struct publication *p = container_of(node, struct publication, node);

        if (!strcmp(p->text, path))
            return p;
    }
    return NULL;
}

static void ask(struct publication *p)
{
    p->asked = true;
    xs_submit(&p->req);
}

static struct publication *next_of_round(void)
{
    struct list *node;

    list_for_each(node, &queue.pages) {
        struct publication *p = container_of(node, struct publication, node);

        if (!p->asked && p->round != queue.round && find(&queue.pages, p->text) == p)
            return p;
    }
    return NULL;
}

/* To ask may find that the connection is lost, which ends any of the publications at once. */
static void ask_again(struct timer *t)
{
    struct publication *p;

    (void)t;
    queue.round++;
    while ((p = next_of_round())) {
        p->round = queue.round;
        ask(p);
    }
}

/* What the store could not take for the moment is kept, since nobody else knows of it, unless there is a
 * newer value; after a reset the same request goes out at once. */
static void answered(struct xs_request *req)
{
    struct publication *p = container_of(req, struct publication, req);
    struct publication *newer = find(&p->node, p->text);
    int err = req->result;

    p->asked = false;
    if (err && err != -ECONNRESET && !(req->type == XS_RM && err == -ENOENT))
        log_limited(LOG_WARN, "%s: %s", p->text, errno_name(err));
    if (newer || !xenstore_available() || !(err == -ENOSPC || xs_passing(err))) {
        list_del(&p->node);
        queue.count--;
        page_free(p, 0);
        p = newer;
    } else if (err != -ECONNRESET) {
        if (!queue.retry.armed)
            timer_arm_in(&queue.retry, RETRY_AFTER);
        return;
    }
    if (p)
        ask(p);
}

int guest_publish(const char *path, const char *value)
{
    size_t path_size = strlen(path) + 1;
    size_t value_len = value ? strlen(value) : 0;
    struct publication *first = find(&queue.pages, path);
    struct publication *p = first && first->asked ? find(&first->node, path) : first;

    if (!xenstore_available())
        return 0;
    if (path_size + value_len > PAGE_SIZE - sizeof(*p))
        return -E2BIG;
    if (!p) {
        p = queue.count < PAGES_MAX ? page_alloc_zeroed(0) : NULL;
        if (!p)
            return -ENOMEM;
        queue.count++;
        list_add_tail(&queue.pages, &p->node);
        memcpy(p->text, path, path_size);
        p->req.done = answered;
        p->req.part[0].data = p->text;
        p->req.part[0].size = (uint32_t)path_size;
        p->req.part[1].data = p->text + path_size;
    }
    p->req.type = value ? XS_WRITE : XS_RM;
    p->req.part[1].size = (uint32_t)value_len;
    if (value)
        memcpy(p->text + path_size, value, value_len);
    if (!first || first == p)
        ask(p);
    return 0;
}
