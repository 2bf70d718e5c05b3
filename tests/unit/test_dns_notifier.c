/* SPDX-License-Identifier: ISC */
/*
 * Notices to secondaries: sent until they are answered, by the right one, or five times.
 */
#include "lib/dns/image.h"
#include "lib/dns/notifier.h"
#include "lib/dns/query.h"
#include "tests/unit/parse_address.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

long memory_left = -1;
int memory_comes_back;

static const uint8_t zone[] = "\7example\3org", other[] = "\7example\3net";
static struct dns_access rules;
static struct notifier n;
static uint32_t now;
static uint8_t message[600]; /* sent last */
static size_t message_len;
static struct dns_peer receiver;
static unsigned sent, untold, woken;
static const char *why;

static void send_message(const struct dns_peer *to, const uint8_t *octets, size_t len)
{
    ck_assert_uint_le(len, sizeof(message));
    memcpy(message, octets, len);
    message_len = len;
    receiver = *to;
    sent++;
}

static void wake(void)
{
    woken++;
}

static void tell(const uint8_t *name, const struct dns_peer *to, const char *reason)
{
    ck_assert_uint_eq(name[0], 7);
    ck_assert_uint_ne(to->port, 0);
    why = reason;
    untold++;
}

static uint32_t clock_now(void)
{
    return now;
}

static uint32_t number(void)
{
    static uint32_t state = 1;

    return state += 0x1003;
}

static const char *prepare(const char *list)
{
    static const struct notifier_ops ops = {.send = send_message,
                                            .wake = wake,
                                            .tell = tell,
                                            .monotonic = clock_now,
                                            .wall = clock_now,
                                            .random = number};

    rules = (struct dns_access){0};
    ck_assert_ptr_null(access_add_keys(&rules, "key.example:c2VjcmV0"));
    now = 1700000000;
    sent = untold = 0;
    notifier_init(&n, &ops);
    return notifier_add(&n, list, &rules, parse_address);
}

/* The answer to what was sent last, in a block of its size. */
static void answer(const struct dns_peer *from, unsigned rcode, size_t len)
{
    uint8_t *exact = malloc(len);

    memcpy(exact, message, len);
    if (len > 3) {
        exact[2] |= FLAG_QR;
        exact[3] = (uint8_t)rcode;
    }
    notifier_take(&n, from, exact, len);
    free(exact);
}

START_TEST(test_until_answered)
{
    uint32_t start;

    ck_assert_ptr_null(prepare("192.0.2.1:5353"));
    start = now;
    ck_assert_uint_eq(notifier_run(&n), UINT32_MAX);
    ck_assert_int_eq(notifier_changed(&n, zone), 0);
    for (unsigned i = 1; i <= NOTIFIER_TRIES; i++) {
        ck_assert_uint_eq(notifier_run(&n), 1u << i);
        ck_assert_uint_eq(sent, i);
        ck_assert_uint_eq(message_len, HEADER_SIZE + sizeof(zone) + 4);
        ck_assert_uint_eq(message[2], OPCODE_NOTIFY | FLAG_AA);
        ck_assert_mem_eq(message + HEADER_SIZE, zone, sizeof(zone));
        ck_assert_uint_eq(receiver.port, 5353);
        now += (1u << i) - 1;
        ck_assert_uint_eq(notifier_run(&n), 1);
        now++;
    }
    ck_assert_uint_eq(notifier_run(&n), UINT32_MAX);
    ck_assert_uint_eq(now - start, 62);
    ck_assert_uint_eq(sent, NOTIFIER_TRIES);
    ck_assert_uint_eq(untold, 1);
    ck_assert_str_eq(why, "it does not answer");
    ck_assert_ptr_null(n.notices);
}
END_TEST

