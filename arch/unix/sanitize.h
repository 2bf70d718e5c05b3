/* SPDX-License-Identifier: ISC */
/*
 * Within arch/unix: what AddressSanitizer has to be told (SANITIZE=1).
 */
#ifndef ARCH_UNIX_SANITIZE_H
#define ARCH_UNIX_SANITIZE_H

#include <stdint.h>

#include "lib/util.h"

/* sanitize.c: the stack that ends at end is the one in use from now on. */
void sanitize_use_stack(uintptr_t end);

static inline void sanitize_stack(uintptr_t end)
{
    if (IS_ENABLED(CONFIG_SANITIZE))
        sanitize_use_stack(end);
}

#endif
