/* SPDX-License-Identifier: ISC */
/*
 * kernel/page.c over a fake architecture: no page is handed out twice, none before it is mapped,
 * everything can be had and given back, and mapping may itself need pages.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "kernel/memory.h"
#include "kernel/page.h"
#include "lib/util.h"

#define PAGES 600
#define FIRST 20
#define MAPPED 64

static char *memory;
static bool mapped[PAGES];
static unsigned tables_wanted; /* pages that the next arch_map() takes for page tables */
static bool fail_mapping;

struct arch_memory arch_memory(void)
{
    return (struct arch_memory){{FIRST}, {MAPPED}, {PAGES}};
}

void *arch_pfn_to_virt(pfn_t pfn)
{
    return memory + pfn.n * PAGE_SIZE;
}

int arch_map(uintptr_t va, pfn_t first, size_t count, enum arch_prot prot)
{
    ck_assert_ptr_eq((void *)va, arch_pfn_to_virt(first));
    ck_assert_int_eq(prot, ARCH_PROT_RW);
    if (fail_mapping)
        return -ENOMEM;
    for (; tables_wanted; tables_wanted--) {
        void *table = page_alloc_zeroed(0);

        ck_assert_msg(table != NULL, "no page for a page table");
        ck_assert(mapped[(size_t)((char *)table - memory) / PAGE_SIZE]);
    }
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_lt(first.n + i, PAGES);
        mapped[first.n + i] = true;
    }
    return 0;
}

uint64_t arch_tsc(void)
{
    return 12345;
}

void panic(const char *fmt, ...)
{
    exit(strstr(fmt, "freed twice") ? 33 : strstr(fmt, "was written") ? 34 : 35);
}

static void setup(void)
{
    memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
    memset(mapped, 0, sizeof(mapped));
    memset(mapped, 1, MAPPED);
    tables_wanted = 0;
    fail_mapping = false;
    page_init();
}

static void teardown(void)
{
    free(memory);
}

static void check_block(const void *page, unsigned order, bool *taken)
{
    size_t first = (size_t)((const char *)page - memory) / PAGE_SIZE;

    ck_assert_uint_eq((uintptr_t)page % PAGE_SIZE, 0);
    ck_assert_uint_ge(first, FIRST);
    for (size_t i = first; i < first + ((size_t)1 << order); i++) {
        ck_assert_uint_lt(i, PAGES);
        ck_assert_msg(mapped[i], "page %zu was handed out unmapped", i);
        ck_assert_msg(!taken[i], "page %zu was handed out twice", i);
        taken[i] = true;
    }
}

START_TEST(all_pages_can_be_had_once)
{
    bool taken[PAGES] = {false};
    size_t n = 0;
    void *page;

    ck_assert_uint_eq(page_count_free(), PAGES - FIRST);
    while ((page = page_alloc(0))) {
        check_block(page, 0, taken);
        tables_wanted = n % 100 == 0 ? 3 : 0;
        n++;
    }
    ck_assert_uint_ge(n, PAGES - FIRST - 3 * 6);
    ck_assert_uint_eq(page_count_free(), 0);
    ck_assert_ptr_null(page_alloc(0));
}
END_TEST

/* A large block may need four tables, and so may the next. */
START_TEST(tables_are_there_for_each_block)
{
    for (unsigned i = 0; i < 4; i++) {
        tables_wanted = 4;
        ck_assert_ptr_nonnull(page_alloc(6));
        ck_assert_uint_eq(tables_wanted, 0);
    }
}
END_TEST

START_TEST(freed_pages_come_back)
{
    void *a = page_alloc(0), *b = page_alloc(3);
    size_t before = page_count_free();

    page_free(a, 0);
    page_free(b, 3);
    ck_assert_uint_eq(page_count_free(), before + 9);
    ck_assert_ptr_eq(page_alloc(3), b);
    ck_assert_ptr_eq(page_alloc(0), a);
}
END_TEST

