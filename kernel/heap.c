/* SPDX-License-Identifier: ISC */
/*
 * The heap: what sbrk() moves the end of.
 *
 * It starts as one small block of the linear map, which is mapped already: that costs nothing but
 * the zeros, where the first page of a range of its own costs two page tables that Xen has to check
 * (about 60,000 instructions, as much as the rest of a small program's boot).
 *
 * Beyond that it is a range at ARCH_HEAP_BASE. It grows by blocks of the page allocator, mapped one
 * behind the other, and shrinks by giving the last blocks back. The blocks are remembered as a
 * stack: the page number and order of each, kept first in a small array and then in pages of their
 * own, each of which remembers the one below.
 *
 * Blocks get larger with the heap (about an eighth of it), so a small heap wastes little and a large
 * one takes few hypercalls; when memory is short or in pieces, smaller ones do. The heap leaves
 * CONFIG_HEAP_RESERVE_PAGES to everyone else: a program that eats all memory should see malloc()
 * fail, not the network.
 *
 * Invariants: base <= end <= top; everything from end to top is zero (malloc relies on new heap
 * memory being zero). In the range the blocks cover [base, top) without a gap.
 */
#include "kernel/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "kernel/page.h"
#include "lib/util.h"

#define FIRST_ORDER 2 /* 16 KiB */
#define MIN_ORDER 2
#define MAX_ORDER 6 /* 256 KiB: the most that a trimmed heap keeps for nothing */
#define FIRST_RECORDS 16

/* Where a block's memory is: page number and order in one word. */
typedef uint64_t record;

struct records {
    struct records *below;
    size_t count;
    record entry[FIRST_RECORDS]; /* in a page: as many as fit */
};

#define PAGE_RECORDS ((PAGE_SIZE - offsetof(struct records, entry)) / sizeof(record))

static struct records first_records;

static struct {
    uintptr_t base, end, top; /* of the first block, later of the range */
    struct records *records;  /* the uppermost; NULL before the first call */
} heap;

static record make_record(pfn_t pfn, unsigned order)
{
    return pfn.n << 8 | order;
}

static unsigned record_order(record r)
{
    return r & 0xff;
}

static void *record_memory(record r)
{
    return arch_pfn_to_virt((pfn_t){r >> 8});
}

static bool push_record(record r)
{
    struct records *top = heap.records;

    if (top->count == (top->below ? PAGE_RECORDS : FIRST_RECORDS)) {
        struct records *page = page_alloc(0);

        if (!page)
            return false;
        page->below = top;
        page->count = 0;
        heap.records = top = page;
    }
    top->entry[top->count++] = r;
    return true;
}

static record last_record(void)
{
    return heap.records->entry[heap.records->count - 1];
}

/* A page of records is given back as soon as it is empty, so count is never 0 in one. */
static void pop_record(void)
{
    struct records *top = heap.records;

    if (--top->count == 0 && top->below) {
        heap.records = top->below;
        page_free(top, 0);
    }
}

static size_t block_bytes(unsigned order)
{
    return (size_t)PAGE_SIZE << order;
}

static bool add_block(unsigned order)
{
    void *memory = page_alloc_zeroed(order);

    if (!memory)
        return false;
    if (!push_record(make_record(arch_virt_to_pfn(memory), order))) {
        page_free(memory, order);
        return false;
    }
    if (arch_map(heap.top, arch_virt_to_pfn(memory), (size_t)1 << order, ARCH_PROT_RW)) {
        (void)arch_map(heap.top, (pfn_t){0}, (size_t)1 << order, ARCH_PROT_NONE);
        pop_record();
        page_free(memory, order);
        return false;
    }
    heap.top += block_bytes(order);
    return true;
}

/* Gives back every block that lies wholly above end, and clears what stays of the last. */
static void trim(void)
{
    while (heap.records->count) {
        record r = last_record();
        size_t bytes = block_bytes(record_order(r));

        if (heap.top - bytes < heap.end)
            break;
        heap.top -= bytes;
        /* Unmapping needs no new page table, so it cannot fail. */
        (void)arch_map(heap.top, (pfn_t){0}, (size_t)1 << record_order(r), ARCH_PROT_NONE);
        page_free(record_memory(r), record_order(r));
        pop_record();
    }
    memset((void *)heap.end, 0, heap.top - heap.end);
}

/* The order for the next block when `missing` bytes are wanted. */
static unsigned next_order(size_t missing)
{
    size_t bytes = MAX(missing, (heap.top - heap.base) / 8);
    unsigned order = MIN_ORDER;

    while (order < MAX_ORDER && block_bytes(order) < bytes)
        order++;
    return order;
}

/* Adds blocks until the range has room for bytes more. */
static int extend(size_t bytes)
{
    if (bytes > ARCH_HEAP_END - heap.end)
        return -ENOMEM;
    while (heap.end + bytes > heap.top) {
        size_t missing = heap.end + bytes - heap.top;
        unsigned order = next_order(missing);
        size_t spare = page_count_free();

        spare -= MIN(spare, CONFIG_HEAP_RESERVE_PAGES);
        if (DIV_ROUND_UP(missing, PAGE_SIZE) > spare)
            return -ENOMEM;
        while ((size_t)1 << order > spare)
            order--;
        while (!add_block(order))
            if (order-- == 0)
                return -ENOMEM;
    }
    return 0;
}

static void use_region(uintptr_t base, uintptr_t end, uintptr_t top)
{
    heap.base = base;
    heap.end = end;
    heap.top = top;
}

static void start(void)
{
    uintptr_t block = (uintptr_t)page_alloc_zeroed(FIRST_ORDER);

    heap.records = &first_records;
    if (block)
        use_region(block, block, block + block_bytes(FIRST_ORDER));
    else
        use_region(ARCH_HEAP_BASE, ARCH_HEAP_BASE, ARCH_HEAP_BASE);
}

static int grow(size_t bytes)
{
    uintptr_t base = heap.base, end = heap.end, top = heap.top;
    int err;

    if (bytes > top - end) {
        if (base != ARCH_HEAP_BASE)
            use_region(ARCH_HEAP_BASE, ARCH_HEAP_BASE, ARCH_HEAP_BASE);
        err = extend(bytes);
        if (err) {
            trim(); /* the blocks added on the way */
            if (base != ARCH_HEAP_BASE)
                use_region(base, end, top);
            return err;
        }
    }
    heap.end += bytes;
    return 0;
}

int heap_move_end(ptrdiff_t delta, void **old_end)
{
    int err = 0;

    if (!heap.records)
        start();
    DEBUG_CHECK(heap.base <= heap.end && heap.end <= heap.top);
    if (delta > 0) {
        err = grow((size_t)delta);
    } else if (-(size_t)delta > heap.end - heap.base) {
        err = -EINVAL;
    } else {
        heap.end -= -(size_t)delta;
        trim();
    }
    *old_end = (void *)(heap.end - (err ? 0 : (size_t)delta));
    return err;
}
