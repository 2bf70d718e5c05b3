/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the network driver under the real xenbus, with a backend and a toolstack that do what
 * the input says: states and keys in xenstore, responses, extra info, indices, events, pages kept,
 * bytes written over the rings, memory that runs out. What goes up is kept, sent again or freed.
 *
 * fake_grants.c judges each grant. What goes out is what was sent, in turn; what comes up from an honest
 * backend is what it delivered, and what does not come up is counted. At the end the device is unplugged,
 * the backend lets go, and all that the driver had must have come back. A backend that never lied must
 * not have been disabled; and after one that lied, another one with an honest backend works. In half of
 * the cases nobody lies: that goes further.
 */
#include <check.h>

#include "kernel/app.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/peer.h"
#include "tests/fuzz/sync_store.h"
#include "tests/unit/fake_grants.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_netback.h"
#include "tests/unit/published_frame.h"

#include "drivers/netfront.c"
#include "lib/net/netpage.h"

#define FRONT "device/vif/0"
#define BACK "/local/domain/7/backend/vif/5/0"
#define KEPT_MAX 64
#define PACKETS_MAX 1024 /* more than both rings can hold */

struct netdev *netback_dev;
struct netback_ring netback_rx, netback_tx;
struct netback_got netback_got;

static bool lost_track; /* of where in the transmit ring a packet begins, or of what is in a ring */
static unsigned starts;
static struct pbuf *kept[KEPT_MAX];
static unsigned kept_count;
static unsigned received; /* packets that came up */

/* --- packets on their way -------------------------------------------------------------------- */

/* What is looked at of a packet: its length, where its headers are, and some of the other octets. */
#define HEADERS 160
struct look {
    size_t len;
    uint64_t headers; /* a hash */
    uint8_t octets[8];
    bool blank;
    uint16_t gso_size;
    uint8_t extra; /* the type of its extra info, 0 for none */
};

static struct line {
    struct look packets[PACKETS_MAX];
    unsigned first, last; /* free-running */
} to_guest, to_backend;
static unsigned missing; /* of to_guest: they did not come up, though later ones did */
static uint64_t drops_before[NETDEV_DROPS];

static void line_add(struct line *line, const struct look *look)
{
    ck_assert_uint_lt(line->last - line->first, PACKETS_MAX);
    line->packets[line->last++ % PACKETS_MAX] = *look;
}

static struct look *line_next(struct line *line)
{
    return line->first == line->last ? NULL : &line->packets[line->first++ % PACKETS_MAX];
}

/* Where the octets are that are looked at: the first, the last, and some between. */
static size_t look_at(size_t len, unsigned i)
{
    return len ? (len - 1) * i / (ARRAY_SIZE(((struct look *)0)->octets) - 1) : 0;
}

static void look_at_headers(struct look *look, const uint8_t *octets)
{
    for (size_t i = 0; i < MIN(look->len, (size_t)HEADERS); i++)
        look->headers = (look->headers ^ octets[i]) * 0x100000001b3u;
}

static void look_at_pbuf(struct look *look, const struct pbuf *p)
{
    uint8_t headers[HEADERS];

    look->len = p->tot_len;
    (void)pbuf_copy_partial(p, headers, HEADERS, 0);
    look_at_headers(look, headers);
    for (unsigned i = 0; i < ARRAY_SIZE(look->octets) && p->tot_len; i++)
        look->octets[i] = pbuf_get_at(p, (uint16_t)look_at(p->tot_len, i));
}

static bool same(const struct look *a, const struct look *b)
{
    return a->len == b->len && a->headers == b->headers &&
           !memcmp(a->octets, b->octets, sizeof(a->octets));
}

/* A packet comes up: the next one that an honest backend delivered, but for those that were dropped. */
static void check_input(const struct pbuf *p)
{
    struct look now = {0}, *sent = NULL;

    received++;
    look_at_pbuf(&now, p);
    while (!lied && (sent = line_next(&to_guest)) && !same(&now, sent))
        missing++;
    ck_assert_msg(lied || sent, "a packet comes up that was not delivered");
}

