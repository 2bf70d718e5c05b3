/* SPDX-License-Identifier: ISC */
/*
 * The page allocator.
 *
 * The guest's free pages are one range of page numbers, handed out from its start ("fresh" pages)
 * and kept on a list per order once freed. Fresh pages are mapped a batch at a time just before
 * they are needed, so boot costs the same with 1 MiB and with 1 GiB, and no table describes pages
 * that were never used. A large block is split when small ones run out; blocks are not merged:
 * large ones are asked for by thread stacks and the like, in few sizes that are asked for again.
 *
 * A free block holds the link of its list and a mark; a block that is freed with its mark in place
 * is looked for on its list, and a page freed twice stops the guest before it has two owners.
 *
 * Invariant: first <= fresh <= mapped <= end, and mapped - fresh >= TABLE_RESERVE while pages are
 * left, because mapping more pages may itself need pages for page tables: these come out of what is mapped.
 */
#include "kernel/page.h"

#include <stdbool.h>
#include <string.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/memory.h"
#include "lib/list.h"
#include "lib/util.h"

#define ORDERS 11    /* up to 4 MiB */
#define MAP_BATCH 32 /* pages mapped at a time: one hypercall */
#define POISON 0xdb
/* A new mapping needs at most four tables: three of level 1, for 4 MiB and more, and one of level 2. */
#define TABLE_RESERVE 4

struct free_block {
    struct list link;
    uint64_t mark; /* mark_of(): only while free */
};

static struct {
    struct list free[ORDERS];
    size_t free_pages; /* on the lists */
    pfn_t first;       /* what lies before is not ours to hand out */
    size_t fresh;      /* next page never handed out */
    size_t mapped;     /* first page without a mapping */
    size_t end;
    size_t total;
    uint64_t secret; /* in marks, so that no peer's data looks like one */
    bool mapping;    /* arch_map() is running: it may take pages from the reserve */
} pages;

void page_init(void)
{
    struct arch_memory m = arch_memory();

    for (unsigned i = 0; i < ORDERS; i++)
        list_init(&pages.free[i]);
    pages.first = m.first;
    pages.fresh = m.first.n;
    pages.mapped = m.mapped_end.n;
    pages.end = m.end.n;
    pages.total = m.end.n;
    pages.secret = arch_tsc() * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t mark_of(const struct free_block *b)
{
    return pages.secret ^ (uintptr_t)b;
}

/* With CONFIG_DEBUG_CHECKS a free block is full of POISON, and still is when it is taken. */
static void poison(struct free_block *b, unsigned order)
{
    if (IS_ENABLED(CONFIG_DEBUG_CHECKS))
        memset(b + 1, POISON, (PAGE_SIZE << order) - sizeof(*b));
}

static void check_poison(const struct free_block *b, unsigned order)
{
    const uint8_t *bytes = (const uint8_t *)b;

    if (IS_ENABLED(CONFIG_DEBUG_CHECKS))
        for (size_t i = sizeof(*b); i < PAGE_SIZE << order; i++)
            if (bytes[i] != POISON)
                panic("page: byte %zu of free page %p was written", i, (const void *)b);
}

static void *take_free(unsigned order)
{
    struct list *node = list_pop(&pages.free[order]);

    if (!node)
        return NULL;
    check_poison(container_of(node, struct free_block, link), order);
    pages.free_pages -= (size_t)1 << order;
    container_of(node, struct free_block, link)->mark = 0;
    return node;
}

/* Makes the mapping reach count pages and the reserve beyond fresh, wherever that is after it, if there are so many. */
static void extend_mapping(size_t count)
{
    size_t want = MIN(pages.fresh + count + TABLE_RESERVE, pages.end);

    if (pages.mapping || pages.mapped >= want)
        return;
    want = MIN(MAX(want + TABLE_RESERVE, pages.mapped + MAP_BATCH), pages.end);
    pages.mapping = true;
    if (!arch_map((uintptr_t)arch_pfn_to_virt((pfn_t){pages.mapped}), (pfn_t){pages.mapped},
                  want - pages.mapped, ARCH_PROT_RW))
        pages.mapped = want;
    pages.mapping = false;
}

static void *take_fresh(unsigned order)
{
    size_t count = (size_t)1 << order;
    void *page;

    extend_mapping(count);
    if (pages.mapped - pages.fresh < count)
        return NULL;
    page = arch_pfn_to_virt((pfn_t){pages.fresh});
    pages.fresh += count;
    return page;
}

/* Halves a larger free block until one of the wanted order is left over. */
static void *split_larger(unsigned order)
{
    unsigned from = order + 1;
    char *block;

    while (from < ORDERS && list_empty(&pages.free[from]))
        from++;
    if (from >= ORDERS)
        return NULL;
    block = take_free(from);
    while (from > order) {
        from--;
        page_free(block + (PAGE_SIZE << from), from);
    }
    return block;
}

void *page_alloc(unsigned order)
{
    void *page;

    if (order >= ORDERS)
        return NULL;
    page = take_free(order);
    if (!page)
        page = take_fresh(order);
    return page ? page : split_larger(order);
}

void *page_alloc_zeroed(unsigned order)
{
    void *page = page_alloc(order);

    if (page)
        memset(page, 0, PAGE_SIZE << order);
    return page;
}

static void check_free(const struct free_block *block, unsigned order)
{
    struct list *node;

    if (order >= ORDERS || (uintptr_t)block % PAGE_SIZE ||
        block < (struct free_block *)arch_pfn_to_virt(pages.first) ||
        block >= (struct free_block *)arch_pfn_to_virt((pfn_t){pages.fresh}))
        panic("page: %p is not to be freed", (const void *)block);
    if (block->mark != mark_of(block))
        return;
    for (unsigned i = 0; i < ORDERS; i++)
        list_for_each(node, &pages.free[i])
            if (node == &block->link)
                panic("page: %p is freed twice", (const void *)block);
}

void page_free(void *page, unsigned order)
{
    struct free_block *block = page;

    check_free(block, order);
    poison(block, order);
    pages.free_pages += (size_t)1 << order;
    block->mark = mark_of(block);
    list_add_head(&pages.free[order], &block->link);
}

size_t page_count_free(void)
{
    return pages.free_pages + (pages.end - pages.fresh);
}

size_t page_count_total(void)
{
    return pages.total;
}
