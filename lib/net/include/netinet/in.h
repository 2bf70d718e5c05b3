/* SPDX-License-Identifier: ISC */
/*
 * <netinet/in.h>: lwIP has it all in one header.
 */
#ifndef NET_NETINET_IN_H
#define NET_NETINET_IN_H

#include "lwip/sockets.h"

#endif
