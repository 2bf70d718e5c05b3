/* SPDX-License-Identifier: ISC */
/*
 * Cooperative threads: for code that wants to wait in the middle of a function. One runs at a
 * time, and gives way only in the functions marked "waits" here, so shared data needs no locks.
 * The event loop itself is not a thread: a function called from it must not wait
 * (thread_current() is NULL there, and waiting panics).
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"

struct thread;

/* Bytes; with what is added, AddressSanitizer's share too, within the largest block of page_alloc(). */
#define THREAD_STACK_MAX ((size_t)3900 << 10)

/*
 * Creates a thread that runs fn(arg) and ends when it returns. The stack has stack_size
 * bytes (0: the default, CONFIG_THREAD_STACK_KIB) above an unmapped guard page, some 530 of which are
 * the kernel's and libc's; with the guard page they are rounded up to a power of two of pages. The name is not
 * copied. Returns NULL without memory, or for more than THREAD_STACK_MAX bytes.
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, size_t stack_size);
/* NULL when the event loop or the boot code is running. */
struct thread *thread_current(void);
const char *thread_name(const struct thread *t);
/* Calls fn(t, state, ctx) for each thread; state says what it does: "runs", "is ready", "waits". */
void thread_each(void (*fn)(const struct thread *t, const char *state, void *ctx), void *ctx);
/* Ends the calling thread. */
_Noreturn void thread_exit(void);
/* Waits: lets the loop and every ready thread run once. */
void thread_yield(void);
/* Waits ns at least. */
void thread_sleep(uint64_t ns);

/* Room for libc's state of the current thread, zero at first; with no current thread: the loop's. */
#define THREAD_LIBC_BYTES 384
void *thread_libc(void);
/* Called with that when a thread ends. */
void thread_set_libc_destructor(void (*fn)(void *libc));

/*
 * A queue of threads that wait for a condition. Use in a loop:
 *     while (!condition)
 *         wait_queue_sleep(&q);
 */
struct wait_queue {
    struct list waiters;
};

#define WAIT_QUEUE_INIT(q)                                                                         \
    {                                                                                              \
        LIST_INIT((q).waiters)                                                                     \
    }
#define WAIT_FOREVER UINT64_MAX

void wait_queue_init(struct wait_queue *q);
/* Waits until woken. */
void wait_queue_sleep(struct wait_queue *q);
/* Waits until woken, or until ns have passed: then -ETIMEDOUT. */
int wait_queue_sleep_for(struct wait_queue *q, uint64_t ns);
/* Makes one waiter, or all of them, ready. May be called from anywhere but the upcall. */
void wait_queue_wake_one(struct wait_queue *q);
void wait_queue_wake_all(struct wait_queue *q);

#endif
