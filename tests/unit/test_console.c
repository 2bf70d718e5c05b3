/* SPDX-License-Identifier: ISC */
/*
 * The console against a backend that reads all, little, nothing, or writes nonsense into the
 * indices.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_hypercall.h"

#define CONFIG_CONSOLE_BUFFER_KIB 2
#define CONFIG_CONSOLE_XEN 1

#include "drivers/console.c"

#include "tests/unit/fake_kernel.h"

#define PORT 2

static struct start_info start_info;
const struct start_info *arch_start_info = &start_info;
static struct xencons_interface *ring;
static char seen[1 << 20], copied[1 << 20];
static size_t seen_len, copied_len;
static size_t per_poll;
static unsigned polls;
static bool lying; /* the backend: its index is nonsense */

void *arch_mfn_to_virt(mfn_t mfn)
{
    return mfn.n == 88 ? ring : NULL;
}

long fake_hypercall(unsigned op, uintptr_t cmd, uintptr_t len, uintptr_t text, uintptr_t a4)
{
    (void)a4;
    ck_assert_uint_eq(op, __HYPERVISOR_console_io);
    ck_assert_uint_eq(cmd, CONSOLEIO_write);
    memcpy(copied + copied_len, (void *)text, len);
    copied_len += len;
    return -1; /* refused, as a hypervisor that is not for debugging does */
}

/* xenconsoled reads up to max bytes. */
static bool backend_reads(size_t max)
{
    uint32_t prod = ring->out_prod, before = ring->out_cons;

    if (prod - before > sizeof(ring->out)) {
        ck_assert_msg(lying, "the guest overfills the ring");
        return false;
    }
    for (; ring->out_cons != prod && max; max--)
        seen[seen_len++] = ring->out[MASK_XENCONS_IDX(ring->out_cons++, ring->out)];
    seen[seen_len] = '\0';
    if (ring->out_cons == before)
        return false;
    fake_raise(PORT);
    return true;
}

static bool backend_reads_all(void)
{
    return backend_reads(SIZE_MAX);
}

void evtchn_poll(evtchn_port_t port, uint64_t ns)
{
    ck_assert_uint_eq(port, PORT);
    ck_assert(ns > fake_now);
    polls++;
    if (!backend_reads(per_poll))
        fake_now = ns;
    else
        fake_now += NSEC_PER_MSEC;
}

static void early(void)
{
    ring = calloc(1, PAGE_SIZE);
    memset(ring, 0x5a, sizeof(ring->in) + sizeof(ring->out));
    ring->out_cons = ring->out_prod = 0xffffff80;
    ring->in_cons = ring->in_prod = 0xfffffff0;
    start_info.console.domU.mfn = 88;
    start_info.console.domU.evtchn = PORT;
}

static void setup(void)
{
    early();
    ck_assert_int_eq(console_init(), 0);
}

static void say(const char *text)
{
    console_write(text, strlen(text));
}

/* Lines "line 0" to "line n-1", of 16 bytes each as sent. */
static void say_lines(unsigned n)
{
    char line[32];

    for (unsigned i = 0; i < n; i++) {
        snprintf(line, sizeof(line), "line %8u.\n", i);
        say(line);
    }
}

static void check_lines(const char *text, unsigned from, unsigned to)
{
    char line[32];

    for (unsigned i = from; i < to; i++) {
        snprintf(line, sizeof(line), "line %8u.\r\n", i);
        ck_assert_msg(!strncmp(text, line, 16), "%.16s instead of line %u", text, i);
        text += 16;
    }
    ck_assert_str_eq(text, "");
}

/* --- output ---------------------------------------------------------------------------------- */

START_TEST(output)
{
    say("hello\nworld");
    say("\n\n");
    backend_reads_all();
    ck_assert_str_eq(seen, "hello\r\nworld\r\n\r\n");
    ck_assert_uint_ge(fake_ports[PORT].notifies, 1);
    ck_assert_str_eq(copied, "hello\nworld\n\n");
    console_write("x", 0);
    ck_assert(!backend_reads(1));
}
END_TEST

