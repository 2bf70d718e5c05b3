/* SPDX-License-Identifier: ISC */
/*
 * lib/net/forward.c with lwIP and apps/echo around it: a client sends a stream in frames that lie in network pages, on a way
 * that loses some of both directions; memory and pages run out, windows shut, the link comes and goes. Every octet
 * comes back in its place, and in the end no page and no view is left.
 */
#include "tests/unit/net_echo.h"

START_TEST(all_of_it_comes_back)
{
    static const uint16_t sizes[] = {1460, 536, 1000, 300};
    static const uint32_t windows[] = {500000, 60000, 5000}, lengths[] = {60000, 5000, 1460};
    static const unsigned losses[] = {0, 3, 10}, relinks[] = {0, 0, 70};
    bool cuts = _i & 1;

    srand((unsigned)_i);
    over_ip6 = _i % 7 == 6;
    client.lost_percent = losses[_i % 3];
    start((uint16_t)(sizes[_i % 4] - 20 * over_ip6), cuts, _i & 2 ? 4096 : 1024);
    finish(lengths[rand() % 3], windows[_i / 12], relinks[rand() % 3], cuts);
    ck_assert_uint_gt(client.in_place, 0);
}
END_TEST

/* What comes in large segments goes so, and nothing of it is copied. */
START_TEST(it_is_not_copied)
{
    client.hasty = true;
    start(1460, _i, 4096);
    while (client.next < TOTAL) {
        give(60000, 1000000, PAGE_SIZE);
        fake_run();
        acknowledge(1000000);
    }
    if (!_i || IS_ENABLED(CONFIG_NET_TSO))
        ck_assert_uint_lt(client.copied, TOTAL / 20);
    if (_i && IS_ENABLED(CONFIG_NET_TSO))
        ck_assert_uint_gt(client.longest, 20000);
    finish(1000, 100000, 0, _i);
}
END_TEST

/* A client that sends and does not read, until nothing fits any more; then it reads, little by little. */
START_TEST(a_client_that_does_not_read)
{
    start(1460, _i & 1, _i & 2 ? 4096 : 1024);
    for (unsigned i = 0; i < 50; i++) {
        give(_i & 4 ? 1400 : 20000, 0, PAGE_SIZE);
        fake_sleep(NSEC_PER_SEC / 4);
    }
    ck_assert_uint_lt(client.una, TOTAL);
    while (client.next < 50000)
        acknowledge((uint32_t)rand() % 3000);
    finish(20000, 100000, 0, _i & 1);
}
END_TEST

/* Less than LEAST is copied, and its page is free at once. */
START_TEST(little_keeps_no_page)
{
    start(1460, false, 4096);
    for (unsigned i = 0; i < 20; i++)
        give(1023, 30000, PAGE_SIZE);
    fake_run();
    ck_assert_uint_eq(client.una, 20 * 1023);
    ck_assert_uint_eq(netpage_stats()->pages - netpage_stats()->free, 0);
    ck_assert_uint_eq(client.in_place, 0);
    acknowledge(30000);
    give(1024, 30000, 0); /* nor has what lies in none */
    fake_run();
    acknowledge(30000);
    ck_assert_uint_eq(client.in_place, 0);
    give(1024, 30000, PAGE_SIZE);
    fake_run();
    acknowledge(30000);
    ck_assert_uint_eq(client.in_place, 1024);
    finish(20000, 100000, 0, false);
}
END_TEST

/* The test takes all pages but for those that are scarce, and gives them back. */
static struct netpage *taken;

static void take_pages(void)
{
    do {
        struct netpage *np = netpage_get(true);

        np->next = taken;
        taken = np;
    } while (!netpage_scarce());
}

static void give_pages(void)
{
    while (taken) {
        struct netpage *np = taken;

        taken = np->next;
        netpage_put(np);
    }
}

/* --- clients that do not read ------------------------------------------------------------ */

/* The first port after the client's is one of theirs. */
#define SILENT 6
#define MIB4 1024
static struct {
    uint32_t isn, nxt, edge; /* the first as the client's; what it sends next, and what it may */
    uint32_t read;           /* octets that it acknowledges */
    bool ended;              /* reset by the guest */
} silent[SILENT];

