/* SPDX-License-Identifier: ISC */
/*
 * Who may have the zones, from the guest's command line:
 *
 *   tsig=NAME:BASE64,...             keys, as dig -y takes them, with CONFIG_DNS_TSIG
 *   xfr=ADDRESS[/BITS][@KEY],@KEY,...  addresses, keys, or addresses with a key
 */
#include <errno.h>
#include <string.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/access.h"
#include "lib/net/interface.h"

#define LOG_MODULE "dns"

unsigned server_parse_address(const char *text, uint8_t address[16])
{
#if LWIP_IPV6
    ip6_addr_t ip6;

    if (net_parse_ip6(text, &ip6)) {
        memcpy(address, ip6.addr, 16);
        return 16;
    }
#endif
#if LWIP_IPV4
    ip4_addr_t ip4;

    if (net_parse_ip4(text, &ip4)) {
        memcpy(address, &ip4.addr, 4);
        return 4;
    }
#endif
    return 0;
}

static int refuse(const char *key, const char *reason)
{
    log_error("%s=: %s", key, reason);
    return -EINVAL;
}

int server_read_access(void)
{
    static struct dns_access access;
    const char *keys = cmdline_get("tsig"), *rules = cmdline_get("xfr"), *reason = NULL;
    int err = 0;

    if (keys && !IS_ENABLED(CONFIG_DNS_TSIG))
        return refuse("tsig", "CONFIG_DNS_TSIG is off");
    if (keys)
        reason = access_add_keys(&access, keys);
    if (reason)
        return refuse("tsig", reason);
    if (rules)
        reason = access_add_rules(&access, rules, server_parse_address);
    if (reason)
        return refuse("xfr", reason);
    dns_db_allow(&server.db, &access);
    if (IS_ENABLED(CONFIG_DNS_SECONDARY))
        err = server_start_secondary(&access);
    if (!err && IS_ENABLED(CONFIG_DNS_NOTIFY))
        err = server_start_notify(&access);
    return err;
}