START_TEST(output_before_init)
{
    say("early\n");
    ck_assert_uint_eq(fake_ports[PORT].notifies, 0);
    ck_assert_int_eq(console_init(), 0);
    ck_assert_uint_eq(fake_ports[PORT].notifies, 1);
    backend_reads_all();
    ck_assert_str_eq(seen, "early\r\n");
}
END_TEST

START_TEST(buffer_is_drained_as_the_backend_reads)
{
    say_lines(200); /* 3200 bytes: the ring has 2048, the buffer as many */
    fake_peer = backend_reads_all;
    fake_run();
    check_lines(seen, 0, 200);
}
END_TEST

START_TEST(slow_backend_gets_everything)
{
    unsigned line = 0;

    while (line < 5000) {
        char text[32];

        snprintf(text, sizeof(text), "line %8u.\n", line++);
        say(text);
        backend_reads(17);
        fake_run();
    }
    console_flush(NSEC_PER_SEC); /* per_poll is 0: it gives up */
    fake_peer = backend_reads_all;
    fake_run();
    check_lines(seen, 0, 5000);
}
END_TEST

START_TEST(flood)
{
    const char *notice;
    unsigned lost, first;

    say_lines(10000);
    fake_peer = backend_reads_all;
    fake_run();
    notice = strstr(seen, "[console: ");
    ck_assert_ptr_nonnull(notice);
    ck_assert_int_eq(sscanf(notice, "[console: %u lines lost]\r\n", &lost), 1);
    ck_assert_uint_eq(lost, 10000 - 2 * 128);
    ck_assert_ptr_null(strstr(notice + 1, "[console: "));
    notice = strchr(notice, '\n') + 1;
    first = 10000 - (unsigned)strlen(notice) / 16;
    check_lines(notice, first, 10000);
    ck_assert_uint_eq(first, 128 + lost);
    seen[128 * 16] = '\0';
    check_lines(seen, 0, 128);
}
END_TEST

START_TEST(notice_in_the_middle_of_a_line)
{
    static char rest[2048];

    memset(rest, 'x', 2048);
    console_write(rest, 2048); /* an unfinished line fills the ring */
    say_lines(400);
    fake_peer = backend_reads_all;
    fake_run();
    ck_assert_ptr_nonnull(strstr(seen, "x\r\n[console: "));
    check_lines(strstr(seen, "lost]\r\n") + 7, 272, 400);
}
END_TEST

START_TEST(flood_of_one_line)
{
    static char big[100000];

    memset(big, 'x', sizeof(big));
    console_write(big, sizeof(big));
    say("\nend\n");
    fake_peer = backend_reads_all;
    fake_run();
    ck_assert_ptr_nonnull(strstr(seen, "lost]\r\n"));
    ck_assert_str_eq(seen + seen_len - 7, "\r\nend\r\n");
}
END_TEST

START_TEST(many_newlines)
{
    static char big[3000];

    memset(big, '\n', sizeof(big));
    console_write(big, sizeof(big));
    fake_peer = backend_reads_all;
    fake_run();
    ck_assert_ptr_nonnull(strstr(seen, "[console: "));
}
END_TEST

/* --- a program's output waits ----------------------------------------------------------------- */

static void program(void *arg)
{
    char line[32];

    (void)arg;
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(line, sizeof(line), "line %8u.\n", i);
        console_write_wait(line, strlen(line));
    }
}

START_TEST(program_loses_nothing)
{
    fake_peer = backend_reads_all;
    fake_in_thread(program, NULL);
    fake_run();
    check_lines(seen, 0, 3000);
}
END_TEST

START_TEST(program_does_not_wait_for_a_dead_backend)
{
    uint64_t before = fake_now;

    ck_assert(!fake_start(program, NULL));
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert(fake_ended());
    ck_assert_uint_le(fake_now - before, 2 * NSEC_PER_SEC);
    fake_peer = backend_reads_all; /* it is back */
    fake_raise(PORT);
    fake_run();
    seen_len = 0;
    fake_in_thread(program, NULL);
    fake_run();
    check_lines(seen, 0, 3000);
}
END_TEST

