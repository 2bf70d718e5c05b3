/* SPDX-License-Identifier: ISC */
/*
 * The network's allocator: for lwIP, lib/net, network drivers and apps. See mem.c.
 */
#ifndef LIB_NET_MEM_H
#define LIB_NET_MEM_H

#include <stddef.h>
#include <stdint.h>

/* The largest object: a datagram and its headers. */
#define NET_MEM_MAX (128 * 1024)

/* What an object of whole pages loses to the allocator: one of 2^n pages has this much less. */
#define NET_MEM_HEADER 64

/* 16-byte aligned, content undefined; NULL without memory. */
void *net_mem_alloc(size_t size);
/* Zeroed. */
void *net_mem_calloc(size_t count, size_t size);
/* NULL is allowed. */
void net_mem_free(void *p);

struct net_mem_stats {
    size_t pages;    /* taken from the page allocator now */
    uint64_t failed; /* requests refused */
};
const struct net_mem_stats *net_mem_stats(void);

#endif
