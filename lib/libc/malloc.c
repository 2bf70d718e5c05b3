/* SPDX-License-Identifier: ISC */
/*
 * Under and around newlib's malloc: where its memory comes from; its lock, which is nothing, for
 * malloc never waits and only code that waits gives another thread a turn; and a check of every
 * pointer that is freed.
 *
 * newlib frees what it is given without a look, and a pointer freed twice makes its lists circular:
 * the guest spins or hands one piece of memory out twice, long after the mistake. Its chunks (Doug
 * Lea's: a head with the size, whose lowest bit says that the chunk before is in use) tell enough
 * to notice at once. The linker puts the check in front of _free_r (--wrap), which free(), realloc()
 * and the library's own code all call.
 */
#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "kernel/app.h"
#include "kernel/heap.h"

#define PREV_IN_USE 1
#define FLAGS 3
#define CHUNK_MIN 32
#define CHUNK_ALIGN 16

/* What newlib's _mallocr.c calls malloc_chunk; its user's memory begins at next_free. */
struct chunk {
    size_t prev_size, size_and_flags;
    struct chunk *next_free, *prev_free;
};

/* newlib's: the head of its lists, whose third word is the topmost chunk, and where that began. */
extern struct chunk *__malloc_av_[];
extern char *__malloc_sbrk_base;

void __real__free_r(struct _reent *reent, void *p);
void __wrap__free_r(struct _reent *reent, void *p);

/* What newlib has hung on the state of a thread that ends. Its function would bring its stdio along: a program
 * that only prints goes without, and loses what strtod() and its like had for an ended thread. */
static void reclaim(void *libc)
{
#ifndef CONFIG_LIBC_STDIO_CONSOLE
    _reclaim_reent(libc);
#endif
}

void *sbrk(ptrdiff_t delta)
{
    void *old_end;

    thread_set_libc_destructor(reclaim); /* before there is anything to give back */
    if (heap_move_end(delta, &old_end)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return old_end;
}

void __malloc_lock(struct _reent *reent)
{
}

void __malloc_unlock(struct _reent *reent)
{
}

/* Whether this is a chunk in use: one below the topmost, with a sensible size, of which the chunk
 * behind it says that it is in use. */
static bool is_allocated(const struct chunk *c)
{
    uintptr_t at = (uintptr_t)c, top = (uintptr_t)__malloc_av_[2];
    const struct chunk *next;
    size_t size;

    if (at % CHUNK_ALIGN || at < (uintptr_t)__malloc_sbrk_base || at >= top)
        return false;
    size = c->size_and_flags & ~(size_t)FLAGS;
    if (size < CHUNK_MIN || size % CHUNK_ALIGN || size > top - at)
        return false;
    next = (const struct chunk *)(at + size);
    return next->size_and_flags & PREV_IN_USE;
}

void __wrap__free_r(struct _reent *reent, void *p)
{
    if (p && !is_allocated((const struct chunk *)((char *)p - offsetof(struct chunk, next_free))))
        panic("free: %p is not allocated (freed twice, or what lies around it was overwritten)", p);
    __real__free_r(reent, p);
}