START_TEST(from_the_loop_nothing_waits)
{
    program(NULL);
}
END_TEST

/* --- the end --------------------------------------------------------------------------------- */

START_TEST(flush)
{
    per_poll = 100;
    say_lines(200);
    console_flush(NSEC_PER_SEC);
    check_lines(seen, 0, 200);
    ck_assert_uint_eq(ring->out_cons, ring->out_prod);
}
END_TEST

START_TEST(flush_with_nothing_to_do)
{
    console_flush(NSEC_PER_SEC);
    ck_assert_uint_eq(polls, 0);
}
END_TEST

START_TEST(flush_writes_the_notice_too)
{
    per_poll = 1000;
    say_lines(1000);
    console_flush(NSEC_PER_SEC);
    ck_assert_ptr_nonnull(strstr(seen, "[console: 744 lines lost]"));
}
END_TEST

START_TEST(flush_before_init)
{
    per_poll = 100;
    say_lines(200);
    console_flush(NSEC_PER_SEC);
    check_lines(seen, 0, 200);
}
END_TEST

START_TEST(flush_gives_up)
{
    uint64_t before = fake_now;

    say_lines(10);
    console_flush(NSEC_PER_SEC);
    ck_assert_uint_le(fake_now - before, 1100 * NSEC_PER_MSEC);
}
END_TEST

START_TEST(flush_of_a_trickle_is_bounded)
{
    uint64_t before = fake_now;

    per_poll = 1;
    say_lines(250);
    console_flush(20 * NSEC_PER_MSEC);
    ck_assert_uint_le(fake_now - before, 400 * NSEC_PER_MSEC);
}
END_TEST

/* --- indices that lie ------------------------------------------------------------------------- */

START_TEST(output_index_is_nonsense)
{
    static const uint32_t lies[] = {1, 2049, 0x80000000};
    uint32_t truth = ring->out_cons;

    lying = true;
    ring->out_cons = ring->out_prod + lies[_i];
    fake_raise(PORT);
    say_lines(500);
    fake_run();
    ck_assert(fake_logged("output index"));
    ck_assert_uint_eq(ring->out_prod, truth); /* nothing is written over what is unread */
    console_flush(NSEC_PER_SEC / 10);
    ring->out_cons = truth; /* sense again */
    lying = false;
    fake_peer = backend_reads_all;
    fake_raise(PORT);
    fake_run();
    ck_assert_ptr_nonnull(strstr(seen, "line      499."));
}
END_TEST

START_TEST(producer_index_is_overwritten)
{
    say("one\n");
    ring->out_prod += 3333;
    say("two\n");
    backend_reads_all();
    ck_assert_str_eq(seen, "one\r\ntwo\r\n");
}
END_TEST

#ifdef CONFIG_CONSOLE_INPUT
static unsigned inputs;

static void on_input(void *ctx)
{
    ck_assert_ptr_eq(ctx, &inputs);
    inputs++;
}

#endif

static void type(const char *text)
{
    for (; *text; text++)
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = *text;
    fake_raise(PORT);
    fake_run();
}

#ifdef CONFIG_CONSOLE_INPUT
START_TEST(input)
{
    char buf[16];

    type("before");
    ck_assert_uint_eq(inputs, 0);
    console_on_input(on_input, &inputs);
    ck_assert_uint_eq(inputs, 1);
    ck_assert_uint_eq(console_read(buf, sizeof(buf)), 6);
    ck_assert_mem_eq(buf, "before", 6);
    ck_assert_uint_eq(console_read(buf, sizeof(buf)), 0);
    type("0123456789abcdef0123456789"); /* over the wrap of index and ring */
    ck_assert_uint_eq(inputs, 2);
    ck_assert_uint_eq(console_read(buf, 10), 10);
    ck_assert_mem_eq(buf, "0123456789", 10);
    ck_assert_uint_eq(console_read(buf, sizeof(buf)), 16);
    ck_assert_mem_eq(buf, "abcdef0123456789", 16);
    ck_assert_uint_eq(ring->in_cons, ring->in_prod);
    console_on_input(NULL, NULL);
    type("x");
    ck_assert_uint_eq(inputs, 2);
}
END_TEST

