/* SPDX-License-Identifier: ISC */
/*
 * Which addresses an interface gets, and telling the world (docs/network.md).
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

/* --- parsing ----------------------------------------------------------------------------- */

/* Splits "address/bits"; bits stays as it is when there is none. False: not of that form. */
static bool split_prefix(const char *text, char *address, size_t size, unsigned *bits)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);

    if (len >= size)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!slash)
        return true;
    if (!slash[1] || strlen(slash + 1) > 3)
        return false;
    *bits = 0;
    for (const char *c = slash + 1; *c; c++) {
        if (*c < '0' || *c > '9')
            return false;
        *bits = *bits * 10 + (unsigned)(*c - '0');
    }
    return true;
}

#if LWIP_IPV4
/* Four numbers and three dots, nothing else (lwIP's own parser also takes 0x7f.1 and trailing
 * text). */
static bool parse_ip4(const char *text, ip4_addr_t *ip)
{
    uint32_t addr = 0;

    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0, digits = 0;

        for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
            value = value * 10 + (unsigned)(*text - '0');
        if (!digits || digits > 3 || value > 255 || *text != (part < 3 ? '.' : '\0'))
            return false;
        text++;
        addr = addr << 8 | value;
    }
    ip4_addr_set_u32(ip, lwip_htonl(addr));
    return true;
}

static bool is_host4(const ip4_addr_t *ip)
{
    return !ip4_addr_isany(ip) && !ip4_addr_ismulticast(ip) && !ip4_addr_isloopback(ip) &&
           ip4_addr_get_u32(ip) != IPADDR_BROADCAST;
}

/* "192.0.2.2/24"; without a prefix length default_bits counts, 0 for none. */
static bool parse_static4(const char *text, unsigned default_bits, struct net_config *config)
{
    unsigned bits = default_bits;
    char address[16];

    if (!split_prefix(text, address, sizeof(address), &bits) || bits < 1 || bits > 32 ||
        !parse_ip4(address, &config->ip4) || !is_host4(&config->ip4))
        return false;
    ip4_addr_set_u32(&config->mask4, lwip_htonl(~UINT32_C(0) << (32 - bits)));
    config->static4 = true;
    config->dhcp = false;
    return true;
}
#endif

#if LWIP_IPV6
/* One group of at most four hexadecimal digits at *text, which moves behind it. */
static bool parse_group(const char **text, uint16_t *group)
{
    unsigned value = 0, digits = 0;

    for (; digits < 5; digits++, ++*text) {
        char c = (char)(**text | 0x20);

        if (c >= '0' && c <= '9')
            value = value << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (unsigned)(c - 'a' + 10);
        else
            break;
    }
    *group = (uint16_t)value;
    return digits >= 1 && digits <= 4;
}

/* RFC 4291, section 2.2, without the forms that end in an IPv4 address. */
static bool parse_ip6(const char *text, ip6_addr_t *ip)
{
    uint16_t groups[8] = {0};
    unsigned count = 0, gap = 8; /* the groups before "::" */

    if (text[0] == ':' && text[1] == ':') {
        gap = 0;
        text += 2;
    }
    while (*text) {
        if (count == 8 || !parse_group(&text, &groups[count++]))
            return false;
        if (!*text)
            break;
        if (*text++ != ':')
            return false;
        if (*text == ':' && gap == 8) {
            gap = count;
            text++;
        } else if (!*text) {
            return false;
        }
    }
    if ((gap == 8) != (count == 8))
        return false;
    memmove(groups + 8 - (count - MIN(gap, count)), groups + MIN(gap, count),
            (count - MIN(gap, count)) * sizeof(groups[0]));
    if (gap < 8)
        memset(groups + gap, 0, (8 - count) * sizeof(groups[0]));
    for (unsigned i = 0; i < 8; i++)
        groups[i] = lwip_htons(groups[i]);
    ip6_addr_set_zero(ip);
    memcpy(ip->addr, groups, sizeof(groups));
    return !ip6_addr_isany(ip) && !ip6_addr_ismulticast(ip) && !ip6_addr_isloopback(ip);
}

