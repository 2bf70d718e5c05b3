/* SPDX-License-Identifier: ISC */
/*
 * The one seam between the guest and the simulated hypervisor: the guest calls gate(), which is the
 * `syscall` instruction of the real thing, and the simulation knows of the guest what guest_image
 * says. Nothing else is shared but memory, and the types of Xen's public headers.
 */
#ifndef ARCH_UNIX_GATE_H
#define ARCH_UNIX_GATE_H

#include <stdint.h>

/* Numbers beyond the hypercalls: instructions that the simulated processor traps on. */
#define GATE_TSC 0x100    /* rdtsc: the time-stamp counter */
#define GATE_RANDOM 0x101 /* rdseed: 1 and a number at *a1, or 0 */

/* A hypercall: number op (__HYPERVISOR_... of xen.h, or one of the above), up to four arguments. */
long gate(unsigned long op, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4);

/* What ELF notes, program headers and the generated xl configuration say of a real guest. */
struct guest_image {
    void (*entry)(void);   /* rsi: the start info page; rsp: a page of stack */
    char *data, *data_end; /* page-aligned */
    const char *name, *cmdline;
    unsigned memory_mib, nics, disks;
};
extern const struct guest_image guest_image;

#endif
