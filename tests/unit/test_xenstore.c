/* SPDX-License-Identifier: ISC */
/*
 * The xenstore client against a xenstored that is correct, slow, or lies: each rule of hardening.md
 * about xenstore (19 to 23) is broken here once.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/thread.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_xenstored.h"
#include "xen/xenstore.h"

static void setup(void)
{
    store_init();
    ck_assert_int_eq(xenstore_init(), 0);
    ck_assert(xenstore_available());
}

/* One call, made in a thread. */
struct call {
    const char *path, *value;
    char buf[5000];
    size_t size;
    int result;
};

static void do_read(void *arg)
{
    struct call *c = arg;

    c->result = xs_read(XS_NONE, c->path, c->buf, c->size ? c->size : sizeof(c->buf));
}

static void do_write(void *arg)
{
    struct call *c = arg;

    c->result = xs_write(XS_NONE, c->path, c->value);
}

static struct call call;

static int read_result(const char *path)
{
    call = (struct call){.path = path};
    fake_in_thread(do_read, &call);
    return call.result;
}

/* The connection still works. */
static void check_alive(void)
{
    store_set("alive", "yes");
    ck_assert_int_eq(read_result("alive"), 3);
    ck_assert_str_eq(call.buf, "yes");
}

/* The connection has been given up: everything fails at once, nothing hangs. */
static void check_dead(void)
{
    ck_assert(!xenstore_available());
    ck_assert_int_eq(read_result("alive"), -ECONNRESET);
    ck_assert_uint_eq(fake_log_count("disabled"), 1);
}

/* --- it works ------------------------------------------------------------------------------- */

static void do_everything(void *arg)
{
    const char *const perms[] = {"n5", "r0"};
    char buf[64];
    uint64_t n;

    (void)arg;
    ck_assert_int_eq(xs_write(XS_NONE, "data/a", "hello"), 0);
    ck_assert_int_eq(xs_read(XS_NONE, "data/a", buf, sizeof(buf)), 5);
    ck_assert_str_eq(buf, "hello");
    ck_assert_int_eq(xs_read(XS_NONE, STORE_HOME "/data/a", buf, sizeof(buf)), 5);
    ck_assert_int_eq(xs_read(XS_NONE, "data/a", buf, 6), 5);
    ck_assert_int_eq(xs_read(XS_NONE, "data/a", buf, 5), -ENOSPC);
    ck_assert_int_eq(xs_read(XS_NONE, "data/b", buf, sizeof(buf)), -ENOENT);
    ck_assert_int_eq(xs_mkdir(XS_NONE, "data/dir"), 0);
    ck_assert_int_eq(xs_read(XS_NONE, "data/dir", buf, sizeof(buf)), 0);
    ck_assert_int_eq(xs_directory(XS_NONE, "data", buf, sizeof(buf)), 6);
    ck_assert_mem_eq(buf, "a\0dir\0", 6);
    ck_assert_int_eq(xs_directory(XS_NONE, "data", buf, 6), -ENOSPC);
    ck_assert_int_eq(xs_directory(XS_NONE, "data/dir", buf, sizeof(buf)), 0);
    ck_assert_int_eq(xs_directory(XS_NONE, "nothing", buf, sizeof(buf)), -ENOENT);
    ck_assert_int_eq(xs_printf(XS_NONE, "data/n", "%u", 4711u), 0);
    ck_assert_int_eq(xs_read_number(XS_NONE, "data/n", 0, 5000, &n), 0);
    ck_assert_uint_eq(n, 4711);
    ck_assert_int_eq(xs_remove(XS_NONE, "data/a"), 0);
    ck_assert_int_eq(xs_remove(XS_NONE, "data/a"), -ENOENT);
    ck_assert_int_eq(xs_set_perms(XS_NONE, "data/n", perms, 2), 0);
    ck_assert_str_eq(store_get("/perms" STORE_HOME "/data/n"), "n5,r0,");
    ck_assert_int_eq(xs_get_perms(XS_NONE, "data/n", buf, sizeof(buf)), 6);
    ck_assert_mem_eq(buf, "n0\0r5", 6);
    ck_assert_int_eq(xs_printf(XS_NONE, "data/n", "%300d", 1), -E2BIG);
}

START_TEST(every_call)
{
    fake_in_thread(do_everything, NULL);
    ck_assert_uint_eq(store.outstanding, 0);
}
END_TEST

START_TEST(bytes_arrive_one_by_one)
{
    store.read_chunk = store.write_chunk = 1;
    fake_in_thread(do_everything, NULL);
}
END_TEST

START_TEST(pieces_of_every_size)
{
    for (uint32_t n = 2; n < 40; n++) {
        store.read_chunk = n;
        store.write_chunk = 41 - n;
        store_remove("data");
        fake_in_thread(do_everything, NULL);
    }
}
END_TEST

START_TEST(requests_and_replies_larger_than_the_ring)
{
    static char big[4001];

    memset(big, 'x', sizeof(big) - 1);
    memcpy(big + 2000, "middle", 6);
    call = (struct call){.path = "data/big", .value = big};
    fake_in_thread(do_write, &call);
    ck_assert_int_eq(call.result, 0);
    ck_assert_str_eq(store_get("data/big"), big);
    ck_assert_int_eq(read_result("data/big"), 4000);
    ck_assert_str_eq(call.buf, big);
    call = (struct call){.path = "data/big", .size = 100};
    fake_in_thread(do_read, &call);
    ck_assert_int_eq(call.result, -ENOSPC);
    check_alive();
}
END_TEST

