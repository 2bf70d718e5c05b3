/* SPDX-License-Identifier: ISC */
/*
 * The table of file descriptors and the POSIX functions on them that need no more than the table.
 *
 * Invariant: a file's count of references is the number of its entries in the table and of calls
 * that are inside one of its functions; so closing a descriptor under a thread that waits in read()
 * takes effect when the thread is done.
 */
#include "lib/libc/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Apart from the others, which are zero at the start and so have no bytes in the image. */
#define STANDARD_FILES 3
static struct file *standard[STANDARD_FILES] = {&console_file, &console_file, &console_file};
static struct file *others[CONFIG_LIBC_FILES - STANDARD_FILES];

/* The entry of a descriptor, or NULL when there cannot be such a one. */
static struct file **entry(int fd)
{
    if (fd < 0 || fd >= CONFIG_LIBC_FILES)
        return NULL;
    return fd < STANDARD_FILES ? &standard[fd] : &others[fd - STANDARD_FILES];
}

ssize_t libc_result(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static int install_from(int lowest, struct file *f)
{
    for (int fd = lowest; fd < CONFIG_LIBC_FILES; fd++) {
        if (*entry(fd))
            continue;
        *entry(fd) = f;
        f->refs++;
        return fd;
    }
    return -EMFILE;
}

int file_install(struct file *f)
{
    return install_from(0, f);
}

struct file *file_get(int fd)
{
    struct file **e = entry(fd);

    if (!e || !*e)
        return NULL;
    (*e)->refs++;
    return *e;
}

void file_put(struct file *f)
{
    if (--f->refs == 0)
        f->ops->close(f);
}

ssize_t read(int fd, void *buf, size_t len)
{
    struct file *f = file_get(fd);
    ssize_t n = -EBADF;

    if (!f)
        return libc_result(n);
    if (f->ops->read && (f->flags & O_ACCMODE) != O_WRONLY)
        n = f->ops->read(f, buf, len);
    file_put(f);
    return libc_result(n);
}

ssize_t write(int fd, const void *buf, size_t len)
{
    struct file *f = file_get(fd);
    ssize_t n = -EBADF;

    if (!f)
        return libc_result(n);
    if (f->ops->write && (f->flags & O_ACCMODE) != O_RDONLY)
        n = f->ops->write(f, buf, len);
    file_put(f);
    return libc_result(n);
}

off_t lseek(int fd, off_t offset, int whence)
{
    struct file *f = file_get(fd);
    off_t at = -ESPIPE;

    if (!f)
        return libc_result(-EBADF);
    if (f->ops->seek)
        at = f->ops->seek(f, offset, whence);
    file_put(f);
    return libc_result(at);
}

int close(int fd)
{
    struct file *f = file_get(fd);

    if (!f)
        return (int)libc_result(-EBADF);
    *entry(fd) = NULL;
    file_put(f); /* the entry's */
    file_put(f);
    return 0;
}

int fstat(int fd, struct stat *st)
{
    struct file *f = file_get(fd);
    int err = 0;

    if (!f)
        return (int)libc_result(-EBADF);
    memset(st, 0, sizeof(*st));
    st->st_mode = f->ops->type | 0666;
    if (f->ops->stat)
        err = f->ops->stat(f, st);
    file_put(f);
    return (int)libc_result(err);
}

int isatty(int fd)
{
    struct stat st;

    if (fstat(fd, &st))
        return 0;
    if (S_ISCHR(st.st_mode))
        return 1;
    errno = ENOTTY;
    return 0;
}

int dup(int fd)
{
    return fcntl(fd, F_DUPFD, 0);
}

int dup2(int from, int to)
{
    struct file *f = file_get(from);

    struct file *before;

    if (!f)
        return (int)libc_result(-EBADF);
    if (!entry(to) || from == to) {
        file_put(f);
        return entry(to) ? to : (int)libc_result(-EBADF);
    }
    before = *entry(to);
    *entry(to) = f; /* takes over the reference */
    if (before)
        file_put(before);
    return to;
}

static int set_flags(struct file *f, int flags)
{
    bool on = flags & O_NONBLOCK;
    int err = 0;

    if (f->ops->set_nonblock)
        err = f->ops->set_nonblock(f, on);
    else if (on)
        err = -EINVAL;
    if (!err)
        f->flags = (f->flags & ~O_NONBLOCK) | (on ? O_NONBLOCK : 0);
    return err;
}

static int control(struct file *f, int command, int argument)
{
    switch (command) {
    case F_DUPFD:
        return argument < 0 ? -EINVAL : install_from(argument, f);
    case F_GETFD: /* there is no exec() for FD_CLOEXEC to matter */
    case F_SETFD:
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        return set_flags(f, argument);
    default:
        return -EINVAL;
    }
}

int fcntl(int fd, int command, ...)
{
    struct file *f = file_get(fd);
    va_list ap;
    int result;

    if (!f)
        return (int)libc_result(-EBADF);
    va_start(ap, command);
    result = control(f, command, va_arg(ap, int)); /* unused, and harmless, for the F_GETs */
    va_end(ap);
    file_put(f);
    return (int)libc_result(result);
}
