/* SPDX-License-Identifier: ISC */
/*
 * The end of the guest and the requests that lead there: kernel/shutdown.c, control.c, sysrq.c and
 * publish.c, with the real xenstore client and a small xenstored. The hypercall that would end the
 * domain ends the running thread instead.
 */
#include <check.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "tests/unit/fake_hypercall.h"

#define loop_run fake_loop_run
#define CONFIG_SHUTDOWN_TIMEOUT 10
#include "kernel/shutdown.c"
#undef LOG_MODULE
#include "kernel/sysrq.c"

#include "kernel/control.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_xenstored.h"

static int ended = -1; /* the reason */
static bool flushed;
static jmp_buf from_loop;
static bool jump;

void console_flush(uint64_t timeout)
{
    ck_assert(timeout >= NSEC_PER_SEC);
    flushed = true;
}

/* The domain is gone: nothing of it runs on. */
long fake_hypercall(unsigned op, uintptr_t cmd, uintptr_t arg, uintptr_t a3, uintptr_t a4)
{
    (void)op, (void)a3, (void)a4;
    ck_assert_uint_eq(cmd, SCHEDOP_shutdown);
    ck_assert_msg(flushed, "console output is lost");
    ck_assert_int_eq(ended, -1);
    ended = (int)((struct sched_shutdown *)arg)->reason;
    if (thread_current())
        for (;;)
            thread_sleep(1000 * NSEC_PER_SEC);
    longjmp(from_loop, 1);
}

/* There is no stack to start from its top here: the function is called. */
char boot_stack_top[1];
static void (*context_fn)(void *);

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
    (void)ctx, (void)arg;
    ck_assert_ptr_eq(stack_top, boot_stack_top);
    context_fn = fn;
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
    (void)from, (void)to;
    context_fn(NULL);
}

/* The loop, started anew by app_exit() in a handler. */
void fake_loop_run(void)
{
    fake_sleep(20 * NSEC_PER_SEC);
    ck_abort_msg("the guest does not end");
}

void thread_exit(void)
{
    jump = true;
    for (;;)
        thread_sleep(1000 * NSEC_PER_SEC);
}

void thread_each(void (*fn)(const struct thread *t, const char *state, void *ctx), void *ctx)
{
    fn(thread_current(), "runs", ctx);
}

size_t page_count_free(void)
{
    return 12;
}

size_t page_count_total(void)
{
    return 34;
}

const struct evtchn_stats *evtchn_stats(void)
{
    static struct evtchn_stats stats = {.events = 56};

    return &stats;
}

unsigned gnttab_count_used(void)
{
    return 0;
}

unsigned gnttab_count_quarantined(void)
{
    return 0;
}

static void setup(void)
{
    store_init();
    store_set("control/shutdown", "");
    store_set("control/sysrq", "");
    ck_assert_int_eq(xenstore_init(), 0);
    control_init();
    fake_run();
}

/* Runs what may end in the loop rather than in a thread. */
static void run_to_end(uint64_t ns)
{
    if (!setjmp(from_loop))
        fake_sleep(ns);
}

static unsigned order[4], hooks;

static void hook_first(struct shutdown_hook *h)
{
    (void)h;
    order[hooks++] = 1;
    thread_sleep(NSEC_PER_SEC);
}

static void hook_second(struct shutdown_hook *h)
{
    (void)h;
    order[hooks++] = 2;
}

static void hook_hangs(struct shutdown_hook *h)
{
    (void)h;
    for (;;)
        thread_sleep(NSEC_PER_SEC);
}

static void hook_exits(struct shutdown_hook *h)
{
    (void)h;
    order[hooks++] = 3;
    app_exit(1);
}

static struct shutdown_hook first = {hook_first, NULL}, second = {hook_second, NULL},
                            hangs = {hook_hangs, NULL}, exits = {hook_exits, NULL};

/* --- xl shutdown, xl reboot ------------------------------------------------------------------ */

