/* SPDX-License-Identifier: ISC */
/*
 * A small xenstored behind the shared page, for unit tests: a tree, watches, transaction numbers,
 * and knobs by which it lies. It serves domain 5.
 */
#ifndef TESTS_UNIT_FAKE_XENSTORED_H
#define TESTS_UNIT_FAKE_XENSTORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

#define STORE_PORT 1
#define STORE_HOME "/local/domain/5"

struct fake_store {
    struct xenstore_domain_interface *page;

    /* --- how it behaves --- */
    uint32_t read_chunk, write_chunk; /* bytes moved per service; 0: all there is room for */
    bool hold;                        /* reads requests, answers none */
    bool deaf;                        /* does nothing at all */
    unsigned events_per_change;       /* 0: one */

    /* --- lies, each for one reply, then reset --- */
    unsigned honest;                                   /* so many replies before that one */
    uint32_t lie_req_id, lie_tx_id, lie_type, lie_len; /* instead of the right one, when not 0 */
    const char *lie_error;                             /* an error of this name, unterminated */
    bool lie_lost;                                     /* no reply */
    bool lie_undone;                                   /* with lie_len: a write is not done */
    unsigned eagain;                                   /* so many ends of transactions fail */
    const char *read_only;                             /* paths that begin so may not be written */
    const char *forbidden;                             /* paths that begin so give EACCES */

    /* --- what it has seen --- */
    unsigned requests, rounds; /* rounds: services that found requests */
    unsigned outstanding, outstanding_max;
    unsigned transactions; /* open */
    uint32_t last_type;
};
extern struct fake_store store;

/* Makes the page and points the guest's start info at it. */
void store_init(void);
/* The toolstack's side: absolute paths, or relative to STORE_HOME. They fire watches. */
void store_set(const char *path, const char *value);
void store_set_bytes(const char *path, const char *value, size_t len);
void store_remove(const char *path);
/* The value, or NULL. */
const char *store_get(const char *path);
unsigned store_watches(void);
/* Sends an event to the guest with this path and token. */
void store_event(const char *path, const char *token);
/* Puts raw bytes into the stream to the guest. */
void store_raw(const void *bytes, size_t len);
/* fake_peer's function. */
bool store_serve(void);
/* What it does when the guest asks for a reset. */
void store_reset(void);

#endif
