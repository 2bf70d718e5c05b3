/* SPDX-License-Identifier: ISC */
/*
 * In the guest: the allocators fail when the simulation says so (lies.c). The linker puts these in the
 * place of the functions (--wrap, config/unix.mk); malloc() is the simulation's own with SANITIZE=1.
 */
#include "kernel/page.h"
#include "lib/net/mem.h"

#include <stdbool.h>

bool peer_no_memory(bool pages);

void *__real_page_alloc(unsigned order);
void *__wrap_page_alloc(unsigned order);
void *__wrap_page_alloc(unsigned order)
{
    return peer_no_memory(true) ? NULL : __real_page_alloc(order);
}

void *__real_page_alloc_zeroed(unsigned order);
void *__wrap_page_alloc_zeroed(unsigned order);
void *__wrap_page_alloc_zeroed(unsigned order)
{
    return peer_no_memory(true) ? NULL : __real_page_alloc_zeroed(order);
}

#ifdef CONFIG_NET
void *__real_net_mem_alloc(size_t size);
void *__wrap_net_mem_alloc(size_t size);
void *__wrap_net_mem_alloc(size_t size)
{
    return peer_no_memory(false) ? NULL : __real_net_mem_alloc(size);
}

void *__real_net_mem_calloc(size_t count, size_t size);
void *__wrap_net_mem_calloc(size_t count, size_t size);
void *__wrap_net_mem_calloc(size_t count, size_t size)
{
    return peer_no_memory(false) ? NULL : __real_net_mem_calloc(count, size);
}
#endif
