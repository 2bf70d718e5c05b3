/* SPDX-License-Identifier: ISC */
/* See fake_netback.h. The driver's table of functions is static: hence the include of a .c file. */
#include "tests/unit/fake_netback.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/app.h"
#include "tests/unit/fake_kernel.h"

#include "drivers/netfront.c"

struct fake_offers fake_offers;
struct netdev *netback_dev;
const char *netback_disabled;
void (*netback_input)(struct pbuf *p, bool checked);
unsigned netback_delivered, netback_ready;
struct netback_ring netback_rx, netback_tx;
struct netback_got netback_got;

static struct xenbus_device device;

/* --- the store and xenbus --- */

static struct {
    char path[128], value[16];
} store[24];

void xenbus_disable(struct xenbus_device *dev, const char *reason, uint64_t value)
{
    ck_assert_ptr_eq(dev, &device);
    netback_disabled = reason;
}

const char *fake_store(const char *key)
{
    char path[128];

    snprintf(path, sizeof(path), "device/vif/0/%s", key);
    for (unsigned i = 0; i < ARRAY_SIZE(store); i++)
        if (!strcmp(store[i].path, path))
            return store[i].value;
    return NULL;
}

int xs_write_many(xs_tid t, struct xs_write_item *items, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = ARRAY_SIZE(store);

        for (unsigned j = ARRAY_SIZE(store); j--;)
            if (!strcmp(store[j].path, items[i].path) || (!store[j].path[0] && items[i].value))
                at = j;
        for (unsigned j = 0; j < ARRAY_SIZE(store); j++)
            if (!strcmp(store[j].path, items[i].path))
                at = j;
        items[i].result = 0;
        if (at == ARRAY_SIZE(store))
            continue; /* what is not there is removed already */
        snprintf(store[at].path, sizeof(store[at].path), "%s", items[i].value ? items[i].path : "");
        snprintf(store[at].value, sizeof(store[at].value), "%s", items[i].value ?: "");
    }
    return 0;
}

int xs_read_many(xs_tid t, struct xs_read_item *items, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *key = strrchr(items[i].path, '/') + 1, *value = NULL;

        if (!strcmp(key, "mac"))
            value = fake_offers.mac;
        else if (!strcmp(key, "mtu"))
            value = fake_offers.mtu;
        else if (!strcmp(key, "trusted"))
            value = fake_offers.trusted;
        items[i].result = value ? snprintf(items[i].buf, items[i].size, "%s", value) : -ENOENT;
        if (items[i].result >= (int)items[i].size)
            items[i].result = -ENOSPC;
    }
    return fake_offers.passing;
}

bool xs_parse_number(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *value)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!len || end != text + len || n < min || n > max)
        return false;
    *value = n;
    return true;
}

int xenbus_read_keys(struct xenbus_device *dev, struct xenbus_key *keys, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!strcmp(keys[i].name, "feature-rx-copy"))
            keys[i].value = !fake_offers.no_rx_copy;
        else if (!strcmp(keys[i].name, "feature-split-event-channels"))
            keys[i].value = !fake_offers.no_split;
        else if (!strcmp(keys[i].name, "feature-multicast-control"))
            keys[i].value = fake_offers.multicast;
        else
            keys[i].value = !fake_offers.no_sg;
    }
    return fake_offers.keys_passing;
}

/* --- the stack --- */

int net_attach(struct netdev *dev)
{
    netback_dev = dev;
    return 0;
}

void net_detach(struct netdev *dev)
{
    netback_dev = NULL;
}

void net_link(struct netdev *dev, bool up)
{
}

void net_tx_ready(struct netdev *dev)
{
    netback_ready++;
}

/* Rule 10: what goes up is out of the backend's reach, or was never within. */
static void check_packet(const struct pbuf *p)
{
    size_t length = 0;

    for (const struct pbuf *q = p; q; q = q->next) {
        struct netpage *np = netpage_of((struct pbuf *)(uintptr_t)q);

        length += q->len;
        if (!np)
            continue;
        ck_assert_msg(!fake_grants[np->grant].live, "a page goes up while the backend has it");
        ck_assert_uint_le((size_t)((uint8_t *)q->payload - np->page) + q->len, PAGE_SIZE);
    }
    ck_assert_uint_eq(length, p->tot_len);
}

void net_input(struct netdev *dev, struct pbuf *p, unsigned flags)
{
    netback_delivered++;
    check_packet(p);
    if (flags & NET_INPUT_ALONE)
        ck_assert(netpage_of(p) && !p->next && p->ref == 1);
    if (netback_input)
        netback_input(p, flags & NET_INPUT_CHECKED);
    else
        pbuf_free(p);
}

/* --- the device's life --- */

void netback_plug(void)
{
    device = (struct xenbus_device){.driver = &netfront_driver, .otherend_id = BACKEND};
    strcpy(device.name, "vif/0");
    strcpy(device.nodename, "device/vif/0");
    strcpy(device.otherend, "/local/domain/7/backend/vif/1/0");
    ck_assert_int_eq(netfront_driver.probe(&device), 0);
}

void netback_move(domid_t domain)
{
    fake_backend = device.otherend_id = domain;
}

static void find_ring(struct netback_ring *r, const char *ref, const char *port, size_t entry)
{
    const struct fake_grant *g = fake_grant((grant_ref_t)atoi(fake_store(ref)));

    ck_assert(g->live && !g->readonly);
    *r = (struct netback_ring){.page = (void *)g->page, .entry = entry};
    ck_assert_msg((fake_store("event-channel") == NULL) != (fake_store(port) == NULL),
                  "the store names ports of both layouts");
    r->port = (evtchn_port_t)atoi(fake_store(port) ?: fake_store("event-channel"));
}

int netback_open(void)
{
    int err;

    fake_grants_made = 0;
    fake_grants_zeroed = fake_offers.trusted && fake_offers.trusted[0] == '0';
    netback_disabled = NULL;
    err = netfront_driver.connect(&device);
    if (err) {
        netfront_driver.disconnect(&device); /* as xenbus does */
        return err;
    }
    find_ring(&netback_rx, "rx-ring-ref", "event-channel-rx", sizeof(union netif_rx_sring_entry));
    find_ring(&netback_tx, "tx-ring-ref", "event-channel-tx", sizeof(union netif_tx_sring_entry));
    return 0;
}

int netback_connect(void)
{
    int err = netback_open();

    if (!err)
        err = netfront_driver.connected(&device);
    netback_run();
    return err;
}

static struct shutdown_hook *at_end;

void shutdown_hook_add(struct shutdown_hook *hook)
{
    ck_assert_ptr_null(at_end); /* there is one */
    at_end = hook;
}

const struct netdev *net_device(unsigned n)
{
    return n == 0 ? netback_dev : NULL;
}

void netback_end_guest(void)
{
    at_end->fn(at_end);
}

void netback_disconnect(void)
{
    netfront_driver.disconnect(&device);
}

void netback_unplug(void)
{
    netback_disconnect();
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    netfront_driver.remove(&device);
    fake_grants_check();
}

void netback_run(void)
{
    fake_run();
}