START_TEST(payload_over_4096_is_not_sent)
{
    static char big[4100];
    unsigned before = store.requests;

    memset(big, 'x', sizeof(big) - 1);
    call = (struct call){.path = "data/big", .value = big};
    fake_in_thread(do_write, &call);
    ck_assert_int_eq(call.result, -E2BIG);
    ck_assert_uint_eq(store.requests, before);
    big[4096 - sizeof("data/big")] = '\0'; /* path and value: 4096 */
    call = (struct call){.path = "data/big", .value = big};
    fake_in_thread(do_write, &call);
    ck_assert_int_eq(call.result, 0);
    check_alive();
}
END_TEST

START_TEST(values_with_zero_bytes)
{
    store_set_bytes("data/z", "a\0b", 3);
    ck_assert_int_eq(read_result("data/z"), 3);
    ck_assert_mem_eq(call.buf, "a\0b", 4);
}
END_TEST

/* --- several at a time ---------------------------------------------------------------------- */

static void do_read_many(void *arg)
{
    static char bufs[30][8];
    struct xs_read_item items[30];

    (void)arg;
    for (unsigned i = 0; i < 30; i++)
        items[i] = (struct xs_read_item){i % 3 ? "data/x" : "data/no", bufs[i], 8, 99};
    xs_read_many(XS_NONE, items, 30);
    for (unsigned i = 0; i < 30; i++)
        ck_assert_int_eq(items[i].result, i % 3 ? 1 : -ENOENT);
}

START_TEST(reads_go_out_together)
{
    store_set("data/x", "1");
    fake_in_thread(do_read_many, NULL);
    ck_assert_uint_eq(store.requests, 30);
    ck_assert_uint_le(store.rounds, 3);
}
END_TEST

static void do_write_many(void *arg)
{
    struct xs_write_item items[] = {
        {"data/a", "1", 9}, {"data/b", NULL, 9}, {"data/d", arg, 9}, {"data/c", "3", 9}};

    ck_assert_int_eq(xs_write_many(XS_NONE, items, 4), arg ? -E2BIG : 0);
    ck_assert_int_eq(items[0].result, 0);
    ck_assert_int_eq(items[1].result, 0); /* there or not */
    ck_assert_int_eq(items[2].result, arg ? -E2BIG : 0);
    ck_assert_int_eq(items[3].result, 0);
}

START_TEST(writes_go_out_together)
{
    static char huge[5000];

    fake_in_thread(do_write_many, NULL);
    ck_assert_uint_eq(store.rounds, 1);
    ck_assert_str_eq(store_get("data/c"), "3");
    store_set("data/b", "2");
    memset(huge, 'x', sizeof(huge) - 1);
    fake_in_thread(do_write_many, huge);
    ck_assert_ptr_null(store_get("data/b"));
}
END_TEST

static unsigned async_done;
static int async_result;

static void async(struct xs_request *req)
{
    async_done++;
    async_result = req->result;
}

static struct xs_request many[60];

static void submit_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        many[i] = (struct xs_request){.type = XS_READ, .done = async};
        many[i].part[0].data = "data/x";
        many[i].part[0].size = 7;
        xs_submit(&many[i]);
    }
}

START_TEST(no_more_than_the_quota_outstanding)
{
    store_set("data/x", "1");
    store.hold = true; /* the fake does not answer those it reads now */
    submit_many(60);
    fake_run();
    ck_assert_uint_eq(store.requests, 20);
    ck_assert_uint_eq(async_done, 0);
}
END_TEST

START_TEST(more_than_the_quota_are_queued)
{
    store_set("data/x", "1");
    submit_many(60);
    fake_run();
    ck_assert_uint_eq(store.requests, 60);
    ck_assert_uint_eq(async_done, 60);
    ck_assert_int_eq(async_result, 0);
}
END_TEST

/* --- numbers (rule 16) ---------------------------------------------------------------------- */

START_TEST(numbers_and_no_others)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"0", true},
        {"12", true},
        {"0012", true},
        {"100", true},
        {"101", false},
        {"", false},
        {"-1", false},
        {"+1", false},
        {" 1", false},
        {"1 ", false},
        {"1\n", false},
        {"0x1", false},
        {"1e2", false},
        {"18446744073709551615", false},
        {"18446744073709551616", false},
        {"18446744073709551617", false},
        {"99999999999999999999999999999999999999999", false},
        {"4294967297", false},
    };
    uint64_t n;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        n = 12345;
        ck_assert_msg(xs_parse_number(cases[i].text, strlen(cases[i].text), 0, 100, &n) ==
                          cases[i].good,
                      "\"%s\"", cases[i].text);
        ck_assert(cases[i].good ? n <= 100 : n == 12345);
    }
    ck_assert(xs_parse_number("18446744073709551615", 20, 0, UINT64_MAX, &n));
    ck_assert(n == UINT64_MAX);
    ck_assert(!xs_parse_number("1", 1, 2, 3, &n));
}
END_TEST

