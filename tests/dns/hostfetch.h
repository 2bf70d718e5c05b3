/* SPDX-License-Identifier: ISC */
/*
 * hostserver as a secondary and as a primary that tells of changes: lib/dns/secondary.h and notifier.h behind
 * the host's sockets.
 */
#ifndef TESTS_DNS_HOSTFETCH_H
#define TESTS_DNS_HOSTFETCH_H

#include "lib/dns/notifier.h"
#include "lib/dns/secondary.h"

#include <poll.h>

/*
 * Serves the zones of LIST (as secondary=) from DB; what happens is told in lines on the standard output.
 * NULL, or what is wrong with the list.
 */
const char *hostfetch_start(struct dns_db *db, const char *list, const struct dns_access *access,
                            access_parse_address *parse);

/* Tells the servers of LIST (as notify=) of all zones now, and of those that are fetched. As above. */
const char *hostfetch_notify(struct dns_db *db, const char *list, const struct dns_access *access,
                             access_parse_address *parse);

enum { HOSTFETCH_FDS = 2 };

/* Sets FDS up to be waited for, and returns how many milliseconds that may take. */
int hostfetch_prepare(struct pollfd fds[HOSTFETCH_FDS]);

/* After the wait. */
void hostfetch_handle(const struct pollfd fds[HOSTFETCH_FDS]);

#endif
