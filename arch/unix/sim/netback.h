/* SPDX-License-Identifier: ISC */
/*
 * The backend of a virtual network interface (xen/include/public/io/netif.h), as Linux' xen-netback
 * is seen from a guest: its states in xenstore, both rings, copies by grant, several slots a packet,
 * extra info, offloaded checksums and segmentation, control of multicast. One queue.
 */
#ifndef SIM_NETBACK_H
#define SIM_NETBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/unix/sim/back_ring.h"

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#include "arch/unix/sim/event.h"
#include "arch/unix/sim/nic.h"
#include "arch/unix/sim/sched.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/toolstack.h"

#define NETBACK_GROUPS 64

struct netback {
    unsigned index;
    unsigned state; /* XenbusState, as written */
    struct store_listener frontend;
    struct nic nic;
    struct sched_fd input;
    struct vif_config config;

    bool connected;
    bool disabled; /* the frontend broke the protocol */
    bool stalled;  /* does nothing, as a process that is stopped */
    bool tx_stalled;
    bool sg, gso4, gso6, csum, filter;
    grant_ref_t tx_ref, rx_ref;
    netif_tx_back_ring_t tx;
    netif_rx_back_ring_t rx;
    struct event_port tx_port, rx_port; /* tx_port is not bound when rx_port is for both */
    uint8_t groups[NETBACK_GROUPS][6];  /* multicast addresses to let through */
    unsigned group_count;
    struct {
        unsigned long sent, received, filtered;
    } count; /* frames */
};

/* A backend for the device that has or will have this index. */
void netback_create(unsigned index, const struct nic *nic, const struct vif_config *config);
/* The backend of a device, or NULL. */
struct netback *netback_of(unsigned index);
/* As after "modprobe -r" or a crash of the driver domain: it lets go of everything and says that it
 * is closed, or with restart that it waits for a frontend anew. */
void netback_stop(struct netback *nb, bool restart);
/* For tests. As when the driver domain dies: it lets go of everything, says nothing and does nothing
 * until it is restarted. */
void netback_crash(struct netback *nb);
/* Does nothing any more, or takes nothing from the transmit ring only; goes on. */
void netback_stall(struct netback *nb, bool only_tx);
void netback_resume(struct netback *nb);

/* netback_tx.c: takes what the guest has sent. netback_rx.c: gives it what has come from outside. */
void netback_tx_run(struct netback *nb);
void netback_rx_run(struct netback *nb);
/* How many pages the guest has posted that have not been filled. */
unsigned netback_posted(const struct netback *nb);
/* The frontend's protocol is broken: nothing is done for it any more (xenvif_fatal_tx_err()). */
void netback_fatal(struct netback *nb, const char *why);

/*
 * For peers that lie: called at each step, before what is said of it becomes visible to the guest, and
 * may change it. NULL in an honest backend.
 */
enum netback_step {
    NETBACK_OFFER,       /* the keys are written, the state not yet */
    NETBACK_CONNECT,     /* rings are mapped, ports bound; the state is not written */
    NETBACK_TX_RESPONSE, /* item: the response, before it is counted in rsp_prod_pvt */
    NETBACK_TX_PUSH,     /* rsp_prod_pvt will be published */
    NETBACK_RX_RESPONSE, /* the same for the other ring */
    NETBACK_RX_PUSH,
};
extern void (*netback_hook)(struct netback *nb, enum netback_step step, void *item);
static inline void netback_at(struct netback *nb, enum netback_step step, void *item)
{
    if (netback_hook)
        netback_hook(nb, step, item);
}

#endif
