/* SPDX-License-Identifier: ISC */
/*
 * hostserver as a secondary: lib/dns/secondary.h behind the host's sockets.
 */
#ifndef TESTS_DNS_HOSTFETCH_H
#define TESTS_DNS_HOSTFETCH_H

#include "lib/dns/secondary.h"

#include <poll.h>

/*
 * Serves the zones of LIST (as secondary=) from DB; what happens is told in lines on the standard output.
 * NULL, or what is wrong with the list.
 */
const char *hostfetch_start(struct dns_db *db, const char *list, const struct dns_access *access,
                            access_parse_address *parse);

/* Sets FD up to be waited for, and returns how many milliseconds that may take. */
int hostfetch_prepare(struct pollfd *fd);

/* After the wait. */
void hostfetch_handle(const struct pollfd *fd);

#endif
