/* SPDX-License-Identifier: ISC */
#include "lib/net/netdev.h"

const char *netdev_drop_name(enum netdev_drop why)
{
    static const char *const names[NETDEV_DROPS] = {
        [NETDEV_RX_SHORT] = "rx_short",   [NETDEV_RX_LONG] = "rx_long",
        [NETDEV_RX_STATUS] = "rx_status", [NETDEV_RX_MEMORY] = "rx_memory",
        [NETDEV_RX_FALSE] = "rx_false",   [NETDEV_TX_DOWN] = "tx_down",
        [NETDEV_TX_FULL] = "tx_full",     [NETDEV_TX_LONG] = "tx_long",
        [NETDEV_TX_MEMORY] = "tx_memory", [NETDEV_TX_STATUS] = "tx_status",
    };

    return names[why];
}
