/* SPDX-License-Identifier: ISC */
/*
 * The dns app: an authoritative name server (lib/dns) for the zones compiled into the image, over UDP
 * here and over TCP in tcp.c.
 *
 * A query is answered in the callback that brings it. The answer is written straight into the page that goes out,
 * which is the one that the query came in: netpage_answer() leaves room for the headers, so nothing is copied after
 * dns_answer().
 *
 * Command line: port=N serves on another port than 53; id=TEXT is told to who asks for id.server or NSID;
 * xfr= and tsig= are read in access.c, secondary= in secondary.c, notify= in notify.c,
 * rrl= in limit.c, counters= in counters.c.
 */
#include <errno.h>

#include "apps/dns/server.h"
#include "apps/dns/zones.h"
#include "kernel/app.h"
#include "lib/dns/name.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"

#include "lwip/udp.h"

#define LOG_MODULE "dns"

enum {
    QUERY_MAX = 1500,  /* a longer query that came in pieces is not answered */
    FETCHED_USUAL = 32 /* zones of other servers that there is room for in the table */
};

struct server server; /* without initial values, which would cost the image all its zeros */

/* The query in one piece: its own memory, else a copy in BUF[QUERY_MAX]. NULL when it is too long. */
static const uint8_t *whole_query(struct pbuf *p, uint8_t *buf)
{
    if (p->len == p->tot_len)
        return p->payload;
    if (p->tot_len > QUERY_MAX)
        return NULL;
    (void)pbuf_copy_partial(p, buf, p->tot_len, 0);
    return buf;
}

const struct dns_client *server_client(const ip_addr_t *from)
{
    static struct dns_client client;

    client.now = (uint32_t)(time_wall() / NSEC_PER_SEC);
#if LWIP_IPV6
    if (IP_IS_V6(from)) {
        client.address_len = 16;
        memcpy(client.address, ip_2_ip6(from)->addr, 16);
        return &client;
    }
#endif
#if LWIP_IPV4
    client.address_len = 4;
    memcpy(client.address, ip_2_ip4(from), 4);
#endif
    return &client;
}

/* Sends the answer to p, and frees p. */
static void answer_query(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    static uint8_t pieces[QUERY_MAX];
    const uint8_t *query = whole_query(p, pieces);
    size_t len = p->tot_len;
    struct pbuf *answer = query ? netpage_answer(p, DNS_UDP_MAX) : NULL;

    if (answer) {
        len = dns_answer(&server.db, SERVER_KNOWS_CLIENT ? server_client(from) : NULL, query, len,
                         answer->payload, DNS_UDP_MAX, SERVER_FLAGS, &server.stats);
        answer->len = answer->tot_len = (u16_t)len;
        if (len)
            (void)net_udp_reply(pcb, answer, from, port); /* a full ring drops it: that is UDP */
        pbuf_free(answer);
    } else {
        server.stats.queries++;
        server.stats.dropped++;
    }
    if (answer != p)
        pbuf_free(p);
}

static void udp_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                         u16_t port)
{
    if (net_asked_alone())
        answer_query(pcb, p, from, port);
    else
        pbuf_free(p);
}

/* The usual query, answered in its own place. */
static int answer_in_place(uint8_t *message, size_t len)
{
    const struct dns_client *client = NULL;
    size_t size = dns_answer_quickly(&server.db, message, len, SERVER_FLAGS, &server.stats);

    if (size)
        return (int)size;
    if (len > NET_SERVE_ROOM - DNS_UDP_MAX)
        return NET_PASS;
#if LWIP_IPV4
    if (SERVER_KNOWS_CLIENT) {
        ip_addr_t from;

        ip_addr_set_ip4_u32_val(from, net_asker_ip4(message));
        client = server_client(&from);
    }
#endif
    return dns_answer_fully(&server.db, client, message, len, message, DNS_UDP_MAX, SERVER_FLAGS,
                            &server.stats);
}

static int start_udp(void)
{
    static struct net_service service = {.answer = answer_in_place, .received = udp_received};

    return net_udp_serve(&service, server.port) == ERR_OK ? 0 : -ENOMEM;
}

