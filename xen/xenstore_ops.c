/* SPDX-License-Identifier: ISC */
/*
 * The calls of the xenstore client: each fills in a request, submits it and waits for the reply
 * (Xen's docs/misc/xenstore.txt has the operations and their payloads). Requests and buffers are on
 * the caller's stack: nothing is allocated, and a thread that waits keeps them alive.
 */
#include "xen/xenstore.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "kernel/log.h"
#include "kernel/thread.h"
#include "lib/util.h"

#define BATCH 16 /* requests of xs_read_many() and xs_write_many() under way together */
#define TRIES_MAX 10
#define BACKOFF_FIRST NSEC_PER_MSEC

/* A request with somebody waiting for it. Several may share a waiter. */
struct call {
    struct xs_request req;
    struct waiter *waiter;
};

struct waiter {
    struct wait_queue queue;
    unsigned left; /* requests not done yet */
};

static void call_done(struct xs_request *req)
{
    struct call *call = container_of(req, struct call, req);

    if (--call->waiter->left == 0)
        wait_queue_wake_all(&call->waiter->queue);
}

static void call_init(struct call *call, uint32_t type, xs_tid t, const char *first)
{
    *call = (struct call){.req = {.type = type, .tid = t, .done = call_done}};
    call->req.part[0].data = first;
    call->req.part[0].size = (uint32_t)strlen(first) + 1;
}

static void call_start(struct call *call, struct waiter *waiter)
{
    call->waiter = waiter;
    waiter->left++;
    xs_submit(&call->req);
}

static void call_wait(struct waiter *waiter)
{
    while (waiter->left)
        wait_queue_sleep(&waiter->queue);
}

static int call_run(struct call *call)
{
    struct waiter waiter = {.queue = WAIT_QUEUE_INIT(waiter.queue)};

    call_start(call, &waiter);
    call_wait(&waiter);
    return call->req.result;
}

/* A request whose reply holds nothing of interest. */
static int call_simple(uint32_t type, xs_tid t, const char *first)
{
    struct call call;

    call_init(&call, type, t, first);
    return call_run(&call);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_init(struct call *call, xs_tid t, const char *path, char *buf, size_t size)
{
    call_init(call, XS_READ, t, path);
    call->req.reply = buf;
    call->req.reply_size = size;
}

static int read_result(const struct call *call)
{
    size_t len = call->req.reply_len;

    if (call->req.result)
        return call->req.result;
    if (len >= call->req.reply_size)
        return -ENOSPC;
    call->req.reply[len] = '\0';
    return (int)len;
}

int xs_read(xs_tid t, const char *path, char *buf, size_t size)
{
    struct call call;

    read_init(&call, t, path, buf, size);
    (void)call_run(&call);
    return read_result(&call);
}

int xs_read_many(xs_tid t, struct xs_read_item *items, unsigned count)
{
    struct call calls[BATCH];
    int passing = 0;

    for (unsigned done = 0; done < count; done += BATCH) {
        struct waiter waiter = {.queue = WAIT_QUEUE_INIT(waiter.queue)};
        unsigned n = MIN(count - done, (unsigned)BATCH);

        for (unsigned i = 0; i < n; i++) {
            struct xs_read_item *item = &items[done + i];

            read_init(&calls[i], t, item->path, item->buf, item->size);
            call_start(&calls[i], &waiter);
        }
        call_wait(&waiter);
        for (unsigned i = 0; i < n; i++) {
            int result = items[done + i].result = read_result(&calls[i]);

            if (!passing && xs_passing(result))
                passing = result;
        }
    }
    return passing;
}

bool xs_parse_number(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
            return false;
    }
    if (n < min || n > max)
        return false;
    *value = n;
    return true;
}

int xs_read_number(xs_tid t, const char *path, uint64_t min, uint64_t max, uint64_t *value)
{
    char text[24]; /* 2^64 has 20 digits */
    int len = xs_read(t, path, text, sizeof(text));

    if (len == -ENOSPC)
        return -EINVAL;
    if (len < 0)
        return len;
    return xs_parse_number(text, (size_t)len, min, max, value) ? 0 : -EINVAL;
}

