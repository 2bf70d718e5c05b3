/* SPDX-License-Identifier: ISC */
/*
 * What is behind a file descriptor: the console, a socket, later a file. Whoever makes one embeds a
 * struct file in a struct of its own and installs it; read(), write(), close() and the others then
 * find it by its number.
 *
 * All of these return a negative errno on failure; the POSIX functions turn that into -1 and errno.
 */
#ifndef LIBC_FILE_H
#define LIBC_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct file;

/* A missing function fails with the error named beside it. */
struct file_ops {
    ssize_t (*read)(struct file *f, void *buf, size_t len);        /* EBADF */
    ssize_t (*write)(struct file *f, const void *buf, size_t len); /* EBADF */
    off_t (*seek)(struct file *f, off_t offset, int whence);       /* ESPIPE */
    mode_t type;                                                   /* S_IFCHR, S_IFSOCK ... */
    int (*stat)(struct file *f, struct stat *st); /* none: a struct of zeros but for the type */
    int (*set_nonblock)(struct file *f, bool on); /* EINVAL when on */
    /* Nobody refers to it any more: frees it. */
    void (*close)(struct file *f);
};

struct file {
    const struct file_ops *ops;
    unsigned refs; /* descriptors and calls under way */
    int flags;     /* O_RDONLY, O_WRONLY or O_RDWR, and O_NONBLOCK */
};

/* Gives f, which has no reference yet, the lowest free descriptor: that, or -EMFILE. */
int file_install(struct file *f);
/* The file with one reference more, or NULL: no such descriptor. file_put() ends it. */
struct file *file_get(int fd);
void file_put(struct file *f);

extern struct file console_file;

/* Sets errno when result is a negative one: -1 then, else result. */
ssize_t libc_result(ssize_t result);

#endif
