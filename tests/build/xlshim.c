/* SPDX-License-Identifier: ISC */
/*
 * Lets `xl create -n` run where there is no Xen: it only parses, yet opens the hypervisor's device
 * and the store on its way. Preloaded, this answers the opening; every hypercall then fails, which
 * a dry run survives. It needs no symbol newer than the oldest C library among the suites'.
 */
#include <linux/fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int store;

int open(const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    int mode = va_arg(ap, int);
    va_end(ap);
    /* /dev/zero can be mapped, as the device can. */
    if (strncmp(path, "/dev/xen/", 9) == 0 || strcmp(path, "/proc/xen/privcmd") == 0)
        path = "/dev/zero";
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

void *xs_open(unsigned long flags)
{
    (void)flags;
    return &store;
}

void *xs_daemon_open(void)
{
    return &store;
}

void xs_daemon_close(void *handle)
{
    (void)handle;
}

void xs_close(void *handle)
{
    (void)handle;
}

int libxl_get_physinfo(void *ctx, void *info)
{
    (void)ctx, (void)info;
    return 0;
}
