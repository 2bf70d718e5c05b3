/* SPDX-License-Identifier: ISC */
/* lib/net/mem.h on the host: an allocation of its own for each object, so that ASan sees a use after
 * free. */
#include <stdlib.h>
#include <string.h>

#include "lib/net/mem.h"
#include "tests/unit/fake_kernel.h"

unsigned fake_objects;

void *net_mem_alloc(size_t size)
{
    if (fake_no_memory)
        return NULL;
    fake_objects++;
    return malloc(size);
}

void *net_mem_calloc(size_t count, size_t size)
{
    void *p = net_mem_alloc(count * size);

    return p ? memset(p, 0, count * size) : NULL;
}

void net_mem_free(void *p)
{
    fake_objects -= p != NULL;
    free(p);
}
