/* SPDX-License-Identifier: ISC */
/* What the tests of the network driver have in common: a device that comes and goes around each. */
#ifndef TESTS_UNIT_NETFRONT_TESTING_H
#define TESTS_UNIT_NETFRONT_TESTING_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_netback.h"

#include "lib/net/netpage.h"

#define SLOTS 256 /* of each ring */

/* --- around each test --- */

static inline void setup(void)
{
    fake_offers = (struct fake_offers){.mac = "00:16:3e:01:02:03"};
    netback_plug();
}

static inline void connected(void)
{
    ck_assert_int_eq(netback_connect(), 0);
}

static inline void teardown(void)
{
    fake_no_memory = fake_no_grants = false;
    netback_unplug();
}

/* --- what they look for --- */

static inline void ck_broken(const char *rule)
{
    netback_run();
    ck_assert_ptr_nonnull(netback_disabled);
    ck_assert_str_eq(netback_disabled, rule);
    ck_assert_uint_eq(netback_delivered, 0);
}

static inline void ck_works(void)
{
    unsigned before = netback_delivered;

    netback_send(1, 60, PAGE_SIZE, 0);
    netback_show(&netback_rx);
    netback_run();
    ck_assert_uint_eq(netback_delivered, before + 1);
    ck_assert_ptr_null(netback_disabled);
}

/* A frame of len bytes in lwIP's own memory, or in a network page; sent and freed. */
static inline int send_frame(size_t len, bool in_page)
{
    struct netdev_offload offload = {0};
    struct pbuf *p = in_page ? netpage_alloc(len) : pbuf_alloc(PBUF_RAW, (uint16_t)len, PBUF_RAM);
    int err;

    ck_assert_ptr_nonnull(p);
    for (struct pbuf *q = p; q; q = q->next)
        memset(q->payload, 'f', q->len);
    err = netback_dev->transmit(netback_dev, p, &offload);
    pbuf_free(p);
    return err;
}

/* The fixtures and the running: main() of each. */
static inline int run_suite(Suite *s, TCase *c)
{
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_checked_fixture(c, connected, NULL);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