static void do_read_numbers(void *arg)
{
    uint64_t n = 7;

    (void)arg;
    ck_assert_int_eq(xs_read_number(XS_NONE, "n/missing", 0, 9, &n), -ENOENT);
    ck_assert_int_eq(xs_read_number(XS_NONE, "n/empty", 0, 9, &n), -EINVAL);
    ck_assert_int_eq(xs_read_number(XS_NONE, "n/long", 0, 9, &n), -EINVAL);
    ck_assert_int_eq(xs_read_number(XS_NONE, "n/zero-byte", 0, 9, &n), -EINVAL);
    ck_assert_uint_eq(n, 7);
    ck_assert_int_eq(xs_read_number(XS_NONE, "n/good", 0, 9, &n), 0);
    ck_assert_uint_eq(n, 3);
}

START_TEST(numbers_in_the_store)
{
    store_set("n/empty", "");
    store_set("n/long", "000000000000000000000000000000000000000000001");
    store_set_bytes("n/zero-byte", "1\0", 2);
    store_set("n/good", "3");
    fake_in_thread(do_read_numbers, NULL);
}
END_TEST

/* --- a lying store (rules 20, 21) ----------------------------------------------------------- */

START_TEST(request_index_ahead)
{
    store.deaf = true;
    store.page->req_cons = store.page->req_prod + 1;
    call = (struct call){.path = "alive"};
    ck_assert(fake_start(do_read, &call));
    ck_assert_int_eq(call.result, -ECONNRESET);
    check_dead();
}
END_TEST

START_TEST(request_index_far_behind)
{
    store.deaf = true;
    store.page->req_cons = store.page->req_prod - XENSTORE_RING_SIZE - 1;
    call = (struct call){.path = "alive"};
    ck_assert(fake_start(do_read, &call));
    ck_assert_int_eq(call.result, -ECONNRESET);
    check_dead();
}
END_TEST

START_TEST(reply_index_out_of_range)
{
    static const uint32_t offsets[] = {XENSTORE_RING_SIZE + 1, 0x80000000, 0xffffffff};

    store.deaf = true;
    call = (struct call){.path = "alive"};
    ck_assert(!fake_start(do_read, &call));
    store.page->rsp_prod = store.page->rsp_cons + offsets[_i];
    fake_raise(STORE_PORT);
    fake_run();
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, -ECONNRESET);
    ck_assert(fake_logged("reply index is out of range"));
    check_dead();
}
END_TEST

START_TEST(packet_too_long)
{
    static const uint32_t lengths[] = {4097, 0x80000000, 0xffffffff};

    store_set("x", "1");
    store.lie_len = lengths[_i];
    ck_assert_int_eq(read_result("x"), -ECONNRESET);
    check_dead();
}
END_TEST

START_TEST(all_waiters_get_an_error)
{
    store.hold = true;
    submit_many(60);
    call = (struct call){.path = "alive"};
    ck_assert(!fake_start(do_read, &call));
    store.deaf = true;
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    fake_run();
    ck_assert_uint_eq(async_done, 60);
    ck_assert_int_eq(async_result, -ECONNRESET);
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, -ECONNRESET);
    check_dead();
}
END_TEST

/* A packet for nobody is skipped, its payload too, and the stream goes on. */
START_TEST(reply_with_a_foreign_id)
{
    static const uint32_t ids[] = {0xffffffff, 19, 20, 21, 0x101, 0x1ff};

    store_set("x", "1");
    store.lie_req_id = ids[_i];
    call = (struct call){.path = "x"};
    ck_assert(!fake_start(do_read, &call));
    ck_assert_uint_eq(xenstore_stats()->ignored, 1);
    ck_assert(fake_logged("unknown request"));
    store_event("x", "zzz");
    check_alive();
}
END_TEST

START_TEST(reply_from_a_foreign_transaction)
{
    store_set("x", "1");
    store.lie_tx_id = 3;
    call = (struct call){.path = "x"};
    ck_assert(!fake_start(do_read, &call));
    ck_assert_uint_eq(xenstore_stats()->ignored, 1);
    check_alive();
}
END_TEST

START_TEST(reply_before_the_request_is_whole)
{
    static char big[3001];
    struct xsd_sockmsg head = {XS_WRITE, 0x100, 0, 3};

    store.deaf = true;
    memset(big, 'x', sizeof(big) - 1);
    call = (struct call){.path = "big", .value = big};
    ck_assert(!fake_start(do_write, &call)); /* a third of it is in the ring */
    store_raw(&head, sizeof(head));
    store_raw("OK", 3);
    store.deaf = false;
    store.read_chunk = 1;
    fake_run();
    ck_assert(fake_logged("not sent yet"));
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, 0);
    ck_assert_str_eq(store_get("big"), big);
}
END_TEST

START_TEST(reply_of_the_wrong_type)
{
    static const uint32_t types[] = {XS_WRITE, XS_CONTROL + 100, XS_TYPE_COUNT, 0xffff, 0xffffffff};

    store_set("x", "1");
    store.lie_type = types[_i];
    ck_assert_int_eq(read_result("x"), -EIO);
    check_alive();
}
END_TEST

START_TEST(reply_twice)
{
    struct xsd_sockmsg head = {XS_READ, 0x100, 0, 1};

    store_set("x", "1");
    ck_assert_int_eq(read_result("x"), 1);
    store_raw(&head, sizeof(head));
    store_raw("2", 1);
    check_alive();
    ck_assert_uint_eq(xenstore_stats()->ignored, 1);
}
END_TEST

