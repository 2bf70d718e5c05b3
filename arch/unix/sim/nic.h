/* SPDX-License-Identifier: ISC */
/*
 * What lies behind netback: a TAP device of the host's, or a socket on which each message is a frame.
 * Frames come and go with what netif.h says of them beside the packet, by way of the header that the
 * host and virtio share (struct virtio_net_hdr); a plain socket has none, and so no offloads.
 */
#ifndef SIM_NIC_H
#define SIM_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NIC_FRAME_MAX (65535 + 14)
#define NIC_MAX 8

struct nic {
    int fd;      /* -1: nothing is there */
    bool header; /* each frame has a struct virtio_net_hdr in front */
};

struct nic_offload {
    bool blank;        /* the checksum is to be computed by whoever sends it on */
    bool valid;        /* the checksum has been looked at, or there is none yet */
    unsigned gso;      /* 4, 6: TCP to be cut into segments; 0: not */
    uint16_t gso_size; /* of such a segment's payload */
};

/* what: "tap:NAME", "fd:N", "vnet:N" (with headers: a TAP's descriptor too) or "none". NULL, or why not. */
const char *nic_open(struct nic *nic, const char *what);
/* What a TAP's host may leave to the guest; others do as they please. */
void nic_accept(const struct nic *nic, bool csum, bool gso4, bool gso6);

/* The length of the next frame, or -1 when there is none. buf has room for NIC_FRAME_MAX. */
ssize_t nic_read(const struct nic *nic, void *buf, struct nic_offload *offload);
/* Sends a frame; computes its checksum if it is blank and the other side cannot. */
void nic_write(const struct nic *nic, uint8_t *frame, size_t len,
               const struct nic_offload *offload);

#endif
