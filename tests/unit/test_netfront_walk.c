/* SPDX-License-Identifier: ISC */
/*
 * drivers/netfront*.c on a random walk with a backend that is honest, mistaken or hostile: packets
 * each way, kept, passed on and freed in any order; answers that lie; pages that stay mapped;
 * shortage; connections that end at any point. ASan, UBSan and the checks of fake_netback.c look on,
 * and when a device is unplugged everything it had must have come back.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_netback.h"
#include "tests/unit/published_frame.h"

#include "lib/net/netpage.h"
#include "lib/util.h"

#define LIVES 4
#define CONNECTIONS 5
#define STEPS 400
#define KEPT_MAX 300

enum mood { HONEST, MISTAKEN, HOSTILE };

static enum mood mood;
static bool lost_track; /* the backend no longer knows where in the ring a packet begins */
static struct pbuf *kept[KEPT_MAX];
static unsigned kept_count;

/* True once in n times. */
static bool once_in(unsigned n)
{
    return (unsigned)rand() % n == 0;
}

static unsigned below(unsigned n)
{
    return (unsigned)rand() % n;
}

/* --- the stack ------------------------------------------------------------------------------- */

static void transmit(struct pbuf *p)
{
    struct netdev_offload offload = {.blank = once_in(3)};

    if (once_in(10)) {
        offload.gso = 4;
        offload.gso_size = 500;
    }
    (void)netback_dev->transmit(netback_dev, p, &offload);
}

/* The same page goes out again, behind headers of its own. */
static void answer_in_place(struct pbuf *p)
{
    struct pbuf *headers;

    if (p->tot_len > 60000)
        return; /* a pbuf's length has 16 bits */
    headers = pbuf_alloc(PBUF_RAW, (uint16_t)(14 + below(120)), PBUF_RAM);
    if (!headers)
        return;
    memset(headers->payload, 1, headers->len);
    (void)pbuf_remove_header(p, once_in(8) ? p->len : p->len > 60 ? 40 : 0);
    pbuf_ref(p);
    pbuf_cat(headers, p);
    transmit(headers);
    pbuf_free(headers);
}

static void receive(struct pbuf *p, bool checked)
{
    if (once_in(4) && kept_count < KEPT_MAX) {
        kept[kept_count++] = p;
        return;
    }
    if (once_in(3))
        transmit(p);
    else if (once_in(2))
        answer_in_place(p);
    pbuf_free(p);
}

static void forget(unsigned left)
{
    while (kept_count > left)
        pbuf_free(kept[--kept_count]);
}

static void send_something(void)
{
    struct pbuf *p;

    switch (below(5)) {
    case 0:
        p = published_frame(below(sizeof(published)), below(64000));
        break;
    case 1:
        p = pbuf_alloc(PBUF_RAW, (uint16_t)(1 + below(65000)), PBUF_RAM);
        if (p)
            memset(p->payload, 2, p->len);
        break;
    case 2:
        p = netpage_alloc(1 + below(4000));
        if (p)
            memset(p->payload, 3, p->len);
        break;
    case 3:
        p = kept_count ? kept[below(kept_count)] : NULL;
        if (p)
            pbuf_ref(p);
        break;
    default:
        (void)netback_dev->multicast(netback_dev, (uint8_t[6]){1, 0, 0x5e, 1, 2, 3}, once_in(2));
        return;
    }
    if (!p)
        return;
    transmit(p);
    pbuf_free(p);
}

/* --- the backend ----------------------------------------------------------------------------- */

static void lie_rx(netif_rx_response_t *response, grant_ref_t ref)
{
    switch (below(6)) {
    case 0:
        response->id = (uint16_t)rand();
        break;
    case 1:
        response->offset = (uint16_t)rand();
        break;
    case 2:
        response->status = (int16_t)rand();
        break;
    case 3:
        response->flags = (uint16_t)rand();
        break;
    case 4:
        fake_grants[ref].mapped = true;
        break;
    default:
        response->flags |= NETRXF_more_data;
    }
}

static void fill(const netif_rx_request_t *request)
{
    struct fake_grant *g = &fake_grants[request->gref];

    ck_assert_msg(g->live && !g->readonly, "the page posted cannot be written to");
    memset(g->page, rand(), PAGE_SIZE);
}

