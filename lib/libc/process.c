/* SPDX-License-Identifier: ISC */
/*
 * The rest of what newlib expects of a system: the program's end, its failures, and facts about the
 * machine. There is one process and no file system, so what would need another process or a path
 * fails, with the error that says so.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/app.h"
#include "lib/util.h"

#define THE_PROCESS 1
#define GETENTROPY_MAX 256 /* as POSIX has it */

static int fail(int error)
{
    errno = error;
    return -1;
}

/* --- the end ---------------------------------------------------------------------------------- */

void _exit(int status)
{
    app_exit(status);
}

void abort(void)
{
    panic("abort() was called");
}

void __assert_func(const char *file, int line, const char *function, const char *condition)
{
    panic("%s:%d: assertion failed: %s", file, line, condition);
}

/* What raise() ends in when there is no handler. */
int kill(pid_t pid, int signal)
{
    if (pid != THE_PROCESS && pid != 0)
        return fail(ESRCH);
    if (signal)
        panic("the program raised signal %d", signal);
    return 0;
}

/* --- facts ------------------------------------------------------------------------------------ */

pid_t getpid(void)
{
    return THE_PROCESS;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_SIZE;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    case _SC_PHYS_PAGES:
        return (long)page_count_total();
    case _SC_AVPHYS_PAGES:
        return (long)page_count_free();
    case _SC_OPEN_MAX:
        return CONFIG_LIBC_FILES;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    default:
        return fail(EINVAL);
    }
}

int getpagesize(void)
{
    return PAGE_SIZE;
}

int gethostname(char *name, size_t size)
{
    if (strlcpy(name, app_name, size) >= size)
        return fail(ENAMETOOLONG);
    return 0;
}

/* --- random numbers: newlib's arc4random() would bring a generator of its own ------------------- */

int getentropy(void *buf, size_t len)
{
    if (len > GETENTROPY_MAX)
        return fail(EIO);
    random_bytes(buf, len);
    return 0;
}

void arc4random_buf(void *buf, size_t len)
{
    random_bytes(buf, len);
}

uint32_t arc4random(void)
{
    uint32_t value;

    random_bytes(&value, sizeof(value));
    return value;
}

/* --- what there is not ------------------------------------------------------------------------ */

int open(const char *path, int flags, ...)
{
    return fail(ENOENT);
}

int stat(const char *restrict path, struct stat *restrict st)
{
    return fail(ENOENT);
}

int unlink(const char *path)
{
    return fail(ENOENT);
}

int link(const char *from, const char *to)
{
    return fail(ENOENT);
}

int mkdir(const char *path, mode_t mode)
{
    return fail(EROFS);
}

pid_t fork(void)
{
    return fail(ENOSYS);
}

int execve(const char *path, char *const argv[], char *const env[])
{
    return fail(ENOSYS);
}

pid_t wait(int *status)
{
    return fail(ECHILD);
}
