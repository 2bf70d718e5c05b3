/* SPDX-License-Identifier: ISC */
/* A request to xenstored whose payload is the caller's, terminated or not, and waiting for its reply. */
#ifndef CONFORMANCE_REQUEST_H
#define CONFORMANCE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

#include "xen/xenstore.h"

struct answer {
    int err;       /* 0 or a negative errno, from the name in the reply */
    size_t len;    /* of the whole payload */
    char text[64]; /* its beginning, terminated */
};

/* The payload: a, then b. */
struct answer request_raw(uint32_t type, xs_tid t, const void *a, size_t a_size, const void *b,
                          size_t b_size);
/* The same of strings, each with its end; b may be NULL. */
struct answer request(uint32_t type, xs_tid t, const char *a, const char *b);
/* XS_WRITE, whose value has no end. */
int request_write(xs_tid t, const char *path, const char *value);
/* "1", a watch's token: as one of the client's own that is gone, whose late events it lets pass. */
#define TOKEN "1"

#endif
