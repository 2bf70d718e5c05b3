/* SPDX-License-Identifier: ISC */
/*
 * Takes the place of arch/hypercall.h in a unit test that includes a .c file of xen/ directly: the
 * test defines fake_hypercall(), which sees the number and up to four arguments.
 */
#ifndef ARCH_HYPERCALL_H
#define ARCH_HYPERCALL_H

#include <stdint.h>

long fake_hypercall(unsigned op, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4);

#define hypercall1(op, a1) fake_hypercall(op, a1, 0, 0, 0)
#define hypercall2(op, a1, a2) fake_hypercall(op, a1, a2, 0, 0)
#define hypercall3(op, a1, a2, a3) fake_hypercall(op, a1, a2, a3, 0)
#define hypercall4(op, a1, a2, a3, a4) fake_hypercall(op, a1, a2, a3, a4)

#endif
