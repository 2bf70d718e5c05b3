/* SPDX-License-Identifier: ISC */
/* See disk.h. */
#define _GNU_SOURCE
#include "arch/unix/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *disk_open(struct disk *disk, const char *what)
{
    char path[PATH_MAX];
    struct stat st;
    off_t size;

    disk->readonly = !strncmp(what, "r:", 2);
    if (!realpath(what + (disk->readonly ? 2 : 0), path))
        return strerror(errno);
    if ((size_t)snprintf(disk->path, sizeof(disk->path), "%s", path) >= sizeof(disk->path))
        return strerror(ENAMETOOLONG);
    disk->fd = open(path, (disk->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (disk->fd < 0 || fstat(disk->fd, &st))
        return strerror(errno);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return "neither a file nor a block device";
    size = lseek(disk->fd, 0, SEEK_END);
    if (size < DISK_SECTOR)
        return "smaller than a sector of 512 bytes";
    disk->sectors = (uint64_t)size / DISK_SECTOR;
    return NULL;
}

bool disk_read(const struct disk *disk, uint64_t sector, void *buf, size_t bytes)
{
    return pread(disk->fd, buf, bytes, (off_t)(sector * DISK_SECTOR)) == (ssize_t)bytes;
}

bool disk_write(const struct disk *disk, uint64_t sector, const void *buf, size_t bytes)
{
    return pwrite(disk->fd, buf, bytes, (off_t)(sector * DISK_SECTOR)) == (ssize_t)bytes;
}

bool disk_flush(const struct disk *disk)
{
    return fdatasync(disk->fd) == 0;
}
