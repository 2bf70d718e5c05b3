/* SPDX-License-Identifier: ISC */
/*
 * The network driver's receive side (xen/include/public/io/netif.h).
 *
 * We post empty pages; the backend copies a packet into as many of them as it needs and answers in
 * ring order: the first response carries the flags, optional extra-info slots follow it, then the
 * other pieces. Access to a page has ended before anything looks into it (hardening.md, rule 10).
 * The pages go up as they are and are replaced by others from the pool.
 *
 * Whatever is wrong with a response ends the device (rule 6), except an error the backend reports
 * itself, or a packet too long to be one: that is dropped and counted.
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"
#include "xen/gnttab.h"

#define LOG_MODULE "netfront"

/* One in so many of the guest's pages is for receiving: at least what the largest packet needs, at most the ring. */
#define RX_SHARE 8
#define RX_MIN 32
/* At first: each costs a thousand instructions, to map, to zero and to grant it, before a guest hears anything. */
#define RX_FIRST 64
#define REFILL_AFTER (10 * NSEC_PER_MSEC)
/* When pages are scarce, smaller packets are copied out of them. */
#define COPY_BELOW 1024
/* And when the ring starves, larger ones are dropped. */
#define BARE_BELOW 128

void netfront_rx_init(struct netfront *nf)
{
    size_t share = page_count_total() / RX_SHARE;

    ring_init(&nf->rx, nf->rx_ring->page, PAGE_SIZE, sizeof(union netif_rx_sring_entry));
    nf->rx_most = (unsigned)MIN(MAX(share, (size_t)RX_MIN), (size_t)nf->rx.size);
    nf->rx_target = MIN(RX_FIRST, nf->rx_most);
    nf->rx_refilled = 0;
}

static unsigned posted(const struct netfront *nf)
{
    return nf->rx.size - ring_free(&nf->rx);
}

/* Half of what was posted has been used at once: the next burst may be larger. */
static void raise_target(struct netfront *nf)
{
    if (nf->rx.rsp_cons - nf->rx_refilled >= nf->rx_target / 2)
        nf->rx_target = MIN(2 * nf->rx_target, nf->rx_most);
}

/* A page to post, or else one that the backend has sent. It need not have said so; whom that tells of room only posts work. */
static struct netpage *page_to_post(struct netfront *nf)
{
    struct netpage *np = netpage_get(false);

    if (!np && nf->running)
        netfront_tx_reap(nf);
    return np || !nf->running ? np : netpage_get(false);
}

/* Posts pages until the target is reached or pages run out; then a timer looks again. */
void netfront_rx_refill(struct netfront *nf)
{
    uint32_t before = nf->rx.req_prod;

    while (posted(nf) < nf->rx_target) {
        uint16_t slot = (uint16_t)(nf->rx.req_prod & (nf->rx.size - 1));
        struct netpage *np = page_to_post(nf);
        struct netif_rx_request request = {.id = slot};

        if (!np || netfront_grant(nf, np, false) != 0) {
            if (np)
                netpage_put(np);
            if (!nf->refill_timer.armed)
                timer_arm_in(&nf->refill_timer, REFILL_AFTER);
            break;
        }
        nf->rx_pages[slot] = np;
        request.gref = np->grant;
        ring_put(&nf->rx, &request, sizeof(request));
    }
    nf->rx_refilled = nf->rx.rsp_cons;
    nf->net.posted = posted(nf);
    nf->rx_starved = nf->net.posted < RX_MIN;
    if (!nf->broken && nf->rx.req_prod != before && ring_push(&nf->rx))
        evtchn_notify_late(nf->rx_port);
}

/* A packet while its slots are being read. */
struct packet {
    struct pbuf *head, **tail;
    uint32_t length;
    unsigned slots;
    bool failed;    /* the backend reported an error */
    unsigned flags; /* as net_input() wants them */
    bool more;      /* a slot is to come */
};

/* Takes the page of the next response's slot back from the backend, or NULL. */
static ALWAYS_INLINE struct netpage *take_page(struct netfront *nf)
{
    uint32_t slot = nf->rx.rsp_cons & (nf->rx.size - 1);
    struct netpage *np = nf->rx_pages[slot];
    uint32_t grant;

    if (!np) {
        netfront_breach(nf, "a response in a slot that holds no request", slot);
        return NULL;
    }
    nf->rx_pages[slot] = NULL;
    grant = np->grant;
    if (netfront_end(np) == 0)
        return np;
    netpage_put(np); /* it is lost, and may be gone */
    netfront_breach(nf, "a page that was answered is still in use", grant);
    return NULL;
}

