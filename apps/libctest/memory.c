/* SPDX-License-Identifier: ISC */
/* malloc: that what it hands out does not overlap, that all of it comes back, and its end. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/libctest/check.h"
#include "kernel/app.h"
#include "lib/util.h"

/* A memory that is exhausted leaves this many pages to the kernel, less some for page tables. */
#define LEFT_MIN (CONFIG_HEAP_RESERVE_PAGES - 8)

static void calloc_refuses_overflow(void)
{
    volatile size_t half = SIZE_MAX / 2 + 1;

    errno = 0;
    CHECK(calloc(half, 2) == NULL && errno == ENOMEM);
    CHECK(calloc(half, 3) == NULL);
    CHECK(malloc(half + half - 100) == NULL);
    CHECK(malloc(half) == NULL);
}

static bool all(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

static void calloc_clears(void)
{
    for (int round = 0; round < 3; round++) {
        for (size_t n = 1; n < 200000; n = n * 5 / 2) {
            uint8_t *p = calloc(1, n);

            CHECK(p && all(p, n, 0));
            memset(p, 0xff, n);
            free(p);
        }
    }
}

static void realloc_keeps_the_contents(void)
{
    uint8_t *p = NULL;

    for (size_t n = 1; n < 300000; n = n * 3 / 2 + 1) {
        p = realloc(p, n);
        CHECK(p);
        p[n - 1] = (uint8_t)n;
        p[0] = 0x77;
    }
    for (size_t n = 200000; n; n /= 2) {
        p = realloc(p, n);
        CHECK(p && p[0] == 0x77);
    }
    free(p);
}

static void alignment_is_kept(void)
{
    for (size_t align = 16; align <= 8192; align *= 2) {
        void *p = memalign(align, 100), *q = aligned_alloc(align, align);

        CHECK(p && (uintptr_t)p % align == 0 && q && (uintptr_t)q % align == 0);
        free(p);
        free(q);
    }
    for (int i = 1; i < 100; i++) {
        void *p = malloc((size_t)i);

        CHECK((uintptr_t)p % 16 == 0);
        free(p);
    }
}

#define PIECES 300

/* Random pieces, each filled with its own number. */
static void pieces_do_not_overlap(void)
{
    static uint8_t *piece[PIECES];
    static size_t size[PIECES];

    srand(3);
    for (int i = 0; i < 20000; i++) {
        int k = rand() % PIECES;

        if (piece[k]) {
            CHECK(all(piece[k], size[k], (uint8_t)k));
            free(piece[k]);
            piece[k] = NULL;
        } else {
            size[k] = 1 + (size_t)rand() % (rand() % 20 ? 200 : 20000);
            piece[k] = malloc(size[k]);
            CHECK(piece[k]);
            memset(piece[k], k, size[k]);
        }
    }
    for (int k = 0; k < PIECES; k++) {
        CHECK(!piece[k] || all(piece[k], size[k], (uint8_t)k));
        free(piece[k]);
        piece[k] = NULL;
    }
}

static void large_memory_goes_back(void)
{
    size_t before = page_count_free();
    char *p = malloc(2 << 20);

    CHECK(p && page_count_free() <= before - (2 << 20) / PAGE_SIZE);
    free(p);
    /* malloc keeps 128 KiB at most, the heap's last block 256 KiB, page tables are for ever. */
    CHECK(page_count_free() + 100 >= before);
}

/* Takes all memory in pieces of a size, and counts them. Everything else goes on. */
static size_t exhaust(size_t bytes)
{
    void **chain = NULL, **piece;
    size_t count = 0;

    while ((piece = malloc(bytes))) {
        *piece = chain;
        chain = piece;
        count++;
    }
    while (chain) {
        piece = *chain;
        free(chain);
        chain = piece;
    }
    return count;
}

static void exhaustion_is_an_error(void)
{
    static const size_t sizes[] = {1 << 20, 100000, 4096, 500};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t first, second;

        errno = 0;
        first = exhaust(sizes[i]);
        CHECK(errno == ENOMEM);
        CHECK(first * sizes[i] > (1 << 20));
        CHECK(page_count_free() > LEFT_MIN);
        second = exhaust(sizes[i]);
        CHECK(second >= first); /* nothing was lost */
    }
}

static void at_the_end_others_still_run(void)
{
    void **chain = NULL, **piece;
    struct thread *t;

    while ((piece = malloc(4000))) {
        *piece = chain;
        chain = piece;
    }
    CHECK(page_count_free() > LEFT_MIN);
    t = thread_create("late", (void (*)(void *))free, NULL, 4096);
    while (chain) {
        piece = *chain;
        free(chain);
        chain = piece;
    }
    CHECK(t); /* from the kernel's reserve */
    thread_sleep(NSEC_PER_MSEC);
}

const struct test memory_tests[] = {
    {"calloc-overflow", calloc_refuses_overflow},
    {"calloc", calloc_clears},
    {"realloc", realloc_keeps_the_contents},
    {"alignment", alignment_is_kept},
    {"malloc", pieces_do_not_overlap},
    {"malloc-trim", large_memory_goes_back},
    {"malloc-exhausted", exhaustion_is_an_error},
    {"reserve", at_the_end_others_still_run},
};
const size_t memory_tests_count = ARRAY_SIZE(memory_tests);
