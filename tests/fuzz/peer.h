/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets have in common whose peer is another domain: whether it lies, faults of xenstore,
 * nonsense in it, and a driver whose calls from xenbus the target sees.
 */
#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xen/xenbus.h"

#define PEER_HONEST_STARTS 6 /* of a backend's; xenbus takes 8 in 10 s */

extern bool honest;         /* in this case nobody lies */
extern bool lied;           /* somebody has: the device may be disabled */
extern uint8_t fault_every; /* so many requests to the store, then one fails; 0: none */

/* For store_fault. */
int peer_fault(const char *path);

/* Any octets as one of so many keys; or no such key. */
void peer_write_nonsense(const char *const *keys, unsigned count);

/* A lie of a backend's whose state is the first of so many keys: any state, nonsense, or faults from now on. */
void peer_lie(const char *const *keys, unsigned count);

/* Writes any octets somewhere into a page that both have. */
void peer_scribble(void *page);

/* Does not let go of a page, should it be lent: the one of this grant behind the reserved ones. */
void peer_keep_mapped(unsigned grant);

/* From now on the store has no faults, and there is memory, and there are grants. */
void peer_end_shortage(void);

/* The only driver that xenbus knows is this one, but for what it calls to connect and to disconnect. */
void peer_drive(const struct xenbus_driver *driver, int (*connect)(struct xenbus_device *dev),
                void (*disconnect)(struct xenbus_device *dev));

#endif
