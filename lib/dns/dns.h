/* SPDX-License-Identifier: ISC */
/*
 * The authoritative name server's core: zone images, the set of zones being served, and the answer
 * to one query. Nothing here allocates memory per query, waits, or knows of sockets.
 *
 * A zone image is one relocatable block of octets, made by lib/dns/build.h (at build time by the
 * host tool zonec) and used in place. Its owner keeps it alive and unchanged while a zone refers to
 * it.
 */
#ifndef LIB_DNS_DNS_H
#define LIB_DNS_DNS_H

#include "lib/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DNS_PORT = 53,
    DNS_UDP_MIN = 512,           /* RFC 1035 section 4.2.1 */
    DNS_UDP_MAX = 1232,          /* largest UDP answer: fits every IPv6 path unfragmented */
    DNS_TCP_MAX = 65535,         /* largest message over TCP */
    DNS_TRANSFER_MESSAGE = 8190, /* of a transfer, unless one set is larger */
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_YXDOMAIN = 6,
    DNS_NOTAUTH = 9,
    DNS_BADVERS = 16,
    DNS_BADCOOKIE = 23,
    DNS_RCODES = 24, /* response codes counted */
};

enum {
    DNS_TYPES_COUNTED = 16, /* types counted, lib/dns/counters.c says which */
    DNS_MAC_MAX = IS_ENABLED(CONFIG_DNS_TSIG_ALGORITHMS) ? 64 : 32, /* octets of a TSIG's MAC */
};

/* Flags of dns_answer. */
enum {
    DNS_TCP = 1, /* the query came over TCP: no size limit but `cap` */
    DNS_MINIMAL =
        2, /* leave out authority and additional records which the client can do without */
};

/* An opened zone image. All members are private to lib/dns. */
struct dns_zone {
    struct dns_zone *next; /* in its bucket */
    const uint8_t *image;
    const uint8_t *slots, *slots_end;
    const uint8_t *name; /* apex, lower case, wire form */
    const uint8_t *negative_soa;
    const uint8_t *denial; /* entries for NSEC or NSEC3 */
    const uint8_t *nsec3;
    uint32_t denials;
    size_t size;
    uint32_t hash;
    uint32_t slot_count;
    uint32_t node_limit; /* above all numbers of nodes: 1 << node_bits */
    uint8_t node_bits;
    uint8_t max_depth;
    uint8_t name_len;
    uint8_t labels;
    uint8_t features;
    uint32_t
        version; /* another one for each zone that was ever served; with CONFIG_DNS_SECONDARY */
    struct dns_history *history; /* what has changed before; with CONFIG_DNS_IXFR, or NULL */
};

/* The zones being served: a hash table of their names. All members are private to lib/dns. */
struct dns_db {
    const struct dns_identity *identity;
    struct dns_zone **buckets;
    unsigned mask;
    unsigned depth_count;
    /* The numbers of labels that zones' names have, greatest first. */
    struct dns_depth {
        struct dns_zone *only; /* that has so many labels, or NULL: there are several */
        /* When its name has 8 to 16 octets, the first and the last eight of them; else quick_len is UINT16_MAX. */
        uint64_t first, last;
        uint16_t quick_len;
        /* The bits of last that tell this name from others, whatever their letters' case. */
        uint64_t relevant;
        uint8_t labels;
    } depth[128];
    const struct dns_access *access;
    struct dns_limiter *limiter;
    /* These two with CONFIG_DNS_SECONDARY. */
    struct dns_listener *listener;
    uint32_t version; /* of the zone that was set last: what is served has changed when it has */
};

/* What the server says of itself, with CONFIG_DNS_EDNS. */
struct dns_identity {
    const char *version; /* to a question for version.bind; NULL: nothing */
    const char *id;      /* to one for id.server and to the option NSID; NULL: nothing */
    bool counters;       /* to one for counters.server, with CONFIG_DNS_COUNTERS */
    uint16_t idle;       /* tenths of a second until an idle TCP connection is closed */
    uint8_t secret[16];  /* of the cookies; the same on all servers behind one address */
};

/*
 * Where a zone transfer has got to. It begins as all zeros; the next message is made by giving the same
 * query to dns_answer again. A message is made anew with a copy of what the place was before.
 */
struct dns_transfer {
    bool more;     /* the message made last is not the transfer's last */
    uint8_t phase; /* what comes next; private to lib/dns, as is all below */
    uint8_t part;
    uint32_t number;          /* of the node, or of the NSEC3 set */
    uint32_t set;             /* those of the node which are sent */
    uint8_t mac[DNS_MAC_MAX]; /* of the last message */
    uint32_t version;         /* of the zone; with CONFIG_DNS_SECONDARY */
};

/* Who asks, and when; only looked at with CONFIG_DNS_EDNS, CONFIG_DNS_XFR or CONFIG_DNS_LIMIT. */
struct dns_client {
    uint8_t address[16];
    uint8_t address_len;           /* 4 or 16 */
    uint32_t now;                  /* seconds since the epoch, modulo 2^32 */
    struct dns_transfer *transfer; /* over TCP; NULL: no transfers */
};

struct dns_key;
struct tsig_key;

/* Who is told of NOTIFY messages (RFC 1996), with CONFIG_DNS_SECONDARY. */
struct dns_listener {
    /*
     * CLIENT says that the zone NAME has changed; KEY is what has signed that, or NULL. Returns the response
     * code.
     */
    int (*notified)(struct dns_listener *listener, const struct dns_key *name,
                    const struct dns_client *client, const struct tsig_key *key);
};