START_TEST(errors_by_name)
{
    static const struct {
        const char *name;
        int err;
    } cases[] = {
        {"ENOENT", -ENOENT}, {"EACCES", -EACCES}, {"EAGAIN", -EAGAIN},
        {"E2BIG", -E2BIG},   {"ENOSPC", -ENOSPC}, {"EPERM", -EPERM},
        {"EINVAL", -EINVAL}, {"EBUSY", -EBUSY},   {"EIO", -EIO},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        store.lie_error = cases[i].name;
        ck_assert_int_eq(read_result("x"), cases[i].err);
    }
    ck_assert(!fake_logged("unknown"));
}
END_TEST

START_TEST(unknown_errors)
{
    static const char *const names[] = {
        "EQUOTA",     "",
        "ENOENTX",    "ENOENT\nEIO",
        "enoent",     "a name that is far longer than any error's name should be, really",
        "ECONNRESET", /* ours, and it has not been */
    };

    store.lie_error = names[_i];
    ck_assert_int_eq(read_result("x"), -EIO);
    ck_assert(fake_logged("unknown error"));
    ck_assert(!fake_logged("ENOENT\nEIO"));
    check_alive();
}
END_TEST

START_TEST(error_of_4096_bytes)
{
    static char name[4097];

    memset(name, 'E', sizeof(name) - 1);
    store.lie_error = name;
    ck_assert_int_eq(read_result("x"), -EIO);
    check_alive();
}
END_TEST

static void do_directory(void *arg)
{
    struct call *c = arg;

    c->result = xs_directory(XS_NONE, "d", c->buf, c->size);
}

START_TEST(directory_without_last_terminator)
{
    struct xsd_sockmsg head = {XS_DIRECTORY, 0x100, 0, 3};

    store.lie_lost = true;
    call = (struct call){.size = (size_t)_i};
    memset(call.buf, 'x', sizeof(call.buf));
    ck_assert(!fake_start(do_directory, &call));
    store_raw(&head, sizeof(head));
    store_raw("a\0b", 3);
    fake_run();
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, _i == 4 ? 4 : -ENOSPC);
    if (_i == 4)
        ck_assert_mem_eq(call.buf, "a\0b\0x", 5);
}
END_TEST

/* --- transactions --------------------------------------------------------------------------- */

static unsigned bodies;
static int body_result;

static int body(xs_tid t, void *ctx)
{
    int err = xs_write(t, "data/t", "1");

    (void)ctx;
    bodies++;
    return err ? err : body_result;
}

static void do_transaction(void *arg)
{
    *(int *)arg = xs_transaction_run(body, NULL);
}

START_TEST(transaction)
{
    int result = 9;

    fake_in_thread(do_transaction, &result);
    ck_assert_int_eq(result, 0);
    ck_assert_uint_eq(bodies, 1);
    ck_assert_uint_eq(store.transactions, 0);
}
END_TEST

/* After a conflict the next one cannot be started: what is said is that nothing was done. */
START_TEST(transaction_not_started_again)
{
    int result = 9;

    store.eagain = 1;
    store.lie_error = "EIO";
    store.honest = 3; /* start, write, end */
    fake_in_thread(do_transaction, &result);
    ck_assert_int_eq(result, -EAGAIN);
    ck_assert_uint_eq(bodies, 1);
}
END_TEST

START_TEST(transaction_again_and_again)
{
    uint64_t before = fake_now;
    int result = 9;

    store.eagain = 5;
    fake_in_thread(do_transaction, &result);
    ck_assert_int_eq(result, 0);
    ck_assert_uint_eq(bodies, 6);
    ck_assert_msg(fake_now - before >= 31 * NSEC_PER_MSEC, "no back-off");
}
END_TEST

START_TEST(transaction_storm_is_bounded)
{
    int result = 9;

    store.eagain = 1000000;
    fake_in_thread(do_transaction, &result);
    ck_assert_int_eq(result, -EAGAIN);
    ck_assert_uint_le(bodies, 10);
    ck_assert_uint_eq(store.transactions, 0);
    check_alive();
}
END_TEST

START_TEST(transaction_body_fails)
{
    int result = 9;

    body_result = -ENOENT;
    fake_in_thread(do_transaction, &result);
    ck_assert_int_eq(result, -ENOENT);
    ck_assert_uint_eq(bodies, 1);
    ck_assert_uint_eq(store.transactions, 0);
}
END_TEST

static void do_bad_start(void *arg)
{
    xs_tid t = 77;

    *(int *)arg = xs_transaction_start(&t);
    ck_assert_uint_eq(t, 77);
}

START_TEST(transaction_number_is_nonsense)
{
    static const char *const numbers[] = {"", "0", "-1", "x", "4294967296", "123456789012345678"};
    struct xsd_sockmsg head = {XS_TRANSACTION_START, 0x100, 0, (uint32_t)strlen(numbers[_i])};
    int result = 9;

    store.lie_lost = true;
    ck_assert(!fake_start(do_bad_start, &result));
    store_raw(&head, sizeof(head));
    store_raw(numbers[_i], head.len);
    fake_run();
    ck_assert(fake_ended());
    ck_assert_int_eq(result, -EIO);
}
END_TEST

/* --- watches (rules 19, 20) ----------------------------------------------------------------- */

static unsigned fired;

static void on_change(struct xs_watch *w)
{
    (void)w;
    ck_assert_ptr_nonnull(thread_current());
    fired++;
}

