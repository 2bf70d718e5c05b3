/* SPDX-License-Identifier: ISC */
/*
 * The guest's console (xen/include/public/io/console.h): what xenconsoled and "xl console" do, with
 * standard output and input as the terminal.
 */
#ifndef SIM_CONSOLE_H
#define SIM_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

/* Takes the ring in the page that is granted; the guest's port of the event channel. */
uint32_t console_connect(grant_ref_t ref);
/* Where output goes: a descriptor, 1 unless told otherwise; and where input comes from, -1: nowhere.
 * Before console_connect(). */
void console_set_fds(int out, int in);

/* For tests: from now on nothing is read, and nothing typed, as when xenconsoled is stopped; or again. */
void console_stall(bool stall);
/* The guest has ended: writes what is left in its ring. */
void console_drain(void);

#endif
