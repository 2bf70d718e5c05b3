/* SPDX-License-Identifier: ISC */
/*
 * DNS over TCP (RFC 7766): any number of queries on a connection, each preceded by its length.
 *
 * A connection costs little memory whatever its client does. The receive window opens only as queries
 * are answered. At most OUTPUT_MAX octets are unacknowledged: an answer waits until there is room for it.
 * Of one that is longer the part that fits is written; when there is room for more, the same query is
 * answered again, which gives the same octets, and the next part is taken. So no answer is ever kept, and
 * all connections share one buffer to make answers in. A zone transfer is a query that has many answers: the
 * place in the zone where the next one begins is kept.
 *
 * Connections are listed by their last use: over the limit the one idle longest goes, over a client's (clients.h)
 * the one of its own.
 */
#include <errno.h>
#include <string.h>

#include "apps/dns/clients.h"
#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/list.h"
#include "lib/net/mem.h"
#include "lib/net/netpage.h"

#include "lwip/tcp.h"

#define LOG_MODULE "dns"

enum {
    LENGTH_SIZE = 2,       /* of the length in front of a message */
    TCP_QUERY_MAX = 4096,  /* no query is longer */
    ANSWER_MAX = 65535,    /* no answer is longer: its length is a number of 16 bits */
    OUTPUT_MAX = 16384,    /* unacknowledged octets of a connection */
    POLL_HALF_SECONDS = 2, /* how often lwIP calls polled() */
    BLOCKS_MAX = 8,        /* that the waiting input of a connection is in */
};

struct connection {
    struct list link; /* in tcp.connections, last used last */
    struct tcp_pcb *pcb;
    struct pbuf *input;   /* received, not answered; begins with a message's length */
    uint32_t answer_size; /* of the first message in input, with its length; 0 before it was made */
    uint32_t answer_sent; /* octets of it written already */
    uint32_t asked;       /* when the first message was answered first */
    uint32_t version;     /* of what was served then; with CONFIG_DNS_SECONDARY */
    uint32_t unacknowledged;   /* octets written which the client has not acknowledged */
    uint64_t last_use;         /* monotonic time */
    struct dns_transfer place; /* where the answer begins in the zone, when it is a transfer's */
    bool closing;              /* the client has sent its FIN */
    bool ending;               /* it ends when nothing is unacknowledged; what comes is dropped */
    uint16_t client;           /* where it is counted, with CONFIG_DNS_TCP_CLIENTS... */
    unsigned idle;             /* ...and how long it was told that it may be idle */
};

static struct {
    struct list connections;
    unsigned count;
    /* Not allocated: memory in one piece may be gone for good when it is needed. */
    uint8_t answer[LENGTH_SIZE + ANSWER_MAX];
    uint8_t query[TCP_QUERY_MAX];
} tcp;

static void count(const struct connection *c, int change)
{
    tcp.count += (unsigned)change;
    if (IS_ENABLED(CONFIG_DNS_TCP_CLIENTS))
        clients_count(c->client, change);
}

static void forget(struct connection *c)
{
    if (c->input)
        pbuf_free(c->input);
    list_del(&c->link);
    count(c, -1);
    net_mem_free(c);
}

static void detach(struct connection *c)
{
    tcp_arg(c->pcb, NULL);
    tcp_recv(c->pcb, NULL);
    tcp_sent(c->pcb, NULL);
    tcp_err(c->pcb, NULL);
    tcp_poll(c->pcb, NULL, 0);
}

