/* SPDX-License-Identifier: ISC */
/*
 * The xenstore client (xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt of Xen).
 *
 * The blocking calls here wait for the reply and so may only be called from a thread. Paths
 * without a leading "/" are relative to the domain's own directory (/local/domain/<domid>).
 * Errors are xenstored's own, as negative errno (-ENOENT, -EACCES, -EAGAIN, ...), or -EIO when the
 * store broke the protocol or is gone, -E2BIG when a request would exceed the 4096 bytes of payload.
 */
#ifndef XEN_XENSTORE_H
#define XEN_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"

typedef uint32_t xs_tid;
#define XS_NONE ((xs_tid)0)

int xenstore_init(void);
bool xenstore_available(void);

/* Reads a value into buf and terminates it: its length, or -ENOSPC when it does not fit whole
 * (size counts the terminator). Values may hold zero bytes. */
int xs_read(xs_tid t, const char *path, char *buf, size_t size);
int xs_write(xs_tid t, const char *path, const char *value);
int xs_printf(xs_tid t, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A decimal number within [min, max], and nothing else: -ENOENT when missing, -EINVAL when it is
 * not such a number (hardening.md, rule 16). */
int xs_read_number(xs_tid t, const char *path, uint64_t min, uint64_t max, uint64_t *value);
int xs_mkdir(xs_tid t, const char *path);
int xs_remove(xs_tid t, const char *path);
/* The children's names, each terminated, one after the other in buf: how many bytes, or a
 * negative errno. */
int xs_directory(xs_tid t, const char *path, char *buf, size_t size);
int xs_get_perms(xs_tid t, const char *path, char *buf, size_t size);
/* perms: "n0", "r5" ... as in xenstore.txt, count of them. */
int xs_set_perms(xs_tid t, const char *path, const char *const *perms, unsigned count);

/* Several reads in one round trip: requests go out together. Each result is as xs_read()'s. */
struct xs_read_item {
    const char *path;
    char *buf;
    size_t size;
    int result;
};
void xs_read_many(xs_tid t, struct xs_read_item *items, unsigned count);
struct xs_write_item {
    const char *path;
    const char *value; /* NULL: remove */
    int result;
};
/* Returns the first error, or 0. */
int xs_write_many(xs_tid t, struct xs_write_item *items, unsigned count);

int xs_transaction_start(xs_tid *t);
/* 0, or -EAGAIN: nothing was changed, do it all again. */
int xs_transaction_end(xs_tid t, bool abort);
/* Runs body(t, ctx) in a transaction, again (bounded, with back-off) while it ends in -EAGAIN. A
 * body that returns an error aborts it. */
int xs_transaction_run(int (*body)(xs_tid t, void *ctx), void *ctx);

/*
 * A watch. The callback runs in the watch thread (so it may use the blocking calls), once soon
 * after registration and then after changes at or below the path: at least once after the last
 * change, but several changes may make one call. The struct belongs to the caller until
 * xs_unwatch() has returned; path is not copied.
 */
struct xs_watch {
    const char *path;
    void (*fn)(struct xs_watch *w);
    /* xenstore.c's own: */
    struct list all, fired;
    unsigned token;
    bool registered, failed;
};
int xs_watch(struct xs_watch *w);
void xs_unwatch(struct xs_watch *w);

#endif
