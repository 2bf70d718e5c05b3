/* SPDX-License-Identifier: ISC */
/*
 * What is needed to talk to other servers: their addresses as lwIP has them, clocks, random numbers.
 */
#include <string.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/util.h"

bool server_ip(const struct dns_peer *peer, ip_addr_t *address)
{
    memset(address, 0, sizeof(*address));
#if LWIP_IPV6
    if (peer->address_len == 16) {
        memcpy(ip_2_ip6(address)->addr, peer->address, 16);
        IP_SET_TYPE(address, IPADDR_TYPE_V6);
        return true;
    }
#endif
#if LWIP_IPV4
    if (peer->address_len == 4) {
        memcpy(ip_2_ip4(address), peer->address, 4);
        IP_SET_TYPE(address, IPADDR_TYPE_V4);
        return true;
    }
#endif
    return false;
}

uint32_t server_monotonic(void)
{
    return (uint32_t)(time_monotonic() / NSEC_PER_SEC);
}

uint32_t server_wall(void)
{
    return (uint32_t)(time_wall() / NSEC_PER_SEC);
}

uint32_t server_random(void)
{
    uint32_t number;

    random_bytes(&number, sizeof(number));
    return number;
}
