/* SPDX-License-Identifier: ISC */
/*
 * Zones of other servers (lib/dns/secondary.h): the clock, the log and the command line.
 *
 *   secondary=ZONE=PRIMARY,PRIMARY,ZONE=PRIMARY...  with PRIMARY an ADDRESS[:PORT][@KEY]
 *   zone-max=KIB  memory that the records of a zone that comes may take
 *
 * A zone is made in a thread of its own, which gives way to the loop now and then: queries are answered
 * while it works.
 */
#include <errno.h>
#include <malloc.h>

#include "apps/dns/fetch.h"
#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/secondary.h"
#include "lib/util.h"

#define LOG_MODULE "dns"

#define ZONE_MAX_KIB (1u << 28)

static struct {
    struct secondaries all;
    struct timer timer;
    struct wait_queue work; /* of the thread that makes zones */
    bool has_work;
} secondary;

static int connect_to(const struct dns_peer *peer)
{
    return fetch_connect(&secondary.all, peer);
}

static void build_soon(void)
{
    secondary.has_work = true;
    wait_queue_wake_one(&secondary.work);
}

static void build_zones(void *arg)
{
    for (;;) {
        while (!secondary.has_work)
            wait_queue_sleep(&secondary.work);
        secondary.has_work = false;
        secondaries_build(&secondary.all);
    }
}

static void do_what_is_due(struct timer *t)
{
    timer_arm_in(t, secondaries_run(&secondary.all) * NSEC_PER_SEC);
}

static void wake(void)
{
    timer_arm_in(&secondary.timer, 0);
}

/* What malloc could give away; it leaves some to the others. */
static size_t memory(void)
{
    size_t pages = page_count_free();

    pages -= MIN(pages, CONFIG_HEAP_RESERVE_PAGES);
    return pages * PAGE_SIZE + mallinfo().fordblks;
}

static void tell(const struct secondary *s, enum secondary_event event, const struct dns_peer *peer,
                 const char *reason)
{
    static char text[DNS_TEXT_MAX + 1];
    char address[IPADDR_STRLEN_MAX];
    ip_addr_t ip;

    dns_zone_text(s->served, text);
    switch (event) {
    case SECONDARY_LOADED:
    case SECONDARY_CHANGED:
        log_info("serving %s (%u records, serial %u), %s", text, dns_zone_records(s->served),
                 dns_zone_serial(s->served), event == SECONDARY_LOADED ? "fetched" : "changed");
        if (IS_ENABLED(CONFIG_DNS_NOTIFY))
            server_zone_changed(s->name);
        break;
    case SECONDARY_FAILED:
        (void)server_ip(peer, &ip);
        log_warn("%s: nothing from %s: %s", text, ipaddr_ntoa_r(&ip, address, sizeof(address)),
                 reason);
        break;
    case SECONDARY_EXPIRED:
        log_error("%s: no primary has been heard of: it is not served any longer", text);
        break;
    }
}

int server_start_secondary(const struct dns_access *access)
{
    static const struct secondary_ops ops = {
        .connect = connect_to,
        .send = fetch_send,
        .disconnect = fetch_disconnect,
        .build = build_soon,
        .pause = thread_yield,
        .wake = wake,
        .memory = memory,
        .tell = tell,
        .monotonic = server_monotonic,
        .wall = server_wall,
        .random = server_random,
    };
    const char *list = cmdline_get("secondary"), *max = cmdline_get("zone-max"), *wrong;
    uint32_t kib = max ? server_parse_number(max, ZONE_MAX_KIB) : 0;

    if (!list)
        return 0;
    if (max && (!kib || kib > ZONE_MAX_KIB)) {
        log_error("zone-max=%s is no number of KiB: 1 to %u", max, ZONE_MAX_KIB);
        return -EINVAL;
    }
    timer_init(&secondary.timer, do_what_is_due);
    wait_queue_init(&secondary.work);
    secondaries_init(&secondary.all, &server.db, &ops);
    secondaries_limit(&secondary.all, (size_t)kib << 10);
    wrong = secondaries_add(&secondary.all, list, access, server_parse_address);
    if (wrong) {
        log_error("secondary=: %s", wrong);
        return -EINVAL;
    }
    if (!thread_create("zones", build_zones, NULL, 0))
        return -ENOMEM;
    wake();
    return 0;
}
