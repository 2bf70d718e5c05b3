/* SPDX-License-Identifier: ISC */
/*
 * <sys/uio.h>: on sockets.
 */
#ifndef NET_SYS_UIO_H
#define NET_SYS_UIO_H

#include <sys/types.h>

#include "lwip/sockets.h"

ssize_t readv(int fd, const struct iovec *iov, int count);
ssize_t writev(int fd, const struct iovec *iov, int count);

#endif