/* Ends a connection at once. What lwIP's callbacks must then return. */
static err_t kill(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    detach(c);
    forget(c);
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Drops what was received. It is as good as taken, as otherwise lwIP would reset the connection at its end. */
static void drop_input(struct connection *c)
{
    if (c->input) {
        tcp_recved(c->pcb, c->input->tot_len);
        pbuf_free(c->input);
        c->input = NULL;
    }
}

/* Ends a connection in good order, when all that was answered is acknowledged: what is not takes memory, so its connection
 * is to count. */
static err_t finish(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    c->ending = true;
    drop_input(c);
    if (c->unacknowledged)
        return ERR_OK; /* again with the acknowledgement, or an end by polled() */
    detach(c);
    tcp_recved(pcb, 1); /* the FIN, if it came along: it is yet to be told of */
    if (tcp_close(pcb) != ERR_OK)
        return kill(c);
    forget(c);
    return ERR_OK;
}

static void used(struct connection *c)
{
    c->last_use = time_monotonic();
    list_del(&c->link);
    list_add_tail(&tcp.connections, &c->link);
}

/* The first message of the input in one piece; NULL while it is incomplete. *len is its length. */
static const uint8_t *first_query(const struct connection *c, unsigned *len)
{
    struct pbuf *p = c->input;

    if (!p || p->tot_len < LENGTH_SIZE)
        return NULL;
    *len = (unsigned)pbuf_get_at(p, 0) << 8 | pbuf_get_at(p, 1);
    if (p->tot_len < LENGTH_SIZE + *len)
        return NULL;
    if (p->len >= LENGTH_SIZE + *len)
        return (const uint8_t *)p->payload + LENGTH_SIZE;
    (void)pbuf_copy_partial(p, tcp.query, (u16_t)*len, LENGTH_SIZE);
    return tcp.query;
}

static bool too_long(const struct connection *c)
{
    return c->input && c->input->tot_len >= LENGTH_SIZE &&
           ((unsigned)pbuf_get_at(c->input, 0) << 8 | pbuf_get_at(c->input, 1)) > TCP_QUERY_MAX;
}

/* Is the first query a transfer's that is to go on? */
static bool transferring(const struct connection *c)
{
    return IS_ENABLED(CONFIG_DNS_XFR) && c->place.more;
}

/*
 * Makes the answer to a query in tcp.answer; returns its size with its length, 0 for none. What is made
 * again is the same, as the time it sees is, but for the counters. *place moves behind the answer.
 */
static uint32_t make_answer(struct connection *c, const uint8_t *query, unsigned len,
                            struct dns_transfer *place)
{
    static struct dns_stats copy; /* what is made again is counted once */
    struct dns_stats *stats = &server.stats;
    struct dns_client client, *who = NULL;
    size_t size;

    if (c->answer_size || transferring(c)) {
        copy = server.stats;
        stats = &copy;
    }
    if (SERVER_KNOWS_CLIENT) {
        client = *server_client(&c->pcb->remote_ip);
        who = &client;
        if (!c->answer_size)
            c->asked = client.now;
        client.now = c->asked;
        client.transfer = IS_ENABLED(CONFIG_DNS_XFR) ? place : NULL;
    }
    c->idle = c->answer_size ? c->idle : clients_idle_tenths(tcp.count);
    if (IS_ENABLED(CONFIG_DNS_TCP_CLIENTS))
        server_tell_idle(c->idle);
    size = dns_answer(&server.db, who, query, len, tcp.answer + LENGTH_SIZE, ANSWER_MAX,
                      DNS_TCP | SERVER_FLAGS, stats);
    tcp.answer[0] = (uint8_t)(size >> 8);
    tcp.answer[1] = (uint8_t)size;
    return size ? (uint32_t)size + LENGTH_SIZE : 0;
}

/* Is the rest of an answer, of which a part was sent, still to be had? */
static bool same_version(struct connection *c)
{
    if (!IS_ENABLED(CONFIG_DNS_SECONDARY))
        return true;
    if (!c->answer_sent)
        c->version = server.db.version;
    return c->version == server.db.version;
}

/*
 * Writes what fits of the answer to the first query. Returns ERR_OK when all of it is written, ERR_MEM
 * when the rest has to wait, ERR_CLSD when the connection has to end.
 */
static err_t write_answer(struct connection *c, const uint8_t *query, unsigned len)
{
    uint32_t room = OUTPUT_MAX - c->unacknowledged, part;
    struct dns_transfer place;

    /* For the next message of a transfer, or the next part of an answer, which is made again: room for much. */
    if (!room || ((transferring(c) || c->answer_sent) && room < OUTPUT_MAX / 2))
        return ERR_MEM;
    if (!same_version(c))
        return ERR_CLSD;
    if (IS_ENABLED(CONFIG_DNS_XFR))
        place = c->place;
    part = make_answer(c, query, len, &place);
    if (!part || (c->answer_sent && part != c->answer_size))
        return ERR_CLSD;
    c->answer_size = part;
    if (!c->answer_sent && part > room && part <= OUTPUT_MAX)
        return ERR_MEM; /* in one piece, later */
    part = LWIP_MIN(part - c->answer_sent, room);
    part = LWIP_MIN(part, tcp_sndbuf(c->pcb));
    if (tcp_write(c->pcb, tcp.answer + c->answer_sent, (u16_t)part, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return ERR_MEM;
    c->unacknowledged += part;
    c->answer_sent += part;
    if (IS_ENABLED(CONFIG_DNS_XFR) && c->answer_sent == c->answer_size)
        c->place = place;
    return c->answer_sent == c->answer_size ? ERR_OK : ERR_MEM;
}

/*
 * What cannot be answered yet is moved to blocks of its own size, so that a client which sends its
 * queries octet by octet does not hold a page of the pool for each; and the blocks to one when they
 * are many, for it holds a block for each as well.
 */
static bool compact(struct connection *c)
{
    struct pbuf **at = &c->input, *copy;
    unsigned blocks = 0;

    for (; *at && !netpage_of(*at); at = &(*at)->next)
        blocks++;
    if (!*at && blocks < BLOCKS_MAX)
        return true;
    if (blocks >= BLOCKS_MAX)
        at = &c->input;
    copy = pbuf_clone(PBUF_RAW, PBUF_RAM, *at);
    if (!copy)
        return false;
    pbuf_free(*at);
    *at = copy;
    return true;
}

/* Answers complete queries as long as there is room for their answers. A message that is not to be read, or cannot be
 * answered, is the last. */
static err_t serve(struct connection *c)
{
    const uint8_t *query;
    unsigned len;

    for (;;) {
        err_t err;

        if (c->ending || too_long(c))
            return finish(c);
        query = first_query(c, &len);
        if (!query)
            break;
        err = write_answer(c, query, len);
        if (err == ERR_CLSD)
            return finish(c);
        if (err != ERR_OK)
            break;
        c->answer_sent = c->answer_size = 0;
        if (transferring(c))
            continue;
        if (IS_ENABLED(CONFIG_DNS_XFR))
            c->place = (struct dns_transfer){0};
        c->input = pbuf_free_header(c->input, (u16_t)(LENGTH_SIZE + len));
        tcp_recved(c->pcb, (u16_t)(LENGTH_SIZE + len));
        used(c);
    }
    if (!compact(c))
        return kill(c);
    (void)tcp_output(c->pcb);
    return c->closing && !query ? finish(c) : ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct connection *c = arg;

    if (!p)
        c->closing = true;
    else if (c->input && c->input->tot_len + p->tot_len > UINT16_MAX)
        return ERR_MEM; /* a chain cannot be longer; lwIP keeps p and tries again */
    else if (c->input)
        pbuf_cat(c->input, p);
    else
        c->input = p;
    return serve(c);
}

static err_t acknowledged(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    struct connection *c = arg;

    c->unacknowledged -= len;
    used(c);
    return serve(c);
}

static err_t polled(void *arg, struct tcp_pcb *pcb)
{
    struct connection *c = arg;

    if (time_monotonic() - c->last_use < clients_idle_tenths(tcp.count) * (NSEC_PER_SEC / 10))
        return serve(c);
    /* An answer which nobody takes, or a query that never ends, is not worth an orderly end. */
    return c->input || c->unacknowledged ? kill(c) : finish(c);
}

/* The connection is gone already. */
static void failed(void *arg, err_t err)
{
    forget(arg);
}

/* Ends the connection of the client that has been idle longest, if it has as many as it may. */
static void limit_client(const ip_addr_t *client)
{
    struct connection *oldest = NULL;
    struct list *node;
    unsigned found = 0;

    if (clients_at(clients_place(client)) < CLIENT_CONNECTIONS)
        return;
    list_for_each(node, &tcp.connections) {
        struct connection *c = container_of(node, struct connection, link);

        if (clients_same(&c->pcb->remote_ip, client) && !found++)
            oldest = c;
    }
    if (found >= CLIENT_CONNECTIONS)
        (void)kill(oldest);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct connection *c;

    if (!pcb)
        return ERR_MEM;
    if (IS_ENABLED(CONFIG_DNS_TCP_CLIENTS))
        limit_client(&pcb->remote_ip);
    if (tcp.count >= CONFIG_DNS_TCP_CONNECTIONS)
        (void)kill(container_of(tcp.connections.next, struct connection, link));
    c = net_mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_MEM; /* lwIP aborts the connection */
    c->pcb = pcb;
    c->last_use = time_monotonic();
    list_add_tail(&tcp.connections, &c->link);
    if (IS_ENABLED(CONFIG_DNS_TCP_CLIENTS))
        c->client = clients_place(&pcb->remote_ip);
    count(c, 1);
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, c);
    tcp_recv(pcb, received);
    tcp_sent(pcb, acknowledged);
    tcp_poll(pcb, polled, POLL_HALF_SECONDS);
    tcp_err(pcb, failed);
    return ERR_OK;
}

int dns_tcp_start(void)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

    list_init(&tcp.connections);
    if (!pcb || tcp_bind(pcb, IP_ANY_TYPE, server.port) != ERR_OK)
        return -ENOMEM;
    listener = tcp_listen(pcb);
    if (!listener)
        return -ENOMEM;
    tcp_accept(listener, accepted);
    return 0;
}