START_TEST(requests)
{
    static const struct {
        const char *value;
        int reason;
    } cases[] = {
        {"poweroff", SHUTDOWN_poweroff}, {"halt", SHUTDOWN_poweroff}, {"reboot", SHUTDOWN_reboot}};

    ck_assert_int_eq(ended, -1);
    ck_assert_str_eq(store_get("control/feature-poweroff"), "1");
    ck_assert_str_eq(store_get("control/feature-reboot"), "1");
    store_set("control/shutdown", cases[_i].value);
    fake_run();
    ck_assert_int_eq(ended, cases[_i].reason);
    ck_assert_str_eq(store_get("control/shutdown"), "");
}
END_TEST

START_TEST(requests_that_are_not_supported)
{
    static const char *const values[] = {"suspend", "Poweroff", "poweroff ", "x",
                                         "a request that is longer than any known one"};

    store_set("control/shutdown", values[_i]);
    fake_run();
    ck_assert_int_eq(ended, -1);
    ck_assert(fake_logged("not supported"));
    ck_assert_str_eq(store_get("control/shutdown"), "");
    store_set("control/shutdown", "poweroff");
    fake_run();
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
}
END_TEST

START_TEST(request_that_was_there_before_us)
{
    store_init();
    store_set("control/shutdown", "reboot");
    ck_assert_int_eq(xenstore_init(), 0);
    control_init();
    fake_run();
    ck_assert_int_eq(ended, SHUTDOWN_reboot);
}
END_TEST

/* Somebody has removed the keys, and the toolstack made them anew, not for us to write. */
START_TEST(request_that_cannot_be_acknowledged)
{
    store.read_only = STORE_HOME "/control";
    store_set("control/sysrq", "m");
    fake_run();
    ck_assert(fake_logged("ignored"));
    ck_assert(!fake_logged("pages free"));
    store_set("control/shutdown", "poweroff");
    fake_run();
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
}
END_TEST

