/* SPDX-License-Identifier: ISC */
/*
 * Between network devices and lwIP (docs/network.md). A frame runs to completion: the driver's
 * call to net_input() ends, by way of lwIP and the app's callback, in the driver's transmit().
 *
 * Checksums. What a backend says about a frame's checksum is believed only as far as the frame's
 * own headers make it meaningful (hardening.md, rule 7): an unfragmented TCP segment or UDP
 * datagram behind a plain IP header. Everything else is checked by lwIP. On the way out the
 * backend completes TCP's checksums, from the sum of the pseudo-header that is left in the field.
 * UDP's are always computed here: a datagram may still be cut into fragments below the point where
 * lwIP asks whether to compute one, and a fragment's cannot be completed by anyone.
 */
#include "lib/net/net.h"

#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/tcp.h"
#include "lib/net/timeouts.h"

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "netif/ethernet.h"

#define LOG_MODULE "net"

/* Then it is time to say why there is no network. */
#define EXPLAIN_AFTER (5 * NSEC_PER_SEC)

struct list net_interfaces = LIST_INIT(net_interfaces);
static struct timer explain_timer;
static struct work send_again_work;

/* --- input ------------------------------------------------------------------------------- */

#define CHECK_ALL (NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_TCP)

/* A connection request: see tcp.c. */
static void look_at_syn(struct net_interface *nif, const uint8_t *frame, size_t transport)
{
    const uint8_t *tcp = frame + transport;
    ip_addr_t src, dest;

    (void)nif;
#if LWIP_IPV4
    if (transport < ETH_BYTES + IP6_BYTES) {
        u32_t addr;

        memcpy(&addr, frame + AT_IP4_SRC, sizeof(addr));
        ip_addr_set_ip4_u32_val(src, addr);
        memcpy(&addr, frame + AT_IP4_DEST, sizeof(addr));
        ip_addr_set_ip4_u32_val(dest, addr);
    }
#endif
#if LWIP_IPV6
    if (transport == ETH_BYTES + IP6_BYTES && read_be16(frame + AT_ETH_TYPE) == ETH_IP6) {
        IP_SET_TYPE(&src, IPADDR_TYPE_V6);
        IP_SET_TYPE(&dest, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(&src)->addr, frame + AT_IP6_SRC, 16);
        memcpy(ip_2_ip6(&dest)->addr, frame + AT_IP6_DEST, 16);
        ip6_addr_clear_zone(ip_2_ip6(&src));
        ip6_addr_clear_zone(ip_2_ip6(&dest));
        ip6_addr_assign_zone(ip_2_ip6(&src), IP6_UNICAST, &nif->netif);
        ip6_addr_assign_zone(ip_2_ip6(&dest), IP6_UNICAST, &nif->netif);
    }
#endif
    net_tcp_syn(&src, &dest, read_be16(tcp), read_be16(tcp + 2), read_be32(tcp + AT_TCP_SEQ));
}

/* Which transport checksums lwIP must verify in this frame. */
static unsigned checks_needed(struct net_interface *nif, const struct pbuf *p, bool checked)
{
    struct headers h;

    if (!headers_parse(p->payload, p->len, &h))
        return CHECK_ALL;
    if (LWIP_TCP && h.protocol == PROTOCOL_TCP) {
        net_timeouts_note_tcp();
        if ((((const uint8_t *)p->payload)[h.transport + AT_TCP_FLAGS] & (TCP_SYN | TCP_ACK)) ==
            TCP_SYN)
            look_at_syn(nif, p->payload, h.transport);
    }
    return checked ? 0 : CHECK_ALL;
}

void net_input(struct netdev *dev, struct pbuf *p, bool checked)
{
    struct net_interface *nif = dev->interface;
    const uint8_t *frame = p->payload;

    dev->stats.rx_packets++;
    dev->stats.rx_bytes += p->tot_len;
    if (p->len < ETH_BYTES) {
        netdev_drop(dev, NETDEV_RX_SHORT);
        pbuf_free(p);
        return;
    }
    /* A bridge floods what it cannot place: frames for other hosts end here. */
    if (!nif->added || (!(frame[0] & 1) && memcmp(frame, nif->netif.hwaddr, 6) != 0)) {
        pbuf_free(p);
        return;
    }
    net_timeouts_note_input();
    nif->netif.chksum_flags = (u16_t)(nif->checksums | checks_needed(nif, p, checked));
    ethernet_input(p, &nif->netif);
}

/* --- output ------------------------------------------------------------------------------ */

