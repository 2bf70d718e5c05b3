/* SPDX-License-Identifier: ISC */
/*
 * lib/net/ack.c with lwIP around it: acknowledgements go at the end of a turn and 300 us after the last ones, earlier when
 * a quarter of the window has been regained or a gap is to be told, with data where there is some; none is forgotten,
 * and none is sent for a connection that has ended.
 */
#include "tests/unit/net_acks.h"

/* --- when they go ------------------------------------------------------------------------ */

START_TEST(a_turn_is_acknowledged_once)
{
    start_with(1);
    for (unsigned i = 0; i < 10; i++)
        give(0, 1460);
    ck_assert_uint_eq(acks(), 0);
    fake_timers_fired = 0;
    fake_run();
    ck_acked(0, 1, fake_now);
    ck_assert_uint_eq(fake_timers_fired, 0);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 1);
}
END_TEST

START_TEST(the_next_waits_until_300_us_have_passed)
{
    uint64_t since;

    start_with(PEERS);
    since = just_sent();
    fake_sleep(100 * NSEC_PER_USEC);
    give(0, 1460);
    give(0, 1460);
    fake_sleep(199 * NSEC_PER_USEC);
    give(0, 1460);
    fake_run();
    ck_assert_uint_eq(acks(), 0);
    fake_sleep(NSEC_PER_USEC);
    ck_acked(0, 1, since + INTERVAL);
    /* And so on, each after the one before. */
    give(0, 1460);
    give(0, 1460);
    fake_sleep(INTERVAL - 1);
    ck_assert_uint_eq(acks(), 1);
    fake_sleep(1);
    ck_acked(0, 2, since + 2 * INTERVAL);
    fake_sleep(INTERVAL);
    give(0, 1460);
    give(0, 1460);
    fake_timers_fired = 0;
    fake_run();
    ck_acked(0, 3, since + 3 * INTERVAL);
    ck_assert_uint_eq(fake_timers_fired, 0);
}
END_TEST

/* One octet less does not do it, and one of the two that wait is enough. */
START_TEST(a_quarter_of_the_window_does_not_wait)
{
    uint64_t since;
    size_t part;

    start_with(PEERS);
    part = TCP_WND_MAX(guest[0]) / 4;
    since = just_sent();
    give(1 - _i, 3000);
    give(1 - _i, 3000);
    fake_run();
    for (size_t left = part - 1, n; left; left -= n) {
        n = MIN(left, 30000);
        give((unsigned)_i, n);
        fake_run();
    }
    ck_assert_uint_eq(acks(), 0);
    give((unsigned)_i, 1);
    ck_assert_uint_eq(acks(), 0);
    fake_run();
    ck_acked(0, 1, since);
    ck_acked(1, 1, since);
}
END_TEST

/* What has gone early counts as well: the next waits from then on, also if a timer was set before. */
START_TEST(they_wait_since_the_last_ones)
{
    uint64_t since;

    start_with(PEERS);
    since = just_sent();
    fake_sleep(100 * NSEC_PER_USEC);
    give(0, 40000);
    give(0, 40000);
    fake_run();
    ck_acked(0, 1, since + 100 * NSEC_PER_USEC);
    fake_sleep(100 * NSEC_PER_USEC);
    give(0, 1460);
    give(0, 1460);
    fake_sleep(NSEC_PER_MSEC);
    ck_acked(0, 2, since + 100 * NSEC_PER_USEC + INTERVAL);

    since = just_sent();
    give(0, 1460);
    give(0, 1460);
    fake_sleep(100 * NSEC_PER_USEC);
    give(0, 40000);
    give(0, 40000);
    fake_run();
    ck_acked(0, 1, since + 100 * NSEC_PER_USEC);
    give(0, 1460);
    give(0, 1460);
    fake_sleep(NSEC_PER_MSEC);
    ck_acked(0, 2, since + 100 * NSEC_PER_USEC + INTERVAL);
}
END_TEST

START_TEST(each_that_tells_of_a_gap_goes_at_once)
{
    start_with(PEERS);
    (void)just_sent();
    give(0, 1000); /* this one's waits, and goes with the first of the gap's */
    give(0, 1000);
    for (unsigned i = 1; i <= 5; i++) {
        say(0, TCP_ACK, peers[0].next + i * 1000, 1000, 0);
        ck_acked(0, i, fake_now);
    }
    fake_sleep(INTERVAL);
    ck_assert_uint_eq(acks(), 5);
    give(0, 1000);
    peers[0].next += 5000;
    ck_assert_uint_eq(acks(), 5);
    fake_sleep(INTERVAL);
    ck_assert_uint_eq(acks(), 6);
    ck_assert_uint_eq(peers[0].acked, peers[0].next);
    /* One that has come before is told of as well. */
    say(0, TCP_ACK, 0, 1000, 0);
    fake_sleep(SETTLED);
    ck_acked(0, 7, peers[0].at);
}
END_TEST

static void write_one(struct work *w)
{
    ck_assert_int_eq(tcp_write(guest[0], "x", 1, TCP_WRITE_FLAG_COPY), ERR_OK);
    (void)tcp_output(guest[0]);
}

