/* SPDX-License-Identifier: ISC */
/*
 * TCP's connections: found by a table, and what has to be done before lwIP sees a segment of one.
 *
 * The table. lwIP looks for a segment's connection in its list of all, then among those in TIME_WAIT, and for the
 * predecessor of one that ends. Here each connection is in a hash table as well, and knows what points to it: both
 * take the same time however many there are. lwIP's own search remains; but while a segment comes in, the lists it
 * sees have the connection in front, or are empty if there is none (include/lwiptcp.h). The hash has a secret key, so
 * that nobody can choose addresses and ports that lie in one place (multilinear hashing: Lemire, Kaser 2014).
 *
 * TIME_WAIT. A server that closes first keeps each connection for two minutes, and a client that
 * connects often enough comes back with the same port before that. lwIP then acknowledges the SYN
 * with the old connection's numbers and the client is stuck. RFC 9293 (3.10.7.4) and RFC 6191 let
 * a SYN with a sequence number beyond the old connection's open a new one: so the old one is
 * removed before lwIP sees such a SYN. Their number is bounded too.
 */
#include <string.h>

#include "kernel/app.h"
#include "lib/net/mem.h"
#include "lib/net/netpage.h"
#include "lib/net/tcp.h"
#include "lib/util.h"

#include "lib/net/include/lwiptcp.h"

#include "lib/net/include/lwiphooks.h"

/* --- the table --------------------------------------------------------------------------- */

struct connection {
    struct tcp_pcb pcb;
    struct tcp_pcb **at;     /* what points to it in lwIP's list; NULL: it is in none of the two */
    struct connection *next; /* in its chain of the table */
};
_Static_assert(sizeof(struct connection) <= 336, "a size of mem.c");

/* Sizes of the table: each is twice the one before and 8, so that with the allocator's header it is
 * whole pages. */
#define FEW 56
#define CHAIN 2 /* connections to a chain, on average, at most */
#define SIZE_MAX_BYTES (NET_MEM_MAX - NET_MEM_HEADER)

static struct connection *few[FEW];
static struct {
    struct connection **chains;
    size_t size;  /* how many chains: FEW of them in `few`, more in memory of their own */
    size_t count; /* connections */
    uint64_t key[6];
} table = {.chains = few, .size = FEW};

/* Those in TIME_WAIT. */
static size_t waiting_count;
static struct tcp_pcb *waiting_oldest; /* the list has the newest first */

static struct connection **chain_of(const ip_addr_t *remote, uint16_t remote_port,
                                    uint16_t local_port)
{
    const uint64_t *key = table.key;
    uint64_t sum = key[0] + ((uint32_t)remote_port << 16 | local_port) * key[1];

#if LWIP_IPV6
    if (IP_IS_V6(remote)) {
        for (unsigned i = 0; i < 4; i++)
            sum += ip_2_ip6(remote)->addr[i] * key[2 + i];
    }
#endif
#if LWIP_IPV4
    if (!IP_IS_V6(remote))
        sum += ip4_addr_get_u32(ip_2_ip4(remote)) * key[2];
#endif
    return &table.chains[(sum >> 32) * table.size >> 32];
}

static struct connection **own_chain(const struct connection *c)
{
    return chain_of(&c->pcb.remote_ip, c->pcb.remote_port, c->pcb.local_port);
}

static void chain(struct connection *c)
{
    struct connection **first = own_chain(c);

    c->next = *first;
    *first = c;
}

static struct connection *connection_of(struct tcp_pcb *pcb)
{
    return container_of(pcb, struct connection, pcb);
}