/* What the backend is to do with the frame, whose headers are all in its first pbuf. */
static void choose_offload(const struct net_interface *nif, struct pbuf *p,
                           struct netdev_offload *offload)
{
    struct headers h;

    if (!headers_parse(p->payload, p->len, &h))
        return;
    if (LWIP_TCP && h.protocol == PROTOCOL_TCP)
        net_timeouts_note_tcp();
    if (LWIP_TCP && h.protocol == PROTOCOL_TCP && !(nif->checksums & NETIF_CHECKSUM_GEN_TCP)) {
        headers_blank_tcp(p->payload, &h, (uint16_t)(p->tot_len - h.transport));
        offload->blank = true;
    } else {
        offload->valid = true;
    }
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct net_interface *nif = netif->state;
    struct netdev_offload offload = {0};

    net_timeouts_note_output();
    choose_offload(nif, p, &offload);
    switch (nif->dev->transmit(nif->dev, p, &offload)) {
    case 0:
        return ERR_OK;
    case -ENOTCONN:
    case -EMSGSIZE:
        return ERR_IF;
    default:
        return ERR_MEM; /* TCP tries again */
    }
}

static void send_again(struct work *w)
{
    (void)w;
#if LWIP_TCP
    tcp_txnow();
#endif
}

/* May be called in the middle of sending, where lwIP must not be entered again. */
void net_tx_ready(struct netdev *dev)
{
    (void)dev;
    work_post(&send_again_work);
}

/* --- multicast filter -------------------------------------------------------------------- */

static void filter(struct netif *netif, const uint8_t mac[6], bool add)
{
    struct netdev *dev = ((struct net_interface *)netif->state)->dev;
    int err;

    if (!(dev->features & NETDEV_MULTICAST) || !netif_is_link_up(netif))
        return;
    err = dev->multicast(dev, mac, add);
    if (err)
        log_limited(LOG_WARN, "%s: cannot %s a multicast address: error %d", dev->name,
                    add ? "add" : "remove", -err);
}

#if LWIP_IGMP
static err_t filter4(struct netif *netif, const ip4_addr_t *group,
                     enum netif_mac_filter_action action)
{
    uint32_t addr = read_be32((const uint8_t *)group);
    uint8_t mac[6] = {0x01, 0x00, 0x5e, (addr >> 16) & 0x7f, (addr >> 8) & 0xff, addr & 0xff};

    filter(netif, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}
#endif

#if LWIP_IPV6_MLD
static err_t filter6(struct netif *netif, const ip6_addr_t *group,
                     enum netif_mac_filter_action action)
{
    uint8_t mac[6] = {0x33, 0x33};

    memcpy(mac + 2, &group->addr[3], 4);
    filter(netif, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}
#endif

/* A new backend knows none of the groups. */
static void filter_all(struct netif *netif)
{
#if LWIP_IGMP
    for (struct igmp_group *g = netif_igmp_data(netif); g; g = g->next)
        filter4(netif, &g->group_address, NETIF_ADD_MAC_FILTER);
#endif
#if LWIP_IPV6_MLD
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};

