/* SPDX-License-Identifier: ISC */
/*
 * An iperf3 server over TCP, written with lwIP's callbacks: what it receives ends in the page that the backend filled,
 * what it sends is written once and never copied by the app. So a run of Debian's iperf3 against it shows what the
 * kernel's TCP costs (make bench ROWS=tcp).
 *
 * This file is the listener: a connection says its cookie here, and control.c tells from it what the connection is for.
 * Who says none in time goes, and who opens many such connections loses the oldest of them: nobody keeps others out
 * by saying nothing.
 */
#include <errno.h>
#include <string.h>

#include "apps/iperf3/iperf3.h"
#include "kernel/app.h"
#include "lib/list.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"

#define LOG_MODULE "iperf3"
#define NEWCOMERS_MAX 64
#define PATIENCE_HALF_SECONDS 20

/* A connection that has not said its cookie. */
struct newcomer {
    struct list link; /* in newcomers, the oldest first */
    struct tcp_pcb *pcb;
    unsigned have;
    uint8_t cookie[COOKIE_SIZE];
};

static struct list newcomers = LIST_INIT(newcomers);
static unsigned newcomers_count;

void connection_detach(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
}

void connection_close(struct tcp_pcb *pcb)
{
    connection_detach(pcb);
    (void)tcp_close(pcb); /* short of memory, lwIP tries again by itself */
}

static void forget(struct newcomer *n)
{
    list_del(&n->link);
    newcomers_count--;
    net_mem_free(n);
}

/* What lwIP's callbacks must then return. */
static err_t kill(struct newcomer *n)
{
    struct tcp_pcb *pcb = n->pcb;

    connection_detach(pcb);
    forget(n);
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct newcomer *n = arg;
    uint8_t cookie[COOKIE_SIZE];
    u16_t part;

    if (!p)
        return kill(n);
    part = pbuf_copy_partial(p, n->cookie + n->have, (u16_t)(COOKIE_SIZE - n->have), 0);
    n->have += part;
    tcp_recved(pcb, part);
    p = pbuf_free_header(p, part);
    if (n->have < COOKIE_SIZE)
        return ERR_OK;
    memcpy(cookie, n->cookie, COOKIE_SIZE);
    connection_detach(pcb);
    forget(n);
    return test_take(pcb, cookie, p);
}

static err_t on_late(void *arg, struct tcp_pcb *pcb)
{
    return kill(arg);
}

/* The connection is gone already. */
static void on_failed(void *arg, err_t err)
{
    forget(arg);
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct newcomer *n;

    if (!pcb)
        return ERR_MEM;
    if (newcomers_count >= NEWCOMERS_MAX)
        (void)kill(container_of(newcomers.next, struct newcomer, link));
    n = net_mem_calloc(1, sizeof(*n));
    if (!n)
        return ERR_MEM; /* lwIP aborts the connection */
    n->pcb = pcb;
    list_add_tail(&newcomers, &n->link);
    newcomers_count++;
    tcp_arg(pcb, n);
    tcp_recv(pcb, on_received);
    tcp_poll(pcb, on_late, PATIENCE_HALF_SECONDS);
    tcp_err(pcb, on_failed);
    return ERR_OK;
}

int app_init(int argc, char **argv)
{
    struct tcp_pcb *pcb, *listener;
    int err = net_init();

    if (err)
        return err;
    test_init();
    stream_init();
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (!pcb || tcp_bind(pcb, IP_ANY_TYPE, IPERF_PORT) != ERR_OK)
        return -ENOMEM;
    listener = tcp_listen(pcb);
    if (!listener)
        return -ENOMEM;
    tcp_accept(listener, on_accepted);
    log_info("listening on port %u", IPERF_PORT);
    return 0;
}
