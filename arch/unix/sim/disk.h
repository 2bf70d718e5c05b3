/* SPDX-License-Identifier: ISC */
/*
 * What lies behind blkback: a file or a block device of the host's, in sectors of 512 bytes.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_MAX 16 /* xvda to xvdp */
#define DISK_SECTOR 512

struct disk {
    char path[256]; /* absolute */
    int fd;
    bool readonly;
    uint64_t sectors;
};

/* what: "FILE", or "r:FILE" for one that cannot be written, as in DISK= (scripts/xlcfg). NULL, or why
 * not. */
const char *disk_open(struct disk *disk, const char *what);

/* Whole sectors within the disk. False when the host says no. */
bool disk_read(const struct disk *disk, uint64_t sector, void *buf, size_t bytes);
bool disk_write(const struct disk *disk, uint64_t sector, const void *buf, size_t bytes);
/* What has been written is on the host's disk. */
bool disk_flush(const struct disk *disk);

#endif
