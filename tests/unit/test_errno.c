/* SPDX-License-Identifier: ISC */
/* kernel/errno.c: every name that xenstored may send is known, and names and numbers agree. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "kernel/log.h"

START_TEST(every_error_of_the_store)
{
    for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
        ck_assert_int_eq(errno_number(xsd_errors[i].errstring), -xsd_errors[i].errnum);
        ck_assert_str_eq(errno_name(-xsd_errors[i].errnum), xsd_errors[i].errstring);
    }
}
END_TEST

START_TEST(others)
{
    ck_assert_str_eq(errno_name(-ETIMEDOUT), "ETIMEDOUT");
    ck_assert_str_eq(errno_name(-EOPNOTSUPP), "EOPNOTSUPP");
    ck_assert_str_eq(errno_name(-12345), "-12345");
    ck_assert_str_eq(errno_name(-(256 + EIO)), "-261"); /* not taken for a byte */
    ck_assert_int_eq(errno_number("ESOMETHING"), 0);
    ck_assert_int_eq(errno_number(""), 0);
    ck_assert_int_eq(errno_number("ENOME"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("errno");
    TCase *c = tcase_create("names");
    SRunner *r;
    int failed;

    tcase_add_test(c, every_error_of_the_store);
    tcase_add_test(c, others);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
