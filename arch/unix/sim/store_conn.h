/* SPDX-License-Identifier: ISC */
/*
 * Within the store: the guest's connection. store_conn.c moves bytes between the ring and packets,
 * store_request.c answers them, store_watch.c has the watches.
 */
#ifndef SIM_STORE_CONN_H
#define SIM_STORE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

/*
 * For peers that lie: called before something becomes visible to the guest, and may change it. NULL in
 * an honest store.
 */
struct store_reply {
    struct xsd_sockmsg *head; /* with the len that the guest is told */
    const void *payload;
};
enum store_step {
    STORE_REPLY, /* item: struct store_reply; not for events */
    STORE_PUSH,  /* item: the page, when bytes of a reply have been published */
};
extern void (*store_hook)(enum store_step step, void *item);

/* Queues a packet for the guest. */
void store_conn_send(const struct xsd_sockmsg *head, const void *payload, size_t len);

/* store_request.c: a whole request has come; payload has a 0 behind its head->len bytes. */
void store_request(const struct xsd_sockmsg *head, char *payload);
/* The connection starts anew: transactions and watches are forgotten. */
void store_request_reset(void);

/* store_watch.c: 0 or a negative errno. full is the absolute path, relative as the guest gave it. */
int store_watch_add(const char *full, bool relative, const char *token);
int store_watch_remove(const char *full, const char *token);
void store_watch_reset(void);
/* The synthetic first event of the watch that was added last. */
void store_watch_first_event(void);

#endif
