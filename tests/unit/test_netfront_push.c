/* SPDX-License-Identifier: ISC */
/*
 * drivers/netfront_push.c: when requests are shown, in a model of what is at the other end. The backend's domain has one
 * CPU, which an event interrupts; clients there ask when they have been answered; the guest answers at once, on a CPU of
 * its own. All times are the model's.
 */
#include <math.h>

#include "drivers/netfront.h"
#include "tests/unit/netfront_testing.h"

#define USEC NSEC_PER_USEC

static struct model {
    unsigned clients;   /* each waits for its answer */
    unsigned together;  /* so many questions go at once, should they be there */
    bool uneven;        /* every second time just one */
    uint64_t interrupt; /* ns for an event, whatever it is for */
    uint64_t packet;    /* ns for a question, and for an answer */
    uint64_t between;   /* ns from one question to the next, whoever waits; 0: as fast as it goes */
    bool chance;        /* that long on the average: as calls come in */
} model;

/* What happened. */
static struct {
    unsigned answers, events, held; /* held: shown later than at the end of the turn */
    uint64_t held_most, began;
    uint64_t put_at[SLOTS]; /* by request */
} seen;

static struct netfront_push *push(void)
{
    return &container_of(netback_dev, struct netfront, net)->push;
}

/* The guest answers n questions in one turn. */
static void ask(unsigned n)
{
    uint32_t before = netback_tx.page->req_prod;

    for (unsigned i = 0; i < n; i++) {
        struct netfront *nf = container_of(netback_dev, struct netfront, net);

        seen.put_at[nf->tx.req_prod % SLOTS] = fake_now;
        if (send_frame(60, true))
            ck_abort_msg("no room");
    }
    netback_run();
    seen.held += netback_tx.page->req_prod == before;
}

/* Takes what is shown: how many answers. Without netback_receive() and its assertions, each of which Check takes down. */
static unsigned take(void)
{
    unsigned n = netback_waiting(&netback_tx);

    for (unsigned i = 0; i < n; i++) {
        const netif_tx_request_t *request = netback_slot(&netback_tx, netback_tx.cons++);

        netback_answer_tx(request->id, NETIF_RSP_OKAY);
    }
    netback_show(&netback_tx);
    netback_tx.page->req_event = netback_tx.cons + 1;
    return n;
}

static void note_delays(uint32_t from)
{
    for (; from != netback_tx.page->req_prod; from++) {
        uint64_t delay = fake_now - seen.put_at[from % SLOTS];

        seen.held_most = MAX(seen.held_most, delay);
    }
}

/* Time passes in the backend's domain; the guest's timers run meanwhile. */
static void work_for(uint64_t ns)
{
    uint64_t end = fake_now + ns;

    while (fake_now < end) {
        const struct timer *t = &push()->timer;
        uint32_t before = netback_tx.page->req_prod;

        fake_sleep((t->armed ? MIN(MAX(t->when, fake_now), end) : end) - fake_now);
        note_delays(before);
    }
}

/* Answers are worth an interrupt each time that the driver says so. */
static unsigned interrupted(void)
{
    struct fake_port *port = &fake_ports[netback_tx.port];
    unsigned n;

    if (!port->notified)
        return 0;
    port->notified = false;
    seen.events++;
    work_for(model.interrupt);
    n = take();
    work_for(n * model.packet);
    return n;
}

/* From one question to the next: as it is, or exponentially distributed. */
static uint64_t next_pause(void)
{
    static uint32_t state = 1;
    double u;

    if (!model.chance)
        return model.between;
    state = state * 1664525 + 1013904223;
    u = (state >> 8) / (double)(1 << 24);
    return (uint64_t)(-log(1 - u) * (double)model.between);
}

/* Until so many answers have come. */
static void run_model(unsigned answers)
{
    unsigned waiting = model.clients, turn = 0;
    uint64_t next = fake_now;

    memset(&seen, 0, sizeof(seen));
    seen.began = fake_now;
    while (seen.answers < answers) {
        unsigned n = interrupted();

        seen.answers += n;
        waiting += n;
        if (n)
            continue;
        n = model.uneven && ++turn % 2 ? 1 : model.together;
        n = MIN(n, waiting);
        if (!n || fake_now < next) {
            work_for(5 * USEC);
            continue;
        }
        next = MAX(next, fake_now - model.between) + next_pause();
        waiting -= n;
        work_for(n * model.packet);
        ask(n);
    }
    /* all come home */
    for (unsigned i = 0; waiting < model.clients; i++) {
        unsigned n = interrupted();

        if (i > 10000)
            ck_abort_msg("an answer is never shown");
        waiting += n;
        if (!n)
            work_for(5 * USEC);
    }
}

static uint64_t each(void)
{
    return (fake_now - seen.began) / seen.answers;
}