/* Without memory the table stays as it is: it works as well, but slower. */
static void resize(size_t size)
{
    struct connection **chains = few, **old = table.chains;
    struct tcp_pcb *pcb;

    if (size > FEW)
        chains = net_mem_alloc(size * sizeof(*chains));
    if (!chains)
        return;
    memset(chains, 0, size * sizeof(*chains));
    table.chains = chains;
    table.size = size;
    for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        chain(connection_of(pcb));
    for (pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
        chain(connection_of(pcb));
    if (old != few)
        net_mem_free(old);
}

/* --- lwIP's lists ------------------------------------------------------------------------ */

static void remove_connection(struct connection *c)
{
    struct connection **place;
    struct tcp_pcb *pcb = &c->pcb;

    if (!c->at)
        return;
    net_tcp_drop_ack(pcb);
    *c->at = pcb->next;
    if (pcb->next)
        connection_of(pcb->next)->at = c->at;
    for (place = own_chain(c); *place != c; place = &(*place)->next)
        ;
    *place = c->next;
    if (pcb->state == TIME_WAIT) {
        waiting_count--;
        if (pcb == waiting_oldest)
            waiting_oldest = waiting_count ? container_of(c->at, struct tcp_pcb, next) : NULL;
    }
    c->at = NULL;
    if (--table.count < table.size / 4 && table.size > FEW)
        resize((table.size - 8) / 2);
}

static void forget(struct tcp_pcb *pcb)
{
    tcp_pcb_remove(&tcp_tw_pcbs, pcb);
    tcp_free(pcb);
}

static void add_connection(struct connection *c, struct tcp_pcb **list)
{
    struct tcp_pcb *pcb = &c->pcb;

    if (!table.key[0])
        random_bytes(table.key, sizeof(table.key));
    c->at = list;
    if (pcb->next)
        connection_of(pcb->next)->at = &pcb->next;
    chain(c);
    if (++table.count > CHAIN * table.size && table.size * sizeof(c) < SIZE_MAX_BYTES)
        resize(2 * table.size + 8);
    if (pcb->state != TIME_WAIT)
        return;
    if (!waiting_count++)
        waiting_oldest = pcb;
    if (waiting_count > CONFIG_NET_TIME_WAIT_MAX)
        forget(waiting_oldest);
}

static bool has_connections(struct tcp_pcb **list)
{
    return list == &tcp_active_pcbs || list == &tcp_tw_pcbs;
}

void net_tcp_list(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
    pcb->next = *list;
    *list = pcb;
    if (has_connections(list))
        add_connection(connection_of(pcb), list);
    tcp_timer_needed();
}

void net_tcp_unlist(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
    if (has_connections(list)) {
        remove_connection(connection_of(pcb));
    } else {
        while (*list && *list != pcb)
            list = &(*list)->next;
        if (*list)
            *list = pcb->next;
    }
    pcb->next = NULL;
}

bool net_tcp_is_listed(struct tcp_pcb *pcb)
{
    return connection_of(pcb)->at != NULL;
}

void *net_tcp_alloc(memp_t type)
{
    struct connection *c;

    if (type != MEMP_TCP_PCB)
        return memp_malloc(type);
    c = net_mem_alloc(sizeof(*c));
    if (!c)
        return NULL;
    c->at = NULL;
    return &c->pcb;
}

/* tcp_slowtmr() takes a connection whose time is over from its list itself; here is where we hear of it. */
void net_tcp_free(memp_t type, void *object)
{
    if (type == MEMP_TCP_PCB)
        remove_connection(object);
    memp_free(type, object);
}

/* --- half-open connections --------------------------------------------------------------- */

/* Of these flags one that asks for a connection has SYN alone. */
static bool asks(unsigned flags)
{
    return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A listener with as many connections pending as it may have ignores requests. Of those that wait
 * for the client's last word the oldest goes: a flood's never comes, a client's within one round
 * trip. Only the listener's own: others have their own number. */
static void make_room(const struct tcp_pcb_listen *listener)
{
    struct tcp_pcb *oldest = NULL; /* the list has the newest first */
    unsigned left = listener->accepts_pending;

    if (left < listener->backlog)
        return;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb && left; pcb = pcb->next) {
        if (pcb->state == SYN_RCVD && pcb->listener == listener) {
            oldest = pcb;
            left--;
        }
    }
    if (oldest)
        tcp_abandon(oldest, 0);
}

/* A client that takes segments of an octet (by its MSS, or a window of two) would have each octet of an
 * answer kept with headers of its own, a hundred times the memory: it does not get in. */
#define SEGMENT_MIN 64u

static void show_all(void)
{
    net_tcp_active = &tcp_active_pcbs;
    net_tcp_waiting = &tcp_tw_pcbs;
}

/*
 * When pages are scarce, a connection of which the app has not taken this much yet gets no more, and nothing that is out of
 * order is kept: as many connections as share the pool could otherwise take all of it with what fits into their windows.
 * The client sends it again. A request that comes in pieces has room.
 */
#define UNTAKEN_MAX 4096u

static bool has_enough(const struct tcp_pcb *pcb)
{
    return IS_ENABLED(CONFIG_NET_TCP_SPARING) && pcb->state >= ESTABLISHED &&
           pcb->rcv_wnd + UNTAKEN_MAX < TCP_WND_MAX(pcb) && netpage_scarce();
}

unsigned net_tcp_ooseq_max(void)
{
    return IS_ENABLED(CONFIG_NET_TCP_SPARING) && netpage_scarce() ? 0 : TCP_OOSEQ_MAX_PBUFS;
}

/* By now lwIP has verified the segment, and found the listener that a SYN is for. */
bool net_tcp_may_come(struct tcp_pcb *pcb, unsigned flags, unsigned len)
{
    show_all();
    if (pcb->state == LISTEN && asks(flags))
        make_room((const struct tcp_pcb_listen *)pcb);
    if (len && has_enough(pcb)) {
        tcp_send_empty_ack(pcb); /* it may be asking whether there is room */
        return false;
    }
    return pcb->state != SYN_RCVD || MIN(pcb->mss, pcb->snd_wnd_max / 2) >= SEGMENT_MIN;
}

/* --- input ------------------------------------------------------------------------------- */

struct tcp_pcb **net_tcp_active = &tcp_active_pcbs, **net_tcp_waiting = &tcp_tw_pcbs;

/* The connection of the packet that lwIP is looking at, by lwIP's own rules. */
static struct tcp_pcb *find(uint16_t remote_port, uint16_t local_port)
{
    const ip_addr_t *remote = ip_current_src_addr(), *local = ip_current_dest_addr();
    struct connection *c;

    for (c = *chain_of(remote, remote_port, local_port); c; c = c->next) {
        const struct tcp_pcb *pcb = &c->pcb;

        if (pcb->remote_port == remote_port && pcb->local_port == local_port &&
            ip_addr_eq(&pcb->remote_ip, remote) && ip_addr_eq(&pcb->local_ip, local) &&
            (pcb->netif_idx == NETIF_NO_INDEX ||
             pcb->netif_idx == netif_get_index(ip_current_input_netif())))
            return &c->pcb;
    }
    return NULL;
}

/* What comes in in place of lwIP's function. */
void tcp_input(struct pbuf *p, struct netif *netif)
{
    const struct tcp_hdr *tcp = p->payload;
    struct tcp_pcb *pcb, *none = NULL;

    if (p->len < TCP_HLEN) {
        pbuf_free(p);
        return;
    }
    pcb = find(lwip_ntohs(tcp->src), lwip_ntohs(tcp->dest));
    if (pcb && pcb->state == TIME_WAIT && asks(TCPH_FLAGS(tcp)) &&
        TCP_SEQ_GT(lwip_ntohl(tcp->seqno), pcb->rcv_nxt)) {
        forget(pcb);
        pcb = NULL;
    }
    net_tcp_active = net_tcp_waiting = &none;
    if (pcb && pcb->state == TIME_WAIT)
        net_tcp_waiting = &pcb;
    else
        net_tcp_active = &pcb;
    net_lwip_tcp_input(p, netif);
    show_all();
}