static void note_silent(const uint8_t *tcp, size_t len)
{
    unsigned i = read_be16(tcp + 2) - THEIR_PORT - 1u;

    ck_assert_uint_lt(i, SILENT);
    if (tcp[AT_TCP_FLAGS] & TCP_SYN)
        silent[i].isn = read_be32(tcp + AT_TCP_SEQ);
    silent[i].nxt = read_be32(tcp + AT_TCP_ACK) - THEIR_SEQ;
    silent[i].edge = silent[i].nxt + ((uint32_t)read_be16(tcp + AT_TCP_WINDOW)
                                      << (tcp[AT_TCP_FLAGS] & TCP_SYN ? 0 : TCP_RCV_SCALE));
    silent[i].ended |= tcp[AT_TCP_FLAGS] & TCP_RST;
}

/* False when there is no page to receive into. */
static bool say_silently(unsigned i, uint8_t flags, uint16_t window, size_t len, size_t piece,
                         uint32_t ahead)
{
    uint8_t options[SYN_OPTIONS];
    struct frame_segment s = {.from = (uint16_t)(THEIR_PORT + 1 + i),
                              .to = PORT,
                              .seq = THEIR_SEQ + silent[i].nxt + ahead,
                              .ack = silent[i].isn + 1 + silent[i].read,
                              .flags = flags,
                              .window = window};
    bool heard;

    if (flags & TCP_SYN) {
        s.options = syn_options(options, 1460, SCALE);
        s.options_len = SYN_OPTIONS;
    }
    heard = deliver_segment(&s, stream, len, piece);
    fake_run();
    return heard;
}

/* Connects, and shuts its window. */
static void connect_silently(unsigned i)
{
    overhear = note_silent;
    silent[i].nxt = 0;
    ck_assert(say_silently(i, TCP_SYN, 1000, 0, 0, 0));
    ck_assert(say_silently(i, TCP_ACK, 1000, 0, 0, 0));
    ck_assert(say_silently(i, TCP_ACK, 0, 0, 0, 0));
}

static unsigned pages_in_use(void)
{
    return netpage_stats()->pages - netpage_stats()->free;
}

static unsigned pages_left(void)
{
    return netpage_stats()->max - pages_in_use();
}

/* They go on saying that they are there, for so many seconds. Returns how many have been reset. */
static unsigned wait_silently(unsigned seconds)
{
    unsigned ended = 0;

    for (unsigned s = 0; s < seconds; s++) {
        for (unsigned i = 0; i < SILENT; i++) {
            if (!silent[i].ended)
                (void)say_silently(i, TCP_ACK, 0, 0, 0, 0);
        }
        fake_sleep(NSEC_PER_SEC);
    }
    for (unsigned i = 0; i < SILENT; i++)
        ended += silent[i].ended;
    return ended;
}

/*
 * Several shut their windows and send as much as they may; in segments of a wire's size, or large ones, or with a gap in
 * front of all. They do not get the pages that others' packets come in; and when these have been few for long enough, their
 * connections end.
 */
START_TEST(silent_clients_leave_pages)
{
    static const size_t sizes[] = {1448, 20000, 1448};
    uint32_t gap = _i == 2;

    start(1460, true, MIB4);
    for (unsigned i = 0; i < SILENT; i++)
        connect_silently(i);
    for (unsigned n = 0; n < 150; n++) {
        for (unsigned i = 0; i < SILENT; i++) {
            size_t left = silent[i].edge - silent[i].nxt - gap;

            if (left <= TCP_WND)
                (void)say_silently(i, TCP_ACK, 0, MIN(sizes[_i], left), PAGE_SIZE, gap);
            gap += gap ? 1448 : 0;
        }
    }
    ck_assert_uint_ge(pages_left(), 40);
    for (unsigned turns = 0; client.next < TOTAL / 4; turns++) {
        ck_assert_uint_lt(turns, 2000);
        turn(1400, 20000, false);
    }
    client.nxt = client.una;
    while (client.next < client.una)
        acknowledge(20000);
    acknowledge(20000);
    ck_assert_uint_eq(wait_silently(60), 0);
    take_pages();
    ck_assert_uint_eq(wait_silently(25), 0);
    (void)wait_silently(15);
    give_pages();
    ck_assert(!netpage_scarce());
    ck_assert(_i == 2 || wait_silently(0) > 0);
    for (unsigned i = 0; i < SILENT; i++) {
        if (!silent[i].ended)
            (void)say_silently(i, TCP_RST | TCP_ACK, 0, 0, 0, 0);
    }
    finish(1400, 20000, 0, true);
}
END_TEST

