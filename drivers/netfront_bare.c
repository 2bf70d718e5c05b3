/* SPDX-License-Identifier: ISC */
/* The network driver: which packets free their page at once (netfront.h). */
#include "drivers/netfront.h"

#include "lib/net/headers.h"

#define ICMP 1
#define ICMP6 58
#define PART 44 /* a fragment, by IPv6's number; over IPv4 also what has options */

/*
 * Of the type the lower octet tells enough: what has another one ends in lib/net, as does what is too short. Not inline:
 * this is rare, and receive_slot() would be larger for it.
 */
__attribute__((noinline)) bool netfront_is_bare(const struct pbuf *p)
{
    const uint8_t *frame = p->payload, *tcp = frame + ETH_BYTES + IP4_BYTES;
    unsigned protocol, length;

    if (p->len < ETH_BYTES + IP4_BYTES)
        return true;
    switch (frame[AT_ETH_TYPE + 1]) {
    case ETH_IP4 & 0xff:
        protocol = frame[AT_IP4_PROTOCOL];
        length = read_be16(frame + AT_IP4_LENGTH) - IP4_BYTES;
        if (frame[ETH_BYTES] != 0x45 || read_be16(frame + AT_IP4_FRAGMENT) & 0x3fff)
            protocol = PART;
        break;
    case ETH_IP6 & 0xff:
        protocol = frame[AT_IP6_NEXT];
        length = read_be16(frame + AT_IP6_LENGTH);
        tcp += IP6_BYTES - IP4_BYTES;
        break;
    default:
        return true;
    }
    if (protocol != PROTOCOL_TCP)
        return protocol == PROTOCOL_UDP || protocol == ICMP || protocol == ICMP6;
    return tcp + AT_TCP_OFFSET >= frame + p->len || (tcp[AT_TCP_OFFSET] >> 4) * 4u >= length;
}
