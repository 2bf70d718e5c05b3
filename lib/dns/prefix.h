/* SPDX-License-Identifier: ISC */
/*
 * Networks, as addresses of which the first bits count.
 */
#ifndef LIB_DNS_PREFIX_H
#define LIB_DNS_PREFIX_H

#include "lib/dns/dns.h"

enum { PREFIX_TEXT_MAX = 64 }; /* characters of a network, more than any needs */

struct dns_prefix {
    uint8_t address[16];
    uint8_t address_len; /* 4 or 16; 0: any client */
    uint8_t bits;        /* of the address that count */
};

/* Reads an address in text form; returns its octets, 4 or 16, or 0 when TEXT is none. */
typedef unsigned access_parse_address(const char *text, uint8_t address[16]);

/* Reads ADDRESS[/BITS], which is written to. False: it is none. */
bool prefix_parse(struct dns_prefix *prefix, char *text, access_parse_address *parse);

/* Reads a list of them with commas between, of at most MAX. Returns how many there are, or -EINVAL or -E2BIG. */
int prefix_parse_list(struct dns_prefix *prefix, unsigned max, const char *list,
                      access_parse_address *parse);

/* Is CLIENT in the network? */
bool prefix_has(const struct dns_prefix *prefix, const struct dns_client *client);

#endif