static bool parse_static6(const char *text, struct net_config *config)
{
    unsigned bits = 64;
    char address[48];

    if (!split_prefix(text, address, sizeof(address), &bits) || bits != 64 ||
        !parse_ip6(address, &config->ip6))
        return false;
    config->static6 = true;
    return true;
}
#endif

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
    if (ip && strcmp(ip, "none") == 0)
        config->dhcp = false;
    else if (ip && strcmp(ip, "dhcp") == 0 && !LWIP_DHCP)
        return refuse(key, ip, "an address: this image has no DHCP client");
    else if (ip && strcmp(ip, "dhcp") != 0 && !parse_static4(ip, 0, config))
        return refuse(key, ip, "an IPv4 address and prefix length such as 192.0.2.2/24, dhcp, "
                               "or none");
    if (!gw)
        return 0;
    if (!config->static4)
        return refuse(gw_key, gw, "no gateway without a fixed address (ip=ADDRESS/BITS)");
    if (!parse_ip4(gw, &config->gw4) || !is_host4(&config->gw4))
        return refuse(gw_key, gw, "an IPv4 address such as 192.0.2.1");
    if (!ip4_addr_net_eq(&config->gw4, &config->ip4, &config->mask4))
        return refuse(gw_key, gw, "an address within the network that ip= names");
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
    if (ip && !config->slaac && strcmp(ip, "none") != 0 && !parse_static6(ip, config))
        return refuse(key, ip, "an IPv6 address such as 2001:db8::2/64 (64 is the only prefix "
                               "length), auto, or none");
    if (!gw)
        return 0;
    if (!parse_ip6(gw, &config->gw6))
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

/* The toolstack's list of addresses, separated by blanks; the first of each kind is taken. */
static void take_toolstack(struct net_interface *nif)
{
    struct net_config *config = &nif->config;
    char *at = nif->dev->address;

    while (*at) {
        size_t len = strcspn(at, " ,");
        char word[64];

        memcpy(word, at, len);
        word[len] = '\0';
        at += len + strspn(at + len, " ,");
        if (!len)
            continue;
#if LWIP_IPV4
        if (!config->static4 && parse_static4(word, 24, config))
            continue;
#endif
#if LWIP_IPV6
        if (!config->static6 && parse_static6(word, config))
            continue;
#endif
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
    if (!config->static4 && !config->static6 && config->dhcp == !!LWIP_DHCP)
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

/* --- telling ----------------------------------------------------------------------------- */

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

static void report6(struct net_interface *nif, unsigned slot)
{
    ip6_addr_t *shown = &nif->shown6[slot];
    const ip6_addr_t *now = netif_ip6_addr(&nif->netif, slot);
    bool valid = ip6_addr_isvalid(netif_ip6_addr_state(&nif->netif, slot));
    char text[IP6ADDR_STRLEN_MAX];

    if (valid ? ip6_addr_zoneless_eq(shown, now) : ip6_addr_isany(shown))
        return;
    if (!ip6_addr_isany(shown))
        log_info("%s: address %s is gone", nif->dev->name,
                 text6(shown, text, sizeof(text)));
    ip6_addr_set_zero(shown);
    if (!valid) {
        publish(nif, "ipv6", slot, NULL);
        return;
    }
    ip6_addr_copy(*shown, *now);
    ip6_addr_clear_zone(shown);
    log_info("%s: address %s/64 (%s)", nif->dev->name, text6(shown, text, sizeof(text)),
             slot == 0 ? "link-local"
             : nif->config.static6 && ip6_addr_zoneless_eq(shown, &nif->config.ip6)
                 ? "fixed"
                 : "advertised");
    publish(nif, "ipv6", slot, text);
    net_announce6(&nif->netif, now);
}
#endif

void net_address_report(struct net_interface *nif)
{
#if LWIP_IPV4
    report4(nif);
#endif
#if LWIP_IPV6
    for (unsigned slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++)
        report6(nif, slot);
#endif
}

#if LWIP_IPV6
const ip6_addr_t *net_gateway6(struct netif *netif)
{
    struct list *at;

    list_for_each (at, &net_interfaces) {
        struct net_interface *nif = container_of(at, struct net_interface, node);

        if (&nif->netif == netif && nif->config.has_gw6)
            return &nif->config.gw6;
    }
    return NULL;
}
#endif
