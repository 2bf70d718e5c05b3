/* SPDX-License-Identifier: ISC */
/*
 * Large TCP segments out of small ones, for a backend that cuts them apart or never has to (GSO;
 * docs/network.md).
 *
 * lwIP sends a window's worth of segments in a row. Here a full segment waits in network pages for
 * those that continue it: same connection, the next sequence number, nothing else in the headers
 * different. Together they go out as one frame with one set of headers, so the backend, the bridge
 * and the receiver do the work of one packet instead of up to 44. It waits no longer than to the
 * end of the loop's turn, when requests are shown to the backend anyway, and no other frame of TCP
 * overtakes it.
 *
 * The payload is copied, as lwIP's own buffers are when segments are sent one by one (they are never
 * shown to a backend), and lwIP's segment is free again at once.
 */
#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/gso.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/netpage.h"

#include "lwip/prot/tcp.h"

/* Smaller segments are an end, seldom a beginning. */
#define PAYLOAD_MIN 512
/* A pbuf has a 16-bit length, and so has a request on the ring. */
#define FRAME_MAX UINT16_MAX
#define CONTENT_BYTES(h) ((h)->transport + TCP_BYTES)

/* The frame that is being collected. */
struct net_gso {
    struct net_interface *nif;
    struct work work;
    struct pbuf *head, *tail; /* network pages; NULL when there is none */
    struct headers h;
    uint32_t next_seq;
    uint16_t size; /* payload of each segment but the last */
    bool open;     /* the last one is as large: another may follow */
    uint32_t length;
};

/* --- the collected frame ----------------------------------------------------------------- */

static uint8_t *frame_of(struct net_gso *g)
{
    return g->head->payload;
}

static void write_lengths(struct net_gso *g)
{
    uint8_t *frame = frame_of(g);

    if (g->h.version == 6) {
        write_be16(frame + AT_IP6_LENGTH, (uint16_t)(g->length - ETH_BYTES - IP6_BYTES));
    } else {
        uint32_t sum;

        write_be16(frame + AT_IP4_LENGTH, (uint16_t)(g->length - ETH_BYTES));
        write_be16(frame + AT_IP4_SUM, 0);
        sum = headers_sum(frame + ETH_BYTES, g->h.transport - ETH_BYTES);
        sum = (sum >> 16) + (sum & 0xffff);
        write_be16(frame + AT_IP4_SUM, (uint16_t) ~(sum + (sum >> 16)));
    }
    headers_blank_tcp(frame, &g->h, (uint16_t)(g->length - g->h.transport));
}

static void drop(struct net_gso *g)
{
    pbuf_free(g->head);
    g->head = g->tail = NULL;
}

bool net_gso_flush(struct net_gso *g)
{
    struct netdev_offload offload = {.blank = true};
    uint32_t rest;

    if (!g || !g->head)
        return true;
    rest = g->length;
    for (struct pbuf *p = g->head; p; p = p->next) {
        p->tot_len = (uint16_t)rest;
        rest -= p->len;
    }
    write_lengths(g);
    if (g->length > CONTENT_BYTES(&g->h) + (uint32_t)g->size) {
        offload.gso = g->h.version;
        offload.gso_size = g->size;
    }
    if (net_transmit(g->nif, g->head, &offload) == -EBUSY)
        return false; /* net_tx_ready() comes */
    drop(g);          /* otherwise it is on its way, or TCP will repeat it */
    return true;
}

static void flush_late(struct work *w)
{
    (void)net_gso_flush(container_of(w, struct net_gso, work));
}

/* Appends the payload of p, which is behind its headers; true unless memory runs out. */
static bool append(struct net_gso *g, struct pbuf *p, uint16_t from, uint16_t size)
{
    while (size) {
        uint16_t room = (uint16_t)(PAGE_SIZE - (g->tail ? g->tail->len : PAGE_SIZE));
        uint16_t n = MIN(size, room);

        if (!room) {
            struct netpage *np = netpage_get(true);
            struct pbuf *page;

            if (!np)
                return false;
            np->ours = true;
            page = netpage_pbuf(np, 0, 0);
            if (g->tail)
                g->tail->next = page;
            else
                g->head = page;
            g->tail = page;
            continue;
        }
        pbuf_copy_partial(p, (uint8_t *)g->tail->payload + g->tail->len, n, from);
        g->tail->len = (uint16_t)(g->tail->len + n);
        g->length += n;
        from = (uint16_t)(from + n);
        size = (uint16_t)(size - n);
    }
    return true;
}

/* --- segments ---------------------------------------------------------------------------- */

