/* SPDX-License-Identifier: ISC */
/*
 * apps/iperf3/json.c: what is an object and what is not, the members that are wanted, and texts that end anywhere.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/iperf3/json.h"
#include "lib/util.h"

static uint64_t number, flag;

/* Reads a copy that ends where its memory does: reading beyond is seen. */
static int read_text(const char *text, size_t len)
{
    const struct json_member wanted[] = {{"n", 1000, &number}, {"f", 0, &flag}};
    char *copy = malloc(len ? len : 1);
    int err;

    memcpy(copy, text, len);
    number = flag = 77;
    err = json_read(copy, len, wanted, ARRAY_SIZE(wanted));
    free(copy);
    return err;
}

static int read_all(const char *text)
{
    return read_text(text, strlen(text));
}

START_TEST(members_that_are_wanted)
{
    ck_assert_int_eq(read_all("{\"n\":1000,\"f\":true}"), 0);
    ck_assert(number == 1000 && flag == 1);
    ck_assert_int_eq(read_all(" {\r\n\t\"other\" : [ 1 , {\"n\":5} , \"\\u00e4\\\"\" ] , \"f\" : "
                              "false , \"n\" : 0 } "),
                     0);
    ck_assert(number == 0 && flag == 0);
    ck_assert_int_eq(read_all("{}"), 0);
    ck_assert(number == 77 && flag == 77);
    ck_assert_int_eq(read_all("{\"nn\":1,\"\":2,\"x\":-1.5e-3,\"y\":null,\"z\":0.0,\"f\":true}"),
                     0);
    ck_assert(number == 77 && flag == 1);
}
END_TEST

START_TEST(values_that_cannot_be)
{
    static const char *const texts[] = {
        "{\"n\":1001}",
        "{\"n\":-1}",
        "{\"n\":1.0}",
        "{\"n\":1e2}",
        "{\"n\":true}",
        "{\"n\":\"1\"}",
        "{\"n\":[]}",
        "{\"n\":18446744073709551617}",
        "{\"n\":100000000000000000000000}",
        "{\"f\":1}",
        "{\"f\":null}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(read_all(texts[i]) == -ERANGE, "%s", texts[i]);
}
END_TEST

START_TEST(no_objects)
{
    static const char *const texts[] = {
        "",
        " ",
        "1",
        "[]",
        "{",
        "{]",
        "{\"n\"}",
        "{\"n\":}",
        "{\"n\":1,}",
        "{n:1}",
        "{\"n\":1}}",
        "{\"n\":1} x",
        "{\"n\":01}",
        "{\"n\":+1}",
        "{\"n\":.5}",
        "{\"n\":1.}",
        "{\"n\":1e}",
        "{\"n\":-}",
        "{\"f\":tru}",
        "{\"f\":True}",
        "{\"x\":\"\n\"}",
        "{\"x\":\"\\x\"}",
        "{\"x\":\"\\u12g4\"}",
        "{\"x\":\"}",
        "{\"x\":[1,]}",
        "{\"x\":[1 2]}",
        "{\"x\":[[[[[[[[1]]]]]]]]}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(read_all(texts[i]) == -EINVAL, "%s", texts[i]);
    ck_assert_int_eq(read_text("{\"x\":\"\\\0\"}", 9), -EINVAL);
    ck_assert_int_eq(read_all("{\"x\":[[[[[[[1]]]]]]]}"), 0);
}
END_TEST

/* No beginning of an object is one, and nothing behind its end is read. */
START_TEST(every_end)
{
    static const char text[] = "{\"n\":12,\"f\":true,\"x\":[-1.5e+7,\"\\u00e4\",{\"y\":null}]}";

    for (size_t len = 0; len < sizeof(text) - 1; len++)
        ck_assert_int_eq(read_text(text, len), -EINVAL);
    ck_assert_int_eq(read_all(text), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iperf_json");
    TCase *t = tcase_create("iperf_json");
    SRunner *r;
    int failed;

    tcase_add_test(t, members_that_are_wanted);
    tcase_add_test(t, values_that_cannot_be);
    tcase_add_test(t, no_objects);
    tcase_add_test(t, every_end);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