/* Opens the image at *AT, moves *at behind it, serves it and logs what it is. */
static int serve_zone(const uint8_t **at, struct dns_zone *zone)
{
    char text[DNS_TEXT_MAX + 1];
    long size = dns_zone_open(zone, *at, (size_t)(dns_zones_end - *at));

    if (size < 0) {
        log_error("zone image at offset %zu is damaged", (size_t)(*at - dns_zones));
        return (int)size;
    }
    *at += size;
    dns_zone_text(zone, text);
    log_info("serving %s (%u records, serial %u) on port %u", text, dns_zone_records(zone),
             dns_zone_serial(zone), server.port);
    if (dns_db_set(&server.db, zone))
        log_warn("%s is in ZONE= twice: the later one is served", text);
    return 0;
}

static unsigned count_zones(void)
{
    unsigned n = 0;
    struct dns_zone zone;

    for (const uint8_t *at = dns_zones; at < dns_zones_end; n++) {
        long size = dns_zone_open(&zone, at, (size_t)(dns_zones_end - at));

        if (size < 0)
            break; /* reported by serve_zone() */
        at += size;
    }
    return n;
}

static int load_zones(void)
{
    unsigned buckets = 4;
    unsigned count = count_zones() + (IS_ENABLED(CONFIG_DNS_SECONDARY) ? FETCHED_USUAL : 0);
    const uint8_t *at = dns_zones;
    struct dns_zone *zone, **table;

    while (buckets < count)
        buckets *= 2;
    table = net_mem_calloc(buckets, sizeof(struct dns_zone *));
    if (!table)
        return -ENOMEM;
    dns_db_init(&server.db, table, buckets);
    while (at < dns_zones_end) {
        int err;

        zone = net_mem_calloc(1, sizeof(*zone));
        if (!zone)
            return -ENOMEM;
        err = serve_zone(&at, zone);
        if (err)
            return err;
    }
    return 0;
}

static int read_port(void)
{
    const char *text = cmdline_get("port");
    unsigned port = 0;

    server.port = DNS_PORT;
    if (!text)
        return 0;
    for (const char *c = text; *c; c++)
        port = *c < '0' || *c > '9' || port > 65535 ? 65536 : port * 10 + (unsigned)(*c - '0');
    if (port < 1 || port > 65535) {
        log_error("port=%s is not a port: 1 to 65535", text);
        return -EINVAL;
    }
    server.port = (uint16_t)port;
    return 0;
}

static struct dns_identity identity;

void server_tell_idle(unsigned tenths)
{
    identity.idle = (uint16_t)tenths;
}

/* What the server says of itself. The cookies' secret is the guest's own: nobody else gives cookies. */
static int identify(void)
{
    if (!IS_ENABLED(CONFIG_DNS_EDNS))
        return 0;
    random_bytes(identity.secret, sizeof(identity.secret));
    identity.version = server_version();
    identity.id = cmdline_get("id");
    identity.idle = SERVER_IDLE_SECONDS * 10;
    dns_db_identify(&server.db, &identity);
    return IS_ENABLED(CONFIG_DNS_COUNTERS) ? server_tell_counters(&identity.counters) : 0;
}

static void log_stats(struct shutdown_hook *hook)
{
    const struct dns_stats *s = &server.stats;

    log_info("%lu queries (%lu over TCP): %lu answered, %lu no such name, %lu refused, "
             "%lu malformed, %lu truncated, %lu dropped",
             (unsigned long)s->queries, (unsigned long)s->tcp, (unsigned long)s->rcode[DNS_NOERROR],
             (unsigned long)s->rcode[DNS_NXDOMAIN], (unsigned long)s->rcode[DNS_REFUSED],
             (unsigned long)s->rcode[DNS_FORMERR], (unsigned long)s->truncated,
             (unsigned long)s->dropped);
}

int app_init(int argc, char **argv)
{
    static struct shutdown_hook at_end = {.fn = log_stats};
    int err = net_init();

    if (!err)
        err = read_port();
    if (!err)
        err = load_zones();
    if (!err)
        err = identify();
    if (!err && IS_ENABLED(CONFIG_DNS_XFR))
        err = server_read_access();
    if (!err && IS_ENABLED(CONFIG_DNS_LIMIT))
        err = server_set_limit();
    if (!err)
        err = start_udp();
    if (!err && IS_ENABLED(CONFIG_DNS_TCP))
        err = dns_tcp_start();
    if (err)
        return err;
    shutdown_hook_add(&at_end);
    log_info("listening on port %u", server.port);
    return 0;
}
