/* SPDX-License-Identifier: ISC */
/*
 * The echo service (RFC 862) over UDP and TCP, port 7, written with lwIP's callbacks: the shape of
 * every fast server here. apps/echo-sockets is the same service as a plain C program.
 *
 * A datagram is answered with the very buffer it came in, and so is TCP data, but for small pieces, which are copied
 * (lib/net/forward.h). What does not fit into the connection's send buffer waits here, and the window is opened again
 * only as it is echoed. So a client that does not read stops being read; and when memory is short, and it goes on not
 * reading, its connection ends.
 */
#include <errno.h>

#include "kernel/app.h"
#include "lib/net/forward.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"
#include "lib/util.h"

#include "lwip/tcp.h"
#include "lwip/udp.h"

#define LOG_MODULE "echo"
#define ECHO_PORT 7
#define KEEPALIVE_MS 300000
#define RETRY_HALF_SECONDS 4
/* What waits and is smaller than this is put together in blocks, and so is all when pages are scarce: its pages, or its
 * buffer, are free at once. A block is half a page with the allocator's header and the buffer's. */
#define SMALL 1024
#define BLOCK 1920
/* With fewer pages free than this (twice what lib/net/mem.c keeps for acknowledgements), or with few left for packets, a
 * client has so long to read as much as a small segment. That is four of lwIP's attempts to send it (3, 6, 12 s later), so
 * who reads and only loses packets stays. */
#define FREE_MIN 64
#define PATIENCE (30 * NSEC_PER_SEC)
#define PROGRESS_MIN 536

/* --- UDP --------------------------------------------------------------------------------- */

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    /* A datagram from a service's own port could start two services echoing to each other, and one
     * to a group would have all of its members answer. */
    if (port != ECHO_PORT && net_asked_alone())
        (void)net_udp_reply(pcb, p, from, port); /* a full ring drops it: that is UDP */
    pbuf_free(p);
}

/* The usual one: its answer lies there already. An empty one is answered by on_datagram(). */
static int answer(uint8_t *message, size_t len)
{
    if (net_asker_port(message) == ECHO_PORT)
        return 0;
    return len ? (int)len : NET_PASS;
}

static int start_udp(void)
{
    static struct net_service service = {.answer = answer, .received = on_datagram};

    return net_udp_serve(&service, ECHO_PORT) == ERR_OK ? 0 : -ENOMEM;
}

/* --- TCP --------------------------------------------------------------------------------- */

#if LWIP_TCP
struct connection {
    struct pbuf *waiting; /* received, not yet in the send buffer */
    struct pbuf **end;    /* of that: where the next is put */
    uint64_t since; /* when memory became short, or the client had read enough since then; or 0 */
    uint32_t acknowledged; /* by then: a sequence number */
    uint16_t room;         /* in the block at the end, if there is one */
    bool closing;          /* the client has sent its FIN */
};

static void forget(struct connection *c, struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    net_mem_free(c);
}

static err_t on_polled(void *arg, struct tcp_pcb *pcb);

/* Nothing waits. */
static void restart(struct connection *c)
{
    c->end = &c->waiting;
    c->room = 0;
}

