/* SPDX-License-Identifier: ISC */
/*
 * A stream of data: counted as it comes and dropped, or sent as fast as there is room for it.
 */
#include "apps/iperf3/iperf3.h"
#include "kernel/app.h"
#include "lib/net/netpage.h"

/* Written at a time, when there is room for it: from pieces of this size lwIP makes segments that are long. */
#define BLOCK 16384
#define RETRY_HALF_SECONDS 2

/* Never changes, and lies in pages of its own: it is sent from here. */
static char block[BLOCK] __attribute__((aligned(PAGE_SIZE)));

static void send_block(struct stream *s)
{
    if (!s->sends)
        return;
    while (tcp_sndbuf(s->pcb) >= BLOCK) {
        if (tcp_write(s->pcb, block, BLOCK, 0) != ERR_OK)
            break; /* short of memory; on_polled() tries again */
        s->octets += BLOCK;
    }
    (void)tcp_output(s->pcb);
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct stream *s = arg;

    if (!p) {
        stream_end(s);
        return ERR_OK;
    }
    s->octets += s->sends ? 0 : p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    send_block(arg);
    return ERR_OK;
}

static err_t on_polled(void *arg, struct tcp_pcb *pcb)
{
    send_block(arg);
    return ERR_OK;
}

/* The connection is gone already. */
static void on_failed(void *arg, err_t err)
{
    struct stream *s = arg;

    s->pcb = NULL;
}

err_t stream_begin(struct stream *s, struct tcp_pcb *pcb, bool sends, bool nodelay, struct pbuf *p)
{
    *s = (struct stream){.pcb = pcb, .sends = sends};
    if (nodelay)
        tcp_nagle_disable(pcb);
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_failed);
    return p ? on_received(s, pcb, p, ERR_OK) : ERR_OK;
}

void stream_run(struct stream *s)
{
    if (!s->pcb || !s->sends)
        return;
    tcp_sent(s->pcb, on_acknowledged);
    tcp_poll(s->pcb, on_polled, RETRY_HALF_SECONDS);
    send_block(s);
}

void stream_end(struct stream *s)
{
    if (s->pcb)
        connection_close(s->pcb);
    s->pcb = NULL;
}

void stream_init(void)
{
    for (unsigned i = 0; i < BLOCK; i++)
        block[i] = (char)('0' + i % 10);
    (void)netpage_publish(block, BLOCK / PAGE_SIZE);
}