struct dns_stats {
    uint64_t queries;           /* everything handed to dns_answer, or dropped before */
    uint64_t dropped;           /* ... and not answered: too short, a response, no memory */
    uint64_t truncated;         /* answered with TC */
    uint64_t tcp;               /* queries over TCP */
    uint64_t cookies;           /* queries with a cookie that this server gave to that client */
    uint64_t rcode[DNS_RCODES]; /* answers by response code */
    uint64_t limited;           /* answers not sent, by LIMITER */
    uint64_t slipped;           /* ... and those sent empty instead */
    /* With CONFIG_DNS_COUNTERS. */
    uint64_t transfers;               /* whole zones given away */
    uint64_t type[DNS_TYPES_COUNTED]; /* questions by type */
    uint64_t differences;             /* given away, of zones */
};

/*
 * Opens the image at the start of DATA (SIZE octets are readable) and fills *zone.
 * Reads the header only: the body is believed, as code is, unless dns_zone_check is called.
 * Returns the number of octets the image occupies, or a negative errno: -EINVAL not an image of
 * this version, -EMSGSIZE cut short, -ENOTSUP needs what this server was built without.
 */
long dns_zone_open(struct dns_zone *zone, const uint8_t *data, size_t size);

/*
 * Verifies every node, record set and reference of an opened image, so that no query can lead
 * outside of it. Takes time linear in the image. Returns 0 or -EINVAL.
 */
int dns_zone_check(const struct dns_zone *zone);

/* Figures of an opened image, for log lines. */
uint32_t dns_zone_records(const struct dns_zone *zone);
uint32_t dns_zone_names(const struct dns_zone *zone);
uint32_t dns_zone_serial(const struct dns_zone *zone);

/* Makes *zone one without data, whose questions are answered by SERVFAIL. NAME is its apex, lower case, with
 * DNS_NAME_PAD readable octets behind it and seven in front, and stays alive. */
void dns_zone_vacate(struct dns_zone *zone, const uint8_t *name);

/* Writes the apex in text form with a final dot into TEXT[1021]. */
void dns_zone_text(const struct dns_zone *zone, char *text);

/* Makes DB empty. It uses the COUNT buckets, a power of two, as long as it lives. */
void dns_db_init(struct dns_db *db, struct dns_zone **buckets, unsigned count);

/*
 * Serves ZONE, which must stay alive until it is removed. A zone of the same name is replaced in
 * one step and returned: the caller may free it at once. Otherwise returns NULL.
 */
struct dns_zone *dns_db_set(struct dns_db *db, struct dns_zone *zone);

/* Stops serving ZONE. */
void dns_db_remove(struct dns_db *db, struct dns_zone *zone);

/* Has the server answer for itself by IDENTITY, which must stay alive. NULL: not at all. */
void dns_db_identify(struct dns_db *db, const struct dns_identity *identity);

/*
 * Lets those whom ACCESS (lib/dns/access.h), which must stay alive, allows it have zones, and knows its
 * keys. NULL: nobody, and none.
 */
void dns_db_allow(struct dns_db *db, const struct dns_access *access);

/* Has LISTENER, which must stay alive, told of NOTIFY messages. NULL: they are not known. */
void dns_db_listen(struct dns_db *db, struct dns_listener *listener);

/* Has answers over UDP limited by LIMITER (lib/dns/limit.h), which must stay alive. NULL: not at all. */
void dns_db_limit(struct dns_db *db, struct dns_limiter *limiter);

/*
 * Answers the query of LEN octets at MESSAGE in its place, where there is room for DNS_UDP_MAX octets, and returns the
 * answer's length, if the query is plain (plain.c) and that suffices for its answer, over TCP too; then it is what
 * dns_answer_fully() would write with DNS_MINIMAL. Otherwise 0, and nothing is written. Of STATS only the question's type is
 * counted.
 */
size_t dns_answer_plain(const struct dns_db *db, uint8_t *message, size_t len,
                        struct dns_stats *stats);

/* dns_answer() for any query. */
size_t dns_answer_fully(const struct dns_db *db, const struct dns_client *client,
                        const uint8_t *query, size_t len, uint8_t *out, size_t cap, unsigned flags,
                        struct dns_stats *stats);

/* dns_answer() in place, as dns_answer_plain() and where that may be done; or 0, and nothing is written. */
static ALWAYS_INLINE size_t dns_answer_quickly(const struct dns_db *db, uint8_t *message,
                                               size_t len, unsigned flags, struct dns_stats *stats)
{
    size_t size = 0;

    if ((flags | DNS_TCP) == (DNS_MINIMAL | DNS_TCP) &&
        !(IS_ENABLED(CONFIG_DNS_LIMIT) && db->limiter))
        size = dns_answer_plain(db, message, len, stats);
    if (size) {
        stats->queries++;
        stats->rcode[DNS_NOERROR]++;
        stats->tcp += (flags & DNS_TCP) != 0;
    }
    return size;
}

/*
 * Answers the LEN octets at QUERY from CLIENT into OUT[CAP]. The two do not overlap, or are one and the same place,
 * where there is room for CAP + LEN octets. Both are exactly one
 * message, without the length that precedes it on TCP. FLAGS are DNS_TCP and DNS_MINIMAL. STATS may
 * not be NULL. Returns the length of the answer, or 0 when none must be sent. CAP is at least
 * DNS_UDP_MIN.
 */
static ALWAYS_INLINE size_t dns_answer(const struct dns_db *db, const struct dns_client *client,
                                       const uint8_t *query, size_t len, uint8_t *out, size_t cap,
                                       unsigned flags, struct dns_stats *stats)
{
    size_t size = 0;

    if (flags & DNS_MINIMAL && cap >= DNS_UDP_MAX && len <= cap) {
        if (out != query)
            memcpy(out, query, len);
        size = dns_answer_quickly(db, out, len, flags, stats);
    }
    return size ? size : dns_answer_fully(db, client, query, len, out, cap, flags, stats);
}

#endif
