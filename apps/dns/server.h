/* SPDX-License-Identifier: ISC */
/*
 * What the two transports of the dns app share.
 */
#ifndef APPS_DNS_SERVER_H
#define APPS_DNS_SERVER_H

#include "lib/dns/access.h"
#include "lib/dns/dns.h"

#include "lwip/ip_addr.h"

/* The zones served and the counters; set up before the first packet. */
struct server {
    struct dns_db db;
    struct dns_stats stats;
    uint16_t port;
};

extern struct server server;

/* Flags of dns_answer that the configuration asks for. */
#define SERVER_FLAGS (IS_ENABLED(CONFIG_DNS_MINIMAL) ? DNS_MINIMAL : 0)

/* Is dns_answer to know who asks? */
#define SERVER_KNOWS_CLIENT                                                                        \
    (IS_ENABLED(CONFIG_DNS_EDNS) || IS_ENABLED(CONFIG_DNS_XFR) || IS_ENABLED(CONFIG_DNS_LIMIT))

/* What version.bind is told, or NULL. */
static inline const char *server_version(void)
{
#ifdef CONFIG_DNS_VERSION
    if (CONFIG_DNS_VERSION[0])
        return CONFIG_DNS_VERSION;
#endif
    return NULL;
}

#ifdef CONFIG_DNS_TCP_IDLE_SECONDS
#define SERVER_IDLE_SECONDS CONFIG_DNS_TCP_IDLE_SECONDS
#else
#define SERVER_IDLE_SECONDS 0
#endif

/* The sender of a query now, for dns_answer. Valid until the next call. */
const struct dns_client *server_client(const ip_addr_t *from);

/*
 * Reads from the command line who may have the zones, which are fetched, and who is told of changes. 0 or a negative errno; the log
 * says why.
 */
int server_read_access(void);

/* The decimal number in TEXT; one above MAX, which is less than UINT32_MAX / 10, if that is none or too large. */
static inline uint32_t server_parse_number(const char *text, uint32_t max)
{
    uint32_t number = *text ? 0 : max + 1;

    for (; *text && number <= max; text++)
        number = *text < '0' || *text > '9' ? max + 1 : number * 10 + (uint32_t)(*text - '0');
    return MIN(number, max + 1);
}

/* An address as access_parse_address() wants it. */
unsigned server_parse_address(const char *text, uint8_t address[16]);

/* Another server's address as lwIP has it; false when that is built without addresses of this kind. */
bool server_ip(const struct dns_peer *peer, ip_addr_t *address);

/* Seconds of the monotonic clock, and since the epoch; and a random number. */
uint32_t server_monotonic(void);
uint32_t server_wall(void);
uint32_t server_random(void);

/*
 * Tells the servers that the command line names that all zones have changed. 0 or a negative errno; the log
 * says why.
 */
int server_start_notify(const struct dns_access *access);

/* Tells them that the zone NAME has. */
void server_zone_changed(const uint8_t *name);

/* Begins to fetch the zones that the command line names. 0 or a negative errno; the log says why. */
int server_start_secondary(const struct dns_access *access);

/* Sets the limit of answers up by the command line. 0 or a negative errno; the log says why. */
int server_set_limit(void);

/*
 * Tells the counters by the ways that the command line names; *chaos is set when that is one of them. 0 or a
 * negative errno; the log says why.
 */
int server_tell_counters(bool *chaos);

/* Has clients that ask be told how long a TCP connection may be idle, in tenths of a second. */
void server_tell_idle(unsigned tenths);

/* Begins to accept connections. 0 or a negative errno. */
int dns_tcp_start(void);

#endif
