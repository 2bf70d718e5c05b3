/* SPDX-License-Identifier: ISC */
/*
 * "xl sysrq DOMAIN n": what the interfaces have moved and dropped.
 */
#include "drivers/netfront.h"

#include "kernel/log.h"
#include "kernel/sysrq.h"
#include "lib/net/net.h"

#define LOG_MODULE "sysrq"

static void show_device(const struct netdev *dev)
{
    const struct netdev_stats *s = &dev->stats;

    log_info("%s: %s", dev->name, dev->status);
    log_info("%s: %u pages wait for packets", dev->name, dev->posted);
    log_info("%s: received %lu packets, %lu bytes, %lu large, %lu not summed here", dev->name,
             s->rx_packets, s->rx_bytes, s->rx_large, s->rx_checked);
    log_info("%s: sent %lu packets, %lu bytes, %lu large, %lu not summed here", dev->name,
             s->tx_packets, s->tx_bytes, s->tx_large, s->tx_blank);
    for (unsigned i = 0; i < NETDEV_DROPS; i++)
        if (s->drops[i])
            log_info("%s: dropped: %s %lu", dev->name, netdev_drop_name(i), s->drops[i]);
}

static void show_network(void)
{
    const struct netpage_stats *p = netpage_stats();

    for (unsigned i = 0; i < INTERFACES_MAX; i++) {
        const struct netdev *dev = net_device(i);

        if (dev)
            show_device(dev);
    }
    log_info("network pages: %u of at most %u, %u free, %u lost", p->pages, p->max, p->free,
             p->lost);
}

void netfront_sysrq_init(void)
{
    static struct sysrq_command command = {'n', "network", show_network, NULL};
    static bool done;

    if (!done)
        sysrq_add(&command);
    done = true;
}
