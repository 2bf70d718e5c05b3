/* SPDX-License-Identifier: ISC */
/*
 * Published pages: an app's own, sent from where they lie (docs/network.md).
 *
 * What a packet is sent from a backend reads, and until it says that it has done so: it may well be later than the
 * other end's acknowledgement. Memory that an app gets back with that acknowledgement can therefore not be shown to a
 * backend; what stands next to it in its page cannot either (hardening.md, rule 11). Both are out of the question for
 * whole pages that hold nothing but what goes to anybody who asks, unchanged for as long as the guest lives: the files of
 * a website, the pattern of a measurement. They are granted while a packet of theirs is on the ring, like any other.
 */
#include <errno.h>

#include "lib/net/mem.h"
#include "lib/net/netpage.h"

struct publication {
    struct publication *next;
    const uint8_t *start;
    size_t size; /* octets */
    struct netpage pages[];
};

static struct publication *publications; /* few: they are looked through */

int netpage_publish(const void *start, size_t count)
{
    struct publication *p = net_mem_calloc(1, sizeof(*p) + count * sizeof(p->pages[0]));

    ASSERT((uintptr_t)start % PAGE_SIZE == 0);
    if (!p)
        return -ENOMEM;
    p->start = start;
    p->size = count * PAGE_SIZE;
    for (size_t i = 0; i < count; i++) {
        p->pages[i].page =
            (uint8_t *)start + i * PAGE_SIZE; /* granted read-only: netfront_show() */
        p->pages[i].published = true;
    }
    p->next = publications;
    publications = p;
    return 0;
}

struct netpage *netpage_published(const struct pbuf *p, uint16_t from)
{
    /* Only memory of others', which a pbuf refers to, can be an app's. */
    if (p->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS || p->flags & PBUF_FLAG_IS_CUSTOM)
        return NULL;
    for (struct publication *at = publications; at; at = at->next) {
        uintptr_t offset = (uintptr_t)p->payload + from - (uintptr_t)at->start;

        if (offset < at->size)
            return &at->pages[offset / PAGE_SIZE];
    }
    return NULL;
}

void netpage_close_published(void (*release)(struct netpage *np))
{
    for (struct publication *at = publications; at; at = at->next) {
        for (size_t i = 0; i < at->size / PAGE_SIZE; i++) {
            if (!at->pages[i].custom.pbuf.ref && !at->pages[i].lost)
                release(&at->pages[i]);
        }
    }
}
