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
    bool server;
    struct store_listener listener; /* of a client: until the guest's end is there */
    int in_file, out_file;
    bool waiting, connected; /* a server is connected from the start */
    bool silent;             /* a liar has said all it has to say */
    bool stalled;            /* does nothing, as a process that is stopped */
    grant_ref_t ref;
    struct vchan_interface *page;
    struct vchan_ring in,
        out; /* as this end sees them: left and right of the server's, or the reverse */
    uint8_t *ask, *tell, *own_live, *peer_live;
    bool met; /* the guest has been there */
    struct event_port port;
    unsigned long received;
    void (*ended)(unsigned long received);
};

/* Makes a server at that path, or connects to the guest's, now or when it is there. NULL, or why not. */
const char *vchan_open(bool server, const char *path, const char *in, const char *out);
/* Calls ended() when the guest has closed, or has long ago. */
void vchan_wait(void (*ended)(unsigned long received));
void vchan_close(void);
/* For tests. Its process dies: the kernel says so in the page, and the keys of a server stay. A client
 * may be started anew, before the guest has looked. */
void vchan_die(bool restart);
/* As when its domain dies: it lets go of everything and says nothing. */
void vchan_crash(void);
void vchan_stall(void);
void vchan_resume(void);

/* For peers that lie, as in netback.h: called before the guest can see it. */
enum vchan_step {
    VCHAN_OFFER,   /* a server's page is complete, and its keys are written; item: NULL */
    VCHAN_CONNECT, /* a client has mapped and bound all; item: what cli_live will be */
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
