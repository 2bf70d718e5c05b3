/* SPDX-License-Identifier: ISC */
/* Within kernel/: the stack protector's place in the boot list. */
#ifndef KERNEL_STACKPROTECT_H
#define KERNEL_STACKPROTECT_H

/* Draws the canary. Only a function that never returns may call this: every other caller would
 * find its own canary wrong. */
void stackprotect_init(void);

#endif
