/* SPDX-License-Identifier: ISC */
/* Threads and the library: state that belongs to one, and output that several share. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/libctest/check.h"
#include "kernel/app.h"
#include "lib/util.h"

#define THREADS 8

static struct wait_queue done = WAIT_QUEUE_INIT(done);
static unsigned running, good;

static void finish(void)
{
    running--;
    wait_queue_wake_all(&done);
}

/* Runs fn in THREADS threads and waits for them; false when they could not be made. */
static bool run_threads(void (*fn)(void *))
{
    static int numbers[THREADS];

    good = 0;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (!thread_create("worker", fn, &numbers[i], 0))
            return false;
        running++;
    }
    while (running)
        wait_queue_sleep(&done);
    return true;
}

static void keep_errno(void *arg)
{
    int mine = 100 + *(int *)arg;
    bool same = true;

    errno = mine;
    for (int i = 0; i < 10; i++) {
        thread_yield();
        same = same && errno == mine;
    }
    good += same;
    finish();
}

static void errno_belongs_to_a_thread(void)
{
    errno = 7;
    CHECK(run_threads(keep_errno));
    CHECK(good == THREADS);
    CHECK(errno == 7);
}

static void split_words(void *arg)
{
    char text[32], *word, want[2] = "a";
    bool right = true;

    snprintf(text, sizeof(text), "a b c %d", *(int *)arg);
    word = strtok(text, " ");
    for (; want[0] <= 'c'; want[0]++) {
        thread_yield();
        right = right && word && strcmp(word, want) == 0;
        word = strtok(NULL, " ");
    }
    good += right && word && atoi(word) == *(int *)arg;
    finish();
}

static void strtok_belongs_to_a_thread(void)
{
    CHECK(run_threads(split_words));
    CHECK(good == THREADS);
}

/* The boot test looks whether each of these lines is in one piece. */
static void print_lines(void *arg)
{
    char letter = (char)('a' + *(int *)arg), body[61];

    memset(body, letter, 60);
    body[60] = '\0';
    for (int i = 0; i < 40; i++) {
        printf("whole %c%s%c\n", '<', body, '>');
        if (i % 8 == 0)
            thread_yield();
    }
    good++;
    finish();
}

static void lines_stay_whole(void)
{
    CHECK(run_threads(print_lines));
    CHECK(good == THREADS);
}

static void sleep_a_while(void *arg)
{
    int ms = 10 * (THREADS - *(int *)arg);
    uint64_t start = time_monotonic();

    usleep((useconds_t)ms * 1000);
    good += time_monotonic() - start >= (uint64_t)ms * NSEC_PER_MSEC;
    finish();
}

static void sleeps_overlap(void)
{
    uint64_t start = time_monotonic();

    CHECK(run_threads(sleep_a_while));
    CHECK(good == THREADS);
    CHECK(time_monotonic() - start < 10 * THREADS * (THREADS + 1) / 2 * NSEC_PER_MSEC);
}

static void use_library(void *arg)
{
    char *p = malloc(100);

    errno = *(int *)arg;
    snprintf(p, 100, "%d", errno);
    good += atoi(p) == *(int *)arg;
    free(p);
    finish();
}

/* A thread's stack and its part of the library's state come back when it ends. */
static void threads_leave_nothing(void)
{
    struct mallinfo before, after;
    size_t pages;

    CHECK(run_threads(use_library));
    thread_yield(); /* the last one is buried by now */
    pages = page_count_free();
    before = mallinfo();
    for (int i = 0; i < 20; i++)
        CHECK(run_threads(use_library));
    thread_yield();
    after = mallinfo();
    CHECK(before.uordblks == after.uordblks);
    CHECK(page_count_free() == pages);
}

static unsigned fired;

static void print_from_loop(struct timer *t)
{
    printf("printed from a callback\n");
    fired++;
}

static void callbacks_may_print(void)
{
    static struct timer timer;

    timer_init(&timer, print_from_loop);
    timer_arm_in(&timer, NSEC_PER_MSEC);
    thread_sleep(20 * NSEC_PER_MSEC);
    CHECK(fired == 1);
}

const struct test thread_tests[] = {
    {"errno", errno_belongs_to_a_thread},
    {"strtok", strtok_belongs_to_a_thread},
    {"lines", lines_stay_whole},
    {"sleep", sleeps_overlap},
    {"thread-leaks", threads_leave_nothing},
    {"callback-printf", callbacks_may_print},
};
const size_t thread_tests_count = ARRAY_SIZE(thread_tests);
