/* SPDX-License-Identifier: ISC */
/*
 * kernel/heap.c over a page allocator that is a file: the linear map and the heap are two mappings
 * of it, so what the heap maps where is real, and an access to a page that was given back faults.
 */
#define _GNU_SOURCE /* memfd_create */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/arch.h"

/* The sanitizer's shadow lies where the guest's heap is. */
#undef ARCH_HEAP_BASE
#undef ARCH_HEAP_END
#define ARCH_HEAP_BASE UINT64_C(0x600000000000)
#define ARCH_HEAP_END UINT64_C(0x601000000000)
#define CONFIG_HEAP_RESERVE_PAGES 16

#include "kernel/heap.c"

#define PAGES 4096
#define FIRST_BYTES (PAGE_SIZE << FIRST_ORDER)
#define FIRST_PAGES ((size_t)1 << FIRST_ORDER)
#define ORDERS 11

static int file;
static char *linear;
static bool used[PAGES];
static size_t free_pages;
static size_t limit; /* pages that may be handed out */
static unsigned largest_order = ORDERS - 1;
static unsigned map_calls, map_fails_after;

void *arch_pfn_to_virt(pfn_t pfn)
{
    return linear + pfn.n * PAGE_SIZE;
}

pfn_t arch_virt_to_pfn(const void *p)
{
    return (pfn_t){(size_t)((const char *)p - linear) / PAGE_SIZE};
}

int arch_map(uintptr_t va, pfn_t first, size_t count, enum arch_prot prot)
{
    int bits = prot == ARCH_PROT_RW ? PROT_READ | PROT_WRITE : PROT_NONE;
    off_t offset = (off_t)(first.n * PAGE_SIZE);

    map_calls++;
    if (prot == ARCH_PROT_RW && map_fails_after && --map_fails_after == 0)
        return -ENOMEM;
    ck_assert_ptr_eq(
        mmap((void *)va, count * PAGE_SIZE, bits, MAP_SHARED | MAP_FIXED, file, offset),
        (void *)va);
    return 0;
}

static void set_used(size_t at, unsigned order, bool value)
{
    for (size_t i = 0; i < (size_t)1 << order; i++) {
        ck_assert(used[at + i] != value);
        used[at + i] = value;
    }
}

void *page_alloc(unsigned order)
{
    size_t count = (size_t)1 << order;

    if (order > largest_order || free_pages < count || PAGES - free_pages + count > limit)
        return NULL;
    for (size_t at = 0; at + count <= PAGES; at += count) {
        size_t i = 0;

        while (i < count && !used[at + i])
            i++;
        if (i < count)
            continue;
        set_used(at, order, true);
        free_pages -= count;
        memset(linear + at * PAGE_SIZE, 0xa5, count * PAGE_SIZE); /* not zero, as in a guest */
        return linear + at * PAGE_SIZE;
    }
    return NULL;
}

void *page_alloc_zeroed(unsigned order)
{
    void *page = page_alloc(order);

    return page ? memset(page, 0, PAGE_SIZE << order) : NULL;
}

void page_free(void *page, unsigned order)
{
    set_used(arch_virt_to_pfn(page).n, order, false);
    free_pages += (size_t)1 << order;
}

size_t page_count_free(void)
{
    return limit - (PAGES - free_pages);
}

static void setup(void)
{
    file = memfd_create("pages", 0);
    ck_assert_int_eq(ftruncate(file, PAGES * PAGE_SIZE), 0);
    linear = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    free_pages = limit = PAGES;
}

static char *move(ptrdiff_t delta)
{
    void *old;

    ck_assert_int_eq(heap_move_end(delta, &old), 0);
    return old;
}

static int try_move(ptrdiff_t delta)
{
    void *old;

    return heap_move_end(delta, &old);
}

/* The first block may be too small for the next piece, but then all follows without a gap. */
START_TEST(it_grows_zeroed_with_one_jump)
{
    char *at = move(0);

    ck_assert(at >= linear && at < linear + PAGES * PAGE_SIZE);
    for (size_t n = 1; n < 400000; n = n * 3 / 2 + 7) {
        char *p = move((ptrdiff_t)n);

        if (p != at) {
            ck_assert_ptr_eq(p, (char *)ARCH_HEAP_BASE);
            ck_assert_uint_gt((size_t)(at - linear) % FIRST_BYTES + n, FIRST_BYTES);
            at = p;
        }
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(p[i], 0);
        memset(p, 0x11, n);
        at += n;
    }
    ck_assert_ptr_eq(move(0), at);
}
END_TEST

START_TEST(small_steps_cost_few_hypercalls)
{
    for (size_t i = 0; i < FIRST_BYTES / 64; i++)
        move(64);
    ck_assert_uint_eq(map_calls, 0);
    for (int i = 0; i < 1000; i++)
        move(64);
    ck_assert_uint_le(map_calls, 4);
}
END_TEST

START_TEST(memory_given_up_comes_back_zeroed)
{
    char *p = move(1000000);
    size_t before;

    memset(p, 0x22, 1000000);
    before = free_pages;
    move(-700000);
    ck_assert_uint_ge(free_pages, before + (700000 - (256 << 10)) / PAGE_SIZE);
    for (size_t i = 0; i < 300000; i++)
        ck_assert_int_eq(p[i], 0x22);
    move(700000);
    for (size_t i = 300000; i < 1000000; i++)
        ck_assert_int_eq(p[i], 0);
}
END_TEST

