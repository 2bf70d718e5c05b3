/* SPDX-License-Identifier: ISC */
/*
 * The echo service over UDP (port 7) without a network stack: this file takes lib/net's place above
 * the driver. A datagram's addresses and ports change places, in the page that it came in, and the
 * page goes back onto the ring. What that costs is the ring, the grants, the events and the loop,
 * and no server here can cost less: it is the floor that `make bench` compares them with.
 *
 * It is no host: it has no address, answers whatever is sent to its Ethernet address over plain
 * IPv4, and does not know ARP. Who asks must be told where it is (`ip neigh add`).
 */
#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/net.h"
#include "lib/net/netdev.h"

#define LOG_MODULE "reflect"
#define PORT 7

static struct netdev *device; /* the first one */

static bool is_question(const struct netdev *dev, const uint8_t *frame, const struct headers *h)
{
    return h->version == 4 && h->protocol == PROTOCOL_UDP &&
           h->transport == ETH_BYTES + IP4_BYTES && headers_same_mac(frame, dev->mac) &&
           read_be16(frame + h->transport + 2) == PORT && read_be16(frame + h->transport) != PORT;
}

/* Both Ethernet addresses, both IP addresses and both ports change places. */
static void turn_round(uint8_t *frame, uint8_t *udp)
{
    uint64_t to = read_long(frame), from = read_long(frame + 6);
    uint64_t ends = read_long(frame + AT_IP4_SRC);
    uint32_t ports = read_word(udp);

    write_long(frame, from);
    /* `to` has six octets in front of two of the sender's, `from` six in front of the type. */
    write_long(frame + 6, (to & 0xffffffffffff) | from >> 48 << 48);
    write_long(frame + AT_IP4_SRC, ends << 32 | ends >> 32);
    write_word(udp, ports << 16 | ports >> 16);
}

/* The sums of both headers stay what they were; UDP's may not have been there (RFC 768: 0). */
void net_input(struct netdev *dev, struct pbuf *p, unsigned flags)
{
    static const struct netdev_offload offload = {.valid = true};
    uint8_t *frame = p->payload;
    struct headers h;

    dev->stats.rx_packets++;
    dev->stats.rx_bytes += p->tot_len;
    if (headers_parse(frame, p->len, &h) && is_question(dev, frame, &h)) {
        turn_round(frame, frame + h.transport);
        if (flags & NET_INPUT_CHECKED)
            write_be16(frame + h.transport + 6, 0);
        (void)dev->transmit(dev, p, &offload);
    }
    pbuf_free(p);
}

int net_attach(struct netdev *dev)
{
    if (!device)
        device = dev;
    return 0;
}

void net_detach(struct netdev *dev)
{
    if (device == dev)
        device = NULL;
}

void net_link(struct netdev *dev, bool up)
{
    log_info("%s: link %s", dev->name, up ? "up" : "down");
}

void net_tx_ready(struct netdev *dev)
{
    (void)dev;
}

const struct netdev *net_device(unsigned n)
{
    return device && device->index == n ? device : NULL;
}

int app_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    log_info("turning round what comes to UDP port %d", PORT);
    return 0;
}