static struct xs_watch watch = {.path = "w", .fn = on_change};

static void do_unwatch(void *arg)
{
    xs_unwatch(arg);
}

START_TEST(watch_fires_at_first_and_on_change)
{
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    ck_assert_uint_eq(fired, 1);
    store_set("w/x", "1");
    fake_run();
    ck_assert_uint_eq(fired, 2);
    store_set("other", "1");
    fake_run();
    ck_assert_uint_eq(fired, 2);
    fake_in_thread(do_unwatch, &watch);
    ck_assert_uint_eq(store_watches(), 0);
    store_set("w/x", "2");
    fake_run();
    ck_assert_uint_eq(fired, 2);
    fake_in_thread(do_unwatch, &watch); /* harmless */
}
END_TEST

START_TEST(events_coalesce)
{
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    fired = 0;
    store.events_per_change = 20;
    store_set("w/x", "1");
    fake_run();
    ck_assert_uint_ge(fired, 1);
    ck_assert_uint_le(fired, 2);
}
END_TEST

START_TEST(event_for_a_token_that_is_not_ours)
{
    static const char *const tokens[] = {"",   "0",        "ff",         "zz",  "10100x", "-1",
                                         "FF", "ffffffff", "1000000001", "13f", "4000",   " 100"};

    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    fired = 0;
    store_event("w", tokens[_i]);
    fake_run();
    ck_assert_uint_eq(fired, 0);
    check_alive();
}
END_TEST

START_TEST(event_without_token)
{
    struct xsd_sockmsg head = {XS_WATCH_EVENT, 0, 0, 3};
    struct xsd_sockmsg empty = {XS_WATCH_EVENT, 0, 0, 0};

    store_raw(&head, sizeof(head));
    store_raw("w/x", 3);
    store_raw(&empty, sizeof(empty));
    fake_run();
    ck_assert_uint_eq(xenstore_stats()->ignored, 2);
    check_alive();
}
END_TEST

START_TEST(event_of_4096_bytes)
{
    struct xsd_sockmsg head = {XS_WATCH_EVENT, 0, 0, 4096};
    static char path[4096];

    memset(path, '/', sizeof(path));
    store_raw(&head, sizeof(head));
    store_raw(path, sizeof(path));
    check_alive();
}
END_TEST

START_TEST(depth_leaves_out_what_is_below)
{
    watch.depth = 1;
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    fired = 0;
    store_set("w/0/state", "1"); /* makes w, w/0 and w/0/state: the first two count */
    fake_run();
    ck_assert_uint_eq(fired, 1);
    fired = 0;
    store_set("w/0/state", "2");
    fake_run();
    ck_assert_uint_eq(fired, 0);
    store_event(STORE_HOME "/w/0/state", watch.token_text); /* a form we did not use */
    fake_run();
    ck_assert_uint_eq(fired, 1);
    store_remove("w/0");
    fake_run();
    ck_assert_uint_eq(fired, 2);
}
END_TEST

static struct xs_watch *to_free;

static void on_change_ends(struct xs_watch *w)
{
    fired++;
    xs_unwatch(w);
    memset(w, 0xee, sizeof(*w));
    free(to_free);
    to_free = NULL;
}

START_TEST(callback_ends_its_own_watch)
{
    to_free = calloc(1, sizeof(*to_free));
    to_free->path = "w";
    to_free->fn = on_change_ends;
    ck_assert_int_eq(xs_watch(to_free), 0);
    fake_run();
    ck_assert_uint_eq(fired, 1);
    ck_assert_ptr_null(to_free);
    ck_assert_uint_eq(store_watches(), 0);
    store_set("w/x", "1");
    check_alive();
}
END_TEST

static struct wait_queue gate;
static bool gate_open;

static void on_change_waits(struct xs_watch *w)
{
    (void)w;
    fired++;
    while (!gate_open)
        wait_queue_sleep(&gate);
    fired++;
}

START_TEST(unwatch_waits_for_the_callback)
{
    wait_queue_init(&gate);
    watch.fn = on_change_waits;
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    ck_assert_uint_eq(fired, 1);
    ck_assert(!fake_start(do_unwatch, &watch));
    gate_open = true;
    wait_queue_wake_all(&gate);
    fake_run();
    ck_assert(fake_ended());
    ck_assert_uint_eq(fired, 2);
    ck_assert_uint_eq(store_watches(), 0);
}
END_TEST

START_TEST(unwatch_while_fired)
{
    static struct xs_watch busy = {.path = "busy", .fn = on_change_waits};

    wait_queue_init(&gate);
    ck_assert_int_eq(xs_watch(&busy), 0);
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run(); /* the thread is in busy's callback, watch is queued behind it */
    ck_assert_uint_eq(fired, 1);
    ck_assert(fake_start(do_unwatch, &watch));
    memset(&watch, 0xee, sizeof(watch));
    gate_open = true;
    wait_queue_wake_all(&gate);
    fake_run();
    ck_assert_uint_eq(fired, 2);
}
END_TEST

START_TEST(unwatch_before_the_registration_is_answered)
{
    store.deaf = true;
    ck_assert_int_eq(xs_watch(&watch), 0);
    ck_assert(!fake_start(do_unwatch, &watch));
    store.deaf = false;
    fake_run();
    ck_assert(fake_ended());
    ck_assert_uint_eq(fired, 0);
    ck_assert_uint_eq(store_watches(), 0);
}
END_TEST

