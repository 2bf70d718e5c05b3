/* SPDX-License-Identifier: ISC */
/*
 * The kernel as the xenstore client, xenbus and the console see it, on the host: a loop, work,
 * timers on a clock that the test moves, cooperative threads (each on a stack of its own), pages that are counted, and one peer that is served when it was notified.
 * The log goes into a buffer that the test can search.
 */
#ifndef TESTS_UNIT_FAKE_KERNEL_H
#define TESTS_UNIT_FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xen/evtchn.h"

/* --- events --- */

struct fake_port {
    evtchn_handler *fn;
    void *ctx;
    bool pending, notified;
    unsigned notifies, spurious, useful;
};
#define FAKE_PORTS 8
extern struct fake_port fake_ports[FAKE_PORTS];

void fake_raise(evtchn_port_t port);

/* --- running --- */

/* Serves the peer, once: called when the guest has nothing left to do. True when it did something,
 * and the guest is to run again. */
extern bool (*fake_peer)(void);

/* Runs guest and peer by turns until both have nothing left to do. Fails the test if that is not so
 * after very many turns. */
void fake_run(void);
/* The guest alone, until it waits. */
void fake_run_guest(void);
/* Moves the clock and runs, timer by timer. */
void fake_sleep(uint64_t ns);
extern uint64_t fake_now;
extern unsigned fake_timers_fired;

/* Runs fn(arg) in a thread of the guest until the thread has ended (the peer being served). */
void fake_in_thread(void (*fn)(void *arg), void *arg);
/* Starts it, runs until everything waits, and returns: true when the thread has ended. */
bool fake_start(void (*fn)(void *arg), void *arg);
bool fake_ended(void);

/* --- what is looked at afterwards --- */

extern size_t fake_pages; /* allocated */
extern bool fake_no_memory;
extern unsigned fake_objects; /* of the network's allocator (fake_net_mem.c) */
bool fake_logged(const char *text);
unsigned fake_log_count(const char *text);
void fake_log_clear(void);

#endif
