/* SPDX-License-Identifier: ISC */
/* What the files of libctest share: a test is a function that returns at its first failed CHECK. */
#ifndef LIBCTEST_CHECK_H
#define LIBCTEST_CHECK_H

#include <stddef.h>

struct test {
    const char *name;
    void (*run)(void);
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_failed(__FILE__, __LINE__, #condition);                                          \
            return;                                                                                \
        }                                                                                          \
    } while (0)

void check_failed(const char *file, int line, const char *condition);

extern const struct test library_tests[], memory_tests[], thread_tests[];
extern const size_t library_tests_count, memory_tests_count, thread_tests_count;

#endif
