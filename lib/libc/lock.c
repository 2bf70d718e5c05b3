/* SPDX-License-Identifier: ISC */
/*
 * newlib's locks (its retargetable locking: the objects and functions of newlib's misc/lock.c, all
 * of them, or the linker would take that file as well).
 *
 * They matter where a thread waits while it is inside the library: a write to a console or a socket
 * that takes no more. Another thread then waits for the lock instead of writing into the same
 * buffer. The event loop cannot wait: it passes by a thread that holds the lock, so text that a
 * callback prints may get mixed with the thread's, and no more than that.
 *
 * Every lock is recursive; that does no harm where none was asked for.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "kernel/app.h"

struct __lock {
    struct thread *owner; /* while depth > 0; NULL: the loop */
    unsigned depth;
    unsigned passed; /* how often the loop is inside beside the owner */
    struct wait_queue queue;
};

#define LOCK(name) struct __lock name = {.queue = WAIT_QUEUE_INIT(name.queue)}

/* Declared where newlib uses them. */
extern struct __lock __lock___sfp_recursive_mutex, __lock___atexit_recursive_mutex,
    __lock___at_quick_exit_mutex, __lock___malloc_recursive_mutex, __lock___env_recursive_mutex,
    __lock___tz_mutex, __lock___dd_hash_mutex, __lock___arc4random_mutex;

LOCK(__lock___sfp_recursive_mutex);
LOCK(__lock___atexit_recursive_mutex);
LOCK(__lock___at_quick_exit_mutex);
LOCK(__lock___malloc_recursive_mutex);
LOCK(__lock___env_recursive_mutex);
LOCK(__lock___tz_mutex);
LOCK(__lock___dd_hash_mutex);
LOCK(__lock___arc4random_mutex);

/* Without memory the lock is NULL, which every function here takes for a lock that is free. */
void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(**lock));
    if (*lock)
        wait_queue_init(&(*lock)->queue);
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    free(lock);
}

static bool held_by_other(_LOCK_T lock)
{
    return lock->depth && lock->owner != thread_current();
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    if (!lock)
        return;
    if (held_by_other(lock) && !thread_current()) {
        lock->passed++;
        return;
    }
    while (held_by_other(lock))
        wait_queue_sleep(&lock->queue);
    lock->owner = thread_current();
    lock->depth++;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    __retarget_lock_acquire(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    if (lock && held_by_other(lock))
        return 0;
    __retarget_lock_acquire(lock);
    return 1;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    return __retarget_lock_try_acquire(lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
    if (!lock)
        return;
    if (lock->passed && !thread_current())
        lock->passed--;
    else if (--lock->depth == 0)
        wait_queue_wake_one(&lock->queue);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    __retarget_lock_release(lock);
}
