/* SPDX-License-Identifier: ISC */
/*
 * Master files from a file system, by stdio. An included file's name is relative to the directory
 * of the file that includes it.
 */
#ifndef LIB_DNS_FILESOURCE_H
#define LIB_DNS_FILESOURCE_H

#include "lib/dns/zonefile.h"

extern const struct dns_source dns_file_source;

#endif
