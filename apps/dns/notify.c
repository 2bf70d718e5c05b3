/* SPDX-License-Identifier: ISC */
/*
 * Notices to secondaries (lib/dns/notifier.h) over UDP. Command line:
 *
 *   notify=SERVER,...  with SERVER an ADDRESS[:PORT][@KEY]
 */
#include <errno.h>
#include <string.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/name.h"
#include "lib/dns/notifier.h"
#include "lib/net/net.h"
#include "lib/util.h"

#include "lwip/udp.h"

#define LOG_MODULE "dns"

static struct {
    struct notifier all;
    struct timer timer;
    struct udp_pcb *pcb;
} notify;

/* What cannot be sent now is sent again as if it were lost. */
static void send_message(const struct dns_peer *to, const uint8_t *message, size_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
    ip_addr_t address;

    if (!p)
        return;
    (void)pbuf_take(p, message, (u16_t)len);
    if (server_ip(to, &address))
        (void)udp_sendto(notify.pcb, p, &address, to->port);
    pbuf_free(p);
}

static void received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                     u16_t port)
{
    const struct dns_client *client = server_client(from);
    struct dns_peer peer = {.address_len = client->address_len, .port = port};

    memcpy(peer.address, client->address, client->address_len);
    if (p->len == p->tot_len)
        notifier_take(&notify.all, &peer, p->payload, p->len);
    pbuf_free(p);
}

static void do_what_is_due(struct timer *t)
{
    uint32_t wait = net_is_up() ? notifier_run(&notify.all) : 1;

    if (wait != UINT32_MAX)
        timer_arm_in(t, wait * NSEC_PER_SEC);
}

static void wake(void)
{
    timer_arm_in(&notify.timer, 0);
}

static void tell(const uint8_t *name, const struct dns_peer *to, const char *reason)
{
    static char text[DNS_TEXT_MAX + 1];
    char address[IPADDR_STRLEN_MAX];
    ip_addr_t ip;

    dns_name_text(name, text);
    (void)server_ip(to, &ip);
    log_warn("%s: %s is not told of the change: %s", text,
             ipaddr_ntoa_r(&ip, address, sizeof(address)), reason);
}

void server_zone_changed(const uint8_t *name)
{
    if (notify.pcb && notifier_changed(&notify.all, name))
        log_warn("no memory to tell of a change");
}

int server_start_notify(const struct dns_access *access)
{
    static const struct notifier_ops ops = {
        .send = send_message,
        .wake = wake,
        .tell = tell,
        .monotonic = server_monotonic,
        .wall = server_wall,
        .random = server_random,
    };
    const char *list = cmdline_get("notify"), *wrong;

    if (!list)
        return 0;
    timer_init(&notify.timer, do_what_is_due);
    notifier_init(&notify.all, &ops);
    wrong = notifier_add(&notify.all, list, access, server_parse_address);
    if (wrong) {
        log_error("notify=: %s", wrong);
        return -EINVAL;
    }
    notify.pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (!notify.pcb || udp_bind(notify.pcb, IP_ANY_TYPE, 0) != ERR_OK)
        return -ENOMEM;
    udp_recv(notify.pcb, received, NULL);
    if (notifier_all_changed(&notify.all, &server.db))
        log_warn("no memory to tell of all zones");
    return 0;
}
