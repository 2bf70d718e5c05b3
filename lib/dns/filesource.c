/* SPDX-License-Identifier: ISC */
/*
 * Master files from a file system: see filesource.h.
 */
#include "lib/dns/filesource.h"

#include <errno.h>
#include <stdio.h>

static void *file_open(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    const char *slash = parent && name[0] != '/' ? strrchr(parent, '/') : NULL;
    int dir = slash ? slash + 1 - parent : 0;
    FILE *f;
    char probe;

    (void)ctx;
    if ((size_t)snprintf(opened, size, "%.*s%s", dir, slash ? parent : "", name) >= size) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    f = fopen(opened, "rb");
    /* A directory opens but cannot be read. */
    if (f && fread(&probe, 1, 1, f) == 0 && ferror(f)) {
        int err = errno;

        fclose(f);
        errno = err;
        return NULL;
    }
    if (f)
        rewind(f);
    return f;
}

static long file_read(void *ctx, void *handle, void *buf, size_t size)
{
    size_t n = fread(buf, 1, size, handle);

    (void)ctx;
    return n || !ferror((FILE *)handle) ? (long)n : -EIO;
}

static void file_close(void *ctx, void *handle)
{
    (void)ctx;
    fclose(handle);
}

const struct dns_source dns_file_source = {
    .open = file_open,
    .read = file_read,
    .close = file_close,
};
