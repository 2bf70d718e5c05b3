/* SPDX-License-Identifier: ISC */
/*
 * <poll.h>: see lib/net/sockets.c.
 */
#ifndef NET_POLL_H
#define NET_POLL_H

#include "lwip/sockets.h"

int poll(struct pollfd *fds, nfds_t count, int timeout);

#endif
