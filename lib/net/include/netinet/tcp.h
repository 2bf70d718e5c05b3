/* SPDX-License-Identifier: ISC */
/*
 * <netinet/tcp.h>: lwIP has it all in one header.
 */
#ifndef NET_NETINET_TCP_H
#define NET_NETINET_TCP_H

#include "lwip/sockets.h"

#endif
