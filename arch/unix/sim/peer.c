/* SPDX-License-Identifier: ISC */
/* See peer.h: honest peers. */
#include "arch/unix/sim/peer.h"

bool peer_lie(const char *name, unsigned after)
{
    (void)name;
    (void)after;
    return false;
}

unsigned peer_count(void)
{
    return 0;
}

bool peer_no_memory(void)
{
    return false;
}
