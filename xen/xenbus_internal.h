/* SPDX-License-Identifier: ISC */
/* Between the two files of xenbus. */
#ifndef XEN_XENBUS_INTERNAL_H
#define XEN_XENBUS_INTERNAL_H

struct xenbus_device;

/* xenbus_state.c: starts following the backend's state; stops, and disconnects. In the watch
 * thread. The second may be called without the first. */
void xenbus_peer_begin(struct xenbus_device *dev);
void xenbus_peer_end(struct xenbus_device *dev);

#endif
