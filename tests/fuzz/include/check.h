/* SPDX-License-Identifier: ISC */
/*
 * Takes the place of Check's header in a fuzz target, for the fakes of tests/unit: what fails a test
 * there ends the process here, which is what a fuzzer looks for.
 */
#ifndef TESTS_FUZZ_CHECK_H
#define TESTS_FUZZ_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ck_abort_msg(...)                                                                          \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        abort();                                                                                   \
    } while (0)
#define ck_assert_msg(x, ...)                                                                      \
    do {                                                                                           \
        if (!(x))                                                                                  \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)
#define ck_assert(x) ck_assert_msg(x, "not so: %s", #x)
#define ck_compare(type, format, a, op, b)                                                         \
    do {                                                                                           \
        type ck_a = (type)(a);                                                                     \
        type ck_b = (type)(b);                                                                     \
                                                                                                   \
        ck_assert_msg(ck_a op ck_b, "%s %s %s: " format " and " format, #a, #op, #b, ck_a, ck_b);  \
    } while (0)
#define ck_assert_int_eq(a, b) ck_compare(intmax_t, "%jd", a, ==, b)
#define ck_assert_uint_eq(a, b) ck_compare(uintmax_t, "%ju", a, ==, b)
#define ck_assert_uint_lt(a, b) ck_compare(uintmax_t, "%ju", a, <, b)
#define ck_assert_uint_le(a, b) ck_compare(uintmax_t, "%ju", a, <=, b)
#define ck_assert_uint_gt(a, b) ck_compare(uintmax_t, "%ju", a, >, b)
#define ck_assert_uint_ge(a, b) ck_compare(uintmax_t, "%ju", a, >=, b)
#define ck_assert_ptr_eq(a, b) ck_compare(const void *, "%p", a, ==, b)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b) ck_assert_msg(!strcmp(a, b), "\"%s\" is not \"%s\"", a, b)

#endif