/* Each zone to each server, and again when it changes again; but one at a time. */
START_TEST(test_answers)
{
    struct dns_peer peer;

    ck_assert_ptr_null(prepare("192.0.2.1,[2001:db8::1]:54@key.example"));
    ck_assert(!notifier_changed(&n, zone) && !notifier_changed(&n, other));
    ck_assert(!notifier_changed(&n, zone));
    (void)notifier_run(&n);
    ck_assert_uint_eq(sent, 4);
    for (unsigned left = 4; left; left--) {
        now += 64;
        sent = 0;
        (void)notifier_run(&n);
        ck_assert_uint_eq(sent, left);
        ck_assert_uint_eq(message[11], receiver.key ? 1 : 0);
        /* Of somebody else, to something else, no answer at all. */
        peer = receiver;
        peer.port++;
        answer(&peer, 0, message_len);
        peer = receiver;
        peer.address[0]++;
        answer(&peer, 0, message_len);
        message[1] ^= 1;
        answer(&receiver, 0, message_len);
        message[1] ^= 1;
        message[HEADER_SIZE + 1] ^= 1;
        answer(&receiver, 0, message_len);
        message[HEADER_SIZE + 1] ^= 1;
        for (size_t len = 1; len < HEADER_SIZE + sizeof(zone); len++)
            answer(&receiver, 0, len);
        notifier_take(&n, &receiver, message, message_len);
        ck_assert_uint_eq(untold, 4 / 2 - (left + 1) / 2);
        /* The right one: any response code will do. */
        answer(&receiver, left % 2 ? DNS_REFUSED : 0, message_len);
        ck_assert_uint_eq(untold, 4 / 2 - left / 2);
    }
    ck_assert_ptr_null(n.notices);
}
END_TEST

/* A server of many zones does not send them all at once. */
START_TEST(test_burst)
{
    uint8_t names[100][sizeof(zone)];

    ck_assert_ptr_null(prepare("192.0.2.1"));
    for (unsigned i = 0; i < 100; i++) {
        memcpy(names[i], zone, sizeof(zone));
        names[i][1] = (uint8_t)('a' + i % 26);
        names[i][2] = (uint8_t)('a' + i / 26);
        ck_assert_int_eq(notifier_changed(&n, names[i]), 0);
    }
    while (n.notices) {
        unsigned before = sent;

        now++;
        /* However often it is called in this second: another zone has changed, for one. */
        for (unsigned i = 0; i < 3; i++)
            ck_assert_uint_ge(notifier_run(&n), 1);
        ck_assert_uint_le(sent - before, NOTIFIER_BURST);
    }
    ck_assert_uint_eq(sent, 100 * NOTIFIER_TRIES);
}
END_TEST

/* When there is no memory for one server, the others are told. */
START_TEST(test_memory)
{
    ck_assert_ptr_null(prepare("192.0.2.1,192.0.2.2,192.0.2.3"));
    memory_comes_back = 1;
    for (long missing = 1; missing <= 3; missing++) {
        sent = woken = 0;
        memory_left = missing;
        ck_assert_int_eq(notifier_changed(&n, zone), -ENOMEM);
        ck_assert_uint_eq(woken, 1);
        (void)notifier_run(&n);
        ck_assert_uint_eq(sent, 2);
        now += 64;
        for (unsigned left = 2; left; left--, now += 64) {
            (void)notifier_run(&n);
            answer(&receiver, 0, message_len);
        }
        ck_assert_ptr_null(n.notices);
    }
}
END_TEST

START_TEST(test_lists)
{
    ck_assert_ptr_null(prepare(""));
    ck_assert_int_eq(notifier_changed(&n, zone), 0);
    ck_assert_str_eq(prepare("192.0.2"), "a server is ADDRESS[:PORT][@KEY]");
    ck_assert_str_eq(prepare("192.0.2.1@other"), "a key that tsig= does not have");
    ck_assert_str_eq(prepare("::1,::2,::3,::4,::5,::6,::7,::8,::9"), "too many servers");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("notifier");
    Suite *s = suite_create("dns_notifier");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, test_until_answered);
    tcase_add_test(t, test_answers);
    tcase_add_test(t, test_burst);
    tcase_add_test(t, test_memory);
    tcase_add_test(t, test_lists);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