/* Reads the extra-info slots that follow the first response. */
static int read_extras(struct netfront *nf, unsigned *left)
{
    struct netif_extra_info extra;

    do {
        struct netpage *np;

        if (!*left) {
            netfront_breach(nf, "extra info beyond the last response", nf->rx.rsp_cons);
            return -EIO;
        }
        np = take_page(nf);
        if (!np)
            return -EIO;
        netpage_put(np);
        ring_get(&nf->rx, &extra, sizeof(extra));
        --*left;
        if (extra.type == XEN_NETIF_EXTRA_TYPE_NONE || extra.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
            netfront_breach(nf, "extra info of an unknown type", extra.type);
            return -EIO;
        }
        /* Where to cut a large segment apart does not matter to who takes it whole. */
        if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO &&
            extra.u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
            extra.u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6) {
            netfront_breach(nf, "segmentation of an unknown type", extra.u.gso.type);
            return -EIO;
        }
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return 0;
}

/* Takes the next response and its page. NULL: the device is broken. */
static ALWAYS_INLINE struct netpage *read_slot(struct netfront *nf,
                                               struct netif_rx_response *response)
{
    uint16_t slot = (uint16_t)(nf->rx.rsp_cons & (nf->rx.size - 1));
    struct netpage *np = take_page(nf);

    if (!np)
        return NULL;
    ring_get(&nf->rx, response, sizeof(*response));
    if (response->id == slot && response->status <= (int)PAGE_SIZE &&
        (response->status <= 0 || response->offset + response->status <= (int)PAGE_SIZE))
        return np;
    netpage_put(np);
    if (response->id != slot)
        netfront_breach(nf, "a response to a request that was not made", response->id);
    else
        netfront_breach(nf, "a piece beyond the end of its page",
                        (uint64_t)response->offset + (uint16_t)response->status);
    return NULL;
}

static unsigned input_flags(const struct netif_rx_response *response)
{
    return response->flags & (NETRXF_data_validated | NETRXF_csum_blank) ? NET_INPUT_CHECKED : 0;
}

/* Adds a piece to the packet; the page belongs to it from now on. */
static void add_piece(struct packet *packet, struct netpage *np,
                      const struct netif_rx_response *response)
{
    struct pbuf *p;

    if (response->status <= 0 || packet->failed) {
        packet->failed |= response->status < 0;
        netpage_put(np);
        return;
    }
    p = netpage_pbuf(np, response->offset, (size_t)response->status);
    packet->length += (uint32_t)response->status;
    *packet->tail = p;
    packet->tail = &p->next;
}

/* Adds a slot that has been read, the first one too, to the packet. -EIO: the device is broken. */
static int add_slot(struct netfront *nf, unsigned *left, struct packet *packet, struct netpage *np,
                    const struct netif_rx_response *response)
{
    if (!packet->slots) {
        packet->head = NULL;
        packet->tail = &packet->head;
        packet->length = 0;
        packet->failed = false;
        packet->flags = input_flags(response);
    }
    add_piece(packet, np, response);
    if (++packet->slots > NETFRONT_RX_SLOTS) {
        netfront_breach(nf, "a packet of too many pieces", packet->slots);
        return -EIO;
    }
    if (packet->slots == 1 && response->flags & NETRXF_extra_info && read_extras(nf, left))
        return -EIO;
    if (response->flags & NETRXF_more_data && !*left) {
        netfront_breach(nf, "a packet that does not end", packet->slots);
        return -EIO;
    }
    return 0;
}

/* Frees the pieces, which are not one chain in lwIP's sense yet. */
static void discard(struct packet *packet)
{
    while (packet->head) {
        struct pbuf *p = packet->head;

        packet->head = p->next;
        p->next = NULL;
        pbuf_free(p);
    }
}

/* Makes the packet one copy in private memory, and its pages free again. False without memory. */
static bool copy_out(struct packet *packet)
{
    struct pbuf *copy = pbuf_alloc(PBUF_RAW, (u16_t)packet->length, PBUF_RAM);
    uint8_t *to;

    if (!copy)
        return false;
    to = copy->payload;
    for (struct pbuf *p = packet->head; p; to += p->len, p = p->next)
        memcpy(to, p->payload, p->len);
    discard(packet);
    packet->head = copy;
    return true;
}

/*
 * Whether the packet may go up, in its pages or copied. When pages run out those that are left
 * must come back at once: otherwise what was received could fill memory, and the acknowledgements
 * that would free it could no longer be received.
 */
