/* SPDX-License-Identifier: ISC */
/*
 * drivers/netfront*.c against a backend that breaks the rules of hardening about rings (1 to 8), one
 * at a time: the device is disabled, or the packet dropped, and everything lent comes back
 * (fake_netback.c looks when the device is unplugged). Rule 1 is test_ring.c's, rule 7 lib/net's.
 */
#include "drivers/netfront.h"
#include "tests/unit/netfront_testing.h"

START_TEST(requests_are_not_read_back) /* rule 3 */
{
    uint16_t ids[SLOTS];
    unsigned n = 0;

    while (netback_waiting(&netback_rx))
        ids[n++] = netback_take_rx().id;
    memset(netback_slot(&netback_rx, 0), 0xff, SLOTS * netback_rx.entry);
    for (unsigned i = 0; i < n; i++)
        netback_answer_rx(ids[i], 60, 0, 0);
    netback_show(&netback_rx);
    netback_run();
    ck_assert_uint_eq(netback_delivered, n);
    ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    n = netback_take_tx().id;
    memset(netback_slot(&netback_tx, 0), 0xff, SLOTS * netback_tx.entry);
    netback_answer_tx((uint16_t)n, NETIF_RSP_OKAY);
    netback_show(&netback_tx);
    netback_run();
    ck_works();
}
END_TEST

START_TEST(impossible_indices) /* rule 2 */
{
    struct netback_ring *r = _i & 1 ? &netback_tx : &netback_rx;

    ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    r->prod = _i & 2 ? r->page->req_prod + 1 : (uint32_t)-1;
    netback_show(r);
    fake_raise(r->port);
    ck_broken(_i & 1 ? "an impossible transmit index" : "an impossible receive index");
}
END_TEST

START_TEST(rx_id_of_another_request) /* rule 4 */
{
    static const uint16_t wrong[] = {1, 255, 256, 0xffff};

    netback_answer_rx((uint16_t)(netback_take_rx().id ^ wrong[_i]), 60, 0, 0);
    netback_show(&netback_rx);
    ck_broken("a response to a request that was not made");
}
END_TEST

START_TEST(tx_id_not_in_flight) /* rule 4 */
{
    uint16_t id;

    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    id = netback_take_tx().id;
    if (_i == 0) { /* answered already */
        netback_answer_tx(id, NETIF_RSP_OKAY);
        netback_answer_tx(id, NETIF_RSP_OKAY);
    } else {
        netback_answer_tx(_i == 1 ? 100 : _i == 2 ? SLOTS : 0xffff, NETIF_RSP_OKAY);
    }
    netback_show(&netback_tx);
    fake_sleep(NSEC_PER_SEC);
    ck_broken("a response to a transmit request that is not in flight");
}
END_TEST

START_TEST(tx_id_not_pushed) /* rule 4 */
{
    struct netfront *nf = container_of(netback_dev, struct netfront, net);
    uint16_t first, second;

    ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    first = netback_take_tx().id;
    second = nf->tx_ids.free;
    ck_assert_int_eq(send_frame(100, true), 0); /* put, and shown at the end of the turn */
    ck_assert_uint_ne(first, second);
    netback_answer_tx(second, NETIF_RSP_OKAY);
    netback_show(&netback_tx);
    netfront_tx_reap(nf);
    ck_broken("a response to a transmit request that is not in flight");
}
END_TEST

START_TEST(tx_status) /* rule 5 */
{
    static const struct {
        int status;
        const char *rule;
    } cases[] = {
        {NETIF_RSP_ERROR, NULL},
        {NETIF_RSP_DROPPED, NULL},
        {NETIF_RSP_NULL, "a null response to nothing"},
        {2, "an unknown transmit status"},
        {INT16_MIN, "an unknown transmit status"},
    };

    ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    netback_answer_tx(netback_take_tx().id, cases[_i].status);
    netback_show(&netback_tx);
    fake_sleep(NSEC_PER_SEC);
    if (cases[_i].rule) {
        ck_broken(cases[_i].rule);
    } else {
        ck_assert_uint_eq(netback_dev->stats.drops[NETDEV_TX_STATUS], 1);
        ck_works();
    }
}
END_TEST

