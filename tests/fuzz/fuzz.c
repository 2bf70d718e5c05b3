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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *fuzz_aligned(size_t alignment, size_t size);
void *fuzz_calloc(size_t count, size_t size);
void *fuzz_realloc(void *p, size_t size);
void fuzz_free(void *p);
const char *__asan_default_options(void);

static const uint8_t *input;
static size_t input_left;

/* --- the input --------------------------------------------------------------------------- */

bool fuzz_more(void)
{
    return input_left > 0;
}

uint8_t fuzz_u8(void)
{
    if (!input_left)
        return 0;
    input_left--;
    return *input++;
}

uint16_t fuzz_u16(void)
{
    uint16_t low = fuzz_u8();

    return (uint16_t)(low | fuzz_u8() << 8);
}

uint32_t fuzz_u32(void)
{
    uint32_t low = fuzz_u16();

    return low | (uint32_t)fuzz_u16() << 16;
}

unsigned fuzz_below(unsigned n)
{
    return fuzz_u8() % n;
}

size_t fuzz_bytes(const uint8_t **bytes, size_t max)
{
    size_t n = max < input_left ? max : input_left;

    *bytes = input;
    input += n;
    input_left -= n;
    return n;
}

const char *fuzz_text(char *text, size_t size)
{
    const uint8_t *from;
    size_t n = fuzz_bytes(&from, fuzz_u8() % size);

    memcpy(text, from, n);
    text[n] = '\0';
    return text;
}

/* --- the heap ---------------------------------------------------------------------------- */

#define BLOCKS (1u << 16)

/* What is allocated: a table that a block's address leads into. */
static struct block {
    void *p;
    size_t size;
    bool freed;
} blocks[BLOCKS];
static unsigned places[BLOCKS / 2], places_used;

/* The block's place; for a new block, one that can be its. */
static struct block *place_of(const void *p, bool new)
{
    uintptr_t at = (uintptr_t)p >> 4;

    for (at ^= at >> 16;; at++) {
        struct block *b = &blocks[at % BLOCKS];

        if (!b->p || (new ? b->freed : b->p == p && !b->freed))
            return b;
    }
}

void *fuzz_aligned(size_t alignment, size_t size)
{
    void *p = NULL;
    struct block *b;

    if (places_used == BLOCKS / 2) {
        fputs("the case allocates without end\n", stderr);
        abort();
    }
    if (posix_memalign(&p, alignment, size ? size : 1))
        abort();
    b = place_of(p, true);
    if (!b->p)
        places[places_used++] = (unsigned)(b - blocks);
    *b = (struct block){.p = p, .size = size};
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

/* Pages come and go by the hundred: a long quarantine would be all new memory. */
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
    input = data;
    input_left = size;
    restore();
    fuzz_case();
    free_all();
    return 0;
}
