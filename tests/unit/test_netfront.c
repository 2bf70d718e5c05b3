/* SPDX-License-Identifier: ISC */
/*
 * drivers/netfront*.c: traffic, and a backend that breaks the rules of hardening (docs/grants.md)
 * about grants, events and the store, one at a time. The device is disabled or goes on, and
 * everything lent comes back: fake_netback.c looks when the device is unplugged.
 */
#include <errno.h>
#include <setjmp.h>

#include "tests/unit/net_frames.h"
#include "tests/unit/netfront_testing.h"

#include "drivers/netfront.h"

/* --- traffic as it should be ----------------------------------------------------------------- */

START_TEST(packets_go_both_ways)
{
    for (unsigned i = 0; i < 2000; i++) {
        size_t len = 14 + i * 37 % 60000;

        netback_send((unsigned char)i, len, PAGE_SIZE, NETRXF_data_validated);
        netback_show(&netback_rx);
        netback_run();
        ck_assert_uint_eq(netback_delivered, i + 1);
        ck_assert_int_eq(send_frame(len, len < NETPAGE_PAYLOAD_MAX && i % 2), 0);
        netback_run();
        ck_assert_uint_eq(netback_receive(10), 1);
        ck_assert_uint_eq(netback_got.len, len);
        ck_assert_uint_eq(netback_got.data[len - 1], 'f');
    }
    ck_assert_ptr_null(netback_disabled);
    ck_assert_uint_eq(netback_dev->stats.tx_packets, 2000);
}
END_TEST

START_TEST(a_segment_in_one_page_that_is_to_be_cut)
{
    struct netdev_offload offload = {.blank = true, .gso = 4, .gso_size = 500};
    struct pbuf *p = netpage_alloc(1500);

    memset(p->payload, 'f', 1500);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, p, &offload), 0);
    pbuf_free(p);
    netback_run();
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.len, 1500);
    ck_assert(netback_got.flags & NETTXF_extra_info);
    ck_assert_uint_eq(netback_got.extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
    ck_assert_uint_eq(netback_got.extra.u.gso.size, 500);
}
END_TEST

START_TEST(slots_come_back_in_the_quiet) /* without another packet to send */
{
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    while (netback_receive(3))
        fake_sleep(NSEC_PER_MSEC);
    fake_sleep(NSEC_PER_SEC);
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        ck_assert_msg(!fake_grants[i].live || !fake_grants[i].readonly,
                      "a sent page is still lent");
}
END_TEST

START_TEST(a_full_ring_says_when_there_is_room)
{
    unsigned sent = 0;

    while (send_frame(100, true) == 0)
        sent++;
    ck_assert_uint_ge(sent, SLOTS - XEN_NETIF_NR_SLOTS_MIN - 1);
    ck_assert_uint_le(sent,
                      SLOTS - XEN_NETIF_NR_SLOTS_MIN); /* a large packet must fit at any time */
    fake_sleep(NSEC_PER_SEC);                          /* the timer of the first send has run out */
    ck_assert_int_eq(send_frame(100, true), -EBUSY);
    ck_assert_uint_eq(netback_receive(30), 30); /* fewer than the event waits for */
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(netback_ready, 1);
    ck_assert_int_eq(send_frame(100, true), 0);
}
END_TEST

static jmp_buf elsewhere;

static void never_returns(struct pbuf *p, bool checked)
{
    pbuf_free(p);
    netback_input = NULL;
    longjmp(elsewhere, 1);
}

START_TEST(receiving_goes_on_after_a_callback_that_never_returns) /* app_exit() */
{
    for (unsigned i = 0; i < 5; i++)
        netback_send(1, 60, PAGE_SIZE, 0);
    netback_input = never_returns;
    netback_show(&netback_rx);
    if (setjmp(elsewhere) == 0)
        netback_run();
    netback_run(); /* no event has come meanwhile */
    ck_assert_uint_eq(netback_delivered, 5);
    ck_works();
}
END_TEST

