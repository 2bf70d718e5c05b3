/* SPDX-License-Identifier: ISC */
/*
 * Under newlib's malloc: where its memory comes from, and its lock, which is nothing: malloc never
 * waits, and only code that waits gives another thread a turn.
 */
#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stddef.h>
#include <unistd.h>

#include "kernel/heap.h"

void *sbrk(ptrdiff_t delta)
{
    void *old_end;

    if (heap_move_end(delta, &old_end)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return old_end;
}

void __malloc_lock(struct _reent *reent) {}

void __malloc_unlock(struct _reent *reent) {}
