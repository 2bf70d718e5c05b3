/* SPDX-License-Identifier: ISC */
/*
 * newlib's state that belongs to one thread: errno, strtok's place, the buffers of asctime and the
 * like. It lies beside the thread, so there is always one; what newlib hangs on it later comes from malloc
 * (lib/libc/malloc.c gives it back).
 */
#include <reent.h>
#include <stdio.h>

#include "kernel/app.h"

_Static_assert(sizeof(struct _reent) <= THREAD_LIBC_BYTES,
               "newlib's state of a thread has its place");

/* Zeros will do but for the streams, where newlib has them, and what rand() and its like begin with. */
static void init(struct _reent *reent)
{
#ifndef CONFIG_LIBC_STDIO_CONSOLE
    _REENT_INIT_PTR_ZEROED(reent);
#else
    static const struct _rand48 start = {
        {_RAND48_SEED_0, _RAND48_SEED_1, _RAND48_SEED_2},
        {_RAND48_MULT_0, _RAND48_MULT_1, _RAND48_MULT_2},
        _RAND48_ADD,
    };
    static FILE console;

    reent->_stdin = reent->_stdout = reent->_stderr = &console; /* never looked into (print.c) */
    reent->_new._reent._r48 = start;
    reent->_new._reent._rand_next = 1;
#endif
}

struct _reent *__getreent(void)
{
    struct _reent *reent = thread_libc();

    if (!reent->_new._reent._r48._add)
        init(reent);
    return reent;
}
