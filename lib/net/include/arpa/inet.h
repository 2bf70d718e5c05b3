/* SPDX-License-Identifier: ISC */
/*
 * <arpa/inet.h>: addresses as text and back.
 */
#ifndef NET_ARPA_INET_H
#define NET_ARPA_INET_H

#include "lwip/sockets.h"

#define inet_ntop lwip_inet_ntop
#define inet_pton lwip_inet_pton

#endif
