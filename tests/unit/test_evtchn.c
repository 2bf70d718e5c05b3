/* SPDX-License-Identifier: ISC */
/*
 * xen/evtchn.c over a shared info page in host memory, raised as Xen raises it (bottom up).
 */
#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_hypercall.h"

#include "xen/evtchn.c"

static struct shared_info page;
struct shared_info *const arch_shared_info = &page;
uint64_t upcall_count;

static uint64_t now;
static struct timer *armed;
static struct work *late;
static unsigned sent[PORTS], closed[PORTS];
static evtchn_port_t next_port;
static unsigned calls;
static uint32_t status;

uint64_t timer_now(void)
{
    return now;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

void timer_arm(struct timer *t, uint64_t when)
{
    t->armed = true;
    t->when = when;
    armed = t;
}

void work_init(struct work *w, void (*run)(struct work *w))
{
    list_init(&w->node);
    w->run = run;
}

void work_post_late(struct work *w)
{
    late = w;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level, (void)module, (void)fmt;
}

long fake_hypercall(unsigned op, uintptr_t cmd, uintptr_t arg, uintptr_t a3, uintptr_t a4)
{
    (void)a3, (void)a4;
    ck_assert_uint_eq(op, __HYPERVISOR_event_channel_op);
    switch (cmd) {
    case EVTCHNOP_alloc_unbound:
        ((struct evtchn_alloc_unbound *)arg)->port = next_port;
        return 0;
    case EVTCHNOP_bind_interdomain:
        if (((struct evtchn_bind_interdomain *)arg)->remote_dom != 3 ||
            ((struct evtchn_bind_interdomain *)arg)->remote_port != 77)
            return -EINVAL;
        ((struct evtchn_bind_interdomain *)arg)->local_port = next_port;
        return 0;
    case EVTCHNOP_send:
        sent[((struct evtchn_send *)arg)->port]++;
        return 0;
    case EVTCHNOP_status:
        ck_assert_uint_eq(((struct evtchn_status *)arg)->dom, DOMID_SELF);
        ((struct evtchn_status *)arg)->status = status;
        return ((struct evtchn_status *)arg)->port == next_port ? 0 : -EINVAL;
    case EVTCHNOP_close:
        closed[((struct evtchn_close *)arg)->port % PORTS]++;
        return 0;
    default:
        return -ENOSYS;
    }
}

/* As Xen's evtchn_2l_set_pending(). */
static void raise_event(evtchn_port_t port)
{
    bool was = page.evtchn_pending[port / 64] >> (port % 64) & 1;

    page.evtchn_pending[port / 64] |= UINT64_C(1) << (port % 64);
    if (was || page.evtchn_mask[port / 64] >> (port % 64) & 1)
        return;
    page.vcpu_info[0].evtchn_pending_sel |= UINT64_C(1) << (port / 64);
    page.vcpu_info[0].evtchn_upcall_pending = 1;
}

static void count(void *ctx)
{
    (void)ctx;
    calls++;
}

static void setup(void)
{
    memset(&page, 0, sizeof(page));
    memset(&evtchn, 0, sizeof(evtchn));
    memset(sent, 0, sizeof(sent));
    memset(closed, 0, sizeof(closed));
    now = calls = 0;
    late = NULL;
    armed = NULL;
    evtchn_init();
}

static evtchn_port_t bind(evtchn_port_t port, evtchn_handler *fn, void *ctx)
{
    next_port = port;
    ck_assert_int_eq(evtchn_alloc_unbound(0, fn, ctx), (int)port);
    return port;
}

START_TEST(everything_is_masked_at_first)
{
    raise_event(5);
    ck_assert(!evtchn_pending());
    ck_assert_uint_eq(evtchn_dispatch(), 0);
}
END_TEST

START_TEST(an_event_runs_its_handler_once)
{
    bind(5, count, NULL);
    bind(200, count, NULL);
    raise_event(5);
    raise_event(5);
    raise_event(200);
    ck_assert(evtchn_pending());
    ck_assert_uint_eq(evtchn_dispatch(), 2);
    ck_assert_uint_eq(calls, 2);
    ck_assert_uint_eq(evtchn_dispatch(), 0);
}
END_TEST

static void raise_again(void *ctx)
{
    if (calls++ == 0)
        raise_event(*(evtchn_port_t *)ctx);
}

START_TEST(an_edge_raised_in_the_handler_is_seen) /* hardening.md, rule 13 */
{
    evtchn_port_t port = 7;

    bind(port, raise_again, &port);
    raise_event(port);
    (void)evtchn_dispatch();
    ck_assert(evtchn_pending());
    (void)evtchn_dispatch();
    ck_assert_uint_eq(calls, 2);
}
END_TEST

START_TEST(an_event_from_before_the_binding_is_seen)
{
    raise_event(9);
    bind(9, count, NULL);
    ck_assert(evtchn_pending());
    (void)evtchn_dispatch();
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(spurious_events_are_put_off_longer_and_longer) /* rule 14 */
{
    uint64_t delay = NSEC_PER_USEC;

    bind(11, count, NULL);
    for (int i = 0; i < 30; i++) {
        evtchn_spurious(11);
        ck_assert(armed && armed->armed);
        ck_assert_uint_eq(armed->when - now, MIN(delay, NSEC_PER_SEC));
        raise_event(11);
        ck_assert_msg(!evtchn_pending(), "the port is not masked");
        now = armed->when;
        armed->armed = false;
        armed->fn(armed);
        ck_assert_msg(evtchn_pending(), "the event was lost");
        (void)evtchn_dispatch();
        delay *= 2;
    }
    evtchn_useful(11);
    evtchn_spurious(11);
    ck_assert_uint_eq(armed->when - now, NSEC_PER_USEC);
}
END_TEST

START_TEST(each_port_has_its_own_delay) /* a second port of the same peer shortens nothing */
{
    uint64_t start;

    bind(11, count, NULL);
    bind(150, count, NULL);
    for (int i = 0; i < 11; i++)
        evtchn_spurious(11);
    start = now;
    raise_event(11);
    while (now < start + 1000 * NSEC_PER_USEC) {
        evtchn_spurious(150);
        ck_assert(armed->armed);
        ck_assert_msg(!evtchn_pending(), "unmasked after %lu ns", now - start);
        now = armed->when;
        armed->armed = false;
        armed->fn(armed);
        evtchn_useful(150);
    }
    now = start + 1024 * NSEC_PER_USEC;
    ck_assert(armed->armed);
    armed->fn(armed);
    ck_assert_msg(evtchn_pending(), "the event was lost");
}
END_TEST

START_TEST(unbinding_closes_once_and_forgets)
{
    bind(13, count, NULL);
    evtchn_notify_late(13);
    raise_event(13);
    evtchn_unbind(13);
    evtchn_unbind(13);
    evtchn_unbind(0);
    ck_assert_uint_eq(closed[13], 1);
    (void)evtchn_dispatch();
    ck_assert_uint_eq(calls, 0);
    late->run(late);
    ck_assert_uint_eq(sent[13], 0);
    bind(13, count, NULL);
    ck_assert_msg(!evtchn_pending(), "the new owner got the old one's event");
}
END_TEST

START_TEST(late_notifications_are_sent_once_each)
{
    bind(3, count, NULL);
    bind(130, count, NULL);
    evtchn_notify_late(3);
    evtchn_notify_late(3);
    evtchn_notify_late(130);
    ck_assert_uint_eq(sent[3], 0);
    late->run(late);
    ck_assert_uint_eq(sent[3], 1);
    ck_assert_uint_eq(sent[130], 1);
    late->run(late);
    ck_assert_uint_eq(sent[3], 1);
}
END_TEST

START_TEST(a_port_beyond_the_table_is_closed_and_refused)
{
    next_port = PORTS + 5;
    ck_assert_int_eq(evtchn_alloc_unbound(0, count, NULL), -ENOSPC);
    ck_assert_uint_eq(closed[(PORTS + 5) % PORTS], 1);
    ck_assert_int_eq(evtchn_attach(PORTS, count, NULL), -ERANGE);
    ck_assert_int_eq(evtchn_attach(0, count, NULL), -ERANGE);
}
END_TEST

START_TEST(a_port_that_another_domain_keeps_for_us)
{
    next_port = 9;
    ck_assert_int_eq(evtchn_bind_interdomain(3, 78, count, NULL), -EINVAL);
    ck_assert_int_eq(evtchn_bind_interdomain(3, 77, count, NULL), 9);
    raise_event(9);
    ck_assert_uint_eq(evtchn_dispatch(), 1);
    status = EVTCHNSTAT_interdomain;
    ck_assert(evtchn_is_connected(9));
    ck_assert(!evtchn_is_connected(8));
    status = EVTCHNSTAT_unbound; /* the domain has died */
    ck_assert(!evtchn_is_connected(9));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evtchn");
    TCase *c = tcase_create("two-level");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, everything_is_masked_at_first);
    tcase_add_test(c, an_event_runs_its_handler_once);
    tcase_add_test(c, an_edge_raised_in_the_handler_is_seen);
    tcase_add_test(c, an_event_from_before_the_binding_is_seen);
    tcase_add_test(c, spurious_events_are_put_off_longer_and_longer);
    tcase_add_test(c, each_port_has_its_own_delay);
    tcase_add_test(c, a_port_that_another_domain_keeps_for_us);
    tcase_add_test(c, unbinding_closes_once_and_forgets);
    tcase_add_test(c, late_notifications_are_sent_once_each);
    tcase_add_test(c, a_port_beyond_the_table_is_closed_and_refused);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
