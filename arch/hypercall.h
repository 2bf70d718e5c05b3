/* SPDX-License-Identifier: ISC */
/*
 * hypercall1() to hypercall4(): the architecture's way into the hypervisor. Only xen/hypercall.h,
 * which gives each call its types, and the architecture itself use these.
 */
#ifndef ARCH_HYPERCALL_H
#define ARCH_HYPERCALL_H

#ifdef CONFIG_ARCH_UNIX
#include "arch/unix/hypercall.h"
#else
#include "arch/x86_64/hypercall.h"
#endif

#endif
