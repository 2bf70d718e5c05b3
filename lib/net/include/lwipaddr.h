/* SPDX-License-Identifier: ISC */
/*
 * lwIP copies and compares IPv6 addresses as four words of 32 bits, in macros that it uses a hundred
 * times. These do it as two of 64 bits or as a structure, in less than half the code. Every source of
 * lwIP includes this before anything else (config/build.mk).
 */
#ifndef NET_LWIPADDR_H
#define NET_LWIPADDR_H

#include "lwip/ip_addr.h"

#if LWIP_IPV6

/* One of the two halves of an address, which may be part of a header at any alignment. */
typedef u64_t __attribute__((may_alias, aligned(1))) net_half;
#define NET_HALF(addr6, half) (((net_half *)(addr6)->addr)[half])

#undef ip6_addr_copy
#define ip6_addr_copy(dest, src) ((void)((dest) = (src)))
#undef ip6_addr_copy_to_packed
#define ip6_addr_copy_to_packed(dest, src)                                                         \
    do {                                                                                           \
        NET_HALF(&(dest), 0) = NET_HALF(&(src), 0);                                                \
        NET_HALF(&(dest), 1) = NET_HALF(&(src), 1);                                                \
    } while (0)
#undef ip6_addr_copy_from_packed
#define ip6_addr_copy_from_packed(dest, src)                                                       \
    do {                                                                                           \
        ip6_addr_copy_to_packed(dest, src);                                                        \
        ip6_addr_clear_zone(&(dest));                                                              \
    } while (0)

#undef ip6_addr_net_zoneless_eq
#define ip6_addr_net_zoneless_eq(a, b) (NET_HALF(a, 0) == NET_HALF(b, 0))
#undef ip6_addr_nethost_eq
#define ip6_addr_nethost_eq(a, b) (NET_HALF(a, 1) == NET_HALF(b, 1))
#undef ip6_addr_zoneless_eq
#define ip6_addr_zoneless_eq(a, b) (ip6_addr_net_zoneless_eq(a, b) && ip6_addr_nethost_eq(a, b))
#undef ip6_addr_packed_eq
#define ip6_addr_packed_eq(a, packed, zone)                                                        \
    (ip6_addr_zoneless_eq(a, packed) && ip6_addr_equals_zone(a, zone))
#undef ip6_addr_isany_val
#define ip6_addr_isany_val(a) ((NET_HALF(&(a), 0) | NET_HALF(&(a), 1)) == 0)

#if LWIP_IPV4

#undef ip_addr_copy
#define ip_addr_copy(dest, src) ((void)((dest) = (src)))
#undef ip_addr_set
#define ip_addr_set(dest, src) ((void)(*(dest) = *(src)))

/* Whether two addresses, each of either version, are the same. */
int net_addr_same(const ip_addr_t *a, const ip_addr_t *b);

#undef ip_addr_eq
#define ip_addr_eq(a, b) net_addr_same(a, b)

#endif
#endif

#endif
