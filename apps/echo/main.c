/* SPDX-License-Identifier: ISC */
/*
 * The echo service (RFC 862) over UDP and TCP, port 7, written with lwIP's callbacks: the shape of
 * every fast server here. apps/echo-sockets is the same service as a plain C program.
 *
 * A datagram is answered with the very buffer it came in, and so is TCP data, but for small pieces, which are copied
 * (lib/net/forward.h). What does not fit into the connection's send buffer waits here, and the window is opened again
 * only as it is echoed. So a client that does not read stops being read.
 */
#include <errno.h>

#include "kernel/app.h"
#include "lib/net/forward.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"

#include "lwip/tcp.h"
#include "lwip/udp.h"

#define LOG_MODULE "echo"
#define ECHO_PORT 7
#define KEEPALIVE_MS 300000
#define RETRY_HALF_SECONDS 4

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
    bool closing;         /* the client has sent its FIN */
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

/* Echoes as much as the send buffer takes. ERR_ABRT: the connection is gone. */
static err_t echo_waiting(struct connection *c, struct tcp_pcb *pcb)
{
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
    if (!c->closing || c->waiting) {
        /* A connection that has nothing to do needs no clock. */
        tcp_poll(pcb, c->waiting ? on_polled : NULL, RETRY_HALF_SECONDS);
        return ERR_OK;
    }
    forget(c, pcb);
    if (tcp_close(pcb) == ERR_OK)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Unlike pbuf_cat() without a sum of the lengths, which ends at 64 KiB: the window may be larger, and
 * lwIP takes no acknowledgement that comes with data while data is refused. */
static void append(struct pbuf **chain, struct pbuf *p)
{
    while (*chain)
        chain = &(*chain)->next;
    *chain = p;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct connection *c = arg;

    if (!p)
        c->closing = true;
    else
        append(&c->waiting, p);
    return echo_waiting(c, pcb);
}

static err_t on_acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    return echo_waiting(arg, pcb);
}

static err_t on_polled(void *arg, struct tcp_pcb *pcb)
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
        return ERR_MEM;                /* lwIP aborts the connection */
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
