/* SPDX-License-Identifier: ISC */
/*
 * Faults of the guest's, which the host reports as signals, become traps: the guest's handler runs
 * with the frame that Xen pushes (set_trap_table and struct trap_info in xen.h).
 */
#ifndef SIM_TRAP_H
#define SIM_TRAP_H

#include <stdbool.h>
#include <stdint.h>

void trap_create(void);
/* set_trap_table, set_callbacks and callback_op. */
long trap_set_table(uintptr_t arg);
long trap_set_callbacks(uintptr_t event, uintptr_t failsafe, uintptr_t syscall);
long trap_callback_op(int cmd, uintptr_t arg);
/* The guest's event callback, or NULL before it has registered one. */
void *trap_event_callback(void);
/* Whether the guest runs, rather than the simulation: whose a fault is. */
void trap_set_guest_runs(bool runs);

#endif
