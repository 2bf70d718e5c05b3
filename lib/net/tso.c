/* SPDX-License-Identifier: ISC */
/*
 * TCP segments of up to 64 kB in lwIP itself, for a device that cuts them (docs/network.md).
 *
 * gso.c puts together what lwIP has cut, but then each piece has cost its way through lwIP already. Here lwIP does not
 * cut: what an app writes without having it copied is queued in segments as long as half the client's window, and one
 * pass through lwIP sends them. The connection's own size of segments (pcb->mss) stays what it is for all that counts
 * with it, congestion control above all, and is where the device cuts.
 *
 * What lwIP cannot do is to send a part of a segment. So one is cut in two, at a multiple of that size, when the window
 * or the congestion window has no room for all of it; when the first piece is to be sent anew, which is what has been
 * lost; and when the device at hand does not cut, or pages are so few that acknowledgements need them. Then both refer to
 * the app's memory. Only what lwIP holds itself, because the app has had it copied, is copied once more.
 */
#include "kernel/app.h"
#include "lib/net/forward.h"
#include "lib/net/gso.h"
#include "lib/net/headers.h"
#include "lib/net/include/lwiphooks.h"
#include "lib/net/interface.h"
#include "lib/net/netpage.h"

#include "lwip/priv/tcp_priv.h"

/* A frame has a 16-bit length, with all its headers. */
#define LARGEST (UINT16_MAX - ETH_BYTES - IP6_BYTES - TCP_BYTES)
/* Pages of others (forward.c) in one frame, which has 18 pieces at most: the headers are one, and what is cut makes two of
 * one. With more it would be copied. */
#define PIECES_MAX 16
#define LARGEST_PIECE PAGE_SIZE

static uint16_t size_now; /* of the pieces of what is being sent, or 0 */

/* Does the device behind it cut segments? Where lwIP has to compute checksums now, it makes segments that fit. */
static bool can_cut(const struct netif *netif)
{
    if (!netif || netif->linkoutput != net_link_output)
        return false;
    return ((const struct net_interface *)netif->state)->gso &&
           !(netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP);
}

/* And is one to be sent now? It takes up to 17 pages at once, unless its data is published. */
static bool cuts(const struct netif *netif)
{
    return can_cut(netif) && !netpage_scarce();
}

/* Has the last segment that is not sent as many pages of others as it may? */
static bool is_full(const struct tcp_pcb *pcb)
{
    const struct tcp_seg *last = pcb->unsent;

    while (last && last->next)
        last = last->next;
    return last && pbuf_clen(last->p) > PIECES_MAX;
}

uint16_t net_tcp_segment(const struct tcp_pcb *pcb, uint8_t apiflags)
{
    /* A copy would be in one piece of memory as long as the segment. */
    if (apiflags & TCP_WRITE_FLAG_COPY || !pcb->mss ||
        !can_cut(ip_route(&pcb->local_ip, &pcb->remote_ip)))
        return pcb->mss;
    if (net_tcp_forwards() && is_full(pcb))
        return LARGEST_PIECE;
    return (uint16_t)MAX(MIN(LARGEST, pcb->snd_wnd_max / 2) / pcb->mss * pcb->mss, pcb->mss);
}

/* --- cutting ----------------------------------------------------------------------------- */

/* A pbuf of its own for the data of p after the first n octets. The app's are referred to, lwIP's own are copied: they
 * go when p does. NULL without memory. */
static struct pbuf *second_part(struct pbuf *p, uint16_t n)
{
    uint16_t len = (uint16_t)(p->len - n);
    struct pbuf *part;

    if (!(p->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS))
        return net_refer_part(p, n);
    part = pbuf_alloc(PBUF_RAW, len, PBUF_RAM);
    if (part)
        memcpy(part->payload, (const uint8_t *)p->payload + n, len);
    return part;
}

/* A chain of what follows the first n octets of the chain p, n not all of them, with room for headers in front. p still
 * has all of them. NULL without memory. */
static struct pbuf *refer_rest(struct pbuf *p, uint16_t n)
{
    struct pbuf *head = pbuf_alloc(PBUF_TRANSPORT, 0, PBUF_RAM), *part;

    if (!head)
        return NULL;
    for (; n >= p->len; p = p->next)
        n = (uint16_t)(n - p->len);
    part = p;
    if (n) {
        part = second_part(p, n);
        if (!part) {
            pbuf_free(head);
            return NULL;
        }
        part->tot_len = (uint16_t)(p->tot_len - n);
        part->next = p->next;
    }
    head->next = part;
    head->tot_len = part->tot_len;
    return head;
}

/* Ends the chain p after n octets; what follows belongs to another now. */
static void end_after(struct pbuf *p, uint16_t n)
{
    while (p->len < n) {
        n = (uint16_t)(n - p->len);
        p = p->next;
    }
    p->len = n;
    p->next = NULL;
}

