/* SPDX-License-Identifier: ISC */
/*
 * Who runs when. There is one thread: either the guest runs, or it has made a hypercall and the
 * simulation does. Domain 0 and the devices behind it have their turn (sched_pump()) whenever the
 * guest sends an event, waits, yields, or has looked at the clock for a while without doing any of
 * these: so a guest that waits for an answer in a loop gets it.
 */
#ifndef SIM_SCHED_H
#define SIM_SCHED_H

#include <stdbool.h>
#include <stdint.h>

/* A file descriptor of the host's that something is done about. */
struct sched_fd {
    int fd;
    short events; /* of poll(2); 0: not now */
    void (*fn)(struct sched_fd *sfd, short revents);
    struct sched_fd *next;
};
void sched_add(struct sched_fd *sfd);
void sched_remove(struct sched_fd *sfd);

/* Everybody's turn but the guest's, once; waits first, for at most the time until `until` (system
 * time), when there is nothing to do. */
void sched_pump(uint64_t until);
/* Domain 0's turn: what the guest and the store have told it. */
void sched_domain_0(void);
/* Since when the guest has been waiting for an event, without a break; UINT64_MAX: it runs, or would if
 * the host had let us: an event waits for it, or a timer that is due may send one. */
uint64_t sched_asleep_since(void);
/* The guest has read its clock. */
void sched_clock_read(void);

/* sched_op (sched.h of Xen). */
long sched_op(int cmd, uintptr_t arg);

#endif
