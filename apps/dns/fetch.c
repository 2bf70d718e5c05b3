/* SPDX-License-Identifier: ISC */
/*
 * The connection over which zones of other servers are fetched, one at a time: lwIP's part of
 * secondary.c. What comes is handed on from the pages it came in.
 */
#include <errno.h>

#include "apps/dns/fetch.h"
#include "apps/dns/server.h"
#include "lib/net/net.h"

#include "lwip/tcp.h"

static struct {
    struct tcp_pcb *pcb; /* NULL: there is none */
    struct secondaries *all;
    bool aborted; /* by a call from within received() */
} fetch;

void fetch_disconnect(void)
{
    struct tcp_pcb *pcb = fetch.pcb;

    fetch.pcb = NULL;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        fetch.aborted = true;
    }
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    fetch.aborted = false;
    secondaries_connected(fetch.all);
    return fetch.aborted ? ERR_ABRT : ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    fetch.aborted = false;
    if (!p) {
        fetch_disconnect();
        secondaries_disconnected(fetch.all, "it has closed the connection");
        return fetch.aborted ? ERR_ABRT : ERR_OK;
    }
    tcp_recved(pcb, p->tot_len);
    for (struct pbuf *q = p; q && fetch.pcb; q = q->next)
        secondaries_received(fetch.all, q->payload, q->len);
    pbuf_free(p);
    return fetch.aborted ? ERR_ABRT : ERR_OK;
}

/* lwIP has freed the connection already. */
static void failed(void *arg, err_t err)
{
    fetch.pcb = NULL;
    secondaries_disconnected(fetch.all, err == ERR_RST ? "it refuses the connection"
                                                       : "the connection is lost");
}

int fetch_connect(struct secondaries *all, const struct dns_peer *peer)
{
    ip_addr_t address;
    struct tcp_pcb *pcb;

    if (!net_is_up())
        return -ENETDOWN;
    if (!server_ip(peer, &address))
        return -EAFNOSUPPORT;
    pcb = tcp_new_ip_type(IP_GET_TYPE(&address));
    if (!pcb)
        return -ENOMEM;
    fetch.pcb = pcb;
    fetch.all = all;
    tcp_recv(pcb, received);
    tcp_err(pcb, failed);
    if (tcp_connect(pcb, &address, peer->port, connected) == ERR_OK)
        return 0;
    fetch_disconnect();
    return -EHOSTUNREACH;
}

int fetch_send(const uint8_t *octets, size_t len)
{
    if (tcp_write(fetch.pcb, octets, (u16_t)len, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return -ENOMEM;
    (void)tcp_output(fetch.pcb);
    return 0;
}
