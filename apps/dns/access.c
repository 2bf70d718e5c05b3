/* SPDX-License-Identifier: ISC */
/*
 * Who may have the zones, from the guest's command line:
 *
 *   tsig=NAME:BASE64,...             keys, as dig -y takes them, with CONFIG_DNS_TSIG
 *   xfr=ADDRESS[/BITS][@KEY],@KEY,...  addresses, keys, or addresses with a key
 */
#include <errno.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/access.h"

#define LOG_MODULE "dns"

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
