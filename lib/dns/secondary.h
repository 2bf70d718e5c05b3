/* SPDX-License-Identifier: ISC */
/*
 * Zones that other servers have and this one serves as well (RFC 1034 section 4.3.5): when to ask for a new
 * version, whom, and what to do with the answer. Knows neither sockets nor clocks: who calls has them.
 *
 * A zone is served from the moment its primary has given all of it and it was found right; an older version
 * is served until then, in every case of failure, too, until the primary has not been heard of for the
 * time that the zone's SOA says. A zone that is not there yet, or has expired, is answered by SERVFAIL.
 *
 * One zone is asked for at a time, over one connection, so memory for one zone more is all that is needed.
 */
#ifndef LIB_DNS_SECONDARY_H
#define LIB_DNS_SECONDARY_H

#include "lib/dns/access.h"
#include "lib/dns/fetch.h"

enum {
    SECONDARY_PRIMARIES = 4, /* of a zone */
    SECONDARY_CONNECT_SECONDS = 10,
    SECONDARY_IDLE_SECONDS = 30,    /* between two messages */
    SECONDARY_SPAN_SECONDS = 60,    /* in which a primary that has more to send ... */
    SECONDARY_SPAN_OCTETS = 65536,  /* ... has to send so much of it */
    SECONDARY_TOTAL_SECONDS = 3600, /* of a transfer */
    SECONDARY_PATIENCE =
        1, /* until the second attempt for a zone that is not there, doubled each time */
};

enum secondary_event {
    SECONDARY_LOADED,  /* a new version is served */
    SECONDARY_CHANGED, /* the same, made of the old one and differences */
    SECONDARY_FAILED,  /* a primary gave none, for a reason */
    SECONDARY_EXPIRED, /* the zone is not served any longer */
};

/* A zone. The members below `primaries` are private. */
struct secondary {
    struct secondary *next;
    uint8_t name[DNS_NAME_MAX + DNS_NAME_PAD]; /* wire form, lower case */
    struct dns_peer primary[SECONDARY_PRIMARIES];
    unsigned primaries;
    struct dns_zone zone[2]; /* by turns: the version that is served, and the next one */
    struct dns_zone *served; /* one of them, or one that was in the image */
    uint8_t *image;          /* what it uses, from malloc, or NULL */
    uint32_t known;          /* when a primary was last heard to have no newer one; seconds */
    uint32_t asked;          /* when a primary was asked last */
    uint32_t due;            /* when to ask next */
    uint32_t patience;       /* seconds to wait after a failure while there is no version at all */
    unsigned turn;           /* the primary to ask */
    unsigned tried;          /* how many have failed, one after the other */
    bool whole;              /* differences were no use: the whole zone is wanted */
    bool again;              /* a NOTIFY came while it was asked for ... */
    unsigned sender;         /* ... from this primary */
};

/* What the caller can do. The functions of a connection return 0 or a negative errno. */
struct secondary_ops {
    /* Begins to connect; secondaries_connected() or _disconnected() follows, not from within. -ENETDOWN: there is no network yet. */
    int (*connect)(const struct dns_peer *peer);
    /* Sends octets, of which the connection takes a copy. */
    int (*send)(const uint8_t *octets, size_t len);
    /* Ends the connection; none of the functions below is called for it afterwards. */
    void (*disconnect)(void);
    /* Has secondaries_build() called soon, not from within. */
    void (*build)(void);
    /* Called while a zone is made: others may work. NULL: it is made at one go. */
    void (*pause)(void);
    /* Has secondaries_run() called soon. */
    void (*wake)(void);
    /* How many octets of memory are free. */
    size_t (*memory)(void);
    /* Tells of an event; PEER and REASON are NULL unless it is a failure. */
    void (*tell)(const struct secondary *s, enum secondary_event event, const struct dns_peer *peer,
                 const char *reason);
    uint32_t (*monotonic)(void); /* seconds */
    uint32_t (*wall)(void);      /* seconds since the epoch */
    uint32_t (*random)(void);
};

/* All of them, and the one that is asked for now. Private, but for `list`. */
struct secondaries {
    struct dns_listener listener;
    struct secondary *list;
    struct dns_db *db;
    const struct secondary_ops *ops;
    struct secondary *active;
    bool connected, building;
    bool excess;       /* something has come behind the end of the zone */
    uint32_t deadline; /* for the next message */
    uint32_t end;      /* for all of them */
    uint32_t span;     /* when it is looked at whether enough has come */
    size_t come;       /* octets since it was last */
    size_t limit; /* octets of memory that a zone's records may take; 0: half of what is free */
    struct fetch fetch;
    uint8_t *message; /* the one being received, with its length in front */
    size_t have;
};

/* Makes an empty list for zones served from DB, which tells it of NOTIFY messages from now on. */
void secondaries_init(struct secondaries *all, struct dns_db *db, const struct secondary_ops *ops);

/*
 * Sets how many octets of memory the records of a zone that comes may take. Without it they may take half of what is
 * free when they begin to come: the image which is made of them needs about as much.
 */
void secondaries_limit(struct secondaries *all, size_t octets);

/*
 * Adds the zones of a list "ZONE=PRIMARY,PRIMARY,ZONE=PRIMARY...", each PRIMARY as access_parse_peer() has
 * it. One that the database has already is served on until there is a newer one. Returns NULL, or what is
 * wrong with the list.
 */
const char *secondaries_add(struct secondaries *all, const char *list,
                            const struct dns_access *access, access_parse_address *parse);

/* Does what is due. Returns in how many seconds it has to be called again. */
uint32_t secondaries_run(struct secondaries *all);

/* What happened to the connection. REASON is a text. */
void secondaries_connected(struct secondaries *all);
void secondaries_received(struct secondaries *all, const uint8_t *octets, size_t len);
void secondaries_disconnected(struct secondaries *all, const char *reason);

/* Makes a zone of what was received, and serves it. */
void secondaries_build(struct secondaries *all);

#endif