static bool keep_or_copy(struct netfront *nf, struct packet *packet)
{
    if (nf->bounce)
        return copy_out(packet);
    if (nf->rx_starved && packet->length >= BARE_BELOW)
        return false;
    if (packet->length < COPY_BELOW && (nf->rx_starved || netpage_scarce()))
        return copy_out(packet) || netfront_is_bare(packet->head);
    return true;
}

/* Are few pages left, even when the backend is asked for those that it has sent? It need not have said so. */
static bool is_scarce(struct netfront *nf)
{
    if (!netpage_scarce())
        return false;
    netfront_tx_reap(nf);
    return netpage_scarce();
}

/* Is this response a packet by itself, which goes up in its page? */
static bool is_usual(struct netfront *nf, const struct netif_rx_response *response)
{
    return response->status > 0 && !(response->flags & (NETRXF_extra_info | NETRXF_more_data)) &&
           !nf->bounce && !nf->rx_starved && (response->status >= COPY_BELOW || !is_scarce(nf));
}

/* The complete packet as lwIP has it, or NULL: it is dropped. */
static struct pbuf *complete(struct netfront *nf, struct packet *packet)
{
    uint32_t rest = packet->length;

    if (packet->failed || packet->length > UINT16_MAX || !packet->head) {
        netdev_drop(&nf->net, packet->failed  ? NETDEV_RX_STATUS
                              : !packet->head ? NETDEV_RX_SHORT
                                              : NETDEV_RX_LONG);
        discard(packet);
        return NULL;
    }
    for (struct pbuf *p = packet->head; p; p = p->next) {
        p->tot_len = (u16_t)rest;
        rest -= p->len;
    }
    if (!keep_or_copy(nf, packet)) {
        netdev_drop(&nf->net, NETDEV_RX_MEMORY);
        discard(packet);
        return NULL;
    }
    return packet->head;
}

/* A slot of any packet; np is NULL when it broke the device. The packet when complete; NULL: more is to come, or dropped. */
static __attribute__((noinline)) struct pbuf *receive_slot(struct netfront *nf, unsigned *left,
                                                           struct packet *packet,
                                                           struct netpage *np,
                                                           const struct netif_rx_response *response)
{
    packet->more = false;
    if (!np || add_slot(nf, left, packet, np, response) != 0) {
        if (packet->slots)
            discard(packet);
        return NULL;
    }
    packet->more = response->flags & NETRXF_more_data;
    return packet->more ? NULL : complete(nf, packet);
}

/* Receives a packet, which goes up. The usual one is one slot, and no more is noted of it. */
static inline void receive(struct netfront *nf, unsigned *left)
{
    struct packet packet;
    struct pbuf *p;

    packet.slots = 0;
    do {
        struct netif_rx_response response;
        struct netpage *np = read_slot(nf, &response);

        --*left;
        if (np && !packet.slots && is_usual(nf, &response)) {
            p = netpage_pbuf(np, response.offset, (size_t)response.status);
            packet.flags = input_flags(&response) | NET_INPUT_ALONE;
            break;
        }
        p = receive_slot(nf, left, &packet, np, &response);
    } while (packet.more);
    if (p)
        net_input(&nf->net, p, packet.flags);
}

/*
 * While there are packets to deliver our own work is posted: a callback of the app's may never
 * return (app_exit() starts the loop anew), and the backend sends no event before the ring is armed.
 */
void netfront_rx_poll(struct netfront *nf)
{
    unsigned budget = NETFRONT_BUDGET;

    while (budget && nf->running) {
        int waiting = ring_responses(&nf->rx);
        unsigned left = (unsigned)waiting;

        if (waiting < 0) {
            netfront_breach(nf, "an impossible receive index",
                            shared_read(&nf->rx.shared->rsp_prod));
            return;
        }
        if (waiting == 0) {
            raise_target(nf);
            netfront_rx_refill(nf);
            if (!nf->running || !ring_rearm(&nf->rx)) {
                work_cancel(&nf->rx_work);
                return;
            }
            budget--; /* the backend's index may come and go for ever */
            continue;
        }
        nf->rx_progress = true;
        work_post(&nf->rx_work);
        for (; left && budget && nf->running; budget--)
            receive(nf, &left);
    }
    if (!budget && nf->running) {
        raise_target(nf);
        netfront_rx_refill(nf);
        work_post(&nf->rx_work);
    }
}

void netfront_rx_stop(struct netfront *nf)
{
    nf->net.posted = 0;
    for (unsigned i = 0; i < NETFRONT_SLOTS; i++) {
        struct netpage *np = nf->rx_pages[i];

        if (!np)
            continue;
        nf->rx_pages[i] = NULL;
        (void)netpage_pbuf(np, 0, 0);
        netfront_end_later(np);
    }
}
