/* SPDX-License-Identifier: ISC */
/*
 * A guest for the boot tests and measurements of the network.
 *
 *   TCP  9   discard (RFC 863): reads and forgets
 *   TCP 13   one line, then closes: the server that closes first
 *   TCP 19   character generator (RFC 864): sends until the client closes
 *   UDP  9   discard
 *   UDP 99   answers with the network's figures, one "name value" a line
 */
#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/net/netdev.h"
#include "lib/net/netpage.h"
#include "lib/util.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/udp.h"

#define LOG_MODULE "nettest"

/* --- figures ----------------------------------------------------------------------------- */

struct text {
    char *at;
    size_t left;
};

static void figure(struct text *t, const char *name, uint64_t value)
{
    int n = fmt_print(t->at, t->left, "%s %llu\n", name, (unsigned long long)value);

    if ((size_t)n < t->left) {
        t->at += n;
        t->left -= (size_t)n;
    }
}

static void write_figures(struct text *t)
{
    const struct netdev *dev = net_device(0);
    const struct netpage_stats *pages = netpage_stats();
    unsigned time_wait = 0, active = 0;

    for (struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
        time_wait++;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        active++;
    figure(t, "features", dev->features);
    figure(t, "mtu", dev->mtu);
    figure(t, "rx_packets", dev->stats.rx_packets);
    figure(t, "rx_bytes", dev->stats.rx_bytes);
    figure(t, "tx_packets", dev->stats.tx_packets);
    figure(t, "tx_bytes", dev->stats.tx_bytes);
    figure(t, "rx_checked", dev->stats.rx_checked);
    figure(t, "rx_large", dev->stats.rx_large);
    figure(t, "tx_blank", dev->stats.tx_blank);
    figure(t, "tx_large", dev->stats.tx_large);
    for (unsigned i = 0; i < NETDEV_DROPS; i++)
        figure(t, netdev_drop_name(i), dev->stats.drops[i]);
    figure(t, "posted", dev->posted);
    figure(t, "pages", pages->pages);
    figure(t, "pages_free", pages->free);
    figure(t, "pages_max", pages->max);
    figure(t, "pages_lost", pages->lost);
    figure(t, "memory_pages", net_mem_stats()->pages);
    figure(t, "memory_failed", net_mem_stats()->failed);
    figure(t, "free_pages", page_count_free());
    figure(t, "tcp_active", active);
    figure(t, "tcp_time_wait", time_wait);
}

static void on_question(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    struct pbuf *answer = netpage_alloc(1200);
    struct text t;

    pbuf_free(p);
    if (!answer)
        return;
    t = (struct text){answer->payload, answer->len};
    write_figures(&t);
    pbuf_realloc(answer, (u16_t)(answer->len - t.left));
    (void)udp_sendto(pcb, answer, from, port);
    pbuf_free(answer);
}

static void on_discard(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                       u16_t port)
{
    pbuf_free(p);
}

static int serve_udp(u16_t port, udp_recv_fn received)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    if (!pcb || udp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK)
        return -ENOMEM;
    udp_recv(pcb, received, NULL);
    return 0;
}

/* --- TCP --------------------------------------------------------------------------------- */

static err_t on_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    if (!p) {
        if (tcp_close(pcb) == ERR_OK)
            return ERR_OK;
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t accept_discard(void *arg, struct tcp_pcb *pcb, err_t err)
{
    if (pcb)
        tcp_recv(pcb, on_data);
    return ERR_OK;
}

static err_t accept_line(void *arg, struct tcp_pcb *pcb, err_t err)
{
    if (!pcb)
        return ERR_MEM;
    (void)tcp_write(pcb, "nettest\r\n", 9, 0);
    return tcp_close(pcb);
}

static char characters[4096];

static err_t send_characters(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    while (tcp_sndbuf(pcb) >= sizeof(characters)) {
        if (tcp_write(pcb, characters, sizeof(characters), TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
    }
    return tcp_output(pcb);
}

static err_t poll_characters(void *arg, struct tcp_pcb *pcb)
{
    return send_characters(arg, pcb, 0);
}

static err_t accept_generator(void *arg, struct tcp_pcb *pcb, err_t err)
{
    if (!pcb)
        return ERR_MEM;
    tcp_recv(pcb, on_data);
    tcp_sent(pcb, send_characters);
    tcp_poll(pcb, poll_characters, 2);
    return send_characters(NULL, pcb, 0);
}

static int serve_tcp(u16_t port, tcp_accept_fn accept)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

    if (!pcb || tcp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK)
        return -ENOMEM;
    listener = tcp_listen(pcb);
    if (!listener)
        return -ENOMEM;
    tcp_accept(listener, accept);
    return 0;
}

int app_init(int argc, char **argv)
{
    int err = net_init();

    for (unsigned i = 0; i < sizeof(characters); i++)
        characters[i] = (char)(' ' + i % 95);
    if (!err)
        err = serve_udp(9, on_discard);
    if (!err)
        err = serve_udp(99, on_question);
    if (!err)
        err = serve_tcp(9, accept_discard);
    if (!err)
        err = serve_tcp(13, accept_line);
    if (!err)
        err = serve_tcp(19, accept_generator);
    if (!err)
        log_info("ready");
    return err;
}