    filter(netif, all_nodes, true);
    for (struct mld_group *g = netif_mld6_data(netif); g; g = g->next)
        filter6(netif, &g->group_address, NETIF_ADD_MAC_FILTER);
#endif
}

/* --- devices ----------------------------------------------------------------------------- */

static void status_changed(struct netif *netif)
{
    struct net_interface *nif = netif->state;

    work_post(&nif->changed);
}

static void report(struct work *w)
{
    net_address_report(container_of(w, struct net_interface, changed));
}

/* lwIP's netif_add() calls this to have the netif filled. */
static err_t fill_netif(struct netif *netif)
{
    netif->name[0] = 'v';
    netif->name[1] = 'i';
    netif->hwaddr_len = 6;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->linkoutput = link_output;
#if LWIP_IPV4
    netif->output = etharp_output;
    netif->flags |= NETIF_FLAG_IGMP;
    netif->igmp_mac_filter = filter4;
#endif
#if LWIP_IPV6
    netif->output_ip6 = ethip6_output;
    netif->flags |= NETIF_FLAG_MLD6;
    netif->mld_mac_filter = filter6;
#endif
#if LWIP_NETIF_HOSTNAME
    netif->hostname = app_name;
#endif
    return ERR_OK;
}

/* What the backend offers may differ from the last time. */
static void take_device(struct net_interface *nif)
{
    struct netdev *dev = nif->dev;
    unsigned needed = NETDEV_CSUM4 | (LWIP_IPV6 ? NETDEV_CSUM6 : 0);

    memcpy(nif->netif.hwaddr, dev->mac, sizeof(dev->mac));
    nif->netif.mtu = dev->mtu;
#if LWIP_IPV6
    nif->netif.mtu6 = dev->mtu;
#endif
    nif->checksums = NETIF_CHECKSUM_ENABLE_ALL & ~CHECK_ALL;
    if ((dev->features & needed) == needed)
        nif->checksums &= (uint16_t)~NETIF_CHECKSUM_GEN_TCP;
}

static void add_netif(struct net_interface *nif)
{
    netif_add_noaddr(&nif->netif, nif, fill_netif, ethernet_input);
    netif_set_status_callback(&nif->netif, status_changed);
    if (!netif_default || netif_default->name[0] != 'v')
        netif_set_default(&nif->netif);
    nif->added = true;
}

void net_link(struct netdev *dev, bool up)
{
    struct net_interface *nif = dev->interface;
    bool first = !nif->added;

    if (!up) {
        if (nif->added && netif_is_link_up(&nif->netif)) {
            log_info("%s: link down: %s", dev->name, dev->status);
            netif_set_link_down(&nif->netif);
        }
        return;
    }
    if (first)
        add_netif(nif);
    take_device(nif);
    log_info("%s: link up, MAC %02x:%02x:%02x:%02x:%02x:%02x, MTU %u", dev->name, dev->mac[0],
             dev->mac[1], dev->mac[2], dev->mac[3], dev->mac[4], dev->mac[5], dev->mtu);
    netif_set_link_up(&nif->netif);
    filter_all(&nif->netif);
    if (first) {
        netif_set_up(&nif->netif);
        net_address_configure(nif);
        net_address_start(nif);
    }
    net_timeouts_changed();
}

int net_attach(struct netdev *dev)
{
    struct net_interface *nif;

    net_init();
    nif = net_mem_calloc(1, sizeof(*nif));
    if (!nif)
        return -ENOMEM;
    nif->dev = dev;
    dev->interface = nif;
    work_init(&nif->changed, report);
    list_add_tail(&net_interfaces, &nif->node);
    return 0;
}

void net_detach(struct netdev *dev)
{
    struct net_interface *nif = dev->interface;

    if (!nif)
        return;
    if (nif->added) {
        net_address_stop(nif);
        netif_remove(&nif->netif);
        net_address_report(nif);
    }
    log_info("%s: removed", dev->name);
    work_cancel(&nif->changed);
    list_del(&nif->node);
    net_mem_free(nif);
    dev->interface = NULL;
    if (!netif_default && !list_empty(&net_interfaces)) {
        nif = container_of(net_interfaces.next, struct net_interface, node);
        if (nif->added)
            netif_set_default(&nif->netif);
    }
}

/* --- the stack --------------------------------------------------------------------------- */

static bool has_address(struct netif *netif)
{
#if LWIP_IPV4
    if (!ip4_addr_isany_val(*netif_ip4_addr(netif)))
        return true;
#endif
#if LWIP_IPV6
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
            return true;
    }
#endif
    return false;
}

const struct netdev *net_device(unsigned n)
{
    struct list *at;

    list_for_each (at, &net_interfaces) {
        const struct netdev *dev = container_of(at, struct net_interface, node)->dev;

        if (dev->index == n)
            return dev;
    }
    return NULL;
}

bool net_is_up(void)
{
    struct list *at;

    list_for_each (at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (nif->added && netif_is_link_up(&nif->netif) && has_address(&nif->netif))
            return true;
    }
    return false;
}

/* Says once, some seconds after the start, why there is no network. */
static void explain(struct timer *t)
{
    struct list *at;

    (void)t;
    if (list_empty(&net_interfaces))
        log_warn("no network: the guest has no vif (vif = [ 'bridge=...' ] in its xl config)");
    list_for_each (at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (!nif->added || !netif_is_link_up(&nif->netif))
            log_warn("%s: no network: %s", nif->dev->name, nif->dev->status);
        else if (!has_address(&nif->netif))
            log_warn("%s: no address yet: %s", nif->dev->name,
                     nif->config.dhcp ? "no DHCP server has answered, still asking"
                     : nif->config.slaac ? "no router has advertised a prefix"
                                         : "none is configured");
    }
}

int net_init(void)
{
    static bool done;
    static int result;

    if (done)
        return result;
    done = true;
#if LWIP_TCP
    net_tcp_init();
#endif
    lwip_init();
    result = net_address_init();
    work_init(&send_again_work, send_again);
    timer_init(&explain_timer, explain);
    timer_arm_in(&explain_timer, EXPLAIN_AFTER);
    return result;
}

LIBRARY(net_init); /* so that its keys are not taken for the app's arguments */
