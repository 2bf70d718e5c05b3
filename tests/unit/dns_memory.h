/* SPDX-License-Identifier: ISC */
/*
 * Memory that runs out when a test wants it to, for ever or once: included in front of every source of the test.
 */
#ifndef TESTS_UNIT_DNS_MEMORY_H
#define TESTS_UNIT_DNS_MEMORY_H

#include <stdlib.h>

/* The number of the block that is not there, counted from now on; negative: all are. */
extern long memory_left;
/* Only that one is not there; else no later one is, either. */
extern int memory_comes_back;

static inline int memory_is_short(void)
{
    if (memory_left > 0)
        memory_left--;
    if (memory_left)
        return 0;
    if (memory_comes_back)
        memory_left = -1;
    return 1;
}

static inline void *short_malloc(size_t size)
{
    return memory_is_short() ? NULL : malloc(size);
}

static inline void *short_calloc(size_t count, size_t size)
{
    return memory_is_short() ? NULL : calloc(count, size);
}

static inline void *short_realloc(void *block, size_t size)
{
    return memory_is_short() ? NULL : realloc(block, size);
}

#define malloc(size) short_malloc(size)
#define calloc(count, size) short_calloc(count, size)
#define realloc(block, size) short_realloc(block, size)

#endif