static void deliver_packet(void)
{
    unsigned pieces = once_in(3) ? 1 + below(5) : 1;
    bool extra = once_in(5);

    if (once_in(200))
        pieces = XEN_NETIF_NR_SLOTS_MIN + 1;
    if (netback_waiting(&netback_rx) < pieces + extra)
        return;
    for (unsigned i = 0; i < pieces; i++) {
        netif_rx_request_t request = netback_take_rx();
        netif_rx_response_t response = {
            .id = request.id,
            .offset = (uint16_t)below(100),
            .status = (int16_t)(once_in(50) ? -1 : (int)below(3990)),
            .flags = i + 1 < pieces ? NETRXF_more_data : 0,
        };

        fill(&request);
        if (i == 0 && extra)
            response.flags |= NETRXF_extra_info;
        if (mood != HONEST && once_in(100))
            lie_rx(&response, request.gref);
        netback_answer(&netback_rx, &response, sizeof(response));
        if (i == 0 && extra) {
            struct netif_extra_info info = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

            info.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
            if (mood != HONEST && once_in(30))
                info.type = (uint8_t)rand();
            (void)netback_take_rx();
            netback_answer(&netback_rx, &info, sizeof(info));
        }
    }
}

static void deliver_packets(void)
{
    for (unsigned n = below(20); n--;)
        deliver_packet();
    if (mood == HOSTILE && once_in(300))
        netback_rx.prod = (uint32_t)rand();
    netback_show(&netback_rx);
}

/* Requests that are not looked into, answered with anything. */
static void answer_wildly(void)
{
    lost_track = true;
    for (unsigned n = below(60); n-- && netback_waiting(&netback_tx);) {
        netif_tx_request_t request = netback_take_tx();
        int status = once_in(20) ? -1 - (int)below(2) : NETIF_RSP_OKAY;
        uint16_t id = request.id;

        switch (below(100)) {
        case 0:
            id = (uint16_t)rand();
            break;
        case 1:
            status = (int16_t)rand();
            break;
        case 2:
            fake_grants[request.gref % FAKE_GRANTS].mapped = true;
            break;
        default:
            break;
        }
        netback_answer_tx(id, status);
    }
    if (once_in(100))
        netback_tx.prod = (uint32_t)rand();
    netback_show(&netback_tx);
}

/* --- the walk -------------------------------------------------------------------------------- */

static void let_go(void)
{
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        if (fake_grants[i].mapped && !fake_grants[i].quarantined && once_in(2))
            fake_grants[i].mapped = false;
}

static void step(void)
{
    switch (below(7)) {
    case 0:
    case 1:
        deliver_packets();
        break;
    case 2:
        if (lost_track || (mood == HOSTILE && once_in(8)))
            answer_wildly();
        else
            (void)netback_receive(below(60));
        break;
    case 3:
        fake_raise(once_in(2) ? netback_rx.port : netback_tx.port);
        break;
    case 4:
        for (unsigned n = below(10); n--;)
            send_something();
        break;
    case 5:
        forget(below(kept_count + 1));
        break;
    default:
        fake_no_memory = once_in(10);
        fake_no_grants = once_in(20);
    }
    if (once_in(2))
        fake_sleep(below(5 * NSEC_PER_MSEC));
}

static void connection(void)
{
    mood = below(3);
    lost_track = false;
    fake_offers.no_sg = once_in(4);
    fake_offers.no_split = once_in(2);
    fake_offers.multicast = once_in(2);
    fake_offers.trusted = once_in(4) ? "0" : NULL;
    if (netback_connect() == 0) {
        for (unsigned i = 0; i < STEPS && !netback_disabled; i++)
            step();
        ck_assert_msg(mood != HONEST || !netback_disabled, "disabled: %s", netback_disabled);
    }
    netback_disconnect();
    for (unsigned i = 0; i < 10; i++) {
        let_go();
        fake_sleep(NSEC_PER_SEC);
    }
}

START_TEST(walk)
{
    srand((unsigned)_i);
    publish();
    netback_input = receive;
    fake_offers.mac = "00:16:3e:01:02:03";
    for (unsigned life = 0; life < LIVES; life++) {
        netback_plug();
        for (unsigned i = 0; i < CONNECTIONS; i++)
            connection();
        fake_no_memory = fake_no_grants = false;
        forget(0);
        netback_unplug();
    }
    ck_assert_uint_gt(netback_delivered, 1000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("netfront_walk");
    TCase *c = tcase_create("seeds");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, walk, 1, 9);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
