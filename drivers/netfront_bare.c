/* SPDX-License-Identifier: ISC */
/* The network driver: which packets free their page at once (netfront.h). */
#include "drivers/netfront.h"

#include "lib/net/headers.h"

/*
 * Of the type the lower octet tells enough: what has another type ends in lib/net. Not inline: this is rare, and
 * receive_slot() would be larger for it.
 */
__attribute__((noinline)) bool netfront_is_bare(const struct pbuf *p)
{
    const uint8_t *frame = p->payload, *tcp = frame + ETH_BYTES + IP4_BYTES;
    uint8_t type;
    unsigned length;

    if (p->len < ETH_BYTES + IP4_BYTES + TCP_BYTES)
        return p->len == ETH_BYTES + ARP_BYTES;
    type = frame[AT_ETH_TYPE + 1];
    length = read_be16(frame + AT_IP4_LENGTH) - IP4_BYTES;
    if (!headers_is_plain4(frame, PROTOCOL_TCP)) {
        if (type != (ETH_IP6 & 0xff) || frame[AT_IP6_NEXT] != PROTOCOL_TCP ||
            p->len < ETH_BYTES + IP6_BYTES + TCP_BYTES)
            return type == (ETH_ARP & 0xff);
        length = read_be16(frame + AT_IP6_LENGTH);
        tcp += IP6_BYTES - IP4_BYTES;
    }
    return (tcp[AT_TCP_OFFSET] >> 4) * 4u >= length;
}
