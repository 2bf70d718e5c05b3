/* SPDX-License-Identifier: ISC */
/*
 * The network driver's part of xenstore (xen/include/public/io/netif.h): what the toolstack and the
 * backend say about the interface, read with bounds (hardening.md, rule 16), and what we answer.
 */
#include "drivers/netfront.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"
#include "xen/xenstore.h"

#define LOG_MODULE "netfront"

#define MTU_DEFAULT 1500
#define MTU_MIN 576
/* A frame has a 16-bit length. */
#define MTU_MAX 65520

/* The backend's keys; a bad value is the default, 0. */
enum { SG, GSO4, GSO6, NO_CSUM, CSUM6, SPLIT, MULTICAST, RX_COPY, OFFERS };
static const struct xenbus_key offers[OFFERS] = {
    [SG] = {.name = "feature-sg", .max = 1},
    [GSO4] = {.name = "feature-gso-tcpv4", .max = 1},
    [GSO6] = {.name = "feature-gso-tcpv6", .max = 1},
    [NO_CSUM] = {.name = "feature-no-csum-offload", .max = 1},
    [CSUM6] = {.name = "feature-ipv6-csum-offload", .max = 1},
    [SPLIT] = {.name = "feature-split-event-channels", .max = 1},
    [MULTICAST] = {.name = "feature-multicast-control", .max = 1},
    [RX_COPY] = {.name = "feature-rx-copy", .max = 1},
};

/* --- what they say ---------------------------------------------------------------------- */

/* "00:16:3e:01:02:03", a single host's. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    uint8_t any = 0;

    for (unsigned i = 0; i < 6; i++, text += 3) {
        unsigned value = 0;

        for (unsigned digit = 0; digit < 2; digit++) {
            char c = (char)(text[digit] | 0x20);

            if (c >= '0' && c <= '9')
                value = value * 16 + (unsigned)(c - '0');
            else if (c >= 'a' && c <= 'f')
                value = value * 16 + (unsigned)(c - 'a' + 10);
            else
                return false;
        }
        if (text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)value;
        any |= mac[i];
    }
    return any && !(mac[0] & 1);
}

/* What the toolstack wrote about the interface: ours to read, partly below the backend. */
static int read_description(struct netfront *nf)
{
    char paths[4][XENBUS_PATH_MAX + 16], mac[20], mtu[12], trusted[4];
    struct xs_read_item items[] = {
        {paths[0], mac, sizeof(mac), 0},
        {paths[1], mtu, sizeof(mtu), 0},
        {paths[2], trusted, sizeof(trusted), 0},
        {paths[3], nf->net.address, sizeof(nf->net.address), 0},
    };
    uint64_t value = MTU_DEFAULT, trust = 1;
    int err;

    (void)fmt_print(paths[0], sizeof(paths[0]), "%s/mac", nf->dev->nodename);
    (void)fmt_print(paths[1], sizeof(paths[1]), "%s/mtu", nf->dev->nodename);
    (void)fmt_print(paths[2], sizeof(paths[2]), "%s/trusted", nf->dev->nodename);
    (void)fmt_print(paths[3], sizeof(paths[3]), "%s/ip", nf->dev->otherend);
    err = xs_read_many(XS_NONE, items, ARRAY_SIZE(items));
    if (err)
        return err;
    if (items[0].result < 0 || !parse_mac(mac, nf->net.mac)) {
        log_error("%s: mac=%s is not an address of one host", nf->net.name,
                  items[0].result < 0 ? "(missing)" : mac);
        return -EINVAL;
    }
    if (items[1].result >= 0 &&
        !xs_parse_number(mtu, (size_t)items[1].result, MTU_MIN, MTU_MAX, &value))
        log_warn("%s: mtu=%s: want %u to %u; %u is used", nf->net.name, mtu, MTU_MIN, MTU_MAX,
                 MTU_DEFAULT);
    nf->net.mtu = (uint16_t)value;
    /* Whatever is there but not a number other than 0: not trusted (rule 11). */
    if (items[2].result != -ENOENT &&
        (items[2].result < 0 ||
         !xs_parse_number(trusted, (size_t)items[2].result, 0, UINT32_MAX, &trust)))
        trust = 0;
    nf->bounce = trust == 0;
    if (items[3].result < 0)
        nf->net.address[0] = '\0';
    return 0;
}

int netfront_read_offers(struct netfront *nf, bool *split)
{
    struct xenbus_key keys[OFFERS];
    int err = read_description(nf);

    if (err)
        return err;
    memcpy(keys, offers, sizeof(keys));
    err = xenbus_read_keys(nf->dev, keys, OFFERS);
    if (err)
        return err;
    if (!keys[RX_COPY].value) {
        log_error("%s: the backend cannot copy packets to us (feature-rx-copy)", nf->net.name);
        return -EOPNOTSUPP;
    }
    nf->sg = keys[SG].value;
    if (!nf->sg && nf->net.mtu > MTU_DEFAULT)
        nf->net.mtu = MTU_DEFAULT;
    nf->net.features = (keys[NO_CSUM].value ? 0 : NETDEV_CSUM4) |
                       (keys[CSUM6].value ? NETDEV_CSUM6 : 0) |
                       (keys[GSO4].value && nf->sg ? NETDEV_GSO4 : 0) |
                       (keys[GSO6].value && nf->sg ? NETDEV_GSO6 : 0) |
                       (keys[MULTICAST].value ? NETDEV_MULTICAST : 0);
    *split = keys[SPLIT].value;
    return 0;
}

/* --- what we answer --------------------------------------------------------------------- */

/* What to write below our directory. */
#define ANSWERS 12
struct answers {
    unsigned count;
    struct xs_write_item items[ANSWERS];
    char paths[ANSWERS][XENBUS_PATH_MAX + 32], values[ANSWERS][12];
};

/* Adds a key. 0 takes it away: it may be there from an earlier connection. */
static void answer(struct netfront *nf, struct answers *a, const char *key, unsigned value)
{
    char *path = a->paths[a->count], *text = a->values[a->count];

    (void)fmt_print(path, sizeof(a->paths[0]), "%s/%s", nf->dev->nodename, key);
    (void)fmt_print(text, sizeof(a->values[0]), "%u", value);
    a->items[a->count++] = (struct xs_write_item){path, value ? text : NULL, 0};
}

int netfront_write_answers(struct netfront *nf)
{
    bool split = nf->rx_port != nf->tx_port;
    struct answers a;

    a.count = 0;
    answer(nf, &a, "tx-ring-ref", nf->tx_ring->grant);
    answer(nf, &a, "rx-ring-ref", nf->rx_ring->grant);
    answer(nf, &a, "event-channel", split ? 0 : nf->rx_port);
    answer(nf, &a, "event-channel-tx", split ? nf->tx_port : 0);
    answer(nf, &a, "event-channel-rx", split ? nf->rx_port : 0);
    answer(nf, &a, "request-rx-copy", 1);
    answer(nf, &a, "feature-rx-notify", 1);
    answer(nf, &a, "feature-sg", 1);
    answer(nf, &a, "feature-gso-tcpv4", IS_ENABLED(CONFIG_NET_GSO));
    answer(nf, &a, "feature-gso-tcpv6", IS_ENABLED(CONFIG_NET_GSO));
    answer(nf, &a, "feature-ipv6-csum-offload", 1);
    answer(nf, &a, "request-multicast-control", !!(nf->net.features & NETDEV_MULTICAST));
    return xs_write_many(XS_NONE, a.items, a.count);
}
