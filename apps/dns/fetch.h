/* SPDX-License-Identifier: ISC */
/*
 * The connection to a primary; at most one at a time.
 */
#ifndef APPS_DNS_FETCH_H
#define APPS_DNS_FETCH_H

#include "lib/dns/secondary.h"

/* These three as in struct secondary_ops; ALL is told what happens to the connection. */
int fetch_connect(struct secondaries *all, const struct dns_peer *peer);
int fetch_send(const uint8_t *octets, size_t len);
void fetch_disconnect(void);

#endif
