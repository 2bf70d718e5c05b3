/* SPDX-License-Identifier: ISC */
/*
 * Frames between a network device and lwIP (docs/network.md). A frame runs to completion: the
 * driver's call to net_input() ends, by way of lwIP and the app's callback, in the driver's
 * transmit().
 *
 * Checksums. What a backend says about a frame's checksum is believed only as far as the frame's
 * own headers make it meaningful (hardening.md, rule 7): an unfragmented TCP segment or UDP
 * datagram behind a plain IP header. Everything else is checked by lwIP. On the way out the
 * backend completes TCP's checksums, from the sum of the pseudo-header that is left in the field;
 * for a backend that does not, net_link_output() does: a segment may have waited for a neighbour's
 * address while one backend took the other's place. UDP's are computed here but for answers by the short way
 * (reply.c): a datagram of lwIP's may still be cut into fragments below the point where lwIP asks whether to compute
 * one, and a fragment's cannot be completed by anyone. Nor can TCP's when segments become too long for their way:
 * net_make_sums().
 */
#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/gso.h"
#include "lib/net/headers.h"
#include "lib/net/include/lwiphooks.h"
#include "lib/net/interface.h"
#include "lib/net/tcp.h"
#include "lib/net/timeouts.h"

#include "lwip/inet_chksum.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip.h"
#include "netif/ethernet.h"

#define CHECK_ALL (NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_TCP)
/* What lwIP does in any case. */
#define CHECKSUMS (NETIF_CHECKSUM_ENABLE_ALL & ~(CHECK_ALL | NETIF_CHECKSUM_GEN_TCP))

/* --- input ------------------------------------------------------------------------------- */

/* Of TCP's checksums, those that lwIP is to compute. */
static u16_t made;

void net_make_sums(void)
{
    struct list *at;

    made = NETIF_CHECKSUM_GEN_TCP;
    list_for_each(at, &net_interfaces)
        container_of(at, struct net_interface, node)->netif.chksum_flags |= made;
}

struct net_question net_question;

/* Gives p to lwIP. What it says of TCP's or UDP's checksum counts if that is where it can have looked. */
static void enter(struct net_interface *nif, struct pbuf *p, bool checked)
{
    const uint8_t *frame = p->payload;
    /* A message, or perhaps one behind other headers. */
    bool has_message =
        LWIP_IPV6 && !net_question.frame && read_be16(frame + AT_ETH_TYPE) == ETH_IP6;

#if LWIP_TCP
    if (net_question.frame && net_question.headers.protocol == PROTOCOL_TCP)
        net_timeouts_note_tcp();
#endif
    nif->netif.chksum_flags =
        (u16_t)(CHECKSUMS | made | (checked && net_question.frame ? 0 : CHECK_ALL));
    if (has_message)
        net_note_ip6(nif);
    ethernet_input(p, &nif->netif);
    if (has_message)
        net_restore_ip6(nif);
}

/* lwIP reads an ARP packet, and the first fields of an IP header, without asking whether they are
 * there. An IPv4 packet may be shorter than an ARP packet. */
static bool is_short(const uint8_t *frame, size_t len)
{
    return len < ETH_BYTES + IP4_BYTES ||
           (len < ETH_BYTES + ARP_BYTES && read_be16(frame + AT_ETH_TYPE) == ETH_ARP);
}

void net_input(struct netdev *dev, struct pbuf *p, unsigned flags)
{
    struct net_interface *nif = dev->interface;
    const uint8_t *frame = p->payload;
    bool checked;

    dev->stats.rx_packets++;
    dev->stats.rx_bytes += p->tot_len;
    dev->stats.rx_checked += (flags & NET_INPUT_CHECKED) != 0;
    if (net_serve(nif, p, flags))
        return;
    checked = flags & NET_INPUT_CHECKED;
    dev->stats.rx_large += p->tot_len > dev->mtu + ETH_BYTES;
    if (is_short(frame, p->len)) {
        netdev_drop(dev, NETDEV_RX_SHORT);
        pbuf_free(p);
        return;
    }
    /* A bridge floods what it cannot place: frames for other hosts end here. */
    if (!nif->added || (!(frame[0] & 1) && !headers_same_mac(frame, nif->netif.hwaddr))) {
        pbuf_free(p);
        return;
    }
    if (net_is_false(nif, frame, p->len)) {
        netdev_drop(dev, NETDEV_RX_FALSE);
        pbuf_free(p);
        return;
    }
    net_timeouts_note_input();
    net_question.nif = nif;
    net_question.plain = false;
    net_question.frame = headers_parse(frame, p->len, &net_question.headers) ? frame : NULL;
    if (!net_deliver(nif, p, checked))
        enter(nif, p, checked);
    net_question.frame = NULL;
}

