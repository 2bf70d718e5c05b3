/* SPDX-License-Identifier: ISC */
/*
 * kernel/cmdline.c: splitting, quoting, keys, the app's arguments, and that a seed is gone once it
 * was taken.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/cmdline.h"

static char text[1024];
static char logged[4096];
static char **argv;
static int argc;

/* What the log would have said, for the tests to look at. */
void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    size_t used = strlen(logged);
    va_list ap;

    (void)level;
    (void)module;
    va_start(ap, fmt);
    vsnprintf(logged + used, sizeof(logged) - used, fmt, ap);
    va_end(ap);
}

static void split(const char *line)
{
    memset(text, 'Z', sizeof(text));
    strcpy(text, line);
    logged[0] = '\0';
    cmdline_init(text, sizeof(text));
}

static void expect_arguments(const char *first, ...)
{
    va_list ap;
    int i = 1;

    argc = cmdline_argv("app", &argv);
    ck_assert_str_eq(argv[0], "app");
    va_start(ap, first);
    for (const char *want = first; want; want = va_arg(ap, const char *), i++) {
        ck_assert_msg(i < argc, "no argument %d, wanted '%s'", i, want);
        ck_assert_str_eq(argv[i], want);
    }
    va_end(ap);
    ck_assert_int_eq(argc, i);
    ck_assert_ptr_null(argv[argc]);
}

START_TEST(words_are_split_at_blanks)
{
    split("  one two\tthree \n four  ");
    expect_arguments("one", "two", "three", "four", NULL);
    split("");
    expect_arguments(NULL);
    split("   ");
    expect_arguments(NULL);
}
END_TEST

START_TEST(quotes_are_the_shells)
{
    split("'a b' \"c d\" e\\ f g'h i'\"j k\"l '' \"\" \"a\\\"b\\\\c\\d\" 'x\\y' \\'");
    expect_arguments("a b", "c d", "e f", "gh ij kl", "", "", "a\"b\\c\\d", "x\\y", "'", NULL);
    ck_assert_str_eq(logged, "");
}
END_TEST

START_TEST(an_open_quote_is_reported)
{
    split("a 'b c");
    expect_arguments("a", "b c", NULL);
    ck_assert_ptr_nonnull(strstr(logged, "inside quotes"));
    split("a\\");
    expect_arguments("a\\", NULL);
}
END_TEST

START_TEST(a_claimed_key_is_no_argument)
{
    split("x ip=10.0.0.2/24 debug gw='10.0.0.1' ipx=1");
    ck_assert_str_eq(cmdline_get("ip"), "10.0.0.2/24");
    ck_assert_str_eq(cmdline_get("gw"), "10.0.0.1");
    ck_assert_ptr_null(cmdline_get("debug"));
    ck_assert_ptr_null(cmdline_get("i"));
    expect_arguments("x", "debug", "ipx=1", NULL);
    cmdline_report_unknown();
    ck_assert_ptr_nonnull(strstr(logged, "'ipx'"));
    ck_assert_ptr_null(strstr(logged, "'ip'"));
}
END_TEST

START_TEST(a_known_key_is_not_reported)
{
    split("ip6=::1");
    cmdline_known("ip6");
    expect_arguments(NULL);
    cmdline_report_unknown();
    ck_assert_str_eq(logged, "");
}
END_TEST

START_TEST(the_last_value_counts)
{
    split("ip=1 ip=2 ip=");
    ck_assert_str_eq(cmdline_get("ip"), "");
    split("ip=1 ip=2");
    ck_assert_str_eq(cmdline_get("ip"), "2");
    expect_arguments(NULL);
}
END_TEST

