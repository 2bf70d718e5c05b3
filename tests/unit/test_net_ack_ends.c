/* SPDX-License-Identifier: ISC */
/* lib/net/ack.c and the beginnings and ends of connections: of one that has ended while its acknowledgement waited nothing is
 * left, and the others' go. */
#include "tests/unit/net_acks.h"

/* Three connections wait, and so does the one that is to end, in the middle. */
#define DOOMED 1
#define WAITING 4

static void let_wait(void)
{
    (void)just_sent();
    for (unsigned i = 0; i < 2 * WAITING; i++)
        give(i % WAITING, 1460);
    fake_run();
    ck_assert_uint_eq(acks(), 0);
}

static void ck_others(unsigned its_own)
{
    fake_sleep(INTERVAL);
    for (unsigned i = 0; i < WAITING; i++)
        ck_assert_uint_eq(peers[i].acks, i == DOOMED ? its_own : 1);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), WAITING - 1 + its_own);
}

/* Its memory has come back, and so has its place: another connection is acknowledged. */
static void ck_gone(void)
{
    struct peer *peer = &peers[DOOMED];

    ck_assert_uint_eq(peer->resets + peer->fins, 1);
    *peer = (struct peer){0};
    say(DOOMED, TCP_SYN, UINT32_MAX, 0, 0);
    fake_run();
    say(DOOMED, TCP_ACK, 0, 0, 0);
    fake_sleep(SETTLED);
    give(DOOMED, 1460);
    give(DOOMED, 1460);
    fake_run();
    ck_acked(DOOMED, 1, fake_now);
}

START_TEST(aborted_by_the_app)
{
    unsigned before;

    start_with(PEERS);
    let_wait();
    before = fake_objects;
    tcp_abort(guest[DOOMED]);
    ck_assert_uint_eq(fake_objects, before - 1);
    ck_assert_uint_eq(peers[DOOMED].resets, 1);
    ck_others(0);
    ck_gone();
}
END_TEST

/* lwIP acknowledges what a connection that it removes still owes, at once. */
START_TEST(aborted_with_a_delayed_one)
{
    start_with(PEERS);
    let_wait();
    consumes = false;
    give(DOOMED, 10);
    tcp_abort(guest[DOOMED]);
    ck_assert_uint_eq(peers[DOOMED].acks, 1);
    ck_others(1);
    ck_gone();
}
END_TEST

START_TEST(reset_by_the_client)
{
    start_with(PEERS);
    let_wait();
    say(DOOMED, TCP_RST | TCP_ACK, peers[DOOMED].next, 0, 0);
    ck_assert_ptr_null(guest[DOOMED]);
    ck_others(0);
    peers[DOOMED].resets++; /* its own */
    ck_gone();
}
END_TEST

START_TEST(all_are_aborted)
{
    start_with(PEERS);
    let_wait();
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 0);
    ck_gone();
}
END_TEST

/* With data that the app has not taken, closing is a reset. */
START_TEST(closed_with_data_left)
{
    start_with(PEERS);
    let_wait();
    consumes = false;
    give(DOOMED, 10);
    tcp_err(guest[DOOMED], NULL);
    ck_assert_int_eq(tcp_close(guest[DOOMED]), ERR_OK);
    ck_assert_uint_eq(peers[DOOMED].resets, 1);
    ck_others(0);
    ck_gone();
}
END_TEST

/* The FIN takes it along; the connection stays until the client ends it, in two ways, and a while longer. */
START_TEST(closed_by_the_app)
{
    struct peer *peer = &peers[DOOMED];

    start_with(PEERS);
    let_wait();
    tcp_err(guest[DOOMED], NULL);
    ck_assert_int_eq(tcp_close(guest[DOOMED]), ERR_OK);
    ck_assert_uint_eq(peer->fins, 1);
    ck_acked(DOOMED, 0, fake_now);
    if (_i) {
        say(DOOMED, TCP_ACK, peer->next, 0, 1);
        say(DOOMED, TCP_FIN | TCP_ACK, peer->next++, 0, 1); /* its acknowledgement waits... */
    } else {
        say(DOOMED, TCP_FIN | TCP_ACK, peer->next++, 0, 0);
        say(DOOMED, TCP_ACK, peer->next, 0, 1); /* ...also in the list that it goes to now */
    }
    ck_assert(tcp_tw_pcbs && tcp_tw_pcbs->remote_port == THEIR_PORT + DOOMED);
    ck_assert_uint_eq(peer->acks, 0);
    ck_others(1);
    ck_acked(DOOMED, 1, peer->at);

    /* The client has not heard it; then it comes anew, which ends what waits. */
    (void)just_sent();
    say(DOOMED, TCP_FIN | TCP_ACK, peer->next - 1, 0, 1);
    fake_run();
    ck_assert_uint_eq(peer->acks, 0);
    fake_sleep(INTERVAL);
    ck_acked(DOOMED, 1, fake_now);
    say(DOOMED, TCP_FIN | TCP_ACK, peer->next - 1, 0, 1);
    fake_run();
    say(DOOMED, TCP_SYN, 100000, 0, 0);
    fake_run();
    ck_assert_uint_eq(peer->syns, 2);
    ck_assert_ptr_null(tcp_tw_pcbs);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(peer->acks, 1);
}
END_TEST

