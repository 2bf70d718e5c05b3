/* SPDX-License-Identifier: ISC */
/*
 * What xl and libxl do for the guest: its part of xenstore, devices, requests to shut down.
 */
#ifndef SIM_TOOLSTACK_H
#define SIM_TOOLSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util.h"

/* Writes the domain's directories as libxl 4.17 does. */
void toolstack_create(const char *name, unsigned memory_mib, uint32_t store_port,
                      uint32_t console_port);
/* "xl shutdown", "xl reboot": "poweroff", "reboot". */
void toolstack_request(const char *what);
/* "xl sysrq". */
void toolstack_sysrq(char letter);

/* The number of the disk xvda, xvdb ... (Xen's docs/man/xen-vbd-interface.7). */
#define TOOLSTACK_VBD(i) ((202u << 8) + 16u * (i))

/* What xl's vif= says; an empty text is not written. */
struct vif_config {
    char mac[18], ip[64], mtu[8];
};
/* "xl network-attach": the directories of a virtual network interface. */
void toolstack_add_vif(unsigned index, const struct vif_config *config);
/* "xl block-attach": those of a virtual disk, whose backend is a file or block device by its path. */
void toolstack_add_vbd(unsigned index, const char *path, bool readonly);
/* "xl network-detach", "xl block-detach": has backend and frontend close the device. When the backend
 * has, or ten seconds have passed, the directories are removed, and then done() is called: this is when
 * xl ends. */
void toolstack_detach(const char *type, unsigned index, void (*done)(void));

/* Paths below the domain's own directory and below domain 0's; the text is overwritten by the next
 * call but three. */
const char *toolstack_path(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A key of the guest's device's backend; "" is its directory. */
const char *toolstack_backend_path(const char *type, unsigned index, const char *key);

#endif