/* Do the headers of frame continue g's, but for what differs from segment to segment? */
static bool continues(const struct net_gso *g, const uint8_t *frame, const struct headers *h)
{
    const uint8_t *mine = g->head->payload, *tcp = frame + h->transport;
    const uint8_t *my_tcp = mine + h->transport;

    if (h->version != g->h.version || h->transport != g->h.transport ||
        read_be32(tcp + AT_TCP_SEQ) != g->next_seq)
        return false;
    /* Ports, acknowledgement, window. */
    if (memcmp(tcp, my_tcp, AT_TCP_SEQ) != 0 ||
        memcmp(tcp + AT_TCP_ACK, my_tcp + AT_TCP_ACK, 4) != 0 ||
        memcmp(tcp + AT_TCP_WINDOW, my_tcp + AT_TCP_WINDOW, 2) != 0)
        return false;
    if (h->version == 6)
        return memcmp(frame, mine, AT_IP6_LENGTH) == 0 &&
               memcmp(frame + AT_IP6_NEXT, mine + AT_IP6_NEXT, IP6_BYTES - 6) == 0;
    /* But length, identification and checksum. */
    return h->transport == ETH_BYTES + IP4_BYTES && memcmp(frame, mine, AT_IP4_LENGTH) == 0 &&
           memcmp(frame + AT_IP4_FRAGMENT, mine + AT_IP4_FRAGMENT, 4) == 0 &&
           memcmp(frame + AT_IP4_SRC, mine + AT_IP4_SRC, 8) == 0;
}

/* Data and nothing but: no options, no other flags. */
static bool is_plain(const uint8_t *tcp)
{
    return tcp[AT_TCP_OFFSET] >> 4 == TCP_BYTES / 4 &&
           (tcp[AT_TCP_FLAGS] & ~(unsigned)TCP_PSH) == TCP_ACK;
}

static bool start(struct net_gso *g, struct pbuf *p, const struct headers *h, uint16_t payload)
{
    g->length = 0;
    if (!append(g, p, 0, p->tot_len)) {
        if (g->head)
            drop(g);
        return false;
    }
    g->h = *h;
    g->size = payload;
    g->open = true;
    g->next_seq = read_be32(frame_of(g) + h->transport + AT_TCP_SEQ) + payload;
    work_post_late(&g->work);
    return true;
}

static bool join(struct net_gso *g, struct pbuf *p, uint16_t payload)
{
    const uint8_t *frame = p->payload;
    struct pbuf *tail = g->tail;
    uint16_t tail_len = tail->len;
    uint32_t length = g->length;

    if (!append(g, p, (uint16_t)CONTENT_BYTES(&g->h), payload)) {
        if (tail->next)
            pbuf_free(tail->next);
        tail->next = NULL;
        tail->len = tail_len;
        g->tail = tail;
        g->length = length;
        return false;
    }
    frame_of(g)[g->h.transport + AT_TCP_FLAGS] |= frame[g->h.transport + AT_TCP_FLAGS];
    g->next_seq += payload;
    g->open = payload == g->size;
    return true;
}

enum net_gso_verdict net_gso_take(struct net_gso *g, struct pbuf *p, const struct headers *h)
{
    const uint8_t *frame = p->payload;
    uint16_t payload;

    if (!g)
        return NET_GSO_PASS;
    if (!is_plain(frame + h->transport))
        return net_gso_flush(g) ? NET_GSO_PASS : NET_GSO_BUSY;
    payload = (uint16_t)(p->tot_len - CONTENT_BYTES(h));
    if (g->head && g->open && payload && payload <= g->size && g->length + payload <= FRAME_MAX &&
        continues(g, frame, h) && join(g, p, payload))
        return NET_GSO_TAKEN;
    if (!net_gso_flush(g))
        return NET_GSO_BUSY;
    if (payload < PAYLOAD_MIN || netpage_scarce() || !start(g, p, h, payload))
        return NET_GSO_PASS;
    return NET_GSO_TAKEN;
}

/* --- an interface's ---------------------------------------------------------------------- */

void net_gso_configure(struct net_interface *nif)
{
    unsigned needed = NETDEV_GSO4 | (LWIP_IPV6 ? NETDEV_GSO6 : 0);
    struct net_gso *g = nif->gso;

    if (g)
        net_gso_free(nif);
    if ((nif->dev->features & needed) != needed || !nif->completes)
        return;
    g = net_mem_calloc(1, sizeof(*g));
    if (!g)
        return; /* segments go one by one */
    g->nif = nif;
    work_init(&g->work, flush_late);
    nif->gso = g;
}

void net_gso_free(struct net_interface *nif)
{
    struct net_gso *g = nif->gso;

    if (!g)
        return;
    if (g->head)
        drop(g);
    work_cancel(&g->work);
    net_mem_free(g);
    nif->gso = NULL;
}
