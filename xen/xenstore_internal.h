/* SPDX-License-Identifier: ISC */
/* Between the files of the xenstore client. */
#ifndef XEN_XENSTORE_INTERNAL_H
#define XEN_XENSTORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct xs_request;
struct xs_stats;
struct xsd_sockmsg;

/* --- xenstore.c: the connection --- */

/* The store, or something else that writes to its page, broke the protocol beyond repair: resets
 * the connection, or ends it. value is what was found, for the log. */
void xenstore_breach(const char *rule, uint32_t value);
/* The request that the header answers, or NULL: then *why says what is wrong with it. */
struct xs_request *xenstore_match(const struct xsd_sockmsg *head, const char **why);
/* The whole reply to a request has come. */
void xenstore_answered(struct xs_request *req, int result);
struct xs_stats *xenstore_counters(void);
/* Does what there is to do, though no event has come; true while requests wait for the store. */
bool xenstore_look(void);

/* --- xenstore_silence.c: a store that says nothing --- */

/* A request has been submitted; a reply has come. */
void xenstore_silence_begins(void);
void xenstore_silence_ends(void);

/* --- xenstore_reply.c: packets from the store --- */

/* Forgets a packet of which only a part has come. */
void xenstore_reply_reset(void);
/* Takes the bytes that belong to the header or payload at hand, of n: how many it took. */
uint32_t xenstore_reply_bytes(const char *data, uint32_t n);

/* --- xenstore_watch.c --- */

/* Creates the watch thread: 0 or -ENOMEM. */
int xenstore_watch_init(void);
/* An event has come for a path with this many "/", the first character among them if absolute.
 * False when the token never was one of ours: the store's mistake. */
bool xenstore_watch_event(const char *token, unsigned levels, bool absolute);
/* The store has forgotten all watches: registers them again. */
void xenstore_watch_restore(void);

#endif