START_TEST(request_in_a_storm)
{
    store.eagain = 4;
    store_set("control/shutdown", "poweroff");
    fake_sleep(NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
}
END_TEST

START_TEST(request_in_a_storm_without_end)
{
    store.eagain = 25; /* more than one transaction's patience */
    store_set("control/shutdown", "poweroff");
    fake_run();
    ck_assert_str_eq(store_get("control/shutdown"), "poweroff");
    fake_sleep(5 * NSEC_PER_SEC);
    ck_assert_str_eq(store_get("control/shutdown"), "");
    ck_assert(fake_logged("power-off requested"));
}
END_TEST

/* An odd reply to any of our requests, the one that ends the transaction among them: the request is done,
 * at once or a second later, and once. */
START_TEST(request_and_a_reply_that_cannot_be)
{
    store.honest = (unsigned)_i / 2;
    if (_i % 2)
        store.lie_type = XS_CONTROL;
    else
        store.lie_error = "EIO";
    store_set("control/sysrq", "h");
    fake_run();
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert_uint_eq(store.honest == 0, _i / 2 < 9);
    ck_assert_uint_eq(fake_log_count("t: threads"), 1);
    ck_assert_str_eq(store_get("control/sysrq"), "");
    store_set("control/shutdown", "poweroff");
    run_to_end(3 * NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
}
END_TEST

START_TEST(hooks_last_first)
{
    shutdown_hook_add(&first);
    shutdown_hook_add(&second);
    store_set("control/shutdown", "poweroff");
    fake_run();
    ck_assert_int_eq(ended, -1); /* the first hook waits */
    store_set("control/shutdown", "reboot");
    fake_run();
    ck_assert(fake_logged("ignored"));
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
    ck_assert_uint_eq(hooks, 2);
    ck_assert_uint_eq(order[0], 2);
    ck_assert_uint_eq(order[1], 1);
}
END_TEST

START_TEST(hook_that_hangs)
{
    shutdown_hook_add(&hangs);
    store_set("control/shutdown", "reboot");
    fake_run();
    fake_sleep(9 * NSEC_PER_SEC);
    ck_assert_int_eq(ended, -1);
    run_to_end(2 * NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_reboot);
    ck_assert(fake_logged("not done after 10 s"));
}
END_TEST

START_TEST(no_memory_for_the_hooks)
{
    shutdown_hook_add(&hangs);
    fake_no_memory = true;
    if (!setjmp(from_loop))
        shutdown_begin(SHUTDOWN_poweroff);
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
    ck_assert(fake_logged("no memory"));
}
END_TEST

/* --- app_exit -------------------------------------------------------------------------------- */

static void do_exit(void *status)
{
    app_exit(*(int *)status);
}

START_TEST(exit_from_a_thread)
{
    int status = _i;

    ck_assert(!fake_start(do_exit, &status));
    ck_assert_int_eq(ended, _i ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
END_TEST

START_TEST(exit_from_a_thread_with_hooks)
{
    int status = 0;

    shutdown_hook_add(&first);
    ck_assert(!fake_start(do_exit, &status));
    ck_assert(jump); /* the thread has ended; another runs the hooks */
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_poweroff);
    ck_assert_uint_eq(hooks, 1);
}
END_TEST

static void exit_handler(void *ctx)
{
    (void)ctx;
    app_exit(3);
}

START_TEST(exit_from_the_loop_with_hooks)
{
    shutdown_hook_add(&hangs);
    shutdown_hook_add(&first);
    ck_assert_int_eq(evtchn_attach(5, exit_handler, NULL), 0);
    fake_raise(5);
    run_to_end(NSEC_PER_SEC);
    ck_assert_int_eq(ended, SHUTDOWN_crash);
    ck_assert_uint_eq(hooks, 1);
}
END_TEST

START_TEST(hook_that_exits)
{
    shutdown_hook_add(&second);
    shutdown_hook_add(&exits);
    store_set("control/shutdown", "poweroff");
    fake_run();
    ck_assert_int_eq(ended, SHUTDOWN_poweroff); /* as was asked for */
    ck_assert_uint_eq(hooks, 2);
    ck_assert_uint_eq(order[0], 3);
    ck_assert_uint_eq(order[1], 2);
}
END_TEST

/* --- xl sysrq -------------------------------------------------------------------------------- */

START_TEST(sysrq_letters)
{
    static const struct {
        const char *letter, *line;
    } cases[] = {
        {"h", "t: threads"}, {"m", "12 of 34 pages"}, {"t", "xenwatch: runs"},
        {"e", "events: 56"}, {"?", "m: memory"},      {"\xff", "m: memory"},
    };

    store_set("control/sysrq", cases[_i].letter);
    fake_run();
    ck_assert(fake_logged(cases[_i].line));
    ck_assert_str_eq(store_get("control/sysrq"), "");
    ck_assert_int_eq(ended, -1);
}
END_TEST

START_TEST(sysrq_ends)
{
    store_set("control/sysrq", _i ? "b" : "o");
    fake_run();
    ck_assert_int_eq(ended, _i ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}
END_TEST

static void own_command(void)
{
    log_info("the driver's own");
}

START_TEST(sysrq_of_a_driver)
{
    static struct sysrq_command own = {'n', "network", own_command, NULL};

    sysrq_add(&own);
    store_set("control/sysrq", "n");
    fake_run();
    ck_assert(fake_logged("the driver's own"));
}
END_TEST

/* --- guest_publish --------------------------------------------------------------------------- */

START_TEST(publish)
{
    char path[] = "attr/x", value[] = "1.2.3.4";

    ck_assert_int_eq(guest_publish(path, value), 0);
    memset(path, 'z', 6);
    memset(value, 'z', 7);
    fake_run();
    ck_assert_str_eq(store_get("attr/x"), "1.2.3.4");
    ck_assert_int_eq(guest_publish("attr/x", ""), 0);
    fake_run();
    ck_assert_str_eq(store_get("attr/x"), "");
    ck_assert_int_eq(guest_publish("attr/x", NULL), 0);
    ck_assert_int_eq(guest_publish("attr/y", NULL), 0);
    fake_run();
    ck_assert_ptr_null(store_get("attr/x"));
    ck_assert_uint_eq(fake_pages, 0);
    ck_assert(!fake_logged("error"));
}
END_TEST

START_TEST(publish_much)
{
    char path[16];

    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "attr/%u", i);
        ck_assert_int_eq(guest_publish(path, path), i < 64 ? 0 : -ENOMEM);
    }
    ck_assert_int_eq(guest_publish("attr/7", "again"), -ENOMEM); /* the store has it already */
    fake_run();
    ck_assert_str_eq(store_get("attr/63"), "attr/63");
    ck_assert_uint_eq(fake_pages, 0);
    ck_assert_int_eq(guest_publish(path, path), 0);
    fake_run();
    ck_assert_str_eq(store_get("attr/99"), "attr/99");
}
END_TEST

/* For as long as the store says nothing: one value that it has, and one that it has not. */
START_TEST(publish_to_a_store_that_stalls)
{
    unsigned before;
    char value[16];

    fake_run();
    before = store.requests;
    store.deaf = true;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(value, sizeof(value), "%u", i);
        ck_assert_int_eq(guest_publish("attr/x", value), 0);
        ck_assert_int_eq(guest_publish("attr/xx", i % 2 ? NULL : value), 0);
        fake_run();
    }
    ck_assert_uint_eq(fake_pages, 4);
    if (_i) {
        store.page->rsp_prod += 5000; /* and then it is given up */
        fake_raise(STORE_PORT);
        fake_run();
        ck_assert(!xenstore_available());
        ck_assert_uint_eq(fake_pages, 0);
        return;
    }
    store.deaf = false;
    fake_sleep(3600 * NSEC_PER_SEC);
    ck_assert_str_eq(store_get("attr/x"), "999");
    ck_assert_ptr_null(store_get("attr/xx"));
    ck_assert_uint_eq(store.requests - before, 4);
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

START_TEST(publish_is_refused_for_now)
{
    static const char *const errors[] = {"ENOSPC", "EIO", "ESTRANGE", "ENOMEM", "EAGAIN"};

    fake_run();
    store.lie_error = errors[_i];
    ck_assert_int_eq(guest_publish("attr/x", "1"), 0);
    fake_run();
    ck_assert(fake_logged("attr/x: E"));
    ck_assert_uint_eq(fake_pages, 1);
    fake_sleep(6 * NSEC_PER_SEC);
    ck_assert_str_eq(store_get("attr/x"), "1");
    ck_assert_uint_eq(fake_pages, 0);
    store.lie_error = errors[_i];
    ck_assert_int_eq(guest_publish("attr/x", "2"), 0);
    fake_run();
    ck_assert_int_eq(guest_publish("attr/x", "3"), 0); /* need not wait */
    fake_run();
    ck_assert_str_eq(store_get("attr/x"), "3");
    ck_assert_uint_eq(fake_pages, 0);
    fake_sleep(6 * NSEC_PER_SEC);
    store.lie_error = errors[_i]; /* a newer one waits when the older is refused */
    ck_assert_int_eq(guest_publish("attr/x", "4"), 0);
    ck_assert_int_eq(guest_publish("attr/x", "5"), 0);
    fake_run();
    ck_assert_str_eq(store_get("attr/x"), "5");
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* Nobody else knows what it was: it is written again, unless there is no store any more. */
START_TEST(publish_over_a_reset)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    for (unsigned i = 0; i < 5; i++) {
        store.deaf = true;
        ck_assert_int_eq(guest_publish("attr/x", i & 1 ? "odd" : "even"), 0);
        fake_run();
        store.page->rsp_prod += 5000;
        fake_raise(STORE_PORT);
        fake_run_guest();
        store.deaf = i == 4;
        fake_run();
        ck_assert_str_eq(store_get("attr/x"), i & 1 || i == 4 ? "odd" : "even");
    }
    ck_assert(!xenstore_available());
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* To ask again finds that the connection is lost, which ends the next one of those that are looked at: for
 * there is no store any more, or there is a newer value of that one. */
START_TEST(publish_again_over_a_loss)
{
    fake_run();
    store.page->server_features = _i ? XENSTORE_SERVER_FEATURE_RECONNECTION : 0;
    store.lie_error = "ENOSPC";
    ck_assert_int_eq(guest_publish("attr/a", "1"), 0);
    fake_run();
    store.deaf = true;
    ck_assert_int_eq(guest_publish("attr/b", "2"), 0);
    ck_assert_int_eq(guest_publish("attr/b", "3"), 0);
    ck_assert_int_eq(guest_publish("attr/c", "4"), 0);
    fake_run();
    store.page->req_cons += 5000;
    fake_sleep(6 * NSEC_PER_SEC);
    ck_assert_int_eq(xenstore_available(), _i);
    if (!_i) {
        ck_assert_uint_eq(fake_pages, 0);
        return;
    }
    store.deaf = false;
    fake_sleep(60 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_pages, 0);
    ck_assert_str_eq(store_get("attr/a"), "1");
    ck_assert_str_eq(store_get("attr/b"), "3");
    ck_assert_str_eq(store_get("attr/c"), "4");
}
END_TEST

/* The first one is on the ring when the connection is reset, the last one waits for room there. */
START_TEST(the_last_word_is_published)
{
    static char big[1500];

    memset(big, 'x', sizeof(big) - 1);
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store.deaf = true;
    ck_assert_int_eq(guest_publish("attr/x", "old"), 0);
    ck_assert_int_eq(guest_publish("attr/y", big), 0);
    ck_assert_int_eq(guest_publish("attr/x", "new"), 0);
    fake_run();
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    fake_run_guest();
    store.deaf = false;
    fake_run();
    ck_assert_str_eq(store_get("attr/y"), big);
    ck_assert_str_eq(store_get("attr/x"), "new");
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

START_TEST(publish_fails)
{
    static char big[5000];

    memset(big, 'x', sizeof(big) - 1);
    ck_assert_int_eq(guest_publish(big, ""), -E2BIG);
    ck_assert_int_eq(guest_publish("attr/x", big), -E2BIG);
    big[3900] = '\0';
    ck_assert_int_eq(guest_publish("attr/x", big), 0);
    fake_run();
    ck_assert_str_eq(store_get("attr/x"), big);
    fake_no_memory = true;
    ck_assert_int_eq(guest_publish("attr/x", "1"), -ENOMEM);
    fake_no_memory = false;
    store.forbidden = STORE_HOME "/attr";
    ck_assert_int_eq(guest_publish("attr/x", "1"), 0);
    fake_run();
    ck_assert(fake_logged("attr/x: EACCES"));
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

START_TEST(without_a_store)
{
    ck_assert_int_eq(xenstore_init(), -ENODEV);
    control_init();
    ck_assert_int_eq(guest_publish("attr/x", "1"), 0);
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("shutdown");
    TCase *t = tcase_create("shutdown");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, requests, 0, 3);
    tcase_add_loop_test(t, requests_that_are_not_supported, 0, 5);
    tcase_add_test(t, request_that_cannot_be_acknowledged);
    tcase_add_test(t, request_in_a_storm);
    tcase_add_test(t, request_in_a_storm_without_end);
    tcase_add_loop_test(t, request_and_a_reply_that_cannot_be, 0, 24);
    tcase_add_test(t, hooks_last_first);
    tcase_add_test(t, hook_that_hangs);
    tcase_add_test(t, no_memory_for_the_hooks);
    tcase_add_loop_test(t, exit_from_a_thread, 0, 2);
    tcase_add_test(t, exit_from_a_thread_with_hooks);
    tcase_add_test(t, exit_from_the_loop_with_hooks);
    tcase_add_test(t, hook_that_exits);
    tcase_add_loop_test(t, sysrq_letters, 0, 6);
    tcase_add_loop_test(t, sysrq_ends, 0, 2);
    tcase_add_test(t, sysrq_of_a_driver);
    tcase_add_test(t, publish);
    tcase_add_test(t, publish_much);
    tcase_add_loop_test(t, publish_to_a_store_that_stalls, 0, 2);
    tcase_add_loop_test(t, publish_is_refused_for_now, 0, 5);
    tcase_add_test(t, the_last_word_is_published);
    tcase_add_test(t, publish_over_a_reset);
    tcase_add_loop_test(t, publish_again_over_a_loss, 0, 2);
    tcase_add_test(t, publish_fails);
    suite_add_tcase(s, t);

    t = tcase_create("bare");
    tcase_add_test(t, request_that_was_there_before_us);
    tcase_add_test(t, without_a_store);
    suite_add_tcase(s, t);

    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
