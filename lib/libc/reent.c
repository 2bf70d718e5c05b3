/* SPDX-License-Identifier: ISC */
/*
 * newlib's state that belongs to one thread: errno, strtok's place, the buffers of asctime and the
 * like. A thread gets its own at its first use of the library; the event loop has newlib's static
 * one, and a thread for which there is no memory shares that.
 */
#include <reent.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/app.h"

static void reclaim(void *libc)
{
    if (libc == _GLOBAL_REENT)
        return;
    _reclaim_reent(libc);
    _free_r(_GLOBAL_REENT, libc);
}

static struct _reent *make_reent(void **slot)
{
    struct _reent *reent;

    /* First: malloc asks for it as well, to set errno. */
    *slot = _GLOBAL_REENT;
    if (!thread_current())
        return _GLOBAL_REENT;
    reent = _malloc_r(_GLOBAL_REENT, sizeof(*reent));
    if (!reent)
        return _GLOBAL_REENT;
    _REENT_INIT_PTR(reent);
    thread_set_libc_destructor(reclaim);
    *slot = reent;
    return reent;
}

struct _reent *__getreent(void)
{
    void **slot = thread_libc_slot();

    return *slot ? *slot : make_reent(slot);
}