START_TEST(input_index_is_nonsense)
{
    static const uint32_t lies[] = {1025, 0x80000000, 0xffffffff};
    uint32_t truth = ring->in_prod;
    char buf[2000];

    console_on_input(on_input, &inputs);
    ring->in_prod = truth + lies[_i];
    fake_raise(PORT);
    fake_run();
    ck_assert_uint_eq(inputs, 0);
    ck_assert_uint_eq(console_read(buf, sizeof(buf)), 0);
    ck_assert(fake_logged("input index"));
    ring->in_prod = truth;
    type("ok");
    ck_assert_uint_eq(inputs, 1);
    ck_assert_uint_eq(console_read(buf, sizeof(buf)), 2);
}
END_TEST

#else
/* What nobody reads makes room at once, and the backend is told, or it would not go on. */
START_TEST(input_is_thrown_away)
{
    unsigned before;

    fake_raise(PORT); /* for what there was */
    fake_run();
    before = fake_ports[PORT].notifies;
    for (unsigned i = 1; i <= 3; i++) {
        type("0123456789abcdef0123456789");
        ck_assert_uint_eq(ring->in_cons, ring->in_prod);
        ck_assert_uint_eq(fake_ports[PORT].notifies, before + i);
    }
    fake_raise(PORT); /* for nothing */
    fake_run();
    ck_assert_uint_eq(fake_ports[PORT].notifies, before + 3);
}
END_TEST
#endif

START_TEST(spurious_events_are_reported)
{
    for (unsigned i = 0; i < 5; i++) {
        fake_raise(PORT);
        fake_run();
    }
    ck_assert_uint_ge(fake_ports[PORT].spurious, 4);
}
END_TEST

START_TEST(no_console)
{
    start_info.console.domU.mfn = 0;
    say_lines(1000);
    ck_assert_int_eq(console_init(), -ENODEV);
    console_flush(NSEC_PER_SEC);
    ck_assert_uint_eq(console_read(copied, 10), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("console");
    TCase *t = tcase_create("console");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, output);
    tcase_add_test(t, buffer_is_drained_as_the_backend_reads);
    tcase_add_test(t, slow_backend_gets_everything);
    tcase_add_test(t, flood);
    tcase_add_test(t, notice_in_the_middle_of_a_line);
    tcase_add_test(t, flood_of_one_line);
    tcase_add_test(t, many_newlines);
    tcase_add_test(t, program_loses_nothing);
    tcase_add_test(t, program_does_not_wait_for_a_dead_backend);
    tcase_add_test(t, from_the_loop_nothing_waits);
    tcase_add_test(t, flush);
    tcase_add_test(t, flush_with_nothing_to_do);
    tcase_add_test(t, flush_writes_the_notice_too);
    tcase_add_test(t, flush_gives_up);
    tcase_add_test(t, flush_of_a_trickle_is_bounded);
    tcase_add_loop_test(t, output_index_is_nonsense, 0, 3);
    tcase_add_test(t, producer_index_is_overwritten);
#ifdef CONFIG_CONSOLE_INPUT
    tcase_add_test(t, input);
    tcase_add_loop_test(t, input_index_is_nonsense, 0, 3);
#else
    tcase_add_test(t, input_is_thrown_away);
#endif
    tcase_add_test(t, spurious_events_are_reported);
    suite_add_tcase(s, t);

    t = tcase_create("early");
    tcase_add_checked_fixture(t, early, NULL);
    tcase_add_test(t, output_before_init);
    tcase_add_test(t, flush_before_init);
    tcase_add_test(t, no_console);
    suite_add_tcase(s, t);

    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
