/* SPDX-License-Identifier: ISC */
/*
 * The shortest way, in and back: a question over UDP that is answered at once, in the page that it came in, by a server
 * that has said how (net_udp_serve()). What nearly all questions are is told by comparing the words of their headers
 * with what these have to be: whole in one frame and page, over IPv4 without options, from one host to an address of
 * this one. The answer's headers are the question's, turned round where they lie. All else is deliver.c's, reply.c's and
 * lwIP's, and nobody on the network can tell which way was taken.
 */
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"
#include "lib/net/timeouts.h"

#include "lwip/udp.h"

static struct net_service *services;

/*
 * What lwIP promises of a port at which somebody hears all addresses: nobody else gets it (udp_bind()), unless both let
 * others share it, which this one does not. And its control block is known to the service alone, so that it stays what it is.
 */
err_t net_udp_serve(struct net_service *service, uint16_t port)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    err_t err = pcb ? udp_bind(pcb, IP_ANY_TYPE, port) : ERR_MEM;

    if (err != ERR_OK) {
        if (pcb)
            udp_remove(pcb);
        return err;
    }
    udp_recv(pcb, service->received, NULL);
    service->port = lwip_htons(port);
    service->next = services;
    services = service;
    return ERR_OK;
}

/* Where there is no IPv4 all is left to deliver.c. */
#if LWIP_IPV4
#define AT_UDP (ETH_BYTES + IP4_BYTES)
#define AT_MESSAGE (AT_UDP + UDP_BYTES)
#define FRAME_MAX (AT_MESSAGE + NET_SERVE_ROOM)

void net_serve_prepare(struct net_interface *nif)
{
    /* No frame begins with NET_SERVE_NONE, as the lower octets of what is compared with it are 0. */
    nif->serves = nif->completes && nif->netif.mtu >= FRAME_MAX - ETH_BYTES
                      ? headers_mac(nif->netif.hwaddr)
                      : NET_SERVE_NONE;
}

static struct net_service *find_service(uint16_t port)
{
    struct net_service *service = services;

    while (service && service->port != port)
        service = service->next;
    return service;
}

/* Is this one host's address, and neither ours nor the broadcast address of our network? 0.x.x.x, 127.x.x.x and what is no
 * host's (RFC 1122 section 3.2.1.3) are not; some of them lwIP may hear. */
static ALWAYS_INLINE bool is_host(const struct netif *netif, const uint8_t *ip)
{
    uint32_t from = read_word(ip);

    switch (ip[0]) {
    case 1 ... IP_LOOPBACKNET - 1:
    case IP_LOOPBACKNET + 1 ... 223:
        return from != netif_ip4_addr(netif)->addr &&
               (from | netif_ip4_netmask(netif)->addr) != UINT32_MAX;
    default:
        return false;
    }
}

/*
 * Are all headers of the frame p those of a plain question for us? *len is then the octets of UDP's payload. Each length is
 * checked before what it covers is read.
 */
static ALWAYS_INLINE bool is_question(const struct net_interface *nif, const struct pbuf *p,
                                      unsigned *len)
{
    const uint8_t *frame = p->payload;
    const struct netif *netif = &nif->netif;
    unsigned most = p->len - (unsigned)AT_MESSAGE;
    uint32_t to;

    if (most > NET_SERVE_ROOM || headers_receiver(frame) != nif->serves ||
        !headers_is_udp4(frame) || frame[6] & 1)
        return false;
    *len = read_be16(frame + AT_IP4_LENGTH) - (unsigned)(IP4_BYTES + UDP_BYTES);
    to = read_word(frame + AT_IP4_DEST);
    return *len <= most && read_be16(frame + AT_UDP + 4) == (uint16_t)(*len + UDP_BYTES) && to &&
           to == netif_ip4_addr(netif)->addr && is_host(netif, frame + AT_IP4_SRC) &&
           sum_is_ones(headers_sum_ip4(frame));
}

/*
 * Turns the headers round, for an answer of LEN octets. What they had is read before anything is written. Both sums are
 * made of the addresses' (RFC 1071): IPv4's, and that of UDP's pseudo-header, which the backend completes.
 */
static ALWAYS_INLINE void turn_round(uint8_t *frame, unsigned len)
{
    uint64_t ours = read_long(frame), theirs = read_long(frame + 6);
    uint64_t ends = read_long(frame + AT_IP4_SRC);
    uint32_t ports = read_word(frame + AT_UDP), sum = sum_halves(ends);
    uint32_t packet = lwip_htons((uint16_t)(len + IP4_BYTES + UDP_BYTES));
    uint32_t datagram = lwip_htons((uint16_t)(len + UDP_BYTES));
    uint32_t id = net_ip4_id++, life = UDP_TTL | PROTOCOL_UDP << 8;

    write_long(frame, theirs);
    write_word(frame + 6, (uint32_t)ours);
    write_half(frame + 10, (uint16_t)(ours >> 32));
    write_word(frame + ETH_BYTES, 0x45 | packet << 16);
    write_word(frame + AT_IP4_ID, id);
    write_word(frame + AT_IP4_TTL,
               life | (uint32_t)(uint16_t)~sum_fold32(sum + 0x45 + packet + id + life) << 16);
    write_long(frame + AT_IP4_SRC, ends << 32 | ends >> 32);
    write_word(frame + AT_UDP, ports << 16 | ports >> 16);
    write_word(frame + AT_UDP + 4,
               datagram | (uint32_t)sum_fold32(sum + (PROTOCOL_UDP << 8) + datagram) << 16);
}

static void answer(struct net_interface *nif, struct pbuf *p, unsigned len)
{
    static const struct netdev_offload offload = {.valid = true, .blank = true};

    turn_round(p->payload, len);
    p->len = p->tot_len = (u16_t)(AT_MESSAGE + len);
    /* A full ring drops it: that is UDP. */
    nif->dev->stats.tx_blank += !nif->dev->transmit(nif->dev, p, &offload);
}

bool net_serve(struct net_interface *nif, struct pbuf *p, unsigned flags)
{
    uint8_t *frame = p->payload;
    const struct net_service *service;
    unsigned len;
    int answer_len;

    if (!(flags & NET_INPUT_ALONE) || (uintptr_t)frame % PAGE_SIZE > PAGE_SIZE - FRAME_MAX ||
        !is_question(nif, p, &len))
        return false;
    service = find_service(read_half(frame + AT_UDP + 2));
    if (!service ||
        !(flags & NET_INPUT_CHECKED ||
          net_udp_sum_right(frame + AT_IP4_SRC, frame + AT_UDP, (uint16_t)(len + UDP_BYTES), true)))
        return false;
    net_timeouts_note_input();
    answer_len = service->answer(frame + AT_MESSAGE, len);
    if (answer_len > 0)
        answer(nif, p, (unsigned)answer_len);
    else if (answer_len < 0)
        return false;
    netpage_unref(netpage_under(p));
    return true;
}
#endif
