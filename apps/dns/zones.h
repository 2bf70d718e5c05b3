/* SPDX-License-Identifier: ISC */
/*
 * The zone images compiled into the app, one after the other.
 */
#ifndef APPS_DNS_ZONES_H
#define APPS_DNS_ZONES_H

#include <stdint.h>

extern const uint8_t dns_zones[], dns_zones_end[];

#endif
