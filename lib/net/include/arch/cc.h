/* SPDX-License-Identifier: ISC */
/*
 * lwIP's view of the compiler and the kernel (lwIP's doc/sys_arch.txt). lwIP includes it in every
 * file, so it includes nothing of ours but the log's declarations.
 */
#ifndef NET_ARCH_CC_H
#define NET_ARCH_CC_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/log.h"

#define BYTE_ORDER LITTLE_ENDIAN

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1

#ifdef CONFIG_SOCKETS
#define LWIP_ERRNO_STDINCLUDE 1
#endif

/* x86 does these in one instruction. */
#define lwip_htons(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define lwip_htonl(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))

#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(x) panic("lwIP: %s (%s:%d)", (x), __FILE__, __LINE__)

uint32_t net_random(void);
#define LWIP_RAND() net_random()

#endif
