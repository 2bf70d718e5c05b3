/* SPDX-License-Identifier: ISC */
/*
 * Addresses as people write them, strictly: what looks odd is more likely a mistake than meant.
 */
#include <string.h>

#include "lib/net/interface.h"
#include "lib/util.h"

#include "lwip/ip_addr.h"

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
static bool is_host4(const ip4_addr_t *ip)
{
    return !ip4_addr_isany(ip) && !ip4_addr_ismulticast(ip) && !ip4_addr_isloopback(ip) &&
           ip4_addr_get_u32(ip) != IPADDR_BROADCAST;
}

/* Four numbers and three dots, nothing else (lwIP's own parser also takes 0x7f.1 and trailing
 * text). */
bool net_parse_ip4(const char *text, ip4_addr_t *ip)
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
    return is_host4(ip);
}

bool net_is_host4(const ip4_addr_t *ip, const ip4_addr_t *mask)
{
    uint32_t hosts = ~lwip_ntohl(ip4_addr_get_u32(mask));
    uint32_t host = lwip_ntohl(ip4_addr_get_u32(ip)) & hosts;

    return hosts <= 1 || (host != 0 && host != hosts);
}

bool net_parse_static4(const char *text, unsigned default_bits, struct net_config *config)
{
    unsigned bits = default_bits;
    char address[16];

    if (!split_prefix(text, address, sizeof(address), &bits) || bits < 1 || bits > 32 ||
        !net_parse_ip4(address, &config->ip4))
        return false;
    ip4_addr_set_u32(&config->mask4, lwip_htonl(~UINT32_C(0) << (32 - bits)));
    if (!net_is_host4(&config->ip4, &config->mask4))
        return false;
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
        unsigned digit = (unsigned)(**text - '0'), letter = (unsigned)((**text | 0x20) - 'a');

        if (digit > 9 && letter > 5)
            break;
        value = value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    *group = (uint16_t)value;
    return digits >= 1 && digits <= 4;
}

/* An IPv4 address in IPv6's clothes is an application's, never a host's (RFC 4291, section 2.5.5.2). */
static bool is_host6(const ip6_addr_t *ip)
{
    return !ip6_addr_isany(ip) && !ip6_addr_ismulticast(ip) && !ip6_addr_isloopback(ip) &&
           !ip6_addr_isipv4mappedipv6(ip);
}

#define NO_GAP 9

/* RFC 4291, section 2.2, without the forms that end in an IPv4 address. */
bool net_parse_ip6(const char *text, ip6_addr_t *ip)
{
    uint16_t groups[8] = {0};
    unsigned count = 0, gap = NO_GAP; /* the groups before "::" */

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
        if (*text == ':' && gap == NO_GAP) {
            gap = count;
            text++;
        } else if (!*text) {
            return false;
        }
    }
    if ((gap == NO_GAP) != (count == 8))
        return false;
    memmove(groups + 8 - (count - MIN(gap, count)), groups + MIN(gap, count),
            (count - MIN(gap, count)) * sizeof(groups[0]));
    if (gap < 8)
        memset(groups + gap, 0, (8 - count) * sizeof(groups[0]));
    for (unsigned i = 0; i < 8; i++)
        groups[i] = lwip_htons(groups[i]);
    ip6_addr_set_zero(ip);
    memcpy(ip->addr, groups, sizeof(groups));
    return is_host6(ip);
}

bool net_parse_static6(const char *text, struct net_config *config)
{
    unsigned bits = 64;
    char address[48];

    if (!split_prefix(text, address, sizeof(address), &bits) || bits != 64 ||
        !net_parse_ip6(address, &config->ip6))
        return false;
    config->static6 = true;
    return true;
}
#endif