/* Lists of names: the last one may lack its terminator, if the store is careless. */
static int read_list(uint32_t type, xs_tid t, const char *path, char *buf, size_t size)
{
    struct call call;
    int len;

    read_init(&call, t, path, buf, size);
    call.req.type = type;
    (void)call_run(&call);
    len = read_result(&call);
    return len > 0 && buf[len - 1] ? len + 1 : len;
}

int xs_directory(xs_tid t, const char *path, char *buf, size_t size)
{
    return read_list(XS_DIRECTORY, t, path, buf, size);
}

int xs_get_perms(xs_tid t, const char *path, char *buf, size_t size)
{
    return read_list(XS_GET_PERMS, t, path, buf, size);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_init(struct call *call, xs_tid t, const char *path, const char *value)
{
    call_init(call, value ? XS_WRITE : XS_RM, t, path);
    if (value) {
        call->req.part[1].data = value;
        call->req.part[1].size = (uint32_t)strlen(value);
    }
}

int xs_write(xs_tid t, const char *path, const char *value)
{
    struct call call;

    write_init(&call, t, path, value);
    return call_run(&call);
}

int xs_printf(xs_tid t, const char *path, const char *fmt, ...)
{
    char value[256];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = fmt_vprint(value, sizeof(value), fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof(value))
        return -E2BIG;
    return xs_write(t, path, value);
}

int xs_write_many(xs_tid t, struct xs_write_item *items, unsigned count)
{
    struct call calls[BATCH];
    int err = 0;

    for (unsigned done = 0; done < count; done += BATCH) {
        struct waiter waiter = {.queue = WAIT_QUEUE_INIT(waiter.queue)};
        unsigned n = MIN(count - done, (unsigned)BATCH);

        for (unsigned i = 0; i < n; i++) {
            write_init(&calls[i], t, items[done + i].path, items[done + i].value);
            call_start(&calls[i], &waiter);
        }
        call_wait(&waiter);
        for (unsigned i = 0; i < n; i++) {
            items[done + i].result = calls[i].req.result;
            if (calls[i].req.type == XS_RM && calls[i].req.result == -ENOENT)
                items[done + i].result = 0;
            if (!err)
                err = items[done + i].result;
        }
    }
    return err;
}

int xs_mkdir(xs_tid t, const char *path)
{
    return call_simple(XS_MKDIR, t, path);
}

int xs_remove(xs_tid t, const char *path)
{
    return call_simple(XS_RM, t, path);
}

int xs_set_perms(xs_tid t, const char *path, const char *const *perms, unsigned count)
{
    char list[128];
    size_t used = 0;
    struct call call;

    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(perms[i]) + 1;

        if (n > sizeof(list) - used)
            return -E2BIG;
        memcpy(list + used, perms[i], n);
        used += n;
    }
    call_init(&call, XS_SET_PERMS, t, path);
    call.req.part[1].data = list;
    call.req.part[1].size = (uint32_t)used;
    return call_run(&call);
}

/* --- transactions ----------------------------------------------------------------------------- */

int xs_transaction_start(xs_tid *t)
{
    char id[12];
    struct call call;
    uint64_t value;
    int len;

    read_init(&call, XS_NONE, "", id, sizeof(id));
    call.req.type = XS_TRANSACTION_START;
    (void)call_run(&call);
    len = read_result(&call);
    if (len < 0)
        return len == -ENOSPC ? -EIO : len;
    if (!xs_parse_number(id, strlen(id), 1, UINT32_MAX, &value))
        return -EIO;
    *t = (xs_tid)value;
    return 0;
}

int xs_transaction_end(xs_tid t, bool abort)
{
    return call_simple(XS_TRANSACTION_END, t, abort ? "F" : "T");
}

int xs_transaction_run(int (*body)(xs_tid t, void *ctx), void *ctx)
{
    int err = -EAGAIN;

    for (unsigned i = 0; i < TRIES_MAX && err == -EAGAIN; i++) {
        xs_tid t;

        if (i > 0)
            thread_sleep(BACKOFF_FIRST << (i - 1));
        err = xs_transaction_start(&t);
        if (err == -EAGAIN)
            continue;
        if (err)
            return i ? -EAGAIN : err; /* what body() did has come to nothing, as said before */
        err = body(t, ctx);
        if (err)
            (void)xs_transaction_end(t, true);
        else
            err = xs_transaction_end(t, false);
    }
    return err;
}