/* All that an honest backend delivered has come up, or is counted as dropped. */
static void check_drops(void)
{
    unsigned counted = 0;

    if (lied || !netback_rx.page || !container_of(netback_dev, struct netfront, net)->running)
        return;
    missing += to_guest.last - to_guest.first;
    for (unsigned i = NETDEV_RX_SHORT; i <= NETDEV_RX_MEMORY; i++)
        counted += (unsigned)(netback_dev->stats.drops[i] - drops_before[i]);
    ck_assert_uint_eq(missing, counted);
}

static void begin_lines(void)
{
    to_guest.first = to_guest.last = to_backend.first = to_backend.last = 0;
    missing = 0;
    memcpy(drops_before, netback_dev->stats.drops, sizeof(drops_before));
}

/* --- the driver, as xenbus sees it --------------------------------------------------------- */

static void find_ring(struct netback_ring *r, const char *ref, const char *port, size_t entry)
{
    const struct fake_grant *g = fake_grant((grant_ref_t)atoi(store_find(ref)));
    const char *number = store_find(port) ?: store_find(FRONT "/event-channel");

    ck_assert(g->live && !g->readonly);
    ck_assert(!store_find(FRONT "/event-channel") != !store_find(port));
    *r = (struct netback_ring){.page = (void *)g->page, .entry = entry};
    r->port = (evtchn_port_t)atoi(number);
}

static int checked_connect(struct xenbus_device *dev)
{
    const char *trusted = store_find(FRONT "/trusted");
    int err;

    fake_grants_made = 0;
    fake_grants_zeroed = trusted && !strcmp(trusted, "0");
    err = netfront_driver.connect(dev);
    if (err)
        return err;
    find_ring(&netback_rx, FRONT "/rx-ring-ref", FRONT "/event-channel-rx",
              sizeof(union netif_rx_sring_entry));
    find_ring(&netback_tx, FRONT "/tx-ring-ref", FRONT "/event-channel-tx",
              sizeof(union netif_tx_sring_entry));
    lost_track = false;
    begin_lines();
    return 0;
}

static void checked_disconnect(struct xenbus_device *dev)
{
    netfront_driver.disconnect(dev);
    netback_rx.page = netback_tx.page = NULL;
}

/* --- the stack ----------------------------------------------------------------------------- */

int net_attach(struct netdev *dev)
{
    ck_assert(!netback_dev);
    netback_dev = dev;
    return 0;
}

void net_detach(struct netdev *dev)
{
    ck_assert_ptr_eq(netback_dev, dev);
    netback_dev = NULL;
}

void net_link(struct netdev *dev, bool up)
{
}

void net_tx_ready(struct netdev *dev)
{
}

const struct netdev *net_device(unsigned n)
{
    return n == 0 ? netback_dev : NULL;
}

void shutdown_hook_add(struct shutdown_hook *hook)
{
}

static void transmit(struct pbuf *p)
{
    uint8_t how = fuzz_u8();
    struct netdev_offload offload = {.blank = how & 1};
    struct look look = {.blank = how & 1};

    if (how & 2) {
        offload.gso = how & 4 ? 6 : 4;
        offload.gso_size = look.gso_size = fuzz_u16();
        look.extra = XEN_NETIF_EXTRA_TYPE_GSO;
    }
    look_at_pbuf(&look, p);
    if (netback_dev && netback_dev->transmit(netback_dev, p, &offload) == 0 && !lost_track)
        line_add(&to_backend, &look);
}

static void change_filter(bool add)
{
    static const uint8_t mac[6] = {1, 0, 0x5e, 1, 2, 3};
    const struct look look = {
        .extra = add ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL,
    };

    if (netback_dev && netback_dev->multicast(netback_dev, mac, add) == 0 && !lost_track)
        line_add(&to_backend, &look);
}