START_TEST(rx_piece_beyond_its_page) /* rule 6 */
{
    static const struct {
        int status;
        unsigned offset;
    } cases[] = {{4097, 0}, {4096, 1}, {1, 4096}, {1, 0xffff}, {INT16_MAX, 0xffff}, {100, 3997}};

    netback_answer_rx(netback_take_rx().id, cases[_i].status, cases[_i].offset, 0);
    netback_show(&netback_rx);
    ck_broken("a piece beyond the end of its page");
}
END_TEST

START_TEST(rx_piece_up_to_the_end_of_its_page)
{
    netback_answer_rx(netback_take_rx().id, 100, 3996, 0);
    netback_show(&netback_rx);
    netback_run();
    ck_assert_uint_eq(netback_delivered, 1);
}
END_TEST

START_TEST(rx_extra_info) /* rule 6 */
{
    static const struct {
        unsigned type, gso;
        const char *rule;
    } cases[] = {
        {XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_GSO_TYPE_TCPV4, NULL},
        {XEN_NETIF_EXTRA_TYPE_HASH, 0, NULL},
        {XEN_NETIF_EXTRA_TYPE_NONE, 0, "extra info of an unknown type"},
        {XEN_NETIF_EXTRA_TYPE_MAX, 0, "extra info of an unknown type"},
        {255, 0, "extra info of an unknown type"},
        {XEN_NETIF_EXTRA_TYPE_GSO, 0, "segmentation of an unknown type"},
        {XEN_NETIF_EXTRA_TYPE_GSO, 9, "segmentation of an unknown type"},
    };
    struct netif_extra_info extra = {.type = (uint8_t)cases[_i].type};

    extra.u.gso.type = (uint8_t)cases[_i].gso;
    netback_send(1, 60, PAGE_SIZE, NETRXF_extra_info);
    (void)netback_take_rx();
    netback_answer(&netback_rx, &extra, sizeof(extra));
    netback_show(&netback_rx);
    if (cases[_i].rule) {
        ck_broken(cases[_i].rule);
    } else {
        netback_run();
        ck_assert_uint_eq(netback_delivered, 1);
        ck_works();
    }
}
END_TEST

START_TEST(rx_packet_that_does_not_end) /* rule 6 */
{
    netback_answer_rx(netback_take_rx().id, 60, 0, _i ? NETRXF_extra_info : NETRXF_more_data);
    netback_show(&netback_rx);
    ck_broken(_i ? "extra info beyond the last response" : "a packet that does not end");
}
END_TEST

START_TEST(rx_packet_of_too_many_pieces) /* rule 6 */
{
    for (unsigned i = 0; i < XEN_NETIF_NR_SLOTS_MIN + 2; i++)
        netback_answer_rx(netback_take_rx().id, 60, 0, NETRXF_more_data);
    netback_show(&netback_rx);
    ck_broken("a packet of too many pieces");
}
END_TEST

START_TEST(rx_errors_cost_the_packet_and_no_slot) /* rule 6 */
{
    for (unsigned i = 0; i < 3 * SLOTS; i++) {
        netback_answer_rx(netback_take_rx().id, NETIF_RSP_ERROR, 0, NETRXF_more_data);
        netback_answer_rx(netback_take_rx().id, 60, 0, 0);
        netback_show(&netback_rx);
        netback_run();
    }
    ck_assert_uint_eq(netback_delivered, 0);
    ck_assert_uint_eq(netback_dev->stats.drops[NETDEV_RX_STATUS], 3 * SLOTS);
    ck_works();
}
END_TEST

