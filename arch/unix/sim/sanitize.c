/* SPDX-License-Identifier: ISC */
/* See sanitize.h. */
#include "arch/unix/sim/sanitize.h"

#ifdef CONFIG_SANITIZE

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sanitizer/common_interface_defs.h>

#include "arch/unix/gate.h"
#include "arch/unix/sim/console.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/peer.h"

const char *__asan_default_options(void);
int __sanitizer_get_ownership(const volatile void *p); /* gcc has no header for it */

/* The guest ends with the process: what it still holds is no leak. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* What the guest printed before the report is still in its ring. */
void sanitize_create(void)
{
    __sanitizer_set_death_callback(console_drain);
}

static const void *other_stack;
static size_t other_size;

void sanitize_change(void)
{
    void *fake;

    if (!other_stack) { /* the guest's first stack is somewhere in its data */
        other_stack = guest_image.data;
        other_size = (size_t)(guest_image.data_end - guest_image.data);
    }
    __sanitizer_start_switch_fiber(&fake, other_stack, other_size);
    __sanitizer_finish_switch_fiber(fake, &other_stack, &other_size);
}

/* --- the heap, for arch/unix/sanitize.c ------------------------------------------------------- */

void *host_malloc(size_t size);
void *host_calloc(size_t count, size_t size);
void *host_realloc(void *old, size_t size);
void *host_memalign(size_t align, size_t size);
void host_free(void *p);
size_t host_malloc_usable_size(void *p);
size_t host_malloc_in_use(void);

/* The guest must see its memory run out, as it does with a heap of its own. */
static size_t in_use;

static bool fits(size_t size)
{
    size_t all = memory_guest_pages() * PAGE_SIZE;

    return size <= all && in_use <= all - size && !peer_no_memory(false);
}

static void *taken(void *p)
{
    in_use += malloc_usable_size(p);
    return p;
}

void *host_malloc(size_t size)
{
    return fits(size) ? taken(malloc(size)) : NULL;
}

void *host_calloc(size_t count, size_t size)
{
    size_t bytes;

    return !__builtin_mul_overflow(count, size, &bytes) && fits(bytes) ? taken(calloc(count, size))
                                                                       : NULL;
}

void *host_realloc(void *old, size_t size)
{
    if (!fits(size))
        return NULL;
    in_use -= malloc_usable_size(old);
    return taken(realloc(old, size));
}

void *host_memalign(size_t align, size_t size)
{
    return fits(size) ? taken(memalign(align, size)) : NULL;
}

void host_free(void *p)
{
    if (p && __sanitizer_get_ownership(p)) /* if not, free() will say so */
        in_use -= malloc_usable_size(p);
    free(p);
}

size_t host_malloc_usable_size(void *p)
{
    return malloc_usable_size(p);
}

size_t host_malloc_in_use(void)
{
    return in_use;
}

#else

void sanitize_create(void)
{
}

void sanitize_change(void)
{
}

#endif
