/* SPDX-License-Identifier: ISC */
/*
 * xen/ring.h against a model of a backend: orderly traffic over the wrap of the indices, the rule
 * for notifications, producer indices and ids that lie (hardening.md, rules 1, 2 and 4).
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "xen/ring.h"

struct request {
    uint32_t id, value;
};

union entry {
    struct request req;
    struct request rsp;
    uint8_t bytes[12];
};

static struct ring ring;
static _Alignas(64) uint8_t page[4096];

static void setup(void)
{
    memset(page, 0, sizeof(page));
    ring_init(&ring, page, sizeof(page), sizeof(union entry));
}

/* As if this many requests had been answered since the beginning. */
static void start_at(uint32_t index)
{
    ring.req_prod = ring.req_pushed = ring.rsp_cons = index;
    ring.shared->req_prod = ring.shared->rsp_prod = index;
    ring.shared->req_event = ring.shared->rsp_event = index + 1;
}

static void put(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct request r = {ring.req_prod, ring.req_prod * 3};

        ring_put(&ring, &r, sizeof(r));
    }
}

/* The backend: answers count requests in order. */
static void answer(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t n = ring.shared->rsp_prod;
        union entry *e = (union entry *)(page + sizeof(struct ring_header)) + (n & (ring.size - 1));
        struct request r = e->req;

        ck_assert_uint_eq(r.id, n);
        ck_assert_uint_eq(r.value, n * 3);
        r.value++;
        e->rsp = r;
        ring.shared->rsp_prod = n + 1;
    }
}

static void take(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct request r;
        uint32_t n = ring.rsp_cons;

        ring_get(&ring, &r, sizeof(r));
        ck_assert_uint_eq(r.id, n);
        ck_assert_uint_eq(r.value, n * 3 + 1);
    }
}

START_TEST(sizes)
{
    static const struct {
        size_t bytes, entry;
        uint32_t size;
    } cases[] = {
        {4096, 12, 256},       /* netif tx */
        {4096, 8, 256},        /* netif rx: 504 fit */
        {4096, 112, 32},       /* blkif */
        {4096 * 16, 112, 512}, /* 16 pages */
        {4096, 4032, 1},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static uint8_t big[4096 * 16];

        ring_init(&ring, big, cases[i].bytes, cases[i].entry);
        ck_assert_uint_eq(ring.size, cases[i].size);
        ck_assert_uint_eq(ring_free(&ring), cases[i].size);
    }
}
END_TEST

START_TEST(traffic_over_the_wrap)
{
    srand(1);
    start_at(0xfffffff0u);
    for (unsigned i = 0; i < 200; i++) {
        unsigned n = (unsigned)rand() % (ring_free(&ring) + 1);
        unsigned back;

        put(n);
        (void)ring_push(&ring);
        back = (unsigned)rand() % (ring.req_pushed - ring.shared->rsp_prod + 1);
        answer(back);
        ck_assert_int_ge(ring_responses(&ring), (int)back);
        take((unsigned)ring_responses(&ring));
    }
}
END_TEST

START_TEST(full)
{
    put(ring.size);
    ck_assert_uint_eq(ring_free(&ring), 0);
    (void)ring_push(&ring);
    answer(ring.size);
    ck_assert_int_eq(ring_responses(&ring), (int)ring.size);
    take(1);
    ck_assert_uint_eq(ring_free(&ring), 1);
}
END_TEST

/* The backend asks, by req_event, to be told of the first request it has not seen. */
START_TEST(notification_only_when_asked_for)
{
    start_at(0xfffffffeu);
    put(1);
    ck_assert(ring_push(&ring));
    put(1);
    ck_assert(!ring_push(&ring)); /* req_event was passed already */
    ring.shared->req_event = ring.req_prod + 1;
    put(3);
    ck_assert(ring_push(&ring));
    ring.shared->req_event = ring.req_prod + 3;
    put(2);
    ck_assert(!ring_push(&ring));
    put(1);
    ck_assert(ring_push(&ring));
    ck_assert(!ring_push(&ring)); /* nothing new */
}
END_TEST

START_TEST(rearm)
{
    put(2);
    (void)ring_push(&ring);
    answer(1);
    take(1);
    ck_assert(!ring_rearm(&ring));
    ck_assert_uint_eq(ring.shared->rsp_event, ring.rsp_cons + 1);
    answer(1);
    ck_assert(ring_rearm(&ring));
}
END_TEST

