/* SPDX-License-Identifier: ISC */
/*
 * lib/libc/console.c: lines, editing and echo, with the console's other side as a script of what is
 * typed while the reader waits.
 */
#include <check.h>
#include <stdlib.h>

#include "lib/libc/console.c"

static const char *const *script; /* the next pieces of input, NULL at the end */
static const char *typed = "";
static char shown[8192];
static void (*listener)(void *);
static unsigned sleeps;

void console_write(const char *text, size_t len)
{
    strncat(shown, text, len);
}

void console_write_wait(const char *text, size_t len)
{
    console_write(text, len);
}

size_t console_read(char *buf, size_t size)
{
    size_t n = MIN(size, strlen(typed));

    memcpy(buf, typed, n);
    typed += n;
    return n;
}

void console_on_input(void (*fn)(void *), void *ctx)
{
    (void)ctx;
    listener = fn;
}

void wait_queue_wake_all(struct wait_queue *q)
{
    (void)q;
}

/* Somebody types the next piece. */
void wait_queue_sleep(struct wait_queue *q)
{
    (void)q;
    sleeps++;
    ck_assert_msg(*script != NULL, "the reader waits for more than there is");
    typed = *script++;
    listener(NULL);
}

#define type_in(...)                                                                               \
    static const char *const pieces[] = {__VA_ARGS__, NULL};                                       \
    script = pieces

static void expect_read(const char *want)
{
    char buf[1000] = {0};
    ssize_t n = console_file.ops->read(&console_file, buf, sizeof(buf));

    ck_assert_int_eq(n, (int)strlen(want));
    ck_assert_str_eq(buf, want);
}

START_TEST(a_line_comes_when_it_is_complete)
{
    type_in("he", "llo", "\rsec", "ond\n");
    expect_read("hello\n");
    ck_assert_uint_eq(sleeps, 3);
    expect_read("second\n");
    ck_assert_str_eq(shown, "hello\nsecond\n");
}
END_TEST

START_TEST(several_lines_at_once_are_read_one_by_one)
{
    type_in("a\rb\r\rc\r");
    expect_read("a\n");
    expect_read("b\n");
    expect_read("\n");
    expect_read("c\n");
    ck_assert_uint_eq(sleeps, 1);
}
END_TEST

START_TEST(a_small_reader_gets_the_rest_later)
{
    char buf[3];

    type_in("abcdef\r");
    ck_assert_int_eq(console_file.ops->read(&console_file, buf, 3), 3);
    ck_assert_mem_eq(buf, "abc", 3);
    expect_read("def\n");
}
END_TEST

START_TEST(a_line_can_be_edited)
{
    type_in("abX\x7f"
            "c\r",
            "\x7f\x7f"
            "d\b\b\b"
            "e\r",
            "wrong\x15right\r");
    expect_read("abc\n");
    ck_assert_str_eq(shown, "abX\b \bc\n");
    expect_read("e\n");
    expect_read("right\n");
}
END_TEST

START_TEST(control_characters_are_left_out)
{
    type_in("a\x01\x1b[A\tb\xc3\xa4\r");
    expect_read("a[A\tb\xc3\xa4\n");
}
END_TEST

START_TEST(end_of_input)
{
    type_in("\x04", "more\r", "half\x04", "\x04");
    expect_read("");
    expect_read("more\n");
    expect_read("half"); /* as on a terminal: the line so far, without its end */
    expect_read("");
}
END_TEST

START_TEST(a_line_longer_than_the_buffer_is_cut)
{
    static char longer[2 * TEXT_MAX + 2];
    char buf[2 * TEXT_MAX];

    memset(longer, 'x', 2 * TEXT_MAX);
    longer[2 * TEXT_MAX] = '\r';
    type_in(longer, "next\r");
    ck_assert_int_eq(console_file.ops->read(&console_file, buf, sizeof(buf)), TEXT_MAX);
    ck_assert_int_eq(buf[TEXT_MAX - 1], '\n');
    expect_read("next\n");
}
END_TEST

START_TEST(without_waiting)
{
    char c;

    console_file.flags |= O_NONBLOCK;
    ck_assert_int_eq(console_file.ops->read(&console_file, &c, 1), -EAGAIN);
    typed = "a\r";
    listener(NULL);
    ck_assert_int_eq(console_file.ops->read(&console_file, &c, 1), 1);
    ck_assert_int_eq(c, 'a');
    ck_assert_uint_eq(sleeps, 0);
}
END_TEST

START_TEST(noise_is_survived)
{
    unsigned seed = 1;
    char buf[64], noise[300];

    console_file.flags |= O_NONBLOCK;
    for (int round = 0; round < 3000; round++) {
        size_t len = (size_t)rand_r(&seed) % sizeof(noise);

        for (size_t i = 0; i < len; i++)
            noise[i] = (char)(1 + rand_r(&seed) % 255);
        noise[len ? len - 1 : 0] = '\0';
        typed = noise;
        shown[0] = '\0';
        while (console_file.ops->read(&console_file, buf, 1 + (size_t)rand_r(&seed) % 64) > 0 ||
               *typed)
            shown[0] = '\0';
        ck_assert_uint_le(in.ready + in.editing, TEXT_MAX);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libc_console");
    TCase *t = tcase_create("libc_console");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, a_line_comes_when_it_is_complete);
    tcase_add_test(t, several_lines_at_once_are_read_one_by_one);
    tcase_add_test(t, a_small_reader_gets_the_rest_later);
    tcase_add_test(t, a_line_can_be_edited);
    tcase_add_test(t, control_characters_are_left_out);
    tcase_add_test(t, end_of_input);
    tcase_add_test(t, a_line_longer_than_the_buffer_is_cut);
    tcase_add_test(t, without_waiting);
    tcase_add_test(t, noise_is_survived);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
