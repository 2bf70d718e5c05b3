/* SPDX-License-Identifier: ISC */
/*
 * Tells the world an interface's addresses when they change: the log, and xenstore, below
 * attr/vif/N, where other guests' agents put them.
 */
#include "kernel/app.h"
#include "lib/net/interface.h"

#include "lwip/ip_addr.h"

#define LOG_MODULE "net"

static void publish(const struct net_interface *nif, const char *family, unsigned slot,
                    const char *address)
{
    char path[40];

    fmt_print(path, sizeof(path), "attr/%s/%s/%u", nif->dev->name, family, slot);
    if (guest_publish(path, address))
        log_warn("%s: cannot publish an address: no memory", nif->dev->name);
}

#if LWIP_IPV4
static void report4(struct net_interface *nif)
{
    const ip4_addr_t *now = netif_ip4_addr(&nif->netif);
    char text[IP4ADDR_STRLEN_MAX], gw[IP4ADDR_STRLEN_MAX];
    unsigned bits = 32;

    if (ip4_addr_eq(now, &nif->shown4))
        return;
    if (!ip4_addr_isany(&nif->shown4))
        log_info("%s: address %s is gone", nif->dev->name,
                 ip4addr_ntoa_r(&nif->shown4, text, sizeof(text)));
    ip4_addr_copy(nif->shown4, *now);
    if (ip4_addr_isany(now)) {
        publish(nif, "ipv4", 0, NULL);
        return;
    }
    for (uint32_t m = lwip_htonl(ip4_addr_get_u32(netif_ip4_netmask(&nif->netif)));
         bits && !(m & 1); m >>= 1)
        bits--;
    ip4addr_ntoa_r(now, text, sizeof(text));
    log_info("%s: address %s/%u (%s), gateway %s", nif->dev->name, text, bits,
             nif->config.static4 ? "fixed" : "DHCP",
             ip4_addr_isany(netif_ip4_gw(&nif->netif))
                 ? "none"
                 : ip4addr_ntoa_r(netif_ip4_gw(&nif->netif), gw, sizeof(gw)));
    publish(nif, "ipv4", 0, text);
    net_announce_later(nif, ANNOUNCE_IP4);
}
#endif

#if LWIP_IPV6
/* As RFC 5952 wants it: lwIP writes capitals. */
static const char *text6(const ip6_addr_t *address, char *text, int size)
{
    ip6addr_ntoa_r(address, text, size);
    for (char *c = text; *c; c++)
        *c |= *c >= 'A' && *c <= 'F' ? 0x20 : 0;
    return text;
}

/* RFC 4862 section 5.4.5: such an address is not used, and its owner should be told. */
static void report_duplicate(struct net_interface *nif, unsigned slot)
{
    bool duplicate = ip6_addr_isduplicated(netif_ip6_addr_state(&nif->netif, slot));
    char text[IP6ADDR_STRLEN_MAX];

    if (duplicate && !(nif->duplicates & 1u << slot))
        log_error("%s: address %s is in use by another machine", nif->dev->name,
                  text6(netif_ip6_addr(&nif->netif, slot), text, sizeof(text)));
    nif->duplicates = (uint8_t)((nif->duplicates & ~(1u << slot)) | (unsigned)duplicate << slot);
}

static void report6(struct net_interface *nif, unsigned slot)
{
    ip6_addr_t *shown = &nif->shown6[slot];
    const ip6_addr_t *now = netif_ip6_addr(&nif->netif, slot);
    bool valid = ip6_addr_isvalid(netif_ip6_addr_state(&nif->netif, slot));
    char text[IP6ADDR_STRLEN_MAX];

    report_duplicate(nif, slot);
    if (valid ? ip6_addr_zoneless_eq(shown, now) : ip6_addr_isany(shown))
        return;
    if (!ip6_addr_isany(shown))
        log_info("%s: address %s is gone", nif->dev->name, text6(shown, text, sizeof(text)));
    ip6_addr_set_zero(shown);
    if (!valid) {
        publish(nif, "ipv6", slot, NULL);
        return;
    }
    ip6_addr_copy(*shown, *now);
    ip6_addr_clear_zone(shown);
    log_info("%s: address %s/64 (%s)", nif->dev->name, text6(shown, text, sizeof(text)),
             slot == 0                                                              ? "link-local"
             : nif->config.static6 && ip6_addr_zoneless_eq(shown, &nif->config.ip6) ? "fixed"
                                                                                    : "advertised");
    publish(nif, "ipv6", slot, text);
    net_announce6(&nif->netif, now);
    net_announce_later(nif, ANNOUNCE_IP6(slot));
}
#endif

void net_report(struct net_interface *nif)
{
#if LWIP_IPV4
    report4(nif);
#endif
#if LWIP_IPV6
    for (unsigned slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++)
        report6(nif, slot);
#endif
}