static void burst(unsigned n)
{
    while (n--)
        netback_send(1, 60, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    netback_run();
}

/* What is posted doubles when half of it was used at once. */
START_TEST(more_is_posted_for_bursts)
{
    unsigned posted = 64;

    netback_disconnect();
    fake_total_pages = 8 * SLOTS; /* of which an eighth is for receiving */
    connected();
    ck_assert_uint_eq(netback_waiting(&netback_rx), posted);
    for (unsigned i = 0; i < 20; i++)
        burst(posted / 2 - 1);
    ck_assert_uint_eq(netback_waiting(&netback_rx), 64);
    for (; posted < SLOTS; posted *= 2) {
        burst(posted / 2);
        ck_assert_uint_eq(netback_waiting(&netback_rx), 2 * posted);
    }
    burst(SLOTS);
    burst(1);
    ck_assert_uint_eq(netback_waiting(&netback_rx), SLOTS);
    netback_disconnect();
    fake_total_pages = 8 * 100;
    connected();
    ck_assert_uint_eq(netback_waiting(&netback_rx), 64);
    burst(40);
    ck_assert_uint_eq(netback_waiting(&netback_rx), 100);
    burst(90);
    ck_assert_uint_eq(netback_waiting(&netback_rx), 100);
}
END_TEST

/* Want of pages is not a burst. */
START_TEST(no_more_is_posted_when_pages_are_short)
{
    struct netpage *held[40];

    netback_disconnect();
    fake_total_pages = 8 * SLOTS;
    connected();
    for (unsigned i = 0; i < 200; i++) {
        fake_no_memory = i < 150;
        burst(1);
        if (i < ARRAY_SIZE(held))
            held[i] = netpage_get(true); /* what has just come back */
    }
    ck_assert_uint_le(netback_waiting(&netback_rx), 64);
    for (unsigned i = 0; i < ARRAY_SIZE(held); i++) {
        if (held[i])
            netpage_put(held[i]);
    }
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(netback_waiting(&netback_rx), 64);
}
END_TEST

START_TEST(work_is_bounded) /* rule 8 */
{
    struct fake_port *port = &fake_ports[netback_rx.port];
    unsigned all;

    burst(NETFRONT_BUDGET);
    netback_delivered = 0;
    all = netback_waiting(&netback_rx);
    ck_assert_uint_gt(all, NETFRONT_BUDGET);
    while (netback_waiting(&netback_rx))
        netback_send(1, 60, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    ck_assert(port->pending);
    port->pending = false;
    port->fn(port->ctx);
    ck_assert_uint_eq(netback_delivered, NETFRONT_BUDGET);
    netback_run();
    ck_assert_uint_eq(netback_delivered, all);
    ck_works();
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("rules");

    tcase_add_test(c, requests_are_not_read_back);
    tcase_add_loop_test(c, impossible_indices, 0, 4);
    tcase_add_loop_test(c, rx_id_of_another_request, 0, 4);
    tcase_add_loop_test(c, tx_id_not_in_flight, 0, 4);
    tcase_add_test(c, tx_id_not_pushed);
    tcase_add_loop_test(c, tx_status, 0, 5);
    tcase_add_loop_test(c, rx_piece_beyond_its_page, 0, 6);
    tcase_add_test(c, rx_piece_up_to_the_end_of_its_page);
    tcase_add_loop_test(c, rx_extra_info, 0, 7);
    tcase_add_loop_test(c, rx_packet_that_does_not_end, 0, 2);
    tcase_add_test(c, rx_packet_of_too_many_pieces);
    tcase_add_test(c, rx_errors_cost_the_packet_and_no_slot);
    tcase_add_test(c, more_is_posted_for_bursts);
    tcase_add_test(c, no_more_is_posted_when_pages_are_short);
    tcase_add_test(c, work_is_bounded);
    return run_suite(suite_create("netfront_rings"), c);
}