/* Echoes as much as the send buffer takes. ERR_ABRT: the connection is gone. */
static err_t echo_waiting(struct connection *c, struct tcp_pcb *pcb)
{
    bool holds;

    while (c->waiting) {
        struct pbuf *p = c->waiting;
        struct pbuf *next = p->next;
        u16_t size = p->len;

        if (tcp_sndbuf(pcb) < size)
            break; /* it may be as long as the window, and so is the send buffer when it is empty */
        p->next = NULL;
        if (!size) {
            pbuf_free(p);
        } else if (net_tcp_forward(pcb, p) != ERR_OK) {
            p->next = next;
            break; /* short of memory; on_polled() tries again */
        }
        c->waiting = next; /* with the reference that p had to it */
        tcp_recved(pcb, size);
    }
    (void)tcp_output(pcb);
    if (!c->waiting)
        restart(c);
    if (!c->closing || c->waiting) {
        /* A connection that has nothing to do needs no clock. */
        holds = c->waiting || tcp_sndqueuelen(pcb);
        if (!holds)
            c->since = 0;
        tcp_poll(pcb, holds ? on_polled : NULL, RETRY_HALF_SECONDS);
        return ERR_OK;
    }
    forget(c, pcb);
    if (tcp_close(pcb) == ERR_OK)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

static bool add_block(struct connection *c)
{
    struct pbuf *block = pbuf_alloc(PBUF_RAW, BLOCK, PBUF_RAM);

    if (!block)
        return false;
    block->len = 0;
    *c->end = block;
    c->end = &block->next;
    c->room = BLOCK;
    return true;
}

/* Copies as much as there is memory for behind what waits, and frees that much of p. Returns the rest. */
static struct pbuf *put_together(struct connection *c, struct pbuf *p)
{
    u16_t at = 0;

    while (at < p->tot_len && (c->room || add_block(c))) {
        struct pbuf *last = container_of(c->end, struct pbuf, next);
        u16_t n = (u16_t)MIN(c->room, p->tot_len - at);

        (void)pbuf_copy_partial(p, (uint8_t *)last->payload + last->len, n, at);
        last->len = (u16_t)(last->len + n);
        c->room = (uint16_t)(c->room - n);
        at = (u16_t)(at + n);
    }
    return pbuf_free_header(p, at);
}

/* Unlike pbuf_cat() without a sum of the lengths, which ends at 64 KiB: the window may be larger. ERR_MEM: nothing of p was
 * taken, and lwIP keeps it, takes no more data, and tries again. */
static err_t append(struct connection *c, struct pbuf *p)
{
    if (netpage_scarce() || (c->waiting && p->tot_len < SMALL)) {
        u16_t length = p->tot_len;

        p = put_together(c, p);
        if (!p)
            return ERR_OK;
        if (p->tot_len == length)
            return ERR_MEM;
    }
    for (*c->end = p; *c->end; c->end = &(*c->end)->next)
        ;
    c->room = 0;
    return ERR_OK;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct connection *c = arg;

    if (!p)
        c->closing = true;
    else if (append(c, p) != ERR_OK)
        return ERR_MEM;
    return echo_waiting(c, pcb);
}

/* Is the memory wanted that the connection holds, and has its client not read for too long? */
static bool is_stuck(struct connection *c, const struct tcp_pcb *pcb)
{
    uint64_t now = time_monotonic();

    if (!netpage_scarce() && page_count_free() >= FREE_MIN) {
        c->since = 0;
    } else if (!c->since || pcb->lastack - c->acknowledged >= PROGRESS_MIN) {
        c->since = now;
        c->acknowledged = pcb->lastack;
    }
    return c->since && now - c->since > PATIENCE;
}

static err_t on_polled(void *arg, struct tcp_pcb *pcb)
{
    if (!is_stuck(arg, pcb))
        return echo_waiting(arg, pcb);
    log_limited(LOG_WARN, "memory is short, and a client does not read: its connection is ended");
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t on_acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    return echo_waiting(arg, pcb);
}

/* The connection is gone already. */
static void on_failed(void *arg, err_t err)
{
    struct connection *c = arg;

    if (c->waiting)
        pbuf_free(c->waiting);
    net_mem_free(c);
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct connection *c;

    if (!pcb)
        return ERR_MEM;
    c = net_mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_MEM; /* lwIP aborts the connection */
    restart(c);
    ip_set_option(pcb, SOF_KEEPALIVE); /* clients that vanish are noticed */
    pcb->keep_idle = KEEPALIVE_MS;
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_acknowledged);
    tcp_err(pcb, on_failed);
    return ERR_OK;
}

static int start_tcp(void)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

    if (!pcb || tcp_bind(pcb, IP_ANY_TYPE, ECHO_PORT) != ERR_OK)
        return -ENOMEM;
    listener = tcp_listen(pcb);
    if (!listener)
        return -ENOMEM;
    tcp_accept(listener, on_accepted);
    return 0;
}
#else
static int start_tcp(void)
{
    return 0;
}
#endif

int app_init(int argc, char **argv)
{
    int err = net_init();

    if (!err)
        err = start_udp();
    if (!err)
        err = start_tcp();
    if (!err)
        log_info("listening on port %u", ECHO_PORT);
    return err;
}
