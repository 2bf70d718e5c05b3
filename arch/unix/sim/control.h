/* SPDX-License-Identifier: ISC */
/*
 * What an operator does with xl while the guest runs, for a program that drives the simulation
 * (--control=FD): a line is a command, and each is answered by a line that begins with "ok" or
 * "error".
 *
 *      shutdown [WHAT]       writes WHAT (poweroff) to control/shutdown
 *      sysrq LETTER
 *      read PATH             a path without / in front is one of the guest's own directory
 *      write PATH [VALUE]
 *      rm PATH
 *      ls PATH               the names below it
 *      chmod PATH PERMS      as in "n0 r5"
 *      unpause               with --paused
 *      attach vif N, detach vif N    as xl, the second one answers when the device has gone
 *      attach vbd N, detach vbd N    N: the disk's number, 51712 for xvda
 *      backend stop N, backend restart N    netback of vif N dies, or dies and comes back
 *      backend stop vbd N, backend restart vbd N
 *      vif N                 netback's counts of frames, and of the guest's pages that are posted, as
 *                            name=number
 *      vbd N                 blkback's counts of requests
 *      vchan client PATH IN OUT   as "vchan-socket-proxy --mode=client DOMAIN PATH -": a file is sent, what
 *                            comes is written to another
 *      vchan server PATH IN OUT   the same with --mode=server
 *      vchan wait            answers when the guest has closed it: how many bytes have come
 *      vchan close           domain 0's end goes
 *      lie NAME [N]          with PEERS=1: a peer lies, after N honest steps (tests/peers)
 *      lies                  how often the last one named has been told
 *      fault NAME WHEN [N]   with PEERS=1: a peer fails, after N moments of this kind (tests/peers/faults.c)
 *      struck                1: it has
 *      features N            what the store says that it can do (server_features of xs_wire.h); 0 is what Xen's
 *                            C xenstored says
 *      console stop, console go    its other end reads and writes nothing for a while
 *      clock step MS         sets the guest's system time forwards or back; wall MS: its wall clock;
 *                            stop, go: it stands, and goes on from there
 *      grants                how many the guest has given, and how many of them are in use
 *      foreign               how many of domain 0's pages the guest has mapped
 *      quiet MS              answers when the guest has slept for so long without a break: what it was
 *                            told has been done
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <stdbool.h>

/* Takes commands from this descriptor, usually one end of a socketpair; after domain_create(). */
void control_serve(int fd);
/* Whether the command came. */
bool control_unpaused(void);

#endif
