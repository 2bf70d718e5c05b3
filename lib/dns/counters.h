/* SPDX-License-Identifier: ISC */
/*
 * What a server has counted (struct dns_stats), as text.
 */
#ifndef LIB_DNS_COUNTERS_H
#define LIB_DNS_COUNTERS_H

#include "lib/dns/dns.h"

enum {
    COUNTER_TEXT = 48, /* octets that a counter's text has at most, with its NUL */
    COUNTERS_TEXT =
        2048 /* and that all have with a blank between them: a node of xenstore holds them */
};

/* Counts a question of this type. */
void counters_type(struct dns_stats *stats, unsigned type);

/*
 * Writes the next counter that is not 0 to TEXT[COUNTER_TEXT], "name=value", and returns its length; 0 after the
 * last one. *next is 0 at first.
 */
unsigned counters_next(const struct dns_stats *stats, unsigned *next, char *text);

/* Writes all that are not 0 to TEXT[COUNTERS_TEXT], with blanks between them. */
void counters_text(const struct dns_stats *stats, char *text);

#endif