/* --- output ------------------------------------------------------------------------------ */

int net_transmit(struct net_interface *nif, struct pbuf *p, const struct netdev_offload *offload)
{
    struct netdev *dev = nif->dev;
    int err = dev->transmit(dev, p, offload);

    if (!err) {
        dev->stats.tx_blank += offload->blank;
        dev->stats.tx_large += offload->gso != 0;
    }
    return err;
}

err_t net_send(struct net_interface *nif, struct pbuf *p, const struct netdev_offload *offload)
{
    switch (net_transmit(nif, p, offload)) {
    case 0:
        return ERR_OK;
    case -ENOTCONN:
    case -EMSGSIZE:
        return ERR_IF;
    default:
        return ERR_MEM; /* TCP tries again */
    }
}

#if LWIP_TCP
/* Computes the checksum of a segment, or leaves it to the backend. */
static void finish_tcp(struct net_interface *nif, struct pbuf *p, const struct headers *h,
                       struct netdev_offload *offload)
{
    uint8_t *frame = p->payload;
    u16_t sum;

    headers_blank_tcp(frame, h, (uint16_t)(p->tot_len - h->transport));
    if (nif->completes) {
        *offload = (struct netdev_offload){.blank = true};
        return;
    }
    pbuf_remove_header(p, h->transport);
    sum = inet_chksum_pbuf(p);
    pbuf_add_header_force(p, h->transport);
    memcpy(frame + h->transport + AT_TCP_SUM, &sum, sizeof(sum));
}

/* A segment that the device cuts (tso.c). What was collected before it goes first. */
static err_t send_large(struct net_interface *nif, struct pbuf *p, const struct headers *h)
{
    struct netdev_offload offload = {.blank = true, .gso = h->version, .gso_size = net_tso_size()};

    if (!net_gso_flush(nif->gso))
        return ERR_MEM;
    headers_blank_tcp(p->payload, h, (uint16_t)(p->tot_len - h->transport));
    return net_send(nif, p, &offload);
}
#endif

err_t net_link_output(struct netif *netif, struct pbuf *p)
{
    struct net_interface *nif = netif->state;
    struct netdev_offload offload = {0};
    struct headers h; /* they are all in the first pbuf */

    net_timeouts_note_output();
    if (p->tot_len > nif->dev->mtu + ETH_BYTES && !net_tso_size()) {
        /* It has waited for a neighbour's address while the link became another. */
        netdev_drop(nif->dev, NETDEV_TX_LONG);
        return ERR_IF;
    }
    if (headers_parse(p->payload, p->len, &h)) {
        offload.valid = true;
#if LWIP_TCP
        if (h.protocol == PROTOCOL_TCP) {
            enum net_gso_verdict verdict;

            net_timeouts_note_tcp();
            if (net_tso_size())
                return send_large(nif, p, &h);
            verdict = net_gso_take(nif->gso, p, &h);
            if (verdict != NET_GSO_PASS)
                return verdict == NET_GSO_TAKEN ? ERR_OK : ERR_MEM;
            finish_tcp(nif, p, &h, &offload);
        }
#endif
    }
    return net_send(nif, p, &offload);
}

static struct work send_again_work;

static void send_again(struct work *w)
{
    struct list *at;

    (void)w;
    list_for_each(at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

#if LWIP_TCP
        (void)net_gso_flush(nif->gso);
#endif
        if (IS_ENABLED(CONFIG_MULTICAST) && nif->filter_again)
            net_filter_all(nif);
    }
#if LWIP_TCP
    tcp_txnow();
#endif
}

/* May be called in the middle of sending, where lwIP must not be entered again. */
void net_tx_ready(struct netdev *dev)
{
    (void)dev;
    work_post(&send_again_work);
}

void net_frame_init(void)
{
    work_init(&send_again_work, send_again);
}

void net_choose_offloads(struct net_interface *nif)
{
    unsigned needed = NETDEV_CSUM4 | (LWIP_IPV6 ? NETDEV_CSUM6 : 0);

    nif->completes = (nif->dev->features & needed) == needed;
    net_gso_configure(nif);
    net_serve_prepare(nif);
}