/* A shut window, and an octet at a time: what waits costs about what it holds. */
START_TEST(octet_by_octet)
{
    unsigned before, pages;

    start(1460, false, MIB4);
    while (tcp_sndbuf(tcp_active_pcbs) > 1400) {
        give(1400, 0, PAGE_SIZE);
        fake_run();
    }
    give(1400, 0, PAGE_SIZE);
    fake_run();
    before = objects_now();
    pages = pages_in_use();
    for (unsigned i = 0; i < 10000; i++) {
        give(1, 0, PAGE_SIZE);
        fake_run();
    }
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(client.una, client.nxt);
    ck_assert_uint_le(objects_now() - before, 10000 / 1900 + 3);
    ck_assert_uint_le(pages_in_use(), pages);
    /* Where there is no memory to put them together, nothing is taken. */
    fake_no_memory = true;
    for (unsigned i = 0; i < 3000; i++) {
        give(1, 0, PAGE_SIZE);
        fake_run();
    }
    ck_assert_uint_le(pages_in_use(), pages + 1);
    fake_no_memory = false;
    finish(20000, 100000, 0, false);
}
END_TEST

/* Who reads stays, though slowly, and nobody else is ended who holds nothing. */
START_TEST(slow_clients_stay)
{
    start(1460, false, MIB4);
    for (unsigned i = 0; i < 200; i++) {
        give(1400, 0, PAGE_SIZE);
        fake_sleep(NSEC_PER_SEC / 4);
    }
    ck_assert_uint_gt(client.una, 150000);
    take_pages();
    for (unsigned i = 0; i < 120; i++) {
        acknowledge(600);
        fake_sleep(NSEC_PER_SEC);
    }
    ck_assert_ptr_nonnull(tcp_active_pcbs);
    give_pages();
    finish(20000, 100000, 0, false);
}
END_TEST

/* Nor does it help to acknowledge an octet now and then: those are parts of a segment. */
START_TEST(too_slow_clients_do_not_stay)
{
    start(1460, false, MIB4);
    connect_silently(0);
    for (unsigned n = 0; n < 40; n++)
        (void)say_silently(0, TCP_ACK, 1000, 1448, PAGE_SIZE, 0);
    take_pages();
    for (unsigned s = 0; s < 40 && !silent[0].ended; s++) {
        silent[0].read++;
        (void)say_silently(0, TCP_ACK, 1000, 0, 0, 0);
        ck_assert(s > 25 || !silent[0].ended);
        fake_sleep(NSEC_PER_SEC);
    }
    ck_assert(silent[0].ended);
    give_pages();
    finish(20000, 100000, 0, false);
}
END_TEST

/* --- what runs out ----------------------------------------------------------------------- */

START_TEST(memory_runs_out)
{
    srand((unsigned)_i);
    start(1460, _i & 1, _i & 2 ? 4096 : 1024);
    for (unsigned i = 0; i < 300 && client.next < TOTAL; i++) {
        if (_i & 4 && i % 30 == 0)
            set_link(i % 60 == 0);
        if (_i & 4 && i % 30 == 3)
            introduce();
        give_some(20000, 100000);
        fake_no_memory = rand() % 3 != 0;
        turn(20000, 100000, false);
    }
    fake_no_memory = false;
    introduce();
    finish(20000, 100000, 0, _i & 1);
    ck_assert_uint_gt(client.in_place, 0);
}
END_TEST

/* Where pages are scarce none is kept, and when there are enough again, they are. */
START_TEST(pages_run_out)
{
    start(1460, _i, 1024);
    take_pages();
    for (unsigned i = 0; i < 15; i++)
        turn(10000, 20000, true);
    ck_assert_uint_gt(client.next, 10000);
    ck_assert_uint_eq(client.in_place, 0);
    give_pages();
    finish(20000, 100000, 0, _i);
    ck_assert_uint_gt(client.in_place, 0);
}
END_TEST