START_TEST(after_two_dashes_nothing_is_a_key)
{
    split("ip=1 -- ip=2 -- '--' key=value");
    ck_assert_str_eq(cmdline_get("ip"), "1");
    ck_assert_ptr_null(cmdline_get("key"));
    expect_arguments("ip=2", "--", "--", "key=value", NULL);
    cmdline_report_unknown();
    ck_assert_str_eq(logged, "");
    split("'--' ip=1");
    ck_assert_str_eq(cmdline_get("ip"), "1");
    expect_arguments("--", NULL);
}
END_TEST

START_TEST(a_taken_value_is_gone)
{
    char buf[16];

    split("a seed=0123456789 b seed=abc");
    ck_assert_int_eq(cmdline_take("seed", buf, sizeof(buf)), 3);
    ck_assert_str_eq(buf, "abc");
    for (size_t i = 0; i + 3 < sizeof(text); i++)
        ck_assert(memcmp(text + i, "0123", 4) != 0 && memcmp(text + i, "abc", 3) != 0);
    ck_assert_str_eq(cmdline_get("seed"), "");
    expect_arguments("a", "b", NULL);
    ck_assert_int_eq(cmdline_take("none", buf, sizeof(buf)), 0);
    split("a seed='12\\34567xyz'"); /* unquoting moves text: nothing stays behind it */
    ck_assert_int_eq(cmdline_take("seed", buf, sizeof(buf)), 11);
    for (size_t i = 0; i < strlen("a seed='12345678xyz'"); i++)
        ck_assert(text[i] == '\0' || strchr("a seed=", text[i]));
    split("seed=0123456789abcdefg");
    ck_assert_int_eq(cmdline_take("seed", buf, sizeof(buf)), -E2BIG);
    ck_assert_str_eq(cmdline_get("seed"), "");
}
END_TEST

START_TEST(too_much_is_cut_and_reported)
{
    char line[1024];

    memset(line, 'a', sizeof(line)); /* no terminator within the size */
    memcpy(text, line, sizeof(text));
    logged[0] = '\0';
    cmdline_init(text, sizeof(text));
    argc = cmdline_argv("app", &argv);
    ck_assert_int_eq(argc, 2);
    ck_assert_uint_eq(strlen(argv[1]), sizeof(text) - 1);

    for (size_t i = 0; i < 400; i += 2)
        memcpy(line + i, "w ", 2);
    line[400] = '\0';
    split(line);
    ck_assert_ptr_nonnull(strstr(logged, "more than 64 words"));
    ck_assert_int_eq(cmdline_argv("app", &argv), 65);
}
END_TEST

/* Any bytes at all: no crash, no overrun, and never more text than there was. */
START_TEST(noise_is_survived)
{
    static const char alphabet[] = "ab= '\"\\-\t\n\x01\xff";
    unsigned seed = 1;

    for (int round = 0; round < 20000; round++) {
        size_t size = 1 + (size_t)(rand_r(&seed) % 100);
        char *line = malloc(size);
        size_t total = 0;

        for (size_t i = 0; i < size; i++)
            line[i] = alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
        logged[0] = '\0';
        cmdline_init(line, size);
        cmdline_known("a");
        cmdline_known("");
        argc = cmdline_argv("app", &argv);
        for (int i = 1; i < argc; i++)
            total += strlen(argv[i]) + 1;
        ck_assert(total <= size);
        cmdline_report_unknown();
        cmdline_init(text, sizeof(text)); /* forget the pointers into line */
        free(line);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cmdline");
    TCase *t = tcase_create("cmdline");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, words_are_split_at_blanks);
    tcase_add_test(t, quotes_are_the_shells);
    tcase_add_test(t, an_open_quote_is_reported);
    tcase_add_test(t, a_claimed_key_is_no_argument);
    tcase_add_test(t, a_known_key_is_not_reported);
    tcase_add_test(t, the_last_value_counts);
    tcase_add_test(t, after_two_dashes_nothing_is_a_key);
    tcase_add_test(t, a_taken_value_is_gone);
    tcase_add_test(t, too_much_is_cut_and_reported);
    tcase_add_test(t, noise_is_survived);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
