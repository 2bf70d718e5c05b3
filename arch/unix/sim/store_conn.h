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
struct store_asked {
    const struct xsd_sockmsg *head;
    const char *payload; /* terminated */
    int refuse;          /* at STORE_ASKED: a negative errno, and it is not carried out */
};
enum store_step {
    STORE_ASKED,    /* item: struct store_asked, before the request is carried out */
    STORE_ANSWERED, /* the same when it is; the guest has not seen the reply yet */
    STORE_REPLY,    /* item: struct store_reply; not for events */
    STORE_PUSH,     /* item: the page, when bytes of a reply have been published */
};
extern void (*store_hook)(enum store_step step, void *item);

/*
 * For peers that fail. From now on nothing is read or written, as when xenstored is stopped, and with
 * full the guest finds no room for a request; or all of it again. Called from within store_hook, or from
 * outside.
 */
void store_conn_stall(bool full);
void store_conn_resume(void);
/* Everything about the connection is forgotten, as after an error of the store's own; it says so in the
 * page, and waits to be asked to reconnect. */
void store_conn_drop(void);

/* Queues a packet for the guest. */
void store_conn_send(const struct xsd_sockmsg *head, const void *payload, size_t len);

/* store_request.c: a whole request has come; payload has a 0 behind its head->len bytes. */
void store_request(const struct xsd_sockmsg *head, char *payload);
/* The answer to one that is not carried out. */
void store_request_refuse(const struct xsd_sockmsg *head, int err);
/* The connection starts anew: transactions and watches are forgotten. */
void store_request_reset(void);

/* store_watch.c: 0 or a negative errno. full is the absolute path, relative as the guest gave it. */
int store_watch_add(const char *full, bool relative, const char *token);
int store_watch_remove(const char *full, const char *token);
void store_watch_reset(void);
/* The synthetic first event of the watch that was added last. */
void store_watch_first_event(void);

#endif