/* The same page goes out again, behind headers of its own. */
static void answer_in_place(struct pbuf *p)
{
    struct pbuf *headers;

    if (p->tot_len > 60000)
        return; /* a pbuf's length has 16 bits */
    headers = pbuf_alloc(PBUF_RAW, (uint16_t)(14 + fuzz_below(120)), PBUF_RAM);
    if (!headers)
        return;
    memset(headers->payload, 1, headers->len);
    (void)pbuf_remove_header(p, p->len > 60 ? 40 : p->len);
    pbuf_ref(p);
    pbuf_cat(headers, p);
    transmit(headers);
    pbuf_free(headers);
}

static void check_packet(struct pbuf *p)
{
    size_t length = 0;

    for (struct pbuf *q = p; q; q = q->next) {
        struct netpage *np = netpage_of(q);

        length += q->len;
        if (!np)
            continue;
        ck_assert_msg(!fake_grants[np->grant].live, "a page goes up while the backend has it");
        ck_assert_uint_le((size_t)((uint8_t *)q->payload - np->page) + q->len, PAGE_SIZE);
    }
    ck_assert_uint_eq(length, p->tot_len);
    check_input(p);
}

void net_input(struct netdev *dev, struct pbuf *p, unsigned flags)
{
    uint8_t what = fuzz_u8();

    check_packet(p);
    if (flags & NET_INPUT_ALONE)
        ck_assert(netpage_of(p) && !p->next && p->ref == 1);
    if (what & 1 && kept_count < KEPT_MAX) {
        kept[kept_count++] = p;
        return;
    }
    if (what & 2)
        transmit(p);
    if (what & 4)
        answer_in_place(p);
    pbuf_free(p);
}

static void send_something(void)
{
    struct pbuf *p;
    uint16_t n;

    switch (fuzz_below(4)) {
    case 0:
        n = fuzz_u16();
        p = n & 1 ? published_frame(n / 4, n / 2 % 32000 * 2)
                  : pbuf_alloc(PBUF_RAW, (uint16_t)(1 + n % 65000), PBUF_RAM);
        break;
    case 1:
        p = netpage_alloc(1 + fuzz_u16() % 4000);
        break;
    case 2:
        p = kept_count ? kept[fuzz_below(kept_count)] : NULL;
        if (p)
            pbuf_ref(p);
        break;
    default:
        change_filter(fuzz_u8() & 1);
        return;
    }
    if (!p)
        return;
    transmit(p);
    pbuf_free(p);
}

static void forget(unsigned left)
{
    while (kept_count > left)
        pbuf_free(kept[--kept_count]);
}

/* --- the store ------------------------------------------------------------------------------- */

static int fault(const char *path)
{
    int error = peer_fault(path);

    if (error == -ENOENT && !strcmp(path, FRONT "/trusted"))
        fake_grants_zeroed = false; /* who has no such key is trusted */
    if (error == -ENOENT && !strncmp(path, FRONT "/event-channel", strlen(FRONT "/event-channel")))
        store_put(path, NULL, 0); /* the driver wants it to go, and believes that it has */
    return error;
}

static void put_key(const char *key, const char *value)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%s", BACK, key);
    store_put_text(path, value);
}

static void plug(void)
{
    store_put_text("domid", "5");
    store_put_text(BACK "/state", "1");
    put_key("feature-rx-copy", "1");
    put_key("feature-sg", "1");
    put_key("feature-split-event-channels", "1");
    store_put_text(FRONT "/backend", BACK);
    store_put_text(FRONT "/backend-id", "7");
    store_put_text(FRONT "/mac", "00:16:3e:01:02:03");
    store_put_text(FRONT "/state", "1");
}

static void start_backend(void)
{
    lied |= ++starts > PEER_HONEST_STARTS;
    store_put_text(BACK "/state", "1");
    fake_run();
    store_put_text(BACK "/state", "2");
    fake_run();
    store_put_text(BACK "/state", "4");
    fake_run();
}

