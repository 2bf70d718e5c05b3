/* SPDX-License-Identifier: ISC */
/*
 * SANITIZE=1: AddressSanitizer learns of the guest's stacks, and the guest's heap and its copying of
 * memory become AddressSanitizer's own, so that it can check them. The declarations are those of
 * <sanitizer/common_interface_defs.h> and <sanitizer/asan_interface.h>, which are the host's.
 */
#include "arch/unix/sanitize.h"

#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* More than a stack has: AddressSanitizer only needs to know where it ends. */
#define STACK_MAX (UINT64_C(1) << 20)

void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **old_bottom, size_t *old_size);
void *__asan_memcpy(void *dest, const void *src, size_t len);
void *__asan_memmove(void *dest, const void *src, size_t len);
void *__asan_memset(void *dest, int value, size_t len);

void sanitize_use_stack(uintptr_t end)
{
    void *save;

    __sanitizer_start_switch_fiber(&save, (void *)(end - STACK_MAX), STACK_MAX);
    __sanitizer_finish_switch_fiber(save, NULL, NULL);
}

void *memcpy(void *restrict dest, const void *restrict src, size_t len)
{
    return __asan_memcpy(dest, src, len);
}

void *memmove(void *dest, const void *src, size_t len)
{
    return __asan_memmove(dest, src, len);
}

void *memset(void *dest, int value, size_t len)
{
    return __asan_memset(dest, value, len);
}

/* --- the heap: arch/unix/sim/sanitize.c has these ---------------------------------------------- */

void *host_malloc(size_t size);
void *host_calloc(size_t count, size_t size);
void *host_realloc(void *old, size_t size);
void *host_memalign(size_t align, size_t size);
void host_free(void *p);
size_t host_malloc_usable_size(void *p);
size_t host_malloc_in_use(void);

static void *checked(void *p)
{
    if (!p)
        errno = ENOMEM;
    return p;
}

void *malloc(size_t size)
{
    return checked(host_malloc(size));
}

void *_malloc_r(struct _reent *reent, size_t size)
{
    return checked(host_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return checked(host_calloc(count, size));
}

void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
    return checked(host_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    return checked(host_realloc(old, size));
}

void *_realloc_r(struct _reent *reent, void *old, size_t size)
{
    return checked(host_realloc(old, size));
}

void *memalign(size_t align, size_t size)
{
    return checked(host_memalign(align, size));
}

void *_memalign_r(struct _reent *reent, size_t align, size_t size)
{
    return checked(host_memalign(align, size));
}

void free(void *p)
{
    host_free(p);
}

void _free_r(struct _reent *reent, void *p)
{
    host_free(p);
}

size_t malloc_usable_size(void *p)
{
    return host_malloc_usable_size(p);
}

struct mallinfo mallinfo(void)
{
    return (struct mallinfo){.uordblks = host_malloc_in_use()};
}
