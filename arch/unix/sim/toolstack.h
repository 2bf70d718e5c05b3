/* SPDX-License-Identifier: ISC */
/*
 * What xl and libxl do for the guest: its part of xenstore, devices, requests to shut down.
 */
#ifndef SIM_TOOLSTACK_H
#define SIM_TOOLSTACK_H

#include <stdint.h>

/* Writes the domain's directories as libxl 4.17 does. */
void toolstack_create(const char *name, unsigned memory_mib, uint32_t store_port,
                      uint32_t console_port);
/* "xl shutdown", "xl reboot": "poweroff", "reboot". */
void toolstack_request(const char *what);
/* "xl sysrq". */
void toolstack_sysrq(char letter);

/* Paths below the domain's own directory and below domain 0's; the text is overwritten by the next
 * call but three. */
const char *toolstack_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