/* An offer that a backend may make; the driver reads it when it connects. */
static void offer(void)
{
    static const char *const names[] = {"feature-sg",
                                        "feature-gso-tcpv4",
                                        "feature-gso-tcpv6",
                                        "feature-no-csum-offload",
                                        "feature-ipv6-csum-offload",
                                        "feature-split-event-channels",
                                        "feature-multicast-control"};
    unsigned which = fuzz_below(ARRAY_SIZE(names) + 2);

    if (which < ARRAY_SIZE(names))
        put_key(names[which], fuzz_u8() & 1 ? "1" : "0");
    else if (which == ARRAY_SIZE(names))
        store_put_text(FRONT "/trusted", fuzz_u8() & 1 ? "0" : NULL);
    else
        store_put_text(FRONT "/mtu", fuzz_u8() & 1 ? "9000" : "1500");
}

static const char *const keys[] = {
    BACK "/state",    FRONT "/state",         BACK "/feature-rx-copy", BACK "/feature-sg",
    FRONT "/mac",     FRONT "/mtu",           FRONT "/trusted",        BACK "/ip",
    FRONT "/backend", FRONT "/backend-id",    "device/vif/1/state",    "device/vif/x",
    "domid",          FRONT "/event-channel", FRONT "/rx-ring-ref"};

static void unplug(void)
{
    store_put(FRONT, NULL, 0);
    if (fuzz_u8() & 1)
        fake_run();
    plug();
}

/* --- the rings ------------------------------------------------------------------------------- */

/* The page of a request, if the backend may write to it. */
static uint8_t *writable(const netif_rx_request_t *request)
{
    struct fake_grant *g = &fake_grants[request->gref % FAKE_GRANTS];

    if (request->gref < FAKE_GRANTS && g->allocated && g->live && !g->readonly)
        return g->page;
    ck_assert_msg(lost_track, "the page posted cannot be written to");
    return NULL;
}

static void put_extra_info(bool honest)
{
    struct netif_extra_info info = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

    info.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    if (!honest) {
        info.type = fuzz_u8();
        info.flags = fuzz_u8();
        info.u.gso.type = fuzz_u8();
    }
    (void)netback_take_rx();
    netback_answer(&netback_rx, &info, sizeof(info));
}

/* What the guest will see of a packet of these pieces. */
static void expect(const uint16_t *sizes, unsigned pieces)
{
    struct look look = {0};
    uint8_t headers[HEADERS];

    for (unsigned i = 0; i < pieces; i++) {
        for (unsigned n = 0; n < sizes[i] && look.len + n < HEADERS; n++)
            headers[look.len + n] = (uint8_t)sizes[i];
        look.len += sizes[i];
    }
    look_at_headers(&look, headers);
    for (unsigned i = 0; i < ARRAY_SIZE(look.octets) && look.len; i++) {
        size_t at = look_at(look.len, i);
        const uint16_t *size = sizes;

        for (; at >= *size; size++)
            at -= *size;
        look.octets[i] = (uint8_t)*size;
    }
    if (!lied)
        line_add(&to_guest, &look);
}

/* A packet of some pieces; `wrong` has bits for what is not as it should be. */
static void deliver_packet(uint8_t wrong)
{
    unsigned pieces = 1 + fuzz_below(wrong & 1 ? 24 : 18);
    bool extra = fuzz_u8() & 1;
    uint16_t sizes[24];

    if (netback_waiting(&netback_rx) > 256 || netback_waiting(&netback_rx) < pieces + extra + 1)
        return;
    lied |= wrong != 0;
    for (unsigned i = 0; i < pieces; i++) {
        netif_rx_request_t request = netback_take_rx();
        uint8_t *page = writable(&request);
        unsigned offset = fuzz_u8(), size = fuzz_u16() % 3840;
        netif_rx_response_t response = {
            .id = request.id,
            .offset = (uint16_t)offset,
            .status = (int16_t)size,
            .flags = i + 1 < pieces ? NETRXF_more_data : 0,
        };

        if (page)
            memset(page + offset, (int)size, size);
        sizes[i] = (uint16_t)size;
        response.flags |= i == 0 && extra ? NETRXF_extra_info : 0;
        response.id ^= wrong & 2 ? fuzz_u16() : 0;
        response.offset ^= wrong & 4 ? fuzz_u16() : 0;
        response.status ^= wrong & 8 ? (int16_t)fuzz_u16() : 0;
        response.flags ^= wrong & 16 ? fuzz_u16() : 0;
        if (wrong & 32)
            fake_grants[request.gref % FAKE_GRANTS].mapped |= fuzz_u8() & 1;
        netback_answer(&netback_rx, &response, sizeof(response));
        if (i == 0 && extra)
            put_extra_info(!(wrong & 64));
    }
    expect(sizes, pieces);
}

