/* SPDX-License-Identifier: ISC */
/*
 * Faults (docs/hardening.md): a peer that dies, starts again, stalls or fails to send an event, after a
 * number of moments of one kind. A test arms one by its name (peer_fault() of arch/unix/sim/peer.h).
 */
#ifndef PEERS_FAULTS_H
#define PEERS_FAULTS_H

#include "arch/unix/sim/store_conn.h"

/* From lies.c, which has the hooks. */
void fault_at_store(enum store_step step, const void *item);
void fault_at_vchan(void);

#endif
