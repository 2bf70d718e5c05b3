/* SPDX-License-Identifier: ISC */
/* What Xen's ring.h wants of a backend that includes it. */
#ifndef SIM_BACK_RING_H
#define SIM_BACK_RING_H

#include "lib/atomic.h"

#define xen_mb() shared_fence()
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#endif
