/* SPDX-License-Identifier: ISC */
/*
 * What lib/dns is given on a host to read addresses with (access_parse_address in lib/dns/prefix.h).
 */
#ifndef TESTS_UNIT_PARSE_ADDRESS_H
#define TESTS_UNIT_PARSE_ADDRESS_H

#include <arpa/inet.h>
#include <stdint.h>

static inline unsigned parse_address(const char *text, uint8_t address[16])
{
    return inet_pton(AF_INET, text, address) == 1    ? 4
           : inet_pton(AF_INET6, text, address) == 1 ? 16
                                                     : 0;
}

#endif