/* The time of one in TIME_WAIT is up while an acknowledgement waits: lwIP takes it from its list itself. */
START_TEST(time_is_up_for_it)
{
    struct peer *peer = &peers[DOOMED];

    start_with(PEERS);
    tcp_err(guest[DOOMED], NULL);
    ck_assert_int_eq(tcp_close(guest[DOOMED]), ERR_OK);
    say(DOOMED, TCP_FIN | TCP_ACK, peer->next++, 0, 1);
    fake_sleep(SETTLED);
    (void)just_sent();
    say(DOOMED, TCP_FIN | TCP_ACK, peer->next - 1, 0, 1);
    fake_run();
    ck_assert_uint_eq(acks(), 0);
    tcp_tw_pcbs->tmr = tcp_ticks - 3 * TCP_MSL / TCP_SLOW_INTERVAL;
    tcp_slowtmr();
    ck_assert_ptr_null(tcp_tw_pcbs);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 0);
}
END_TEST

START_TEST(the_clients_end_is_acknowledged)
{
    struct peer *peer = &peers[0];

    start_with(PEERS);
    closes = _i == 1;
    if (_i == 2)
        (void)just_sent();
    say(0, TCP_FIN | TCP_ACK, peer->next++, 0, 0);
    fake_run();
    if (closes) { /* the guest's own takes it along */
        ck_assert_uint_eq(peer->fins, 1);
        ck_acked(0, 0, fake_now);
        say(0, TCP_ACK, peer->next, 0, 1);
        ck_assert_ptr_nonnull(guest[0]); /* freed: nobody says so */
    } else {
        if (_i == 2)
            fake_sleep(INTERVAL);
        ck_acked(0, 1, peer->at);
        ck_assert_uint_eq(guest[0]->state, CLOSE_WAIT);
    }
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), !closes);
}
END_TEST

static err_t abort_it(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t close_it(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    tcp_err(pcb, NULL);
    ck_assert_int_eq(tcp_close(pcb), ERR_OK);
    return ERR_OK;
}

/* The app ends the connection when it hears that its data was acknowledged: what came in that segment is freed. */
START_TEST(ended_in_the_sent_callback)
{
    static const tcp_sent_fn ways[] = {abort_it, close_it};
    struct peer *peer = &peers[DOOMED];
    unsigned before;

    start_with(PEERS);
    let_wait();
    before = fake_objects;
    tcp_sent(guest[DOOMED], ways[_i]);
    ck_assert_int_eq(tcp_write(guest[DOOMED], "answer", 6, 0), ERR_OK);
    (void)tcp_output(guest[DOOMED]);
    say(DOOMED, TCP_ACK, peer->next, 100, 6);
    ck_assert_uint_eq(peer->resets, 1);
    ck_assert_uint_eq(fake_objects, before - 1);
    ck_others(0);
    ck_gone();
}
END_TEST

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    return on_connection(arg, pcb, err);
}

/* To a server, which is the peer 0 here; the acknowledgement goes in that turn though others have gone just before. */
START_TEST(the_guest_asks)
{
    struct tcp_pcb *pcb;
    ip_addr_t server = IPADDR4_INIT_BYTES(10, 0, 0, 1);
    struct peer *peer = &peers[0];

    start();
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    ck_assert_int_eq(tcp_connect(pcb, &server, THEIR_PORT, on_connected), ERR_OK);
    fake_run();
    ck_assert_uint_eq(peer->syns, 1);
    guest_asks = true;
    say(0, TCP_SYN | TCP_ACK, UINT32_MAX, 0, 0);
    ck_assert_ptr_eq(guest[0], pcb);
    ck_assert_uint_eq(pcb->state, ESTABLISHED);
    fake_run();
    ck_acked(0, 1, fake_now);
    fake_sleep(100 * NSEC_PER_USEC);
    give(0, 1460);
    give(0, 1460);
    fake_run();
    ck_assert_uint_eq(acks(), 1);
    fake_sleep(INTERVAL);
    ck_acked(0, 2, peer->at);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_ack_ends");
    TCase *c = tcase_create("net_ack_ends");

    tcase_add_test(c, aborted_by_the_app);
    tcase_add_test(c, aborted_with_a_delayed_one);
    tcase_add_test(c, reset_by_the_client);
    tcase_add_test(c, all_are_aborted);
    tcase_add_test(c, closed_with_data_left);
    tcase_add_loop_test(c, closed_by_the_app, 0, 2);
    tcase_add_test(c, time_is_up_for_it);
    tcase_add_loop_test(c, the_clients_end_is_acknowledged, 0, 3);
    tcase_add_loop_test(c, ended_in_the_sent_callback, 0, 2);
    tcase_add_test(c, the_guest_asks);
    return run_tests(s, c);
}
