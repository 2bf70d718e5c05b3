/* SPDX-License-Identifier: ISC */
/*
 * Which addresses an interface gets (docs/network.md).
 *
 *   ip=192.0.2.2/24 gw=192.0.2.1      a fixed IPv4 address     ip=dhcp (the default), ip=none
 *   ip6=2001:db8::2/64 gw6=2001:...   a fixed IPv6 address     ip6=auto (the default), ip6=none
 *
 * The command line speaks for vif 0; the second interface's keys are ip1=, gw1=, ip61=, gw61=, and
 * so on up to the fourth. Without a key the toolstack's own (vif = [ 'ip=192.0.2.2/24' ]) counts,
 * then DHCP and router advertisements.
 *
 * A key with a value that is no address stops the boot, with a line that says what it should look
 * like: a guest that fell back to another address would be missed more, and later. A bad value
 * from the toolstack comes at run time, so that is logged and DHCP is used.
 */
#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/interface.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/net/include/lwiphooks.h"

#include "lwip/dhcp.h"
#include "lwip/ip_addr.h"
#include "lwip/nd6.h"

#define LOG_MODULE "net"

#define CONFIGURED_MAX 4

enum { KEY_IP, KEY_GW, KEY_IP6, KEY_GW6, KEYS };
static const char *const key_name[KEYS] = {"ip", "gw", "ip6", "gw6"};
/* The last character is a digit's place: replaced for the second interface and on. */
static char key_text[CONFIGURED_MAX][KEYS][8];
static struct net_config configured[CONFIGURED_MAX];

/* --- the command line -------------------------------------------------------------------- */

static int refuse(const char *key, const char *value, const char *want)
{
    log_error("%s=%s: want %s", key, value, want);
    return -EINVAL;
}

static int configure4(unsigned index, struct net_config *config)
{
    const char *key = key_text[index][KEY_IP], *gw_key = key_text[index][KEY_GW];
    const char *ip = cmdline_get(key), *gw = cmdline_get(gw_key);

#if LWIP_IPV4
    config->dhcp = LWIP_DHCP;
    config->said4 = ip;
    if (ip && strcmp(ip, "none") == 0)
        config->dhcp = false;
    else if (ip && strcmp(ip, "dhcp") == 0 && !LWIP_DHCP)
        return refuse(key, ip, "an address: this image has no DHCP client");
    else if (ip && strcmp(ip, "dhcp") != 0 && !net_parse_static4(ip, 0, config))
        return refuse(
            key, ip, "a host's IPv4 address and prefix length such as 192.0.2.2/24, dhcp, or none");
    if (!gw)
        return 0;
    if (!config->static4)
        return refuse(gw_key, gw, "no gateway without a fixed address (ip=ADDRESS/BITS)");
    if (!net_parse_ip4(gw, &config->gw4))
        return refuse(gw_key, gw, "an IPv4 address such as 192.0.2.1");
    if (!ip4_addr_net_eq(&config->gw4, &config->ip4, &config->mask4) ||
        ip4_addr_eq(&config->gw4, &config->ip4) || !net_is_host4(&config->gw4, &config->mask4))
        return refuse(gw_key, gw, "another address of the network that ip= names");
#else
    (void)config;
    if (ip && strcmp(ip, "none") != 0)
        return refuse(key, ip, "none: this image has no IPv4");
    if (gw)
        return refuse(gw_key, gw, "no such key: this image has no IPv4");
#endif
    return 0;
}

static int configure6(unsigned index, struct net_config *config)
{
    const char *key = key_text[index][KEY_IP6], *gw_key = key_text[index][KEY_GW6];
    const char *ip = cmdline_get(key), *gw = cmdline_get(gw_key);

#if LWIP_IPV6
    config->slaac = !ip || strcmp(ip, "auto") == 0;
    config->said6 = ip;
    if (ip && !config->slaac && strcmp(ip, "none") != 0 && !net_parse_static6(ip, config))
        return refuse(key, ip,
                      "an IPv6 address such as 2001:db8::2/64 (64 is the only prefix "
                      "length), auto, or none");
    if (!gw)
        return 0;
    if (!net_parse_ip6(gw, &config->gw6))
        return refuse(gw_key, gw, "an IPv6 address such as 2001:db8::1 or fe80::1");
    config->has_gw6 = true;
#else
    (void)config;
    if (ip && strcmp(ip, "none") != 0)
        return refuse(key, ip, "none: this image has no IPv6");
    if (gw)
        return refuse(gw_key, gw, "no such key: this image has no IPv6");
#endif
    return 0;
}

