/* SPDX-License-Identifier: ISC */
/*
 * Included in front of every source of a fuzz target: what a case allocates is known, and freed with
 * the case (fuzz.c), so that cases that leave the guest in the middle of something cost nothing.
 */
#ifndef TESTS_FUZZ_HEAP_H
#define TESTS_FUZZ_HEAP_H

#include <stdlib.h>
#include <string.h>

void *fuzz_aligned(size_t alignment, size_t size);
void *fuzz_calloc(size_t count, size_t size);
void *fuzz_realloc(void *p, size_t size);
void fuzz_free(void *p);

#define malloc(size) fuzz_aligned(16, size)
#define aligned_alloc(alignment, size) fuzz_aligned(alignment, size)
#define calloc(count, size) fuzz_calloc(count, size)
#define realloc(p, size) fuzz_realloc(p, size)
#define free(p) fuzz_free(p)
#define strdup(text) strcpy(fuzz_aligned(16, strlen(text) + 1), text)

#endif
