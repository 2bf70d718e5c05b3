/* SPDX-License-Identifier: ISC */
/*
 * A vchan's other end (xen/include/public/io/libxenvchan.h), as domain 0's vchan-socket-proxy is seen
 * from a guest: it sends a file, and writes what comes into another. There is one at a time.
 */
#ifndef SIM_VCHAN_H
#define SIM_VCHAN_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/libxenvchan.h>

#include "arch/unix/sim/event.h"
#include "arch/unix/sim/store.h"

#define VCHAN_ORDER_MIN 10
#define VCHAN_ORDER_MAX 16 /* GRANT_TOGETHER_MAX pages */

/* One direction. */
struct vchan_ring {
    struct ring_shared *shared;
    uint8_t *data;
    uint32_t size;
    grant_ref_t refs[1 << (VCHAN_ORDER_MAX - 12)];
    unsigned pages; /* of its own; 0: it is in the shared page */
};

struct vchan {
    char path[128];
    struct store_listener listener; /* until the guest's end is there */
    int in_file, out_file;
    bool waiting, connected;
    bool silent; /* a liar has said all it has to say */
    grant_ref_t ref;
    struct vchan_interface *page;
    struct vchan_ring in, out; /* as this end sees them: the client's are right and left */
    struct event_port port;
    unsigned long received;
    void (*ended)(unsigned long received);
};

/* Connects to the guest's server at that path, now or when it is there. NULL, or why not. */
const char *vchan_client(const char *path, const char *in, const char *out);
/* Calls ended() when the guest has closed, or has long ago. */
void vchan_wait(void (*ended)(unsigned long received));
void vchan_close(void);

/* For peers that lie, as in netback.h: called before the guest can see it. */
enum vchan_step {
    VCHAN_CONNECT, /* mapped and bound; item: what cli_live will be */
    VCHAN_WRITE,   /* item: the index that will be out.shared->prod */
    VCHAN_READ,    /* item: the index that will be in.shared->cons */
};
extern void (*vchan_hook)(struct vchan *v, enum vchan_step step, uint32_t *item);
static inline void vchan_at(struct vchan *v, enum vchan_step step, uint32_t *item)
{
    if (vchan_hook)
        vchan_hook(v, step, item);
}

#endif