/* --- grants: rules 9 to 12 ------------------------------------------------------------------- */

START_TEST(received_page_still_mapped) /* rule 9 */
{
    netif_rx_request_t request = netback_take_rx();

    fake_grants[request.gref].mapped = true;
    netback_answer_rx(request.id, 60, 0, 0);
    netback_show(&netback_rx);
    ck_broken("a page that was answered is still in use");
    ck_assert(fake_grants[request.gref].quarantined);
    ck_assert_uint_eq(netpage_stats()->lost, 1);
}
END_TEST

START_TEST(sent_page_still_mapped) /* rule 9 */
{
    netif_tx_request_t request;

    ck_assert_int_eq(send_frame(100, _i), 0);
    netback_run();
    request = netback_take_tx();
    fake_grants[request.gref].mapped = true;
    netback_answer_tx(request.id, NETIF_RSP_OKAY);
    netback_show(&netback_tx);
    fake_sleep(NSEC_PER_SEC);
    ck_broken("a page that was sent is still in use");
    ck_assert(fake_grants[request.gref].quarantined);
}
END_TEST

/* A backend that closes holds on to everything: for a moment, or for an hour. Nothing is lost, and it gets no more
 * before it has let go. */
START_TEST(pages_mapped_at_the_end) /* rules 9 and 12 */
{
    unsigned mapped = 0, live = 0;

    for (unsigned i = 0; i < 10; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        mapped += fake_grants[i].mapped = fake_grants[i].live;
    ck_assert_uint_gt(mapped, 70);
    netback_disconnect();
    fake_sleep(_i * 3600 * NSEC_PER_SEC);
    ck_assert_int_eq(netback_connect(), -EBUSY);
    ck_assert(fake_logged("pages of ended connections"));
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        live += fake_grants[i].live;
    ck_assert_uint_eq(live, mapped);
    netback_move(BACKEND + 1); /* who has kept nothing is connected to */
    ck_assert_int_eq(netback_open(), 0);
    netback_disconnect();
    netback_move(BACKEND);
    fake_grants_release();
    fake_sleep(_i ? 10 * NSEC_PER_SEC : 50 * NSEC_PER_MSEC);
    netback_disconnect();
    ck_assert_int_eq(netback_connect(), 0);
    ck_works();
}
END_TEST

static unsigned char seen;

static void look(struct pbuf *p, bool checked)
{
    seen = *(unsigned char *)p->payload;
    ck_assert_ptr_null(netpage_of(p));
    pbuf_free(p);
}

/* Every page is zero when it is granted: gnttab_grant() of fake_netback.c looks. */
START_TEST(untrusted_backend) /* rule 11 */
{
    netback_disconnect();
    fake_offers.trusted = "0";
    connected();
    netback_input = look;
    for (unsigned i = 1; i < 600; i++) {
        netback_send((unsigned char)i, 1 + i * 7 % 9000, PAGE_SIZE, 0);
        netback_show(&netback_rx);
        netback_run();
        ck_assert_uint_eq(seen, (unsigned char)i);
        ck_assert_int_eq(send_frame(100, true), 0);
        netback_run();
        ck_assert_uint_eq(netback_receive(1), 1);
        ck_assert_uint_eq(netback_got.data[99], 'f');
    }
    netback_input = NULL;
}
END_TEST

/* Only what says that it is trusted, or says nothing, is. */
START_TEST(trusted_or_not) /* rule 11 */
{
    static const struct {
        const char *value;
        bool bounce;
    } cases[] = {{NULL, false}, {"1", false}, {"2", false}, {"0", true},
                 {"00", true},  {"", true},   {"no", true}, {"far too long", true}};

    netback_disconnect();
    fake_offers.trusted = cases[_i].value;
    connected();
    ck_assert_int_eq(container_of(netback_dev, struct netfront, net)->bounce, cases[_i].bounce);
}
END_TEST

/* Octets of that value in the pages that the backend sees, but for the rings. */
static unsigned seen_in_pages(uint8_t octet, bool readonly)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FAKE_GRANTS; i++) {
        const struct fake_grant *g = &fake_grants[i];

        if (!g->live || g->readonly != readonly || g->page == (uint8_t *)netback_rx.page ||
            g->page == (uint8_t *)netback_tx.page)
            continue;
        for (size_t at = 0; at < PAGE_SIZE; at++)
            count += g->page[at] == octet;
    }
    return count;
}