#define MANY                                                                                       \
    (struct model)                                                                                 \
    {                                                                                              \
        .clients = 100, .together = 2, .interrupt = 40 * USEC, .packet = 10 * USEC                 \
    }
/* The same where everything takes longer. */
#define MANY_SLOW                                                                                  \
    (struct model)                                                                                 \
    {                                                                                              \
        .clients = 100, .together = 2, .interrupt = 200 * USEC, .packet = 60 * USEC                \
    }
#define ONE                                                                                        \
    (struct model)                                                                                 \
    {                                                                                              \
        .clients = 1, .together = 1, .interrupt = 40 * USEC, .packet = 10 * USEC                   \
    }

START_TEST(one_client_is_answered_at_once)
{
    model = ONE;
    run_model(5000);
    ck_assert_uint_eq(seen.held, 0);
    ck_assert_uint_eq(seen.events, seen.answers);
    ck_assert_uint_eq(seen.held_most, 0);
}
END_TEST

START_TEST(many_clients_are_answered_together)
{
    uint64_t before;

    model = _i ? MANY_SLOW : MANY;
    run_model(256); /* before anything is known */
    ck_assert_uint_eq(seen.held, 0);
    before = each();
    run_model(10000);
    ck_assert_uint_le(each(), before * 3 / 4);
    ck_assert_uint_ge(seen.answers, 5 * seen.events);
    ck_assert_uint_le(seen.held_most, 2 * NSEC_PER_MSEC);
    ck_assert_uint_le(push()->limit, 2 * NSEC_PER_MSEC);
}
END_TEST

START_TEST(who_come_together_are_left_alone)
{
    model = MANY;
    model.together = 16;
    model.uneven = true;
    run_model(5000);
    ck_assert_uint_eq(seen.held, 0);
}
END_TEST

/* Each of these is tried, now and then, and no more. */
START_TEST(what_does_not_help_is_not_done)
{
    static const struct model loads[] = {
        /* an interrupt costs nothing */
        {.clients = 100, .together = 2, .packet = 20 * USEC},
        /* there are no more of them */
        {.clients = 2, .together = 2, .interrupt = 40 * USEC, .packet = 10 * USEC},
        /* they ask as slowly as they do: evenly, and by chance */
        {.clients = 100, .together = 2, .packet = USEC, .between = 100 * USEC},
        {.clients = 100, .together = 2, .packet = USEC, .between = 100 * USEC, .chance = true},
        {.clients = 100, .together = 2, .packet = USEC, .between = 40 * USEC, .chance = true},
    };

    model = loads[_i];
    run_model(512); /* with a trial */
    ck_assert_uint_gt(seen.held, 0);
    ck_assert_uint_le(seen.held_most, 2 * 8 * each() * 5 / 4);
    run_model(8000);
    run_model(12000);
    ck_assert_uint_le(seen.held, seen.answers / (model.chance ? 20 : 50));
}
END_TEST

START_TEST(few_requests_are_not_held_back)
{
    model = MANY;
    model.between = 2 * NSEC_PER_MSEC;
    run_model(4000);
    ck_assert_uint_eq(seen.held, 0);
}
END_TEST

static void become_busy(void)
{
    model = MANY;
    for (unsigned i = 0; !push()->holds || push()->phase != PUSH_STEADY; i++) {
        ck_assert_uint_lt(i, 200);
        run_model(64);
    }
}

START_TEST(another_load_is_noticed)
{
    become_busy();
    model = ONE;
    run_model(1000);
    ck_assert_uint_le(seen.held, 30);
    run_model(1000);
    ck_assert_uint_eq(seen.held, 0);
    become_busy();
    model.interrupt = 0;
    run_model(8000);
    run_model(8000);
    ck_assert_uint_le(seen.held, seen.answers / 50);
    become_busy();
    model.between = 1200 * USEC; /* now they ask no faster */
    run_model(600);
    run_model(600);
    ck_assert_uint_eq(seen.held, 0);
}
END_TEST

START_TEST(after_a_rest_nothing_is_held_back)
{
    become_busy();
    model = ONE;
    for (unsigned i = 0; i < 100; i++) {
        fake_sleep((_i ? 5 : 30) * NSEC_PER_MSEC);
        run_model(1 + i % 8);
        ck_assert_uint_le(seen.held,
                          _i && i == 1); /* it was not known yet whether that was a rest */
    }
}
END_TEST

