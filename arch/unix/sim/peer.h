/* SPDX-License-Identifier: ISC */
/*
 * Where peers that lie come in: a program that is built with PEERS=1 links tests/peers/ in the place of
 * peer.c, whose peers are honest. A lie is told to begin by a command (control.h), and tells its untruth
 * from the hooks of netback.h and store_conn.h.
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include <stdbool.h>

/* The lie of this name begins after so many honest steps of its kind, and any other ends ("honest" is
 * none). False: there is no such lie. */
bool peer_lie(const char *name, unsigned after);
/* Whether the guest's next allocation, of pages or of bytes, is to fail, though there is memory. */
bool peer_no_memory(bool pages);
/* How often the lie that was armed last has been told. */
unsigned peer_count(void);

/* Peers that fail (tests/peers/faults.h): the fault of this name strikes after so many moments of the
 * kind `when`, once; one that was to strike before does not any more. False: no such fault or moment. */
bool peer_fault(const char *name, const char *when, unsigned number);
/* Whether it has struck. */
bool peer_struck(void);

#endif