START_TEST(producer_that_lies)
{
    static const uint32_t bases[] = {0, 1000, 0xffffffffu, 0xfffffff8u};
    uint32_t base = bases[_i];

    start_at(base);
    put(10);
    (void)ring_push(&ring);
    put(5); /* written, and not pushed: no answer may come */
    ring.shared->rsp_prod = base + 10;
    ck_assert_int_eq(ring_responses(&ring), 10);
    ring.shared->rsp_prod = base + 11; /* more than was asked */
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base + 15;
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base + ring.size; /* a whole ring */
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base + ring.size + 1;
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base - 1; /* backwards */
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base + 0x80000000u;
    ck_assert_int_eq(ring_responses(&ring), -1);
    ring.shared->rsp_prod = base;
    ck_assert_int_eq(ring_responses(&ring), 0);
}
END_TEST

/* Nothing that the backend writes into the shared indices moves ours. */
START_TEST(own_indices_are_private)
{
    put(3);
    (void)ring_push(&ring);
    ring.shared->req_prod = 77;
    ck_assert_uint_eq(ring_free(&ring), ring.size - 3);
    put(1);
    (void)ring_push(&ring);
    ck_assert_uint_eq(ring.shared->req_prod, 4);
}
END_TEST

/* Rule 4: of all 64-bit ids a response may carry, those in flight and shown are answered, once. */
START_TEST(ids_that_lie)
{
    static const uint64_t never[] = {8, 255, RING_NO_ID, UINT32_MAX, 1ull << 32, UINT64_MAX};
    static const uint32_t bases[] = {0, 0x7fffffffu, 0xfffffffeu};
    struct ring_id array[8];
    struct ring_ids ids;
    uint16_t shown, put_only;

    start_at(bases[_i]);
    ring_ids_init(&ids, array, 8);
    ck_assert(!ring_id_answered(&ids, &ring, 0)); /* nothing is in flight */
    shown = ring_id_take(&ids, &ring);
    put(1);
    (void)ring_push(&ring);
    put_only = ring_id_take(&ids, &ring);
    put(1);
    for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        ck_assert(!ring_id_answered(&ids, &ring, never[i]));
    ck_assert(!ring_id_answered(&ids, &ring, put_only));
    ck_assert(!ring_id_answered(&ids, &ring, shown | 1ull << 32)); /* cut to 32 bits it is one */
    ck_assert(ring_id_answered(&ids, &ring, shown));
    ck_assert(!ring_id_answered(&ids, &ring, shown));
    (void)ring_push(&ring);
    ck_assert(ring_id_answered(&ids, &ring, put_only));
}
END_TEST

START_TEST(ids_run_out)
{
    struct ring_id array[3];
    struct ring_ids ids;
    unsigned seen = 0;

    ring_ids_init(&ids, array, 3);
    for (unsigned i = 0; i < 3; i++)
        seen |= 1u << ring_id_take(&ids, &ring);
    ck_assert_uint_eq(seen, 7);
    ck_assert_uint_eq(ring_id_take(&ids, &ring), RING_NO_ID);
    put(1);
    (void)ring_push(&ring);
    ck_assert(ring_id_answered(&ids, &ring, 1));
    ck_assert_uint_eq(ring_id_take(&ids, &ring), 1);
}
END_TEST

/* CONFIG_DEBUG_CHECKS */
START_TEST(our_own_mistakes)
{
    struct request r;

    if (_i == 0)
        put(ring.size + 1);
    else
        ring_get(&ring, &r, sizeof(r));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring");
    TCase *t = tcase_create("ring");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, sizes);
    tcase_add_test(t, traffic_over_the_wrap);
    tcase_add_test(t, full);
    tcase_add_test(t, notification_only_when_asked_for);
    tcase_add_test(t, rearm);
    tcase_add_loop_test(t, producer_that_lies, 0, 4);
    tcase_add_test(t, own_indices_are_private);
    tcase_add_loop_test(t, ids_that_lie, 0, 3);
    tcase_add_test(t, ids_run_out);
    tcase_add_loop_test_raise_signal(t, our_own_mistakes, SIGILL, 0, 2);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
