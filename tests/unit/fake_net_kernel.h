/* SPDX-License-Identifier: ISC */
/*
 * What lib/net asks of the kernel besides what fake_kernel.h has: how much memory there is, the command line,
 * what is published, random numbers, which are the same in each run. And the stack on a device that the test plays.
 */
#ifndef TESTS_UNIT_FAKE_NET_KERNEL_H
#define TESTS_UNIT_FAKE_NET_KERNEL_H

#include <stddef.h>

struct netdev;

extern size_t fake_memory; /* pages */

/* KEY=VALUE on the command line; both must stay. NULL: it is not there. */
void fake_cmdline(const char *key, const char *value);
/* What is published at a path of xenstore, or "". */
const char *fake_published(const char *path);

/* Starts the stack, and attaches the device, whose pages no backend has. Its link is down. */
void fake_net_start(struct netdev *dev);

#endif
