/* SPDX-License-Identifier: ISC */
/* What lwIP compares addresses with (lib/net/include/lwipaddr.h). */
#include "lib/net/include/lwipaddr.h"

int net_addr_same(const ip_addr_t *a, const ip_addr_t *b)
{
    if (IP_GET_TYPE(a) != IP_GET_TYPE(b))
        return 0;
    if (IP_IS_V6_VAL(*a))
        return ip6_addr_eq(ip_2_ip6(a), ip_2_ip6(b));
    return ip4_addr_eq(ip_2_ip4(a), ip_2_ip4(b));
}
