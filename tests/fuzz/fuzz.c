/* SPDX-License-Identifier: ISC */
/*
 * What every fuzz target that runs the guest's code has in common: the input, and a clean state.
 *
 * The guest's modules keep their state in static variables, as a kernel may. The build puts those of
 * the target's objects into sections of their own (config/fuzz.mk), so the state of the whole guest is
 * two blocks of memory: they are copied when the process starts, and copied back before each case.
 * What a case has allocated is freed with it (heap.h). So a case is as good as a new process, at the
 * cost of a few hundred kilobytes of copying.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *fuzz_aligned(size_t alignment, size_t size);
void *fuzz_calloc(size_t count, size_t size);
void *fuzz_realloc(void *p, size_t size);
void fuzz_free(void *p);
const char *__asan_default_options(void);

/* --- pages ------------------------------------------------------------------------------- */

#define PAGE 4096u
#define ARENA 4096u /* pages */
#define RESTING 128u

/*
 * A guest takes and gives back pages by the hundred, and malloc() under ASan takes its time for each. So
 * pages are in an arena, each between two that nobody may touch. One that is freed is poisoned, and comes
 * again when RESTING others have been freed. So a case uses few, and all cases the same, which the cache
 * has.
 */
static struct {
    char *base;
    unsigned fresh;        /* pages from here on have not been used in this case */
    uint16_t queue[ARENA]; /* freed: they come in at tail, and are taken at head */
    unsigned head, tail;   /* free-running */
    bool taken[ARENA];
} arena;

static char *page_at(unsigned n)
{
    return arena.base + (2 * n + 1) * (size_t)PAGE;
}

static bool in_arena(const void *p)
{
    return (size_t)((const char *)p - arena.base) < (2 * ARENA + 1) * (size_t)PAGE;
}

static void arena_init(void)
{
    size_t size = (2 * ARENA + 1) * (size_t)PAGE;

    arena.base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena.base == MAP_FAILED)
        abort();
    ASAN_POISON_MEMORY_REGION(arena.base, size);
}

static void *page_take(void)
{
    unsigned n;

    if (!arena.base)
        arena_init();
    if (arena.fresh < ARENA && arena.tail - arena.head < RESTING) {
        n = arena.fresh++;
    } else if (arena.head != arena.tail) {
        n = arena.queue[arena.head++ % ARENA];
    } else {
        fputs("the case takes pages without end\n", stderr);
        abort();
    }
    arena.taken[n] = true;
    ASAN_UNPOISON_MEMORY_REGION(page_at(n), PAGE);
    return page_at(n);
}

static void page_give(void *p)
{
    unsigned n = (unsigned)((size_t)((char *)p - arena.base) / PAGE / 2);

    if (p != page_at(n) || !arena.taken[n]) {
        fprintf(stderr, "%p is freed, which is no page, or not taken\n", p);
        abort();
    }
    arena.taken[n] = false;
    ASAN_POISON_MEMORY_REGION(p, PAGE);
    arena.queue[arena.tail++ % ARENA] = (uint16_t)n;
}

static void pages_free_all(void)
{
    for (unsigned i = 0; i < arena.fresh; i++) {
        if (arena.taken[i])
            ASAN_POISON_MEMORY_REGION(page_at(i), PAGE);
        arena.taken[i] = false;
    }
    arena.fresh = arena.head = arena.tail = 0;
}

/* --- the heap ---------------------------------------------------------------------------- */

/* A quarter may live at once: connections whose queues are full have 6,000. */
#define BLOCKS_BITS 15
#define BLOCKS (1u << BLOCKS_BITS)

/* What is allocated: a table that a block's address leads into. */
static struct block {
    void *p;
    uint32_t size;
    bool freed;
} blocks[BLOCKS];
static unsigned places[BLOCKS / 2], places_used;

/* The block's place; for a new block, one that can be its. */
static struct block *place_of(const void *p, bool new)
{
    for (unsigned at = (unsigned)((uintptr_t)p >> 4) * 0x9e3779b1u >> (32 - BLOCKS_BITS);; at++) {
        struct block *b = &blocks[at % BLOCKS];

        if (!b->p || (new ? b->freed : b->p == p && !b->freed))
            return b;
    }
}

static void note(void *p, size_t size)
{
    struct block *b = place_of(p, true);

    if (!b->p)
        places[places_used++] = (unsigned)(b - blocks);
    *b = (struct block){.p = p, .size = (uint32_t)size};
}

/* The table is full: what was freed leaves it. */
static void forget_freed(void)
{
    static struct block live[BLOCKS / 2];
    unsigned count = 0;

    while (places_used) {
        struct block *b = &blocks[places[--places_used]];

        if (!b->freed)
            live[count++] = *b;
        *b = (struct block){0};
    }
    if (count > BLOCKS / 4) {
        fputs("the case allocates without end\n", stderr);
        abort();
    }
    while (count--)
        note(live[count].p, live[count].size);
}

void *fuzz_aligned(size_t alignment, size_t size)
{
    void *p = NULL;

    if (alignment == PAGE && size == PAGE)
        return page_take();
    if (places_used == BLOCKS / 2)
        forget_freed();
    if (posix_memalign(&p, alignment, size ? size : 1))
        abort();
    note(p, size);
    return p;
}

void *fuzz_calloc(size_t count, size_t size)
{
    return memset(fuzz_aligned(16, count * size), 0, count * size);
}

void fuzz_free(void *p)
{
    struct block *b;

    if (!p)
        return;
    if (in_arena(p)) {
        page_give(p);
        return;
    }
    b = place_of(p, false);
    if (b->p)
        b->freed = true;
    free(p); /* ASan's to judge when it is none of ours */
}

void *fuzz_realloc(void *p, size_t size)
{
    void *larger = fuzz_aligned(16, size);

    if (p) {
        size_t old = place_of(p, false)->size;

        memcpy(larger, p, old < size ? old : size);
        fuzz_free(p);
    }
    return larger;
}

void fuzz_keep(void)
{
    while (places_used)
        blocks[places[--places_used]] = (struct block){0};
}

void fuzz_show_live(void)
{
    for (unsigned i = 0; i < places_used; i++) {
        const struct block *b = &blocks[places[i]];

        if (!b->freed)
            __asan_describe_address(b->p);
    }
}

static void free_all(void)
{
    while (places_used) {
        struct block *b = &blocks[places[--places_used]];

        if (!b->freed)
            free(b->p);
        *b = (struct block){0};
    }
}

/* Objects come and go by the hundred: a long quarantine would be all new memory. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=5";
}

/* --- the state --------------------------------------------------------------------------- */

extern char __start_fuzz_data[], __stop_fuzz_data[], __start_fuzz_bss[], __stop_fuzz_bss[];

/* Red zones of variables are copied too: no function that ASan knows may do it. */
static void copy(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void restore(void)
{
    static char *saved;
    size_t data = (size_t)(__stop_fuzz_data - __start_fuzz_data);
    size_t bss = (size_t)(__stop_fuzz_bss - __start_fuzz_bss);

    if (!saved) {
        saved = malloc(data + bss);
        copy(saved, __start_fuzz_data, data);
        copy(saved + data, __start_fuzz_bss, bss);
    }
    copy(__start_fuzz_data, saved, data);
    copy(__start_fuzz_bss, saved + data, bss);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input(data, size);
    restore();
    fuzz_case();
    free_all();
    pages_free_all();
    return 0;
}