/* Until eight have come, or the time is up. */
START_TEST(what_is_held_back_is_shown)
{
    unsigned fired, told;

    become_busy();
    work_for(2 * NSEC_PER_MSEC);
    push()->rest = 1000;
    fired = fake_timers_fired;
    memset(&seen, 0, sizeof(seen));
    ask(1);
    ck_assert_uint_eq(seen.held, 0); /* nothing was shown for long */
    ck_assert_uint_eq(fake_timers_fired, fired);
    ask(1);
    ask(1);
    ck_assert_uint_eq(seen.held, 2);
    told = fake_ports[netback_tx.port].notifies;
    ask(6);
    ck_assert_uint_eq(seen.held, 2);
    ck_assert_uint_eq(take(), 9);
    ck_assert(!push()->timer.armed);
    ask(1);
    ck_assert_uint_eq(seen.held, 3);
    work_for(push()->limit - USEC);
    ck_assert_uint_eq(take(), 0);
    work_for(2 * USEC);
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(fake_timers_fired, fired + 1);
    ck_assert_uint_gt(fake_ports[netback_tx.port].notifies, told);
}
END_TEST

/* The page of what is shown late comes back as any other. */
START_TEST(what_was_held_back_is_taken_back)
{
    struct netfront *nf = container_of(netback_dev, struct netfront, net);

    become_busy();
    push()->rest = 1000;
    while (nf->reap_timer.when - fake_now > 300 * USEC) {
        fake_sleep(MIN(nf->reap_timer.when - fake_now - 300 * USEC, 5 * NSEC_PER_MSEC));
        ask(8);
        (void)take();
    }
    ask(1);
    ck_assert_uint_gt(push()->held, 0);
    fake_sleep(NSEC_PER_MSEC);
    ck_assert_uint_eq(take(), 1);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(nf->tx.rsp_cons, nf->tx.req_prod);
}
END_TEST

START_TEST(the_backend_goes_while_some_are_held_back)
{
    unsigned fired;

    become_busy();
    ask(1);
    ask(1);
    ck_assert_uint_gt(push()->held, 0);
    ck_assert_int_eq(send_frame(60, true), 0); /* in a turn that has not ended */
    if (_i) {
        uint32_t shown = netback_tx.page->req_prod;

        netfront_breach(container_of(netback_dev, struct netfront, net), "a rule", 1);
        netback_run();
        fake_sleep(NSEC_PER_SEC);
        ck_assert_uint_eq(netback_tx.page->req_prod, shown);
        return;
    }
    netback_disconnect();
    ck_assert(!push()->holds); /* of the next one nothing is known */
    fired = fake_timers_fired;
    fake_sleep(4 * NSEC_PER_MSEC);
    ck_assert_uint_eq(fake_timers_fired, fired);
    ck_assert_int_eq(netback_connect(), 0);
    ck_works();
    ck_assert_int_eq(send_frame(60, true), 0);
    netback_run();
    ck_assert_uint_eq(netback_waiting(&netback_tx), 1);
}
END_TEST

START_TEST(the_guest_ends_while_some_are_held_back)
{
    become_busy();
    ask(1);
    ask(1);
    ck_assert_uint_gt(push()->held, 0);
    (void)take();
    netback_end_guest();
    ck_assert_uint_gt(take(), 0);
    memset(&seen, 0, sizeof(seen));
    ask(1);
    ask(1);
    ck_assert_uint_eq(seen.held, 0);
}
END_TEST

START_TEST(no_more_than_so_many_are_hidden)
{
    struct fake_port *port = &fake_ports[netback_tx.port];
    unsigned told, shows;

    model = ONE;
    run_model(300);
    shows = push()->shows;
    told = port->notifies;
    for (unsigned i = 0; i < 31; i++)
        ck_assert_int_eq(send_frame(60, true), 0);
    ck_assert_uint_eq(netback_waiting(&netback_tx), 0);
    ck_assert_uint_eq(port->notifies, told);
    ck_assert_int_eq(send_frame(60, true), 0); /* in the middle of a turn */
    ck_assert_uint_eq(netback_waiting(&netback_tx), 32);
    ck_assert_uint_eq(port->notifies, told + 1);
    netback_run();
    ck_assert_uint_eq(push()->shows, shows + 1);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("moderation");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, one_client_is_answered_at_once);
    tcase_add_loop_test(c, many_clients_are_answered_together, 0, 2);
    tcase_add_test(c, who_come_together_are_left_alone);
    tcase_add_loop_test(c, what_does_not_help_is_not_done, 0, 5);
    tcase_add_test(c, few_requests_are_not_held_back);
    tcase_add_test(c, another_load_is_noticed);
    tcase_add_loop_test(c, after_a_rest_nothing_is_held_back, 0, 2);
    tcase_add_test(c, what_is_held_back_is_shown);
    tcase_add_test(c, what_was_held_back_is_taken_back);
    tcase_add_loop_test(c, the_backend_goes_while_some_are_held_back, 0, 2);
    tcase_add_test(c, the_guest_ends_while_some_are_held_back);
    tcase_add_test(c, no_more_than_so_many_are_hidden);
    return run_suite(suite_create("netfront_push"), c);
}
