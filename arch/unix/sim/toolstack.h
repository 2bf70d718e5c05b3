/* SPDX-License-Identifier: ISC */
/*
 * What xl and libxl do for the guest: its part of xenstore, devices, requests to shut down.
 */
#ifndef SIM_TOOLSTACK_H
#define SIM_TOOLSTACK_H

#include <stdint.h>

#include "lib/util.h"

/* Writes the domain's directories as libxl 4.17 does. */
void toolstack_create(const char *name, unsigned memory_mib, uint32_t store_port,
                      uint32_t console_port);
/* "xl shutdown", "xl reboot": "poweroff", "reboot". */
void toolstack_request(const char *what);
/* "xl sysrq". */
void toolstack_sysrq(char letter);

/* What xl's vif= says; an empty text is not written. */
struct vif_config {
    char mac[18], ip[64], mtu[8];
};
/* "xl network-attach" and "-detach": the directories of a virtual network interface; asks backend and
 * frontend to close it, after which the backend has the directories removed. */
void toolstack_add_vif(unsigned index, const struct vif_config *config);
void toolstack_detach_vif(unsigned index);
void toolstack_remove_device(const char *type, unsigned index);

/* Paths below the domain's own directory and below domain 0's; the text is overwritten by the next
 * call but three. */
const char *toolstack_path(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A key of the guest's device's backend; "" is its directory. */
const char *toolstack_backend_path(const char *type, unsigned index, const char *key);

#endif
