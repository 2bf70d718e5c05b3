/* SPDX-License-Identifier: ISC */
/* Hypercalls into the simulated hypervisor: see gate.h. */
#ifndef ARCH_UNIX_HYPERCALL_H
#define ARCH_UNIX_HYPERCALL_H

#include "arch/unix/gate.h"

static inline long hypercall1(unsigned op, uintptr_t a1)
{
    return gate(op, a1, 0, 0, 0);
}

static inline long hypercall2(unsigned op, uintptr_t a1, uintptr_t a2)
{
    return gate(op, a1, a2, 0, 0);
}

static inline long hypercall3(unsigned op, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
    return gate(op, a1, a2, a3, 0);
}

static inline long hypercall4(unsigned op, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4)
{
    return gate(op, a1, a2, a3, a4);
}

#endif