static void deliver(void)
{
    unsigned count = fuzz_below(8);
    uint8_t wrong = fuzz_u8() & 1 ? fuzz_u8() : 0;

    while (count--)
        deliver_packet(honest ? 0 : wrong);
    netback_show(&netback_rx);
}

/* Takes packets as an honest backend does: they are those that were sent. */
static void receive(unsigned max)
{
    while (max-- && netback_waiting(&netback_tx)) {
        struct look now = {0}, *sent;

        (void)netback_receive(1);
        sent = line_next(&to_backend);
        ck_assert_msg(sent, "a packet goes out that was not sent");
        now.len = netback_got.len;
        look_at_headers(&now, netback_got.data);
        for (unsigned i = 0; i < ARRAY_SIZE(now.octets) && now.len; i++)
            now.octets[i] = netback_got.data[look_at(now.len, i)];
        ck_assert_msg(same(&now, sent), "another packet goes out than was sent");
        ck_assert_uint_eq(!!(netback_got.flags & NETTXF_csum_blank), sent->blank);
        ck_assert_uint_eq(!!(netback_got.flags & NETTXF_extra_info), sent->extra != 0);
        ck_assert(!sent->extra || netback_got.extra.type == sent->extra);
        ck_assert(!sent->gso_size || netback_got.extra.u.gso.size == sent->gso_size);
    }
}

/* Requests that are not looked into, answered with anything. */
static void answer_wildly(void)
{
    lied = lost_track = true;
    for (unsigned n = fuzz_below(64); n-- && netback_waiting(&netback_tx);) {
        netif_tx_request_t request = netback_take_tx();
        uint8_t how = fuzz_u8();
        uint16_t id = how & 1 ? fuzz_u16() : request.id;

        if (how & 4)
            fake_grants[request.gref % FAKE_GRANTS].mapped = true;
        netback_answer_tx(id, how & 2 ? (int16_t)fuzz_u16() : NETIF_RSP_OKAY);
    }
    netback_show(&netback_tx);
}

/* An index of either ring: near what it should be, or anywhere. */
static void write_index(void)
{
    uint8_t how = fuzz_u8();
    struct netback_ring *r = how & 1 ? &netback_rx : &netback_tx;
    uint32_t value = how & 2 ? fuzz_u32() : r->prod + (uint32_t)(int8_t)fuzz_u8();

    lied = lost_track = true;
    switch (how >> 2 & 3) {
    case 0:
        shared_write(&r->page->rsp_prod, value);
        break;
    case 1:
        r->prod = value;
        netback_show(r);
        break;
    case 2:
        shared_write(&r->page->req_event, value);
        break;
    default:
        shared_write(&r->page->rsp_event, value);
        break;
    }
    fake_raise(r->port);
}

/* Octets anywhere in a ring's page or in a page that is granted for writing. */
static void scribble(void)
{
    struct netback_ring *r = fuzz_u8() & 1 ? &netback_rx : &netback_tx;

    lost_track = true;
    peer_scribble(r->page);
    fake_raise(r->port);
}