START_TEST(emptied_it_holds_no_page_but_the_first)
{
    move(3000000);
    move(-2999999);
    ck_assert_uint_gt(PAGES - FIRST_PAGES, free_pages);
    move(-1);
    ck_assert_uint_eq(free_pages, PAGES - FIRST_PAGES);
    ck_assert_int_eq(try_move(-1), -EINVAL);
}
END_TEST

START_TEST(the_first_block_is_reused_zeroed)
{
    char *p = move(5000);

    memset(p, 0x55, 5000);
    move(-4000);
    ck_assert_ptr_eq(move(4000), p + 1000);
    for (size_t i = 0; i < 5000; i++)
        ck_assert_int_eq(p[i], i < 1000 ? 0x55 : 0);
    ck_assert_int_eq(try_move(PAGES * (ptrdiff_t)PAGE_SIZE), -ENOMEM);
    ck_assert_ptr_eq(move(100), p + 5000); /* as if it had not been asked */
}
END_TEST

START_TEST(exhaustion_changes_nothing)
{
    char *end = move(5000);
    size_t before = free_pages;

    ck_assert_int_eq(try_move(PAGES * (ptrdiff_t)PAGE_SIZE), -ENOMEM);
    ck_assert_int_eq(try_move(PTRDIFF_MAX), -ENOMEM);
    ck_assert_int_eq(try_move(-5001), -EINVAL);
    ck_assert_int_eq(try_move(PTRDIFF_MIN), -EINVAL);
    ck_assert_uint_eq(free_pages, before);
    ck_assert_ptr_eq(move(0), end + 5000);
    /* All there is can be had, and the reserve stays. */
    while (try_move(4096) == 0)
        ;
    ck_assert_uint_eq(free_pages, CONFIG_HEAP_RESERVE_PAGES);
}
END_TEST

START_TEST(memory_in_pieces_is_enough)
{
    largest_order = 0; /* more than the first array of records and several pages of them */
    ck_assert_ptr_eq(move(1400 * 4096), (void *)ARCH_HEAP_BASE);
    memset((void *)ARCH_HEAP_BASE, 0x33, 1400 * 4096);
    move(-1400 * 4096);
    ck_assert_uint_eq(free_pages, PAGES); /* not even the first block could be had */
}
END_TEST

START_TEST(a_failing_page_table_changes_nothing)
{
    move(FIRST_BYTES);
    move(4096);
    for (unsigned n = 1; n < 12; n++) {
        size_t before = free_pages;
        int err;

        map_fails_after = n;
        err = try_move(3 << 20);
        map_fails_after = 0;
        if (err == 0)
            move(-(3 << 20)); /* a smaller block went through */
        ck_assert_uint_eq(free_pages, before);
        ck_assert_ptr_eq(move(0), (char *)ARCH_HEAP_BASE + 4096);
    }
}
END_TEST

/* Random moves against a model that only knows the size, under shortage and with fragments. */
START_TEST(random_moves_match_the_model)
{
    size_t size = 0;

    srand(7);
    limit = 900;
    move(FIRST_BYTES);
    move(1); /* past the jump */
    move(-1);
    for (int i = 0; i < 5000; i++) {
        ptrdiff_t delta = rand() % (1 << (rand() % 22)) * (rand() % 2 ? 1 : -1);
        void *old;
        int err = heap_move_end(delta, &old);

        largest_order = (unsigned)rand() % ORDERS;
        ck_assert_ptr_eq(old, (char *)ARCH_HEAP_BASE + size);
        if (delta < 0 && (size_t)-delta > size) {
            ck_assert_int_eq(err, -EINVAL);
        } else if (err == 0) {
            for (ptrdiff_t at = 0; at < delta; at += 997)
                ck_assert_int_eq(((char *)old)[at], 0);
            if (delta > 0)
                memset(old, 0x44, (size_t)delta);
            size += (size_t)delta;
        }
        ck_assert_uint_ge((PAGES - free_pages) * PAGE_SIZE, size);
        /* What is wasted: the largest block, the first one, and the records. */
        ck_assert_uint_le((PAGES - free_pages) * PAGE_SIZE,
                          size + (PAGE_SIZE << MAX_ORDER) + FIRST_BYTES + 4 * PAGE_SIZE);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("heap");
    TCase *t = tcase_create("heap");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, it_grows_zeroed_with_one_jump);
    tcase_add_test(t, small_steps_cost_few_hypercalls);
    tcase_add_test(t, memory_given_up_comes_back_zeroed);
    tcase_add_test(t, emptied_it_holds_no_page_but_the_first);
    tcase_add_test(t, the_first_block_is_reused_zeroed);
    tcase_add_test(t, exhaustion_changes_nothing);
    tcase_add_test(t, memory_in_pieces_is_enough);
    tcase_add_test(t, a_failing_page_table_changes_nothing);
    tcase_add_test(t, random_moves_match_the_model);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