START_TEST(late_event_finds_nothing)
{
    char token[12];

    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    strcpy(token, watch.token_text);
    fake_in_thread(do_unwatch, &watch);
    ck_assert_int_eq(xs_watch(&watch), 0); /* takes the same place */
    fake_run();
    ck_assert_str_ne(token, watch.token_text);
    fired = 0;
    store_event("w", token);
    fake_run();
    ck_assert_uint_eq(fired, 0);
    ck_assert_uint_eq(xenstore_stats()->ignored, 0);
}
END_TEST

START_TEST(too_many_watches)
{
    static struct xs_watch all[65];

    for (unsigned i = 0; i < 64; i++) {
        all[i] = (struct xs_watch){.path = "w", .fn = on_change};
        ck_assert_int_eq(xs_watch(&all[i]), 0);
    }
    all[64] = (struct xs_watch){.path = "w", .fn = on_change};
    ck_assert_int_eq(xs_watch(&all[64]), -ENOSPC);
    fake_run();
    ck_assert_uint_eq(fired, 64);
    ck_assert_uint_eq(store_watches(), 64);
}
END_TEST

START_TEST(refused_watch)
{
    store.forbidden = STORE_HOME "/w";
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    ck_assert(fake_logged("watch on w: EACCES: will try on"));
    ck_assert_uint_eq(fired, 0);
    fake_in_thread(do_unwatch, &watch);
    check_alive();
    fake_sleep(3600 * NSEC_PER_SEC); /* and is not tried any more */
    ck_assert_uint_eq(store_watches(), 0);
}
END_TEST

START_TEST(refused_watch_is_registered_later)
{
    unsigned before = store.requests;

    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store.forbidden = STORE_HOME "/w";
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_sleep(1000 * NSEC_PER_SEC); /* tried after 1, 2, 4 ... 64, 64 s */
    ck_assert_uint_ge(store.requests - before, 18);
    ck_assert_uint_le(store.requests - before, 25);
    ck_assert_uint_eq(fake_log_count("watch on w"), 1);
    if (_i) { /* the store forgets us meanwhile, and still refuses */
        store.page->rsp_prod += 5000;
        fake_raise(STORE_PORT);
        fake_run();
        ck_assert_uint_eq(xenstore_stats()->reconnects, 1);
    }
    store.forbidden = NULL;
    fake_sleep(64 * NSEC_PER_SEC);
    ck_assert_uint_eq(store_watches(), 1);
    ck_assert_uint_eq(fired, 1);
    ck_assert_uint_eq(watch.retry_after, 0);
    store_set("w/x", "1");
    fake_run();
    ck_assert_uint_eq(fired, 2);
}
END_TEST

/* It is there, but the guest cannot know. */
START_TEST(watch_whose_registration_is_answered_badly)
{
    store.lie_type = XS_READ;
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    ck_assert_uint_eq(store_watches(), 1);
    ck_assert(fake_logged("watch on w: EIO: will try on"));
    if (_i) {
        fake_sleep(2 * NSEC_PER_SEC);
        ck_assert_uint_eq(store_watches(), 1);
        fired = 0;
        store_set("w/x", "1");
        fake_run();
        ck_assert_uint_eq(fired, 1);
    }
    fake_in_thread(do_unwatch, &watch);
    ck_assert_uint_eq(store_watches(), 0);
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_eq(store_watches(), 0);
    check_alive();
}
END_TEST

static int trouble;

static void on_change_fails(struct xs_watch *w)
{
    fired++;
    if (trouble)
        xs_watch_retry(w, trouble);
}

START_TEST(callback_that_could_not_do_its_work)
{
    watch.fn = on_change_fails;
    trouble = -ENOMEM;
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    store_set("w/x", "1"); /* in between: the timer is not put off by it */
    fake_run();
    ck_assert_uint_eq(fired, 2);
    fake_sleep(20 * NSEC_PER_SEC); /* 1, 3, 7, 15 */
    ck_assert_uint_eq(fired, 6);
    trouble = 0;
    fake_sleep(20 * NSEC_PER_SEC);
    ck_assert_uint_eq(fired, 7);
    ck_assert_uint_eq(watch.retry_after, 0);
    fake_sleep(1000 * NSEC_PER_SEC);
    ck_assert_uint_eq(fired, 7);
    trouble = -ECONNRESET; /* there will be an event */
    store_set("w/x", "2");
    fake_sleep(1000 * NSEC_PER_SEC);
    ck_assert_uint_eq(fired, 8);
    trouble = -EIO;
    store_set("w/x", "3");
    fake_run();
    fake_in_thread(do_unwatch, &watch); /* with its timer armed */
    fake_sleep(1000 * NSEC_PER_SEC);
    ck_assert_uint_eq(fired, 9);
}
END_TEST

START_TEST(kick)
{
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    fired = 0;
    xs_watch_kick(&watch);
    fake_run();
    ck_assert_uint_eq(fired, 1);
    fake_in_thread(do_unwatch, &watch);
    xs_watch_kick(&watch);
    fake_run();
    ck_assert_uint_eq(fired, 1);
}
END_TEST

START_TEST(event_storm_leaves_room_for_others)
{
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    for (unsigned i = 0; i < 20000; i++)
        store_event("w", watch.token_text);
    check_alive();
    ck_assert_uint_eq(xenstore_stats()->events, 20001);
}
END_TEST