/* Cuts seg, whose headers are not with it as they are sent, after n octets. */
static void cut(struct tcp_pcb *pcb, struct tcp_seg *seg, uint16_t n)
{
    uint16_t before = pbuf_clen(seg->p), left = (uint16_t)(TCP_BYTES + n);
    struct tcp_seg *next = memp_malloc(MEMP_TCP_SEG);
    struct pbuf *rest;

    if (!next)
        return;
    rest = refer_rest(seg->p, left);
    if (!rest) {
        memp_free(MEMP_TCP_SEG, next);
        return;
    }
    end_after(seg->p, left);
    for (struct pbuf *p = seg->p; p; left = (uint16_t)(left - p->len), p = p->next)
        p->tot_len = left;
    (void)pbuf_add_header(rest, TCP_BYTES);
    *next = *seg;
    next->trimmed = 0;
    next->p = rest;
    next->len = (uint16_t)(seg->len - n);
    next->tcphdr = rest->payload;
    memcpy(next->tcphdr, seg->tcphdr, TCP_BYTES);
    next->tcphdr->seqno = lwip_htonl(lwip_ntohl(seg->tcphdr->seqno) + n);
    TCPH_UNSET_FLAG(seg->tcphdr, TCP_FIN | TCP_PSH); /* they are for the end */
    seg->len = n;
    seg->next = next;
    if (!next->next)
        pcb->unsent_oversize = 0; /* the room behind the data may have been the other's */
    pcb->snd_queuelen =
        (uint16_t)(pcb->snd_queuelen + pbuf_clen(seg->p) + pbuf_clen(rest) - before);
}

/* Cuts away what has been acknowledged of seg, its first n octets. They go back to the send buffer, and the app hears of
 * them, when lwIP frees seg: net_tcp_octets(). False without memory. */
static bool trim(struct tcp_pcb *pcb, struct tcp_seg *seg, uint16_t n)
{
    struct tcp_seg *rest;

    cut(pcb, seg, n);
    rest = seg->next;
    if (seg->len != n)
        return false;
    pcb->snd_queuelen = (uint16_t)(pcb->snd_queuelen - pbuf_clen(seg->p));
    pbuf_free(seg->p);
    rest->trimmed = (uint16_t)(seg->trimmed + n);
    *seg = *rest;
    memp_free(MEMP_TCP_SEG, rest);
    return true;
}

/*
 * Leaves of seg what is not acknowledged, and no more than n octets of it, for which it gets a neighbour. Without memory,
 * or while its headers wait for a neighbour's address, it stays as it is.
 */
static void cut_to(struct tcp_pcb *pcb, struct tcp_seg *seg, uint16_t n)
{
    uint16_t extra = (uint16_t)((uint8_t *)seg->tcphdr - (uint8_t *)seg->p->payload);
    uint32_t acked = pcb->lastack - lwip_ntohl(seg->tcphdr->seqno);

    if (seg->p->ref != 1)
        return;
    if (extra)
        (void)pbuf_remove_header(seg->p, extra); /* it has been sent before */
    if (acked && acked <= seg->len && /* all but its FIN, perhaps: an octet stays with it */
        !trim(pcb, seg, (uint16_t)MIN(acked, seg->len - 1u)))
        return; /* the piece in front might be one that lwIP takes for beyond the window */
    if (seg->len > n)
        cut(pcb, seg, n);
}

bool net_tcp_fits(struct tcp_pcb *pcb, struct tcp_seg *seg, const struct netif *netif, uint32_t wnd)
{
    uint32_t at = lwip_ntohl(seg->tcphdr->seqno) - pcb->lastack;

    if (seg->len > pcb->mss && (at + seg->len > wnd || (int32_t)at < 0 || !cuts(netif))) {
        uint32_t before = MIN((uint32_t)MAX((int32_t)at, 0), wnd);
        uint32_t most = MIN(wnd - before, cuts(netif) ? LARGEST : pcb->mss) / pcb->mss * pcb->mss;

        if (!most && pcb->unacked)
            return false;
        /* What is less than a segment when nothing is on its way lwIP knows to deal with, given a segment of that size. */
        cut_to(pcb, seg, (uint16_t)MAX(most, pcb->mss));
        at = lwip_ntohl(seg->tcphdr->seqno) - pcb->lastack;
    }
    return at + seg->len <= wnd;
}

struct tcp_seg *net_tcp_first(struct tcp_pcb *pcb)
{
    if (pcb->unacked->len > pcb->mss)
        cut_to(pcb, pcb->unacked, pcb->mss);
    return pcb->unacked;
}

/* --- sending ----------------------------------------------------------------------------- */

uint16_t net_tso_size(void)
{
    return size_now;
}

err_t net_tcp_send(const struct tcp_pcb *pcb, struct pbuf *p, const ip_addr_t *src,
                   const ip_addr_t *dest, uint8_t ttl, uint8_t tos, uint8_t protocol,
                   struct netif *netif)
{
    u16_t mtu = netif->mtu;
    err_t err;

    if (p->tot_len <= pcb->mss + TCPH_HDRLEN_BYTES((const struct tcp_hdr *)p->payload))
        return ip_output_if(p, src, dest, ttl, tos, protocol, netif);
    if (!cuts(netif))
        return ERR_MEM; /* there was none to cut it */
    size_now = pcb->mss;
    netif->mtu = 0; /* for lwIP: it makes no fragments of this one */
#if LWIP_IPV6
    {
        u16_t mtu6 = netif->mtu6;

        netif->mtu6 = 0;
        err = ip_output_if(p, src, dest, ttl, tos, protocol, netif);
        netif->mtu6 = mtu6;
    }
#else
    err = ip_output_if(p, src, dest, ttl, tos, protocol, netif);
#endif
    netif->mtu = mtu;
    size_now = 0;
    return err;
}
