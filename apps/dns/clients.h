/* SPDX-License-Identifier: ISC */
/*
 * How many connections each client has, over TCP: an upper limit of that, in a table whose size does not depend on
 * how many there are. A client is an IPv4 address or an IPv6 network of 64 bits, of which one host has all addresses.
 */
#ifndef APPS_DNS_CLIENTS_H
#define APPS_DNS_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util.h"

#include "lwip/ip_addr.h"

/* How many a client may have; only looked at with CONFIG_DNS_TCP_CLIENTS. */
#ifdef CONFIG_DNS_TCP_CLIENT_CONNECTIONS
#define CLIENT_CONNECTIONS CONFIG_DNS_TCP_CLIENT_CONNECTIONS
#else
#define CLIENT_CONNECTIONS 1
#endif

/* Where the client is counted. Who does not know a secret cannot find two that share a place. */
uint16_t clients_place(const ip_addr_t *address);

/* Counts a connection more or less at a place. */
void clients_count(uint16_t place, int change);

/* How many connections those have together who share this place: no fewer than any of them has. */
unsigned clients_at(uint16_t place);

/*
 * How long a connection may be idle, tenths of a second, when there are COUNT: over half of their limit the less the
 * more there are (RFC 7766 section 6.2.3), and at least one second. Without CONFIG_DNS_TCP_CLIENTS always as long.
 */
static inline unsigned clients_idle_tenths(unsigned count)
{
    const unsigned usual = CONFIG_DNS_TCP_IDLE_SECONDS * 10, most = CONFIG_DNS_TCP_CONNECTIONS;
    unsigned left = most - MIN(count, most);

    if (!IS_ENABLED(CONFIG_DNS_TCP_CLIENTS) || left >= most / 2)
        return usual;
    return MAX(usual * left / (most / 2), 10);
}

/* Are these one client's? */
bool clients_same(const ip_addr_t *a, const ip_addr_t *b);

#endif