START_TEST(spurious_events_are_reported)
{
    unsigned before;

    fake_run();
    before = fake_ports[STORE_PORT].spurious;
    for (unsigned i = 0; i < 5; i++) {
        fake_raise(STORE_PORT);
        fake_run();
    }
    ck_assert_uint_eq(fake_ports[STORE_PORT].spurious, before + 5);
    check_alive();
}
END_TEST

/* --- a store that says nothing ---------------------------------------------------------------- */

START_TEST(silence_is_logged_once)
{
    store_set("x", "1");
    store.deaf = true;
    call = (struct call){.path = "x"};
    ck_assert(!fake_start(do_read, &call));
    fake_sleep(14 * NSEC_PER_SEC);
    ck_assert(!fake_logged("has not answered"));
    fake_sleep(3600 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_log_count("has not answered for 15 s"), 1);
    ck_assert(fake_ports[STORE_PORT].notifies < 70); /* asked again, ever more rarely */
    ck_assert(!fake_ended());
    store.deaf = false;
    fake_sleep(64 * NSEC_PER_SEC); /* it has lost our event too */
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, 1);
    ck_assert_uint_eq(fake_log_count("answered"), 1);
    ck_assert_uint_eq(fake_log_count("answers again"), 1);
}
END_TEST

START_TEST(reply_without_an_event)
{
    store_set("x", "1");
    store.deaf = true;
    call = (struct call){.path = "x"};
    ck_assert(!fake_start(do_read, &call));
    store.deaf = false;
    ck_assert(store_serve());
    fake_ports[STORE_PORT].pending = false;
    fake_run();
    ck_assert(!fake_ended());
    fake_sleep(NSEC_PER_SEC);
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, 1);
}
END_TEST

START_TEST(no_looking_without_need)
{
    unsigned before;

    check_alive();
    fake_sleep(NSEC_PER_SEC);
    before = fake_timers_fired;
    fake_sleep(3600 * NSEC_PER_SEC);
    ck_assert_uint_eq(fake_timers_fired, before);
}
END_TEST

/* --- error and reconnection (rule 23) ------------------------------------------------------- */

START_TEST(error_field)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_ERROR;
    store.deaf = true;
    call = (struct call){.path = "alive"};
    ck_assert(!fake_start(do_read, &call));
    store.page->error = XENSTORE_ERROR_PROTO;
    fake_raise(STORE_PORT);
    fake_run();
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, -ECONNRESET);
    check_dead();
}
END_TEST

START_TEST(error_field_without_the_feature_is_nothing)
{
    store.page->error = XENSTORE_ERROR_PROTO;
    check_alive();
}
END_TEST

START_TEST(reset_after_a_breach)
{
    store.page->server_features =
        XENSTORE_SERVER_FEATURE_ERROR | XENSTORE_SERVER_FEATURE_RECONNECTION;
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    fired = 0;
    store_set("x", "1");
    store.lie_len = 70000;
    ck_assert_int_eq(read_result("x"), -ECONNRESET);
    check_alive();
    ck_assert_uint_eq(store_watches(), 1); /* registered again */
    ck_assert_uint_eq(fired, 1);
    store_set("w/x", "1");
    fake_run();
    ck_assert_uint_eq(fired, 2);
    ck_assert_uint_eq(xenstore_stats()->reconnects, 1);
    ck_assert(!fake_logged("disabled"));
}
END_TEST

START_TEST(resets_are_bounded)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store_set("x", "1");
    for (unsigned i = 0; i < 4; i++) {
        store.lie_len = 70000;
        ck_assert_int_eq(read_result("x"), -ECONNRESET);
        check_alive();
    }
    store.lie_len = 70000;
    ck_assert_int_eq(read_result("x"), -ECONNRESET);
    check_dead();
}
END_TEST

START_TEST(reset_that_is_never_answered)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    ck_assert_int_eq(xs_watch(&watch), 0);
    store_set("x", "1");
    store.lie_len = 70000;
    call = (struct call){.path = "x"};
    fake_run();
    store.deaf = true;
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    ck_assert(!fake_start(do_read, &call)); /* queued, in hope */
    fake_sleep(6 * NSEC_PER_SEC);
    ck_assert(fake_ended());
    ck_assert_int_eq(call.result, -ECONNRESET);
    check_dead();
}
END_TEST

/* Rule 14: until the store has answered, its events are for nothing. */
START_TEST(events_while_a_reset_is_awaited)
{
    unsigned before;

    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store.deaf = true;
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    fake_run();
    before = fake_ports[STORE_PORT].spurious;
    for (unsigned i = 0; i < 5; i++) {
        fake_raise(STORE_PORT);
        fake_run();
    }
    ck_assert_uint_eq(fake_ports[STORE_PORT].spurious, before + 5);
    store.deaf = false;
    check_alive();
}
END_TEST

START_TEST(queued_requests_survive_a_reset)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store_set("data/x", "1");
    store.hold = true;
    submit_many(30);
    fake_run();
    store.hold = false;
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    fake_run();
    ck_assert_uint_eq(async_done, 30);
    ck_assert_int_eq(async_result, 0); /* the last ones were sent after the reset */
    check_alive();
}
END_TEST

/* --- no store -------------------------------------------------------------------------------- */