START_TEST(freed_twice)
{
    void *page = page_alloc(0), *other = page_alloc(0);

    page_free(page, 0);
    page_free(other, 0);
    page_free(page, _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(written_after_it_was_freed)
{
    char *page = page_alloc(1);

    page_free(page, 1);
    page[_i == 0 ? 100 : 2 * PAGE_SIZE - 1] = 1;
    (void)page_alloc(1);
}
END_TEST

START_TEST(not_to_be_freed)
{
    char *page = page_alloc(0);

    switch (_i) {
    case 0:
        page_free(page + 16, 0);
        break;
    case 1: /* before the first */
        page_free(memory, 0);
        break;
    default: /* never handed out */
        page_free(page + 5 * PAGE_SIZE, 0);
    }
}
END_TEST

/* What a page holds is not what makes it look free. */
START_TEST(content_of_a_free_page)
{
    uint64_t *page = page_alloc(0), copy[8];

    page_free(page, 0);
    memcpy(copy, page, sizeof(copy));
    ck_assert_ptr_eq(page_alloc(0), page);
    memcpy(page, copy, sizeof(copy));
    page_free(page, 0);
    ck_assert_ptr_eq(page_alloc(0), page);
}
END_TEST

START_TEST(a_large_block_is_split_when_small_ones_run_out)
{
    void *large = page_alloc(4);
    bool taken[PAGES] = {false};
    unsigned n = 0;
    void *page;

    while (page_alloc(0))
        ;
    page_free(large, 4);
    while ((page = page_alloc(0))) {
        check_block(page, 0, taken);
        n++;
    }
    ck_assert_uint_eq(n, 16);
}
END_TEST

START_TEST(random_use_keeps_the_count)
{
    struct {
        void *page;
        unsigned order;
    } held[50] = {{0}};
    bool taken[PAGES] = {false};

    srand(3);
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)rand() % ARRAY_SIZE(held);

        if (held[i].page) {
            size_t first = (size_t)((char *)held[i].page - memory) / PAGE_SIZE;

            memset(&taken[first], 0, (size_t)1 << held[i].order);
            page_free(held[i].page, held[i].order);
            held[i].page = NULL;
        } else {
            held[i].order = (unsigned)rand() % 4;
            held[i].page = page_alloc(held[i].order);
            if (held[i].page)
                check_block(held[i].page, held[i].order, taken);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        if (held[i].page)
            page_free(held[i].page, held[i].order);
    ck_assert_uint_eq(page_count_free(), PAGES - FIRST);
}
END_TEST

START_TEST(mapping_that_fails_is_shortage)
{
    unsigned n = 0;

    fail_mapping = true;
    while (page_alloc(0))
        n++;
    ck_assert_uint_eq(n, MAPPED - FIRST);
    ck_assert_ptr_null(page_alloc(2));
    fail_mapping = false;
    ck_assert_ptr_nonnull(page_alloc(2));
}
END_TEST

START_TEST(an_order_beyond_the_largest_is_refused)
{
    ck_assert_ptr_null(page_alloc(11));
    ck_assert_ptr_null(page_alloc(10)); /* more than there is */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("page");
    TCase *c = tcase_create("allocator");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, all_pages_can_be_had_once);
    tcase_add_test(c, tables_are_there_for_each_block);
    tcase_add_test(c, freed_pages_come_back);
    tcase_add_loop_exit_test(c, freed_twice, 33, 0, 2);
    tcase_add_loop_exit_test(c, written_after_it_was_freed, 34, 0, 2);
    tcase_add_loop_exit_test(c, not_to_be_freed, 35, 0, 3);
    tcase_add_test(c, content_of_a_free_page);
    tcase_add_test(c, a_large_block_is_split_when_small_ones_run_out);
    tcase_add_test(c, random_use_keeps_the_count);
    tcase_add_test(c, mapping_that_fails_is_shortage);
    tcase_add_test(c, an_order_beyond_the_largest_is_refused);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
