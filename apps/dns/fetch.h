/* SPDX-License-Identifier: ISC */
/*
 * The connection to a primary; at most one at a time.
 */
#ifndef APPS_DNS_FETCH_H
#define APPS_DNS_FETCH_H

#include "lib/dns/secondary.h"

#include "lwip/ip_addr.h"

/* These three as in struct secondary_ops; ALL is told what happens to the connection. */
int fetch_connect(struct secondaries *all, const struct dns_peer *peer);
int fetch_send(const uint8_t *octets, size_t len);
void fetch_disconnect(void);

/* The peer's address as lwIP has it; false when that is built without addresses of this kind. */
bool fetch_address(const struct dns_peer *peer, ip_addr_t *address);

#endif
