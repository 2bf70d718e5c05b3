/* SPDX-License-Identifier: ISC */
/*
 * The limit of answers (lib/dns/limit.h). Command line: rrl=N allows N a second, rrl=0 any number;
 * rrl-exempt=ADDRESS[/BITS],... names networks without a limit.
 */
#include <errno.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/limit.h"

#define LOG_MODULE "dns"

enum { COUNTS = 4096, RATE_MAX = 1000000 };

/* Reads the networks without a limit. */
static int read_exempt(struct dns_limiter *limiter)
{
    const char *text = cmdline_get("rrl-exempt");
    int count =
        text ? prefix_parse_list(limiter->exempt, LIMIT_EXEMPT, text, server_parse_address) : 0;

    if (count < 0) {
        log_error("rrl-exempt=%s is no list of at most %u ADDRESS[/BITS]", text, LIMIT_EXEMPT);
        return count;
    }
    limiter->exempts = (unsigned)count;
    return 0;
}

int server_set_limit(void)
{
    static struct limit_count counts[COUNTS];
    static struct dns_limiter limiter = {.counts = counts,
                                         .size = COUNTS,
                                         .rate = CONFIG_DNS_LIMIT_RATE,
                                         .slip = CONFIG_DNS_LIMIT_SLIP};
    const char *text = cmdline_get("rrl");
    int err = read_exempt(&limiter);

    if (err)
        return err;
    if (text)
        limiter.rate = server_parse_number(text, RATE_MAX);
    if (limiter.rate > RATE_MAX) {
        log_error("rrl=%s is no number of answers: 0 to %u", text, RATE_MAX);
        return -EINVAL;
    }
    if (!limiter.rate)
        return 0;
    random_bytes(limiter.secret, sizeof(limiter.secret));
    dns_db_limit(&server.db, &limiter);
    return 0;
}
