/* SPDX-License-Identifier: ISC */
/* Addresses as people write them: see parse.c. */
#ifndef LIB_NET_PARSE_H
#define LIB_NET_PARSE_H

#include <stdbool.h>

#include "lwip/ip_addr.h"

/* An address of one host. False: the text is none, and *ip undefined. */
#if LWIP_IPV4
bool net_parse_ip4(const char *text, ip4_addr_t *ip);
#endif
#if LWIP_IPV6
bool net_parse_ip6(const char *text, ip6_addr_t *ip);
#endif

#endif
