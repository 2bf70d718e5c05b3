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
 *      attach vif N, detach vif N
 *      backend stop N, backend restart N    netback of vif N dies, or dies and comes back
 *      grants                how many the guest has given, and how many of them are in use
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

/* Takes commands from this descriptor, usually one end of a socketpair; after domain_create(). */
void control_serve(int fd);

#endif
