/* SPDX-License-Identifier: ISC */
/*
 * Access to memory that another domain writes or reads at the same time: rings, grant entries,
 * shared info. A plain C access may be torn, repeated or moved by the compiler; these may not.
 *
 * shared_read() and shared_write() are single, untorn accesses with no ordering. An index that
 * publishes data is stored with shared_store_release() and fetched with shared_load_acquire():
 * the two are partners, and everything written before the release is seen after the acquire.
 * shared_fence() orders an earlier store before a later load: the one order x86 does not give.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include <stdbool.h>

#define shared_read(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define shared_write(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define shared_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define shared_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define shared_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Set *p to desired if it holds *expected; otherwise *expected becomes what it held. */
#define shared_cmpxchg(p, expected, desired)                                                       \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_SEQ_CST,               \
                                __ATOMIC_SEQ_CST)
#define shared_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define shared_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define shared_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)

#endif
