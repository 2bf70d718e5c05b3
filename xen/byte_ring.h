/* SPDX-License-Identifier: ISC */
/*
 * A ring of bytes that two domains share: the console's and xenstore's, one for each direction, and
 * vchan's. Both indices run freely; each is written by one end, and the other end's is the peer's to
 * make up. So ours is kept in private memory, and theirs is checked at each use (hardening.md, rules 1
 * and 2). The size is a power of two, and never read from shared memory.
 */
#ifndef XEN_BYTE_RING_H
#define XEN_BYTE_RING_H

#include <stdint.h>

#include "lib/util.h"

/* The bytes that wait between the reader's index and the writer's, or -1: no honest peer's index is
 * where theirs is. What the other end may still write is size less of that. */
static inline int byte_ring_used(uint32_t prod, uint32_t cons, uint32_t size)
{
    uint32_t n = prod - cons;

    return n <= size ? (int)n : -1;
}

/* Copies len bytes (at most size) in, to the place of a free-running index. */
static inline void byte_ring_put(void *ring, uint32_t size, uint32_t at, const void *from,
                                 uint32_t len)
{
    uint32_t start = at & (size - 1), first = MIN(len, size - start);

    __builtin_memcpy((char *)ring + start, from, first);
    __builtin_memcpy(ring, (const char *)from + first, len - first);
}

/* Copies len bytes (at most size) out, once. */
static inline void byte_ring_get(const void *ring, uint32_t size, uint32_t at, void *to,
                                 uint32_t len)
{
    uint32_t start = at & (size - 1), first = MIN(len, size - start);

    __builtin_memcpy(to, (const char *)ring + start, first);
    __builtin_memcpy((char *)to + first, ring, len - first);
    __asm__ volatile("" : : "r"(to) : "memory"); /* the copy is made here, and only here */
}

#endif
