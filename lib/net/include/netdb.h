/* SPDX-License-Identifier: ISC */
/*
 * <netdb.h>: getaddrinfo() and its like, with CONFIG_RESOLVER.
 */
#ifndef NET_NETDB_H
#define NET_NETDB_H

#include "lwip/netdb.h"

#define getaddrinfo lwip_getaddrinfo
#define freeaddrinfo lwip_freeaddrinfo
#define gethostbyname lwip_gethostbyname

const char *gai_strerror(int error);

#endif
