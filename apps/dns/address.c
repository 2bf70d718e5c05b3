/* SPDX-License-Identifier: ISC */
/* Addresses of the command line. */
#include <string.h>

#include "apps/dns/server.h"
#include "lib/net/parse.h"

unsigned server_parse_address(const char *text, uint8_t address[16])
{
#if LWIP_IPV6
    ip6_addr_t ip6;

    if (net_parse_ip6(text, &ip6)) {
        memcpy(address, ip6.addr, 16);
        return 16;
    }
#endif
#if LWIP_IPV4
    ip4_addr_t ip4;

    if (net_parse_ip4(text, &ip4)) {
        memcpy(address, &ip4.addr, 4);
        return 4;
    }
#endif
    return 0;
}
