/* SPDX-License-Identifier: ISC */
/*
 * The xenstore client (xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt of Xen;
 * docs/xenstore.md here).
 *
 * Paths without a leading "/" are relative to the domain's own directory (/local/domain/<domid>).
 * Errors are xenstored's own, as negative errno (-ENOENT, -EACCES, -EAGAIN, ...); -EIO also for an
 * answer that makes no sense; -ECONNRESET when the connection was lost before there was one, or there
 * is none any more (then every watch will fire when there is one again); -E2BIG when a request would
 * exceed the 4096 bytes of payload.
 *
 * All calls wait for the reply, so they may only be made from a thread, except where "never waits"
 * is said. A round trip costs a sleep and a wake-up: what belongs together goes out together, with
 * xs_read_many() and xs_write_many().
 */
#ifndef XEN_XENSTORE_H
#define XEN_XENSTORE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/timer.h"
#include "lib/list.h"

typedef uint32_t xs_tid;
#define XS_NONE ((xs_tid)0)

/* Never waits. 0, or -ENODEV when the toolstack gave this guest no xenstore. */
int xenstore_init(void);
/* True until the connection is given up. */
bool xenstore_available(void);

/* Reads a value into buf and terminates it: its length, or -ENOSPC when it does not fit whole
 * (size counts the terminator). Values may hold zero bytes. */
int xs_read(xs_tid t, const char *path, char *buf, size_t size);
int xs_write(xs_tid t, const char *path, const char *value);
/* At most 255 bytes of value: -E2BIG beyond. */
int xs_printf(xs_tid t, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A decimal number within [min, max], and nothing else: -ENOENT when missing, -EINVAL when it is
 * not such a number (hardening.md, rule 16). */
int xs_read_number(xs_tid t, const char *path, uint64_t min, uint64_t max, uint64_t *value);
/* The same for a text that has been read already, of len bytes. Never waits. */
bool xs_parse_number(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *value);
int xs_mkdir(xs_tid t, const char *path);
int xs_remove(xs_tid t, const char *path);
/* The children's names, each terminated, one after the other in buf: how many bytes, or a
 * negative errno; -ENOSPC when they do not fit with a byte to spare. */
int xs_directory(xs_tid t, const char *path, char *buf, size_t size);
int xs_get_perms(xs_tid t, const char *path, char *buf, size_t size);
/* perms: "n0", "r5" ... as in xenstore.txt, count of them, 128 bytes in all at most. */
int xs_set_perms(xs_tid t, const char *path, const char *const *perms, unsigned count);

/* An error that says nothing of what was asked for: memory is short, the store is busy or in trouble,
 * or its connection was reset under the call. The same call may well succeed later. */
static inline bool xs_passing(int err)
{
    return err == -ENOMEM || err == -EAGAIN || err == -EIO || err == -ECONNRESET;
}

/* Several reads in one round trip: requests go out together. Each result is as xs_read()'s. Returns
 * 0, or the first of them that is xs_passing(): then the others tell half a story. */
struct xs_read_item {
    const char *path;
    char *buf;
    size_t size;
    int result;
};
int xs_read_many(xs_tid t, struct xs_read_item *items, unsigned count);
struct xs_write_item {
    const char *path;
    const char *value; /* NULL: remove; what is not there is removed already */
    int result;
};
/* Returns the first error, or 0. */
int xs_write_many(xs_tid t, struct xs_write_item *items, unsigned count);

int xs_transaction_start(xs_tid *t);
/* 0, or -EAGAIN: nothing was changed, do it all again. */
int xs_transaction_end(xs_tid t, bool abort);
/* Runs body(t, ctx) in a transaction, again (bounded, with back-off) while it ends in -EAGAIN. A
 * body that returns an error aborts it. -EAGAIN: nothing was changed. */
int xs_transaction_run(int (*body)(xs_tid t, void *ctx), void *ctx);

/*
 * One request, without waiting: what the calls above are made of. The struct, what data points at
 * and the reply's buffer belong to the store until done() is called, from the event loop (or from
 * within xs_submit() when the connection is gone). done() must not wait; it may free the struct.
 */
struct xs_request {
    uint32_t type; /* XS_READ ... of xs_wire.h */
    xs_tid tid;
    struct {
        const void *data;
        uint32_t size;
    } part[2];   /* the payload, in this order */
    char *reply; /* receives the reply's payload, cut off at reply_size; may be NULL */
    size_t reply_size;
    void (*done)(struct xs_request *req);
    int result;       /* 0 or a negative errno */
    size_t reply_len; /* the payload's whole length, which may exceed reply_size */
    /* xenstore.c's own: */
    struct list node;
    uint32_t id;
    uint32_t sent;
};
void xs_submit(struct xs_request *req);

/*
 * A watch. The callback runs in the watch thread (so it may use the blocking calls), once soon
 * after registration and then after changes at or below the path: at least once after the last
 * change, but several changes may make one call. The struct belongs to the caller until
 * xs_unwatch() has returned; path is not copied.
 */
struct xs_watch {
    const char *path;
    void (*fn)(struct xs_watch *w);
    /* 0: changes anywhere below path count; n: only those up to n levels below it. For a directory
     * of which only the entries matter, and for not being woken by one's own writes. */
    unsigned depth;
    /* For reading: when the callback is to be called again, because it could not do its work (armed);
     * and after how long, in ns: 0 when the last call could. */
    struct timer retry;
    uint64_t retry_after;
    /* xenstore's own: */
    struct list fired;
    unsigned token;
    char token_text[12];
    struct xs_request request;
    bool pending, registered;
};
/* Never waits. 0; -ENOSPC: too many watches; -ECONNRESET: no xenstore. A registration that the store
 * refuses is logged, and tried again later and later. */
int xs_watch(struct xs_watch *w);
/* When it returns the callback is not running and will not run, whether an event was under way or
 * not. May be called by the callback itself, for its own watch too. Harmless when done twice. */
void xs_unwatch(struct xs_watch *w);
/* Never waits. Has the callback called soon, as if something had changed. */
void xs_watch_kick(struct xs_watch *w);
/* Never waits. For a callback that could not do its work, for this error: it is called again after
 * 1, 2, 4 ... 64 s, or for -ECONNRESET when there is a connection again. */
void xs_watch_retry(struct xs_watch *w, int err);

struct xs_stats {
    uint64_t requests, replies, events;
    uint64_t ignored;    /* packets for nobody: unknown request or token */
    uint64_t reconnects; /* times the connection was reset after a breach of the protocol */
};
const struct xs_stats *xenstore_stats(void);

#endif
