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

bool peer_no_memory(bool pages)
{
    (void)pages;
    return false;
}

bool peer_fault(const char *name, const char *when, unsigned number)
{
    (void)name;
    (void)when;
    (void)number;
    return false;
}

bool peer_struck(void)
{
    return false;
}
