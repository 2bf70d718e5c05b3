/* SPDX-License-Identifier: ISC */
/*
 * A guest for the boot tests: the C library as a program sees it. Without arguments it runs all
 * tests, prints "PASS name" or "FAIL name: why" for each, and ends with their number of failures as
 * its status. With an argument it does one thing, usually a wrong one, for a test to look at.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/libctest/check.h"
#include "kernel/app.h"
#include "lib/util.h"

static char why[200];

void check_failed(const char *file, int line, const char *condition)
{
    snprintf(why, sizeof(why), "%s:%d: %s", file, line, condition);
}

static int constructed;

static __attribute__((constructor)) void construct(void)
{
    constructed++;
}

static void a_constructor_has_run(void)
{
    CHECK(constructed == 1);
}

static const struct test main_tests[] = {{"constructor", a_constructor_has_run}};

static int run_tests(const struct test *tests, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        why[0] = '\0';
        tests[i].run();
        if (why[0])
            printf("FAIL %s: %s\n", tests[i].name, why);
        else
            printf("PASS %s\n", tests[i].name);
        failed += why[0] != '\0';
    }
    return failed;
}

static int run_all(void)
{
    int failed = run_tests(main_tests, ARRAY_SIZE(main_tests)) +
                 run_tests(library_tests, library_tests_count) +
                 run_tests(memory_tests, memory_tests_count) +
                 run_tests(thread_tests, thread_tests_count);

    printf("%d failed\n", failed);
    return failed;
}

/* --- deeds ------------------------------------------------------------------------------------ */

static const char *argument;

static int do_abort(void)
{
    printf("about to abort\n");
    abort();
}

static int do_assert(void)
{
    assert(argument == argument + 1);
    return 0;
}

static int do_raise(void)
{
    return raise(SIGTERM);
}

static int do_exit(void)
{
    exit(argument ? atoi(argument) : 0);
}

static void say_goodbye(void)
{
    printf("atexit, ");
}

/* The text without a newline is only seen when exit() flushes. */
static int do_atexit(void)
{
    atexit(say_goodbye);
    printf("main, ");
    return 0;
}

static int free_twice(void)
{
    char *p = malloc(100), *keep = malloc(100);
    char *again;

    __asm__("" : "=r"(again) : "0"(p)); /* the same, and the compiler does not know */
    free(p);
    free(again);
    printf("the second free went unnoticed, %p\n", keep);
    return 0;
}

static int free_middle(void)
{
    char *p = calloc(1, 200);

    p += 64;
    __asm__("" : "+r"(p));
    free(p);
    printf("the free of a part went unnoticed\n");
    return 0;
}

static int overflow_heap(void)
{
    char *p = malloc(64), *next = malloc(64);

    __asm__("" : "+r"(p), "+r"(next)); /* the compiler knows nothing of either */
    memset(p, 0x41, 100);
    free(next);
    printf("the overflow went unnoticed, %p\n", p);
    return 0;
}

/* More lines than the console buffers: none may be lost, for the program waits. */
static int flood(void)
{
    int lines = argument ? atoi(argument) : 2000;

    for (int i = 1; i <= lines; i++)
        printf("line %d of %d %s\n", i, lines, "--------------------------------------------");
    return 0;
}

/* Lines typed at the console come back in upper case, until the end of the input. */
static int upper(void)
{
    char line[128];

    printf("ready\n");
    while (fgets(line, sizeof(line), stdin)) {
        for (char *c = line; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        printf("<%s>\n", strtok(line, "\n"));
    }
    printf("end of input\n");
    return 0;
}

static int sleep_long(void)
{
    printf("asleep\n");
    sleep(argument ? (unsigned)atoi(argument) : 3600);
    printf("awake\n");
    return 0;
}

static int deep(int depth)
{
    volatile char frame[512];

    frame[depth % 512] = (char)depth;
    return depth < 0 ? 0 : deep(depth + 1) + frame[0];
}

static int overflow_stack(void)
{
    return deep(0);
}

static const struct {
    const char *name;
    int (*run)(void);
} deeds[] = {
    {"abort", do_abort},
    {"assert", do_assert},
    {"raise", do_raise},
    {"exit", do_exit},
    {"atexit", do_atexit},
    {"free-twice", free_twice},
    {"free-middle", free_middle},
    {"overflow-heap", overflow_heap},
    {"overflow-stack", overflow_stack},
    {"flood", flood},
    {"upper", upper},
    {"sleep", sleep_long},
};

int main(int argc, char **argv)
{
    if (argc < 2)
        return run_all();
    argument = argc > 2 ? argv[2] : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
        if (strcmp(deeds[i].name, argv[1]) == 0)
            return deeds[i].run();
    fprintf(stderr, "unknown deed %s\n", argv[1]);
    return 2;
}