int net_address_init(void)
{
    int result = 0;

    for (unsigned index = 0; index < CONFIGURED_MAX; index++) {
        for (unsigned k = 0; k < KEYS; k++) {
            char *name = key_text[index][k];

            fmt_print(name, sizeof(key_text[index][k]), index ? "%s%u" : "%s", key_name[k], index);
        }
        if (configure4(index, &configured[index]) || configure6(index, &configured[index]))
            result = -EINVAL;
    }
    return result;
}

/* --- an interface ------------------------------------------------------------------------ */

/* A word of the toolstack's. False: it is no address. */
static bool take_word(struct net_config *config, const char *word)
{
    struct net_config unused; /* what was decided before is checked all the same */

#if LWIP_IPV4
    if (net_parse_static4(word, 24, config->said4 ? &unused : config)) {
        config->said4 = true;
        return true;
    }
#endif
#if LWIP_IPV6
    if (net_parse_static6(word, config->said6 ? &unused : config)) {
        config->said6 = true;
        return true;
    }
#endif
    return false;
}

/* The toolstack's list of addresses, separated by blanks: the first of each kind is taken, unless
 * the command line has the key for that kind. */
static void take_toolstack(struct net_interface *nif)
{
    char *at = nif->dev->address;

    while (*at) {
        size_t len = strcspn(at, " ,");
        char word[64];

        memcpy(word, at, len);
        word[len] = '\0';
        at += len + strspn(at + len, " ,");
        if (len && !take_word(&nif->config, word))
            log_warn("%s: ip=%s from the toolstack: want addresses such as 192.0.2.2/24; not used",
                     nif->dev->name, word);
    }
}

void net_address_configure(struct net_interface *nif)
{
    unsigned index = nif->dev->index;
    struct net_config *config = &nif->config;

    memset(config, 0, sizeof(*config));
    config->dhcp = LWIP_DHCP;
    config->slaac = LWIP_IPV6;
    if (index < CONFIGURED_MAX)
        *config = configured[index];
    take_toolstack(nif);
}

void net_address_start(struct net_interface *nif)
{
    struct net_config *config = &nif->config;
    struct netif *netif = &nif->netif;

#if LWIP_IPV4
    if (config->static4)
        netif_set_addr(netif, &config->ip4, &config->mask4, &config->gw4);
#endif
#if LWIP_DHCP
    if (config->dhcp && dhcp_start(netif) != ERR_OK)
        log_error("%s: no memory for DHCP", nif->dev->name);
#endif
#if LWIP_IPV6
    netif_create_ip6_linklocal_address(netif, 1);
    netif_set_ip6_autoconfig_enabled(netif, config->slaac);
    if (config->static6) {
        s8_t slot = -1;

        ip6_addr_clear_zone(&config->ip6);
        netif_add_ip6_address(netif, &config->ip6, &slot);
        if (slot >= 0)
            netif_ip6_addr_set_state(netif, slot, IP6_ADDR_TENTATIVE);
    }
    if (config->has_gw6)
        ip6_addr_assign_zone(&config->gw6, IP6_UNICAST, netif);
#endif
}

void net_address_stop(struct net_interface *nif)
{
    (void)nif;
#if LWIP_DHCP
    if (netif_dhcp_data(&nif->netif)) {
        dhcp_stop(&nif->netif);
        dhcp_cleanup(&nif->netif);
    }
#endif
#if LWIP_IPV4
    netif_set_addr(&nif->netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
#endif
#if LWIP_IPV6
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        netif_ip6_addr_set_state(&nif->netif, i, IP6_ADDR_INVALID);
#endif
}

#if LWIP_IPV6
const ip6_addr_t *net_gateway6(struct netif *netif)
{
    struct list *at;

    list_for_each(at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (&nif->netif == netif && nif->config.has_gw6)
            return &nif->config.gw6;
    }
    return NULL;
}
#endif