/* Of work that is still to be done in this turn, too. */
START_TEST(data_of_the_turns_end_takes_them_along)
{
    struct work work;

    start_with(1);
    give(0, 3000);
    give(0, 3000);
    work_init(&work, write_one);
    work_post(&work);
    fake_run();
    ck_assert_uint_eq(peers[0].data, 1);
    ck_acked(0, 0, fake_now);
    fake_sleep(INTERVAL);
    ck_assert_uint_eq(acks(), 0);
}
END_TEST

START_TEST(data_takes_them_along)
{
    start_with(PEERS);
    answered = 100;
    tcp_nagle_disable(guest[0]);
    give(0, 1000);
    give(0, 1000);
    fake_run();
    ck_assert_uint_ge(peers[0].data, 1);
    ck_acked(0, 0, fake_now);
    say(0, TCP_ACK, peers[0].next, 0, 200);
    answered = 0;
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 0);

    /* In a later turn, when one waits already. */
    (void)just_sent();
    give(0, 3000);
    give(0, 3000);
    give(1, 3000);
    give(1, 3000);
    fake_sleep(100 * NSEC_PER_USEC);
    write_one(NULL);
    ck_assert_uint_eq(peers[0].data, 1);
    ck_acked(0, 0, fake_now);
    say(0, TCP_ACK, peers[0].next, 0, 201);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(peers[0].acks, 0);
    ck_assert_uint_eq(peers[1].acks, 1);
}
END_TEST

/* Each is acknowledged, once, and soon, however many there are. */
START_TEST(many_connections)
{
    unsigned n = (unsigned)_i;

    start_with(PEERS);
    for (unsigned j = 0; j < 2; j++) {
        forget_sent();
        for (unsigned i = 0; i < 2 * n; i++)
            give(i % n, 1460);
        fake_run();
        if (!j)
            ck_assert_uint_ge(acks(), MIN(n, 8));
        fake_sleep(INTERVAL);
        for (unsigned i = 0; i < n; i++)
            ck_acked(i, 1, peers[i].at);
        fake_sleep(INTERVAL / 2);
    }
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), n);
}
END_TEST

/* --- without them ------------------------------------------------------------------------ */

/* An app that leaves the window as it is, and one segment: lwIP's own clock. */
START_TEST(a_single_segment_is_acknowledged_by_the_clock)
{
    uint64_t since;

    start_with(1);
    consumes = false;
    give(0, 100);
    since = fake_now;
    fake_sleep(NSEC_PER_MSEC);
    ck_assert_uint_eq(acks(), 0);
    fake_sleep(250 * NSEC_PER_MSEC);
    ck_acked(0, 1, peers[0].at);
    ck_assert_uint_gt(peers[0].at, since);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 1);
}
END_TEST

/* No memory for it, or no room on the ring: it goes when there is, once. And others do not wait for that. */
START_TEST(what_cannot_go_goes_later)
{
    start_with(PEERS);
    for (unsigned i = 0; i < 6; i++)
        give(i % 3, 1460);
    fake_no_memory = _i == 0;
    full = _i == 1;
    fake_run();
    ck_assert_uint_eq(acks(), 0);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 0);
    fake_no_memory = full = false;
    fake_sleep(251 * NSEC_PER_MSEC);
    for (unsigned i = 0; i < 3; i++)
        ck_acked(i, 1, peers[i].at);
    fake_sleep(SETTLED);
    ck_assert_uint_eq(acks(), 3);
    fake_timers_fired = 0; /* nobody tries any more */
    fake_sleep(60 * SETTLED);
    ck_assert_uint_lt(fake_timers_fired, 60);
}
END_TEST

/* While the link is down nothing can go, and no clock runs for it. */
START_TEST(a_link_that_is_down)
{
    start_with(1);
    consumes = false;
    give(0, 100);
    net_link(&dev, false);
    fake_sleep(60 * NSEC_PER_SEC);
    fake_timers_fired = 0;
    fake_sleep(600 * NSEC_PER_SEC);
    ck_assert_uint_lt(fake_timers_fired, 100);
    ck_assert_uint_eq(acks(), 0);
    net_link(&dev, true);
    introduce();
    fake_sleep(NSEC_PER_SEC);
    ck_acked(0, 1, peers[0].at);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_ack");
    TCase *c = tcase_create("net_ack");

    tcase_add_test(c, a_turn_is_acknowledged_once);
    tcase_add_test(c, the_next_waits_until_300_us_have_passed);
    tcase_add_loop_test(c, a_quarter_of_the_window_does_not_wait, 0, 2);
    tcase_add_test(c, they_wait_since_the_last_ones);
    tcase_add_test(c, each_that_tells_of_a_gap_goes_at_once);
    tcase_add_test(c, data_takes_them_along);
    tcase_add_test(c, data_of_the_turns_end_takes_them_along);
    tcase_add_loop_test(c, many_connections, 7, 19);
    tcase_add_test(c, a_single_segment_is_acknowledged_by_the_clock);
    tcase_add_loop_test(c, what_cannot_go_goes_later, 0, 2);
    tcase_add_test(c, a_link_that_is_down);
    return run_tests(s, c);
}