START_TEST(before_the_store_is_ready)
{
    store_init();
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    store.page->connection = XENSTORE_RECONNECT; /* as the toolstack leaves it for a late store */
    store.deaf = true;
    ck_assert_int_eq(xenstore_init(), 0);
    ck_assert_int_eq(xs_watch(&watch), 0);
    fake_run();
    ck_assert_uint_eq(store.page->req_prod, 0xfffffff0);
    store.deaf = false;
    fake_ports[STORE_PORT].notified = true; /* it starts, and looks */
    fake_run();
    ck_assert_uint_eq(fired, 1);
    check_alive();
}
END_TEST

START_TEST(without_a_store)
{
    ck_assert_int_eq(xenstore_init(), -ENODEV);
    ck_assert(!xenstore_available());
    ck_assert_int_eq(xs_watch(&watch), -ECONNRESET);
    ck_assert_int_eq(read_result("x"), -ECONNRESET);
}
END_TEST

START_TEST(without_memory_for_the_thread)
{
    store_init();
    fake_no_memory = true;
    ck_assert_int_eq(xenstore_init(), -ENOMEM);
    ck_assert(!xenstore_available());
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore");
    TCase *t = tcase_create("calls");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, every_call);
    tcase_add_test(t, bytes_arrive_one_by_one);
    tcase_add_test(t, pieces_of_every_size);
    tcase_add_test(t, requests_and_replies_larger_than_the_ring);
    tcase_add_test(t, payload_over_4096_is_not_sent);
    tcase_add_test(t, values_with_zero_bytes);
    tcase_add_test(t, reads_go_out_together);
    tcase_add_test(t, writes_go_out_together);
    tcase_add_test(t, no_more_than_the_quota_outstanding);
    tcase_add_test(t, more_than_the_quota_are_queued);
    tcase_add_test(t, numbers_and_no_others);
    tcase_add_test(t, numbers_in_the_store);
    tcase_add_test(t, transaction);
    tcase_add_test(t, transaction_not_started_again);
    tcase_add_test(t, transaction_again_and_again);
    tcase_add_test(t, transaction_storm_is_bounded);
    tcase_add_test(t, transaction_body_fails);
    tcase_add_loop_test(t, transaction_number_is_nonsense, 0, 6);
    suite_add_tcase(s, t);

    t = tcase_create("lies");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, request_index_ahead);
    tcase_add_test(t, request_index_far_behind);
    tcase_add_loop_test(t, reply_index_out_of_range, 0, 3);
    tcase_add_loop_test(t, packet_too_long, 0, 3);
    tcase_add_test(t, all_waiters_get_an_error);
    tcase_add_loop_test(t, reply_with_a_foreign_id, 0, 6);
    tcase_add_test(t, reply_from_a_foreign_transaction);
    tcase_add_test(t, reply_before_the_request_is_whole);
    tcase_add_loop_test(t, reply_of_the_wrong_type, 0, 5);
    tcase_add_test(t, reply_twice);
    tcase_add_test(t, errors_by_name);
    tcase_add_loop_test(t, unknown_errors, 0, 7);
    tcase_add_test(t, error_of_4096_bytes);
    tcase_add_loop_test(t, directory_without_last_terminator, 2, 5);
    suite_add_tcase(s, t);

    t = tcase_create("watches");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, watch_fires_at_first_and_on_change);
    tcase_add_test(t, events_coalesce);
    tcase_add_loop_test(t, event_for_a_token_that_is_not_ours, 0, 12);
    tcase_add_test(t, event_without_token);
    tcase_add_test(t, event_of_4096_bytes);
    tcase_add_test(t, depth_leaves_out_what_is_below);
    tcase_add_test(t, callback_ends_its_own_watch);
    tcase_add_test(t, unwatch_waits_for_the_callback);
    tcase_add_test(t, unwatch_while_fired);
    tcase_add_test(t, unwatch_before_the_registration_is_answered);
    tcase_add_test(t, late_event_finds_nothing);
    tcase_add_test(t, too_many_watches);
    tcase_add_test(t, refused_watch);
    tcase_add_loop_test(t, refused_watch_is_registered_later, 0, 2);
    tcase_add_loop_test(t, watch_whose_registration_is_answered_badly, 0, 2);
    tcase_add_test(t, callback_that_could_not_do_its_work);
    tcase_add_test(t, kick);
    tcase_add_test(t, event_storm_leaves_room_for_others);
    tcase_add_test(t, spurious_events_are_reported);
    suite_add_tcase(s, t);

    t = tcase_create("connection");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, silence_is_logged_once);
    tcase_add_test(t, reply_without_an_event);
    tcase_add_test(t, no_looking_without_need);
    tcase_add_test(t, error_field);
    tcase_add_test(t, error_field_without_the_feature_is_nothing);
    tcase_add_test(t, reset_after_a_breach);
    tcase_add_test(t, resets_are_bounded);
    tcase_add_test(t, reset_that_is_never_answered);
    tcase_add_test(t, events_while_a_reset_is_awaited);
    tcase_add_test(t, queued_requests_survive_a_reset);
    suite_add_tcase(s, t);

    t = tcase_create("no store");
    tcase_add_test(t, before_the_store_is_ready);
    tcase_add_test(t, without_a_store);
    tcase_add_test(t, without_memory_for_the_thread);
    suite_add_tcase(s, t);

    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