/* The pool's pages serve all devices: what one backend has sent or was sent is not shown to the next one. */
START_TEST(nothing_of_one_backend_is_shown_to_another) /* rule 11 */
{
    static const struct netdev_offload offload;
    struct pbuf *kept = netpage_alloc(1000);

    netpage_open(netfront_release); /* as another device does: the pool stays */
    for (unsigned i = 0; i < 300; i++) {
        netback_send(0x5a, 3000, PAGE_SIZE, 0);
        netback_show(&netback_rx);
        netback_run();
    }
    ck_assert_uint_gt(seen_in_pages(0x5a, false), 3000);
    memset(kept->payload, 0x5a, kept->len);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, kept, &offload), 0);
    netback_run();
    ck_assert_uint_eq(netback_receive(1), 1);
    netback_disconnect();
    netback_move(BACKEND + 1);
    ck_assert_int_eq(netback_connect(), 0);
    ck_assert_uint_eq(seen_in_pages(0x5a, false), 0);
    pbuf_realloc(kept, 100);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, kept, &offload), 0);
    netback_run();
    ck_assert_uint_eq(seen_in_pages(0x5a, true), 100);
    ck_assert_uint_eq(netback_receive(1), 1);
    pbuf_free(kept);
    netpage_close();
    ck_works();
}
END_TEST

/* The last packet of a turn breaks a rule: who has broken one is lent nothing more. */
START_TEST(a_breach_at_the_end_of_a_turn)
{
    unsigned posted = netback_waiting(&netback_rx);

    for (unsigned i = 1; i < NETFRONT_BUDGET; i++)
        netback_send(1, 100, PAGE_SIZE, 0);
    (void)netback_take_rx();
    netback_answer_rx(0x1234, 100, 0, 0);
    netback_show(&netback_rx);
    netback_run();
    ck_assert_ptr_nonnull(netback_disabled);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(netback_waiting(&netback_rx), posted - NETFRONT_BUDGET);
}
END_TEST

/* Room is made by a response that breaks a rule, behind others that did not: nothing goes out. */
START_TEST(a_breach_while_room_is_made)
{
    unsigned sent = 0;

    while (send_frame(100, false) == 0)
        sent++;
    netback_run();
    ck_assert_uint_gt(sent, 200);
    for (unsigned i = 0; i < 100; i++)
        netback_answer_tx(netback_take_tx().id, NETIF_RSP_OKAY);
    netback_answer_tx(netback_take_tx().id, -77);
    netback_tx.page->rsp_prod = netback_tx.prod; /* and no event tells of them */
    ck_assert_int_eq(send_frame(100, false), -ENOTCONN);
    ck_assert_str_eq(netback_disabled, "an unknown transmit status");
    netback_run();
    ck_assert_uint_eq(netback_waiting(&netback_tx), sent - 101);
}
END_TEST

START_TEST(store_is_reset_meanwhile) /* rule 23: that is no answer */
{
    netback_disconnect();
    fake_offers.passing = _i ? 0 : -EIO;
    fake_offers.keys_passing = _i ? -EAGAIN : 0;
    ck_assert_int_eq(netback_connect(), _i ? -EAGAIN : -EIO);
    fake_offers.passing = fake_offers.keys_passing = 0;
    connected();
}
END_TEST

