/* SPDX-License-Identifier: ISC */
/*
 * kernel/log.c: what a line looks like, what it never holds, and that lines which are left out are
 * counted, although nothing more is logged.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/loop.h"
#include "kernel/timer.h"
#include "xen/clock.h"

#define LOG_MODULE "test"

static char text[1 << 16];
static size_t used;
static uint64_t now = 7 * NSEC_PER_SEC;

uint64_t clock_monotonic(void)
{
    return now;
}

uint64_t timer_now(void)
{
    return now;
}

void console_write(const char *line, size_t len)
{
    ck_assert_uint_lt(used + len, sizeof(text));
    memcpy(text + used, line, len);
    used += len;
    text[used] = '\0';
}

static unsigned count(const char *what)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

START_TEST(lines)
{
    log_info("%s, %d", "text", -5);
    log_error("bad");
    ck_assert_str_eq(text, "[   7.000000] test: text, -5\n[   7.000000] test: ERROR bad\n");
}
END_TEST

START_TEST(what_peers_say) /* no lines of their own, no terminal sequences, no 8-bit controls */
{
    log_info("\"%s\"", "a\nb\x1b[2J\x7f\x9b"
                       "2J\xc3\xa4~ z");
    ck_assert_str_eq(text, "[   7.000000] test: \"a?b?[2J??2J??~ z\"\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    char big[1000];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    log_info("%s", big);
    ck_assert_uint_le(used, 200);
    ck_assert_str_eq(text + used - 4, "...\n");
}
END_TEST

static void complain(void)
{
    log_limited(LOG_WARN, "complaint");
}

START_TEST(floods_are_counted)
{
    for (unsigned second = 0; second < 3; second++) {
        for (unsigned i = 0; i < 100; i++) {
            complain();
            log_limited(LOG_WARN, "another");
            now += NSEC_PER_MSEC;
            timer_run(now);
        }
        now += NSEC_PER_SEC;
        timer_run(now);
        ck_assert_uint_eq(count("complaint"), LOG_BURST * (second + 1));
        ck_assert_uint_eq(count("another"), LOG_BURST * (second + 1));
        ck_assert_uint_eq(count("95 more such lines were left out"), 2 * (second + 1));
        ck_assert_uint_eq(timer_next(), UINT64_MAX);
    }
}
END_TEST

START_TEST(few_lines_are_all_there)
{
    for (unsigned i = 0; i < 40; i++) {
        complain();
        now += NSEC_PER_SEC / LOG_BURST;
        timer_run(now);
    }
    ck_assert_uint_eq(count("complaint"), 40);
    ck_assert_uint_eq(count("left out"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *c = tcase_create("lines");
    SRunner *r;
    int failed;

    tcase_add_test(c, lines);
    tcase_add_test(c, what_peers_say);
    tcase_add_test(c, long_lines_are_cut);
    tcase_add_test(c, floods_are_counted);
    tcase_add_test(c, few_lines_are_all_there);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
