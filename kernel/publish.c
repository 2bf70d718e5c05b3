/* SPDX-License-Identifier: ISC */
/*
 * guest_publish() of kernel/app.h. A page holds a request and the two strings until the store has
 * answered: nothing waits, and what is published together goes out together.
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

struct publication {
    struct xs_request req;
    struct list node;
    char text[]; /* the path, terminated, and the value */
};

static struct list unanswered = LIST_INIT(unanswered); /* in the order in which they came */

/* Whether there is a later one of the same path. What is submitted again after a reset comes behind
 * what was submitted since. */
static bool is_stale(const struct publication *p)
{
    struct list *node = p->node.next;

    while (node != &unanswered &&
           strcmp(container_of(node, struct publication, node)->text, p->text))
        node = node->next;
    return node != &unanswered;
}

static void published(struct xs_request *req)
{
    struct publication *p = container_of(req, struct publication, req);

    if (req->result == -ECONNRESET && xenstore_available() && !is_stale(p)) {
        xs_submit(&p->req); /* nobody else knows of it */
        return;
    }
    if (req->result && req->result != -ECONNRESET &&
        !(req->type == XS_RM && req->result == -ENOENT))
        log_limited(LOG_WARN, "%s: %s", p->text, errno_name(req->result));
    list_del(&p->node);
    page_free(p, 0);
}

int guest_publish(const char *path, const char *value)
{
    size_t path_size = strlen(path) + 1;
    size_t value_len = value ? strlen(value) : 0;
    struct publication *p;

    if (!xenstore_available())
        return 0;
    if (path_size + value_len > PAGE_SIZE - sizeof(*p))
        return -E2BIG;
    p = page_alloc(0);
    if (!p)
        return -ENOMEM;
    list_add_tail(&unanswered, &p->node);
    p->req = (struct xs_request){.type = value ? XS_WRITE : XS_RM, .done = published};
    memcpy(p->text, path, path_size);
    if (value)
        memcpy(p->text + path_size, value, value_len);
    p->req.part[0].data = p->text;
    p->req.part[0].size = (uint32_t)path_size;
    p->req.part[1].data = p->text + path_size;
    p->req.part[1].size = (uint32_t)value_len;
    xs_submit(&p->req);
    return 0;
}
