/* SPDX-License-Identifier: ISC */
/* Between the two files of xenbus. */
#ifndef XEN_XENBUS_INTERNAL_H
#define XEN_XENBUS_INTERNAL_H

#include <stdint.h>

struct xenbus_device;

/* xenbus_state.c: starts following the backend's state; stops, and disconnects. In the watch
 * thread. The second may be called without the first. */
void xenbus_peer_begin(struct xenbus_device *dev);
void xenbus_peer_end(struct xenbus_device *dev);

/* What failed for a shortage is tried again so much later (ns): 1, 2, 4 ... 64 s. `before`: what it
 * was the time before, 0 the first time. */
uint64_t xenbus_retry_after(uint64_t before);

#endif
