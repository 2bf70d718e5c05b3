/* SPDX-License-Identifier: ISC */
/*
 * Telling secondaries that a zone has changed (NOTIFY, RFC 1996), until they answer. Knows neither sockets
 * nor clocks: who calls has them.
 */
#ifndef LIB_DNS_NOTIFIER_H
#define LIB_DNS_NOTIFIER_H

#include "lib/dns/access.h"

enum {
    NOTIFIER_TARGETS = 8,
    NOTIFIER_TRIES = 5,  /* 2, 4, 8 ... seconds apart */
    NOTIFIER_BURST = 16, /* messages a second */
};

/* What the caller can do. */
struct notifier_ops {
    /* Sends a message to the address and port of a server; it may get lost. */
    void (*send)(const struct dns_peer *to, const uint8_t *message, size_t len);
    /* Has notifier_run() called soon. */
    void (*wake)(void);
    /* Tells that a server has not taken the notice of the zone NAME. */
    void (*tell)(const uint8_t *name, const struct dns_peer *to, const char *reason);
    uint32_t (*monotonic)(void); /* seconds */
    uint32_t (*wall)(void);      /* seconds since the epoch */
    uint32_t (*random)(void);
};

/* Who is told, and what they have not confirmed yet. Private. */
struct notifier {
    const struct notifier_ops *ops;
    struct dns_peer target[NOTIFIER_TARGETS];
    unsigned targets;
    struct notice *notices;
    uint32_t second; /* the last one in which messages were sent, and how many */
    unsigned sent;
};

void notifier_init(struct notifier *n, const struct notifier_ops *ops);

/* Adds the servers of a list, each as access_parse_peer() has it. Returns NULL, or what is wrong with it. */
const char *notifier_add(struct notifier *n, const char *list, const struct dns_access *access,
                         access_parse_address *parse);

/* The zone NAME (wire form; stays alive) has changed: tells all servers. -ENOMEM: all but some of them. */
int notifier_changed(struct notifier *n, const uint8_t *name);

/* The same at the beginning, for all zones of DB. */
int notifier_all_changed(struct notifier *n, const struct dns_db *db);

/* Does what is due. Returns in how many seconds it has to be called again; UINT32_MAX: when it is woken. */
uint32_t notifier_run(struct notifier *n);

/* Takes a message from FROM, of which address and port count. */
void notifier_take(struct notifier *n, const struct dns_peer *from, const uint8_t *message,
                   size_t len);

#endif
