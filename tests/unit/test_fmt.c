/* SPDX-License-Identifier: ISC */
/*
 * kernel/fmt.c against the host's printf: every conversion kernel/log.h promises, with every
 * combination of flags, width, precision and length, and buffers of every size.
 */
#include <check.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/log.h"

/* Formats are built at run time, and some are wrong on purpose. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-overflow"

/* Formats the same with both and compares text and length. */
#define same(fmt, ...)                                                                             \
    do {                                                                                           \
        char ours[300], theirs[300];                                                               \
        int n = fmt_print(ours, sizeof(ours), fmt, __VA_ARGS__);                                   \
        int m = snprintf(theirs, sizeof(theirs), fmt, __VA_ARGS__);                                \
        ck_assert_msg(n == m && strcmp(ours, theirs) == 0, "%s: '%s' (%d), not '%s' (%d)", fmt,    \
                      ours, n, theirs, m);                                                         \
    } while (0)

static const char *const flags[] = {"", "-", "0", "-0"};
static const char *const widths[] = {"", "1", "7", "24"};
static const char *const precisions[] = {"", ".", ".0", ".1", ".5", ".22"};

static void each_spec(const char *tail, void (*check)(const char *fmt))
{
    char fmt[64];

    for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
        for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
            for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
                snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s>", flags[f], widths[w], precisions[p],
                         tail);
                check(fmt);
            }
}

static void check_int(const char *fmt)
{
    static const int values[] = {0, 1, -1, 42, -12345, INT_MAX, INT_MIN, 255, 65536};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        same(fmt, values[i]);
}

static void check_long(const char *fmt)
{
    static const long values[] = {0, 1, -1, LONG_MAX, LONG_MIN, 1234567890123, 0xffffffff};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        same(fmt, values[i]);
}

static void check_text(const char *fmt)
{
    static const char *const values[] = {"", "a", "hello", "longer than every width and precision"};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        same(fmt, values[i]);
}

START_TEST(integers_are_those_of_printf)
{
    static const char *const ints[] = {"d", "i", "u", "x", "X", "hd", "hu", "hhd", "hhu", "hhx"};
    static const char *const longs[] = {"ld", "lu", "lx", "lld", "llu", "llX", "zd", "zu", "zx"};

    for (size_t i = 0; i < ARRAY_SIZE(ints); i++)
        each_spec(ints[i], check_int);
    for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
        each_spec(longs[i], check_long);
}
END_TEST

START_TEST(text_is_that_of_printf)
{
    each_spec("s", check_text);
    same("%c|%5c|%-5c|%%", 'a', 'b', 'c');
    same("%p", (void *)0x1234abcd);
    same("%*d|%-*d|%.*s|%*s", 5, 1, 6, 2, 3, "abcdef", -9, "left");
    same("%.*s", -1, "no precision");
    same("plain %s and %d, %lx", "text", 7, 0xdeadbeefcafeul);
}
END_TEST

START_TEST(a_missing_string_is_named)
{
    char buf[32];

    fmt_print(buf, sizeof(buf), "[%s]", (char *)NULL);
    ck_assert_str_eq(buf, "[(null)]");
}
END_TEST

START_TEST(a_short_buffer_is_never_overrun)
{
    const char *full = "number -00042, text abc  |";

    for (size_t size = 0; size < 40; size++) {
        char *buf = malloc(size ? size : 1); /* the sanitizer watches its end */
        int n;

        buf[0] = 'Q';
        n = fmt_print(buf, size, "number %06d, text %-5s|", -42, "abc");
        ck_assert_int_eq(n, (int)strlen(full));
        if (size == 0)
            ck_assert_int_eq(buf[0], 'Q');
        else
            ck_assert(strlen(buf) < size && strncmp(buf, full, strlen(buf)) == 0);
        free(buf);
    }
}
END_TEST

START_TEST(an_unknown_conversion_ends_the_text_as_it_is)
{
    char buf[64];
    const char *fmt = "a %d then %f and %s";

    fmt_print(buf, sizeof(buf), fmt, 1, 2.0, "x");
    ck_assert_str_eq(buf, "a 1 then %f and %s");
    fmt = "ends in %";
    fmt_print(buf, sizeof(buf), fmt, 0);
    ck_assert_str_eq(buf, "ends in %");
    fmt_print(buf, sizeof(buf), "%*d", INT_MIN, 5); /* a width without a positive counterpart */
    ck_assert_int_eq(buf[0], '5');
    ck_assert_int_eq(buf[62], ' ');
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fmt");
    TCase *t = tcase_create("fmt");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, integers_are_those_of_printf);
    tcase_add_test(t, text_is_that_of_printf);
    tcase_add_test(t, a_missing_string_is_named);
    tcase_add_test(t, a_short_buffer_is_never_overrun);
    tcase_add_test(t, an_unknown_conversion_ends_the_text_as_it_is);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