static void ring_step(void)
{
    switch (fuzz_below(honest ? 3 : 8)) {
    case 0:
    case 1:
        deliver();
        break;
    case 2:
        if (!lost_track)
            receive(fuzz_u8());
        else
            answer_wildly();
        break;
    case 3:
        answer_wildly();
        break;
    case 4:
        write_index();
        break;
    case 5:
        scribble();
        break;
    case 6:
        fake_raise(fuzz_u8() & 1 ? netback_rx.port : netback_tx.port);
        break;
    default:
        peer_keep_mapped(fuzz_u16() % 600);
    }
}

/* --- the case -------------------------------------------------------------------------------- */

static void step(void)
{
    switch (fuzz_below(16)) {
    case 0:
        if (!honest || starts < PEER_HONEST_STARTS)
            start_backend();
        break;
    case 1:
        offer();
        break;
    case 2:
    case 3:
        if (!honest)
            peer_lie(keys, ARRAY_SIZE(keys));
        break;
    case 4:
        unplug();
        break;
    case 5:
        fake_raise(fuzz_u8() & 1 ? netback_rx.port : netback_tx.port);
        break;
    case 6:
        fake_no_memory = fuzz_u8() & 1;
        break;
    case 7:
        fake_no_grants = fuzz_u8() & 1;
        break;
    case 8:
    case 9:
        send_something();
        break;
    case 10:
        forget(fuzz_below(kept_count + 1));
        break;
    case 11:
        fake_sleep(fuzz_u8() * NSEC_PER_MSEC);
        break;
    default:
        if (netback_rx.page)
            ring_step();
    }
    if (fuzz_u8() & 1)
        fake_run();
}

/* The device goes, and with it all that it had, but for what the backend holds on to. */
static void take_away(void)
{
    for (unsigned i = 0; i < 4; i++) { /* whatever devices the store had */
        char path[32];

        snprintf(path, sizeof(path), "device/vif/%u", i);
        store_put(path, NULL, 0);
    }
    store_put("device/vif", NULL, 0);
    fake_run();
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC); /* what is kept for long is looked at as rarely */
    ck_assert(!netback_dev);
    ck_assert_uint_eq(store_watched(), 1); /* for devices */
    fake_grants_check();
}

/* Whatever there was before: with a new device and an honest backend a packet comes and goes. */
static void check_recovery(void)
{
    unsigned before = xenbus_count_disabled(), came = received;
    static const uint16_t size = 60;
    struct pbuf *p;

    lied = false;
    starts = 0;
    plug();
    fake_run();
    start_backend();
    ck_assert_msg(netback_rx.page, "a new device does not connect");
    netback_send((unsigned char)size, size, size, 0);
    expect(&size, 1);
    netback_show(&netback_rx);
    p = pbuf_alloc(PBUF_RAW, size, PBUF_RAM);
    ck_assert_ptr_nonnull(p);
    memset(p->payload, 1, size);
    transmit(p);
    pbuf_free(p);
    fake_run();
    receive(1);
    ck_assert_uint_eq(to_backend.first, 1);
    ck_assert_uint_eq(received, came + 1);
    ck_assert_uint_eq(xenbus_count_disabled(), before);
    fake_run();
    check_drops();
    take_away();
}

static void finish(bool recover)
{
    peer_end_shortage();
    fake_run();
    ck_assert_msg(lied || !xenbus_count_disabled(), "an honest backend is disabled");
    check_drops();
    forget(0);
    take_away();
    if (recover && netpage_stats()->lost < 8)
        check_recovery();
}

void fuzz_case(void)
{
    /* The fewest pages that there are for packets; or more of them; or as many as the ring has room for. */
    static const size_t memory[] = {128, 128, 128, 128, 128, 128, 1024, 2048};
    uint8_t how = fuzz_u8();

    fake_total_pages = memory[how & 7];
    honest = how & 16;
    store_fault = fault;
    publish();
    peer_drive(&netfront_driver, checked_connect, checked_disconnect);
    plug();
    ck_assert_int_eq(xenbus_init(), 0);
    fake_run();
    start_backend();
    while (fuzz_more())
        step();
    finish(how & 8);
}
