/* SPDX-License-Identifier: ISC */
/*
 * Counters: what is counted, how it reads, the answer to counters.server, and what the app's command line says of them.
 */
#include "tests/unit/dns_zones.h"

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/counters.h"

#include <errno.h>

static const struct dns_identity told = {.counters = true};
static char text[COUNTERS_TEXT];
static struct dns_zone zone;
static uint8_t *image;

static void prepare(void)
{
    size_t size;

    start();
    image = make_zone(zone_text, &zone, &size);
    dns_db_set(&db, &zone);
}

static void clean(void)
{
    free(image);
}

static const char *counted(void)
{
    counters_text(&stats, text);
    return text;
}

START_TEST(test_counts)
{
    uint8_t answer[DNS_UDP_MAX];

    ck_assert_str_eq(counted(), "");
    ask("mail.example.org.", TYPE_A, 0, answer);
    ck_assert_str_eq(counted(), "queries=1 noerror=1 A=1");
    ask("no.example.org.", TYPE_MX, DNS_TCP, answer);
    ask("mail.example.org.", TYPE_HTTPS, 0, answer);
    ask("mail.example.org.", 65280, 0, answer);
    ask("example.net.", TYPE_ANY, 0, answer);
    ck_assert_str_eq(
        counted(), "queries=5 tcp=1 noerror=3 nxdomain=1 refused=1 A=1 MX=1 HTTPS=1 ANY=1 other=1");
    ck_assert_uint_eq(dns_answer(&db, NULL, answer, 5, answer + 100, DNS_UDP_MIN, 0, &stats), 0);
    ck_assert_ptr_nonnull(strstr(counted(), "queries=6 tcp=1 dropped=1 "));
}
END_TEST

/* What is answered is told, whatever its response code: all that the server gives. */
START_TEST(test_rcodes)
{
    static const uint8_t codes[] = {DNS_NOERROR, DNS_FORMERR,  DNS_SERVFAIL, DNS_NXDOMAIN,
                                    DNS_NOTIMP,  DNS_REFUSED,  DNS_YXDOMAIN, DNS_NOTAUTH,
                                    DNS_BADVERS, DNS_BADCOOKIE};

    stats.rcode[codes[_i]] = 7;
    ck_assert_ptr_nonnull(strstr(counted(), "=7"));
}
END_TEST

/* A wrong cookie, and no question (RFC 7873 section 5.4). */
START_TEST(test_bad_cookie)
{
    static const uint8_t query[] = "\x12\x34\0\0\0\0\0\0\0\0\0\1" /* and the OPT record */
                                   "\0\0\x29\4\xd0\0\0\0\0\0\x14\0\x0a\0\x10"
                                   "clients.wrong...";
    static const struct dns_client client = {.address_len = 4};
    uint8_t answer[DNS_UDP_MIN];

    dns_db_identify(&db, &told);
    ck_assert_uint_gt(
        dns_answer(&db, &client, query, sizeof(query) - 1, answer, sizeof(answer), 0, &stats), 0);
    ck_assert_str_eq(counted(), "queries=1 badcookie=1");
}
END_TEST

/* The largest numbers there are; nothing is cut off, nothing written behind the end. */
START_TEST(test_largest)
{
    char *exact = malloc(COUNTERS_TEXT), *one = malloc(COUNTER_TEXT);
    unsigned next = 0, count = 0;

    memset(&stats, 0xff, sizeof(stats));
    counters_text(&stats, exact);
    ck_assert_uint_lt(strlen(exact), COUNTERS_TEXT);
    while (counters_next(&stats, &next, one)) {
        ck_assert_ptr_nonnull(strstr(exact, one));
        ck_assert_ptr_nonnull(strstr(one, "=18446744073709551615"));
        count++;
    }
    ck_assert_uint_eq(count, 9 + 10 + DNS_TYPES_COUNTED);
    free(exact);
    free(one);
}
END_TEST

static size_t ask_counters(uint8_t *answer)
{
    uint8_t query[100];
    size_t len = put_query(query, "Counters.server.", TYPE_TXT);

    query[len - 1] = CLASS_CHAOS;
    return dns_answer(&db, NULL, query, len, answer, DNS_UDP_MIN, 0, &stats);
}

/* Told when allowed; what does not fit into 512 octets sets TC. */
START_TEST(test_chaos)
{
    uint8_t answer[DNS_UDP_MIN];
    static const char first[] = "\11queries=1\5TXT=1";
    size_t len = ask_counters(answer);

    ck_assert_uint_eq(answer[3] & 15, DNS_REFUSED);
    dns_db_identify(&db, &told);
    memset(&stats, 0, sizeof(stats));
    len = ask_counters(answer);
    ck_assert_uint_eq(answer[3] & 15, DNS_NOERROR);
    ck_assert_uint_eq(dns_be16(answer + len - sizeof(first) + 1 - 2), sizeof(first) - 1);
    ck_assert_mem_eq(answer + len - sizeof(first) + 1, first, sizeof(first) - 1);
    memset(&stats, 0xee, sizeof(stats));
    len = ask_counters(answer);
    ck_assert_uint_gt(len, 400);
    ck_assert(answer[2] & FLAG_TC);
}
END_TEST

/* --- the app ------------------------------------------------------------------------------------- */

struct server server;
static const char *said; /* of the counters, on the command line */
static char published[COUNTERS_TEXT];
static struct timer *armed;

const char *cmdline_get(const char *key)
{
    ck_assert_str_eq(key, "counters");
    return said;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
}

void shutdown_hook_add(struct shutdown_hook *hook)
{
}

int guest_publish(const char *path, const char *value)
{
    snprintf(published, sizeof(published), "%s: %s", path, value);
    return 0;
}

/* Of an armed one the kernel's heap would have a link to itself. */
void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    ck_assert_msg(t != armed, "the timer is armed");
    *t = (struct timer){.fn = fn};
}

void timer_arm_in(struct timer *t, uint64_t ns)
{
    ck_assert_uint_eq(ns, 10 * 1000000000ull);
    armed = t;
}

static const struct {
    const char *said;
    bool chaos, xenstore;
    int err;
} lists[] = {
    {NULL, false, false, 0},
    {"", false, false, 0},
    {"chaos", true, false, 0},
    {"xenstore", false, true, 0},
    {"chaos,xenstore", true, true, 0},
    {"xenstore,chaos", true, true, 0},
    {"xenstore,xenstore", false, true, 0},
    {"xenstore,chaos,xenstore", true, true, 0},
    {"xenstor", false, false, -EINVAL},
    {"xenstore,x", false, false, -EINVAL},
};

START_TEST(test_command_line)
{
    bool chaos = false;

    armed = NULL;
    said = lists[_i].said;
    ck_assert_int_eq(server_tell_counters(&chaos), lists[_i].err);
    ck_assert(chaos == lists[_i].chaos);
    ck_assert(!armed == !lists[_i].xenstore);
    if (armed) {
        struct timer *t = armed;

        armed = NULL;
        server.stats.queries = 5;
        t->fn(t);
        ck_assert_str_eq(published, "attr/dns/counters: queries=5");
        ck_assert_ptr_eq(armed, t);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("counters");
    Suite *s = suite_create("dns_counters");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, prepare, clean);
    tcase_add_test(t, test_counts);
    tcase_add_loop_test(t, test_rcodes, 0, 10);
    tcase_add_test(t, test_bad_cookie);
    tcase_add_test(t, test_largest);
    tcase_add_test(t, test_chaos);
    tcase_add_loop_test(t, test_command_line, 0, ARRAY_SIZE(lists));
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