/* A client that is gone, with data in all queues. */
START_TEST(reset)
{
    srand((unsigned)_i);
    start(1460, _i & 1, 4096);
    for (unsigned i = 0; i < 8; i++)
        give(1 + (uint32_t)rand() % 40000, 30000, PAGE_SIZE);
    client.lost_percent = _i & 2 ? 100 : 0;
    fake_run();
    acknowledge(20000);
    client.lost_percent = 0;
    ck_assert_uint_gt(netpage_stats()->pages - netpage_stats()->free, 0);
    client.fin = true;
    if (_i & 4)
        tcp_abort(tcp_active_pcbs);
    else
        say(TCP_RST | TCP_ACK, tcp_active_pcbs->rcv_nxt - THEIR_SEQ - 1, 0, 0, 0);
    ck_clean();
}
END_TEST

/* What is sent anew waits for the client's address; meanwhile the client says that it has got it, and the pages that it
 * lay in are used for others. */
START_TEST(what_waits_for_an_address)
{
    uint32_t before, taken;

    start(1460, _i, 4096);
    client.deaf = true;
    give(20000, 30000, PAGE_SIZE);
    give(10000, 30000, 1500);
    fake_run();
    ck_assert_uint_eq(client.next, 0);
    etharp_cleanup_netif(netif_list);
    fake_sleep(3 * NSEC_PER_SEC);
    client.deaf = false;
    before = client.in_place;
    ck_assert_uint_gt(tcp_active_pcbs->nrtx, 0);
    /* Though it has not come: what comes is looked at all the same. */
    client.next = tcp_active_pcbs->snd_nxt - client.isn - 1;
    acknowledge(100000);
    ck_assert_uint_eq(client.in_place, before);
    for (unsigned i = 0; i < 10; i++)
        give(4000, 100000, PAGE_SIZE);
    fake_run();
    taken = client.taken;
    introduce();
    ck_assert_uint_gt(client.taken, taken); /* what is older than what was acknowledged, too */
    finish(20000, 100000, 0, _i);
}
END_TEST

/* lwIP makes one buffer of what it is told to refer to and lies behind the last in memory: not where a network page begins or
 * ends. */
START_TEST(between_an_apps_memory)
{
    static uint8_t memory[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    struct netpage *np;
    size_t referred = 0;
    uint8_t *page;
    struct pbuf *p;

    start(1460, _i, 4096);
    client.deaf = true;
    np = netpage_get(true);
    page = np->page;
    np->page = memory + PAGE_SIZE;
    p = netpage_pbuf(np, 0, PAGE_SIZE);
    tcp_active_pcbs->cwnd = 0; /* what is written is not sent yet */
    ck_assert_int_eq(tcp_write(tcp_active_pcbs, np->page - 100, 100, 0), ERR_OK);
    ck_assert_int_eq(net_tcp_forward(tcp_active_pcbs, p), ERR_OK);
    ck_assert_uint_ge(np->custom.pbuf.ref, 1); /* the views' */
    ck_assert_int_eq(tcp_write(tcp_active_pcbs, np->page + PAGE_SIZE, 100, 0), ERR_OK);
    for (const struct tcp_seg *seg = tcp_active_pcbs->unsent; seg; seg = seg->next) {
        for (p = seg->p; p; p = p->next)
            referred += netpage_viewed(p) == np ? p->len : 0;
    }
    ck_assert_uint_eq(referred, PAGE_SIZE); /* nor do they become longer */
    client.fin = true;
    tcp_abort(tcp_active_pcbs);
    np->page = page;
    ck_clean();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_forward");
    TCase *c = tcase_create("net_forward");

    tcase_add_loop_test(c, all_of_it_comes_back, 0, 36);
    tcase_add_loop_test(c, it_is_not_copied, 0, 2);
    tcase_add_loop_test(c, a_client_that_does_not_read, 0, 8);
    tcase_add_test(c, little_keeps_no_page);
    tcase_add_loop_test(c, silent_clients_leave_pages, 0, 3);
    tcase_add_test(c, octet_by_octet);
    tcase_add_test(c, slow_clients_stay);
    tcase_add_test(c, too_slow_clients_do_not_stay);
    tcase_add_loop_test(c, memory_runs_out, 0, 8);
    tcase_add_loop_test(c, pages_run_out, 0, 2);
    tcase_add_loop_test(c, reset, 0, 8);
    tcase_add_loop_test(c, what_waits_for_an_address, 0, 2);
    tcase_add_loop_test(c, between_an_apps_memory, 0, 2);
    return run_tests(s, c);
}