START_TEST(no_references_no_pages) /* rule 29 */
{
    netback_disconnect();
    fake_no_grants = _i == 0;
    fake_no_memory = _i == 1;
    if (_i == 0)
        ck_assert_int_eq(netback_connect(), -ENOMEM);
    fake_no_grants = fake_no_memory = false;
    netback_disconnect();
    connected();
    fake_no_memory = true;
    while (netback_waiting(&netback_rx))
        netback_send(1, 60, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    netback_run();
    fake_no_memory = false;
    fake_sleep(NSEC_PER_SEC);
    ck_works();
}
END_TEST

static bool in_page;

static void note_page(struct pbuf *p, bool checked)
{
    in_page = netpage_of(p);
    pbuf_free(p);
}

static void receive_one(size_t len)
{
    netback_send(1, len, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    netback_run();
}

/* A packet goes up in its page; a small one is copied when pages are scarce, and one that is not bare is dropped when
 * hardly any is left to receive into. */
START_TEST(pages_are_scarce) /* rule 29 */
{
    static struct pbuf *taken[1024];
    unsigned count = 0;

    netback_input = note_page;
    receive_one(100);
    ck_assert(in_page);
    while (!netpage_scarce()) {
        taken[count] = netpage_alloc(100);
        ck_assert_ptr_nonnull(taken[count++]);
    }
    receive_one(100);
    ck_assert(!in_page);
    receive_one(1024);
    ck_assert(in_page);
    while (count--)
        pbuf_free(taken[count]);
    container_of(netback_dev, struct netfront, net)->rx_starved = true;
    receive_one(200);
    ck_assert_uint_eq(netback_delivered, 3);
    ck_assert_uint_eq(netback_dev->stats.drops[NETDEV_RX_MEMORY], 1);
    container_of(netback_dev, struct netfront, net)->rx_starved = true;
    receive_one(100);
    ck_assert_uint_eq(netback_delivered, 4);
    netback_input = NULL;
}
END_TEST

/* Does the frame go up where there is no memory for a copy? */
static bool goes_up(const uint8_t *frame, size_t len)
{
    netif_rx_request_t request = netback_take_rx();
    unsigned before = netback_delivered;

    memcpy(fake_grant(request.gref)->page, frame, len);
    netback_answer_rx(request.id, (int)len, 0, 0);
    container_of(netback_dev, struct netfront, net)->rx_starved = true;
    fake_no_memory = true;
    netback_show(&netback_rx);
    netback_run();
    fake_no_memory = false;
    return netback_delivered > before;
}

/* And when there is no memory for copies either, only what ends where it arrives. */
START_TEST(pages_that_come_back) /* rule 29 */
{
    static const uint8_t mac[6];
    struct frame_segment ack = {.flags = 0x10},
                         large = {.flags = 0x10, .options_len = 12, .options = (uint8_t[12]){1}};
    uint8_t frame[128] = {0}, arp[60] = {0};

    ck_assert(goes_up(arp, frame_arp(arp, mac)));
    ck_assert(goes_up(arp, 60));
    frame_tcp(frame_ip4(frame, mac, PROTOCOL_TCP, TCP_BYTES), &ack);
    ck_assert(goes_up(frame, 54));
    ck_assert(goes_up(frame, 60)); /* padded by Ethernet */
    frame[AT_IP4_LENGTH + 1]++;    /* an octet of data */
    ck_assert(!goes_up(frame, 60));
    frame_tcp(frame_ip4(frame, mac, PROTOCOL_TCP, TCP_BYTES + 12), &large);
    ck_assert(goes_up(frame, 66));
    frame[AT_IP4_FRAGMENT] = 0x20;
    ck_assert(!goes_up(frame, 66));
    frame[AT_IP4_FRAGMENT] = 6; /* where IPv6 has the protocol */
    ck_assert(!goes_up(frame, 100));
    frame[AT_IP4_FRAGMENT] = 0;
    frame[ETH_BYTES]++; /* an option of IPv4's, or data */
    ck_assert(!goes_up(frame, 66));
    frame_ip4(frame, mac, PROTOCOL_UDP, UDP_BYTES + 20);
    ck_assert(goes_up(frame, 62));
    frame[AT_IP4_PROTOCOL] = 1; /* ICMP */
    ck_assert(goes_up(frame, 62));
    frame[AT_IP4_FRAGMENT + 1] = 1;
    ck_assert(!goes_up(frame, 62));
    frame_tcp(frame_ip6(frame, mac, PROTOCOL_TCP, TCP_BYTES), &ack);
    ck_assert(goes_up(frame, 74));
    frame[AT_IP6_LENGTH + 1]++;
    ck_assert(!goes_up(frame, 75));
    frame_tcp(frame_ip6(frame, mac, PROTOCOL_TCP, TCP_BYTES + 12), &large);
    ck_assert(goes_up(frame, 86));
    frame[AT_IP6_NEXT] = 44; /* a fragment */
    ck_assert(!goes_up(frame, 86));
    frame[AT_IP6_NEXT] = 58; /* a neighbour asks */
    ck_assert(goes_up(frame, 86));
}
END_TEST

/* Those that the backend has sent without saying so are taken back first. */
START_TEST(pages_that_were_sent_are_not_scarce)
{
    static struct pbuf *taken[1024];
    unsigned count = 0;

    netback_input = note_page;
    for (unsigned i = 0; i < 40; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    while (!netpage_scarce()) {
        taken[count] = netpage_alloc(100);
        ck_assert_ptr_nonnull(taken[count++]);
    }
    receive_one(100);
    ck_assert(!in_page);
    ck_assert_uint_eq(netback_receive(40), 40);
    ck_assert(netpage_scarce());
    receive_one(100);
    ck_assert(in_page);
    ck_assert(!netpage_scarce());
    while (count--)
        pbuf_free(taken[count]);
    netback_input = NULL;
}
END_TEST

static struct pbuf *kept[1024];
static unsigned kept_count;

static void keep(struct pbuf *p, bool checked)
{
    kept[kept_count++] = p;
}

static void take_all_pages(void)
{
    while ((kept[kept_count] = netpage_alloc(100)))
        kept_count++;
}

static void give_back(void)
{
    while (kept_count)
        pbuf_free(kept[--kept_count]);
    netback_input = NULL;
}

/* Where there are no others, packets are received into pages that were sent: at once, not when the timer looks. */
START_TEST(pages_that_were_sent_are_posted)
{
    unsigned posted = netback_dev->posted, missing;

    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    take_all_pages();
    missing = NETPAGE_RESERVE - netpage_stats()->free; /* not for receiving: they come first */
    ck_assert_uint_lt(missing, 8);
    for (unsigned i = 0; i < 8; i++)
        netback_answer_tx(netback_take_tx().id, NETIF_RSP_OKAY);
    netback_tx.page->rsp_prod = netback_tx.prod; /* and no event tells of them */
    netback_input = keep;
    for (unsigned i = 1; i <= 10; i++) {
        receive_one(1024);
        ck_assert_uint_eq(netback_dev->posted, posted - (i <= 8 - missing ? 0 : i - 8 + missing));
    }
    give_back();
}
END_TEST

/* They may be answered wrongly. */
START_TEST(pages_to_post_end_with_the_device) /* rule 6 */
{
    uint32_t shown = netback_rx.page->req_prod, seen;

    take_all_pages();
    while (netpage_stats()->free <= NETPAGE_RESERVE)
        pbuf_free(kept[--kept_count]); /* one may be posted, for the first of two packets */
    netback_input = keep;
    netback_tx.page->rsp_prod++; /* no event tells of it */
    netback_send(1, 1024, PAGE_SIZE, 0);
    netback_send(1, 1024, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    seen = netback_rx.page->rsp_event;
    netback_run();
    ck_assert_str_eq(netback_disabled, "an impossible transmit index");
    ck_assert_uint_eq(netback_delivered, 2);
    ck_assert_uint_eq(netback_rx.page->req_prod, shown); /* the rings are not touched any more */
    ck_assert_uint_eq(netback_rx.page->rsp_event, seen);
    give_back();
}
END_TEST

/* A page that the backend has had, the next of the pool's, written and not sent. */
static struct netpage *written_in_vain(void)
{
    struct pbuf *p = netpage_alloc(1000);
    struct netpage *np = netpage_of(p);

    ck_assert_uint_ne(np->grant, 0);
    memset(np->page, 's', PAGE_SIZE);
    pbuf_free(p);
    return np;
}

static bool shown(const struct netpage *np, bool readonly)
{
    const struct fake_grant *grant = fake_grant(np->grant);

    return grant->live && grant->readonly == readonly && grant->page == np->page;
}

/* What was written for one backend and not sent to it goes to nobody else: neither in a page to receive into, nor
 * around what is sent. */
START_TEST(what_was_written_for_another) /* rule 11 */
{
    static const uint8_t blank[PAGE_SIZE];
    struct netpage *np;
    struct pbuf *p;

    for (unsigned i = 0; i < 30; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    ck_assert_uint_eq(netback_receive(30), 30); /* their pages have been seen by the backend */
    fake_sleep(NSEC_PER_SEC);

    np = written_in_vain();
    p = netpage_alloc(10);
    ck_assert_ptr_eq(netpage_of(p), np);
    memset(p->payload, 't', 10);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, p, &(struct netdev_offload){0}), 0);
    pbuf_free(p);
    fake_run();
    ck_assert(shown(np, true));
    ck_assert_ptr_null(memchr(np->page, 's', PAGE_SIZE));
    netback_run();
    fake_sleep(NSEC_PER_SEC);

    np = written_in_vain();
    netback_input = keep;
    receive_one(100); /* so that one is posted */
    ck_assert(shown(np, false));
    ck_assert_mem_eq(np->page, blank, PAGE_SIZE);

    /* Nor does an answer in the question's page. */
    np = netpage_of(kept[0]);
    ck_assert_ptr_eq(netpage_answer(kept[0], 200), kept[0]);
    memset(kept[0]->payload, 's', 200);
    give_back();
    netback_input = keep;
    receive_one(100);
    ck_assert(shown(np, false));
    ck_assert_mem_eq(np->page, blank, PAGE_SIZE);
    give_back();
}
END_TEST

/* --- events, states, the store: rules 14, 16, 18 --------------------------------------------- */

START_TEST(events_for_nothing) /* rule 14 */
{
    struct netback_ring *r = _i & 1 ? &netback_tx : &netback_rx;

    netback_disconnect();
    if (_i & 2)
        ck_assert_int_eq(netback_open(), 0); /* before the backend is connected */
    else
        connected();
    fake_ports[r->port].spurious = 0;
    for (unsigned i = 0; i < 10; i++) {
        fake_raise(r->port);
        netback_run();
    }
    ck_assert_uint_ge(fake_ports[r->port].spurious, 9);
}
END_TEST

/* The backend sends none for what follows either: it has not been asked to. */
START_TEST(an_event_that_is_lost)
{
    for (unsigned i = 0; i < 3; i++) {
        netback_send(1, 60, PAGE_SIZE, 0);
        netback_show(&netback_rx);
        fake_ports[netback_rx.port].pending = false;
        netback_run();
    }
    ck_assert_uint_eq(netback_delivered, 0);
    netback_dev->look(netback_dev); /* the stack's clock ticks */
    netback_run();
    ck_assert_uint_eq(netback_delivered, 3);
    ck_works();
    netback_disconnect();
    netback_dev->look(netback_dev);
}
END_TEST

START_TEST(connects_again_and_again) /* rules 12 and 18 */
{
    netpage_open(netfront_release); /* as another device does: pages come back with old packets */
    for (unsigned i = 0; i < 20; i++) {
        ck_works();
        for (unsigned j = 0; j < 20; j++)
            ck_assert_int_eq(send_frame(100, j % 2), 0);
        netback_disconnect();
        ck_assert_int_eq(send_frame(100, true), -ENOTCONN);
        fake_offers.no_split = i % 2;
        fake_offers.no_sg = i % 3 == 0;
        connected(); /* and the store names no port of the connection before */
    }
    netpage_close();
}
END_TEST

START_TEST(bad_addresses) /* rule 16 */
{
    static const char *const bad[] = {
        NULL,
        "",
        "00:16:3e:01:02",
        "00:16:3e:01:02:03:04",
        "00:16:3e:01:02:0g",
        "00:00:00:00:00:00",
        "01:16:3e:01:02:03", /* a group's */
        "00:16:3e:01:02:03 and so much more that it does not fit",
    };

    netback_disconnect();
    fake_offers.mac = bad[_i];
    ck_assert_int_eq(netback_connect(), -EINVAL);
}
END_TEST

START_TEST(mtu_within_bounds) /* rule 16 */
{
    static const struct {
        const char *text;
        unsigned mtu;
    } cases[] = {{NULL, 1500}, {"9000", 9000}, {"65520", 65520}, {"65521", 1500}, {"575", 1500},
                 {"-1", 1500}, {"", 1500},     {"x", 1500},      {"576", 576}};

    netback_disconnect();
    fake_offers.mtu = cases[_i].text;
    connected();
    ck_assert_uint_eq(netback_dev->mtu, cases[_i].mtu);
}
END_TEST

START_TEST(backend_that_cannot_copy)
{
    netback_disconnect();
    fake_offers.no_rx_copy = true;
    ck_assert_int_eq(netback_connect(), -EOPNOTSUPP);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("life");

    tcase_add_test(c, packets_go_both_ways);
    tcase_add_test(c, a_segment_in_one_page_that_is_to_be_cut);
    tcase_add_test(c, slots_come_back_in_the_quiet);
    tcase_add_test(c, a_full_ring_says_when_there_is_room);
    tcase_add_test(c, receiving_goes_on_after_a_callback_that_never_returns);
    tcase_add_test(c, received_page_still_mapped);
    tcase_add_loop_test(c, sent_page_still_mapped, 0, 2);
    tcase_add_loop_test(c, pages_mapped_at_the_end, 0, 2);
    tcase_add_test(c, untrusted_backend);
    tcase_add_loop_test(c, trusted_or_not, 0, 8);
    tcase_add_test(c, nothing_of_one_backend_is_shown_to_another);
    tcase_add_test(c, a_breach_at_the_end_of_a_turn);
    tcase_add_test(c, a_breach_while_room_is_made);
    tcase_add_loop_test(c, store_is_reset_meanwhile, 0, 2);
    tcase_add_loop_test(c, no_references_no_pages, 0, 2);
    tcase_add_test(c, pages_are_scarce);
    tcase_add_test(c, pages_that_come_back);
    tcase_add_test(c, pages_that_were_sent_are_not_scarce);
    tcase_add_test(c, pages_that_were_sent_are_posted);
    tcase_add_test(c, pages_to_post_end_with_the_device);
    tcase_add_test(c, what_was_written_for_another);
    tcase_add_loop_test(c, events_for_nothing, 0, 4);
    tcase_add_test(c, an_event_that_is_lost);
    tcase_add_test(c, connects_again_and_again);
    tcase_add_loop_test(c, bad_addresses, 0, 8);
    tcase_add_loop_test(c, mtu_within_bounds, 0, 9);
    tcase_add_test(c, backend_that_cannot_copy);
    return run_suite(suite_create("netfront"), c);
}
