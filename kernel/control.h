/* SPDX-License-Identifier: ISC */
/* Within kernel/: requests of the toolstack, by way of xenstore (docs/shutdown.md). */
#ifndef KERNEL_CONTROL_H
#define KERNEL_CONTROL_H

/* Starts listening: "xl shutdown", "xl reboot", "xl sysrq". Never waits. */
void control_init(void);

#endif
